"""Signing in and out, and what stands before every page: who is it, and may they look.

Without accounts anybody on the gateway's machine may look, as before; nobody can approve. With
accounts every page asks for a session. Forms are taken only from a page of ours: the browser's
``Origin`` must be this host, and the form must carry the token of its session.
"""

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.asking import Handler, guarded
from kumobashi.console.drawing import draw
from kumobashi.identity import Accounts, Deed, Session, Sessions, may
from kumobashi.identity.errors import FormStale, IdentityFailed

_LARGEST_FORM = 20_000  # bytes
_LONGEST_FIELD = 200  # characters
_SEE_OTHER = 303
_SEALED, _PLAIN = "__Host-kumo_session", "kumo_session"  # the first needs https
_ENTRY_FORM = "kumo_entry"


@dataclass(frozen=True, slots=True)
class Door:
    """Knows who has signed in; ``None`` as accounts: there are none at this console."""

    accounts: Accounts | None

    def routes(self) -> list[Route]:
        """Return the routes of signing in and out."""
        return [
            Route("/sign-in", guarded(self.show), methods=["GET"], name="console-sign-in"),
            Route("/sign-in", guarded(self.sign_in), methods=["POST"]),
            Route("/sign-out", guarded(self.sign_out), methods=["POST"]),
        ]

    def route(
        self, path: str, page: Handler, method: str = "GET", name: str | None = None
    ) -> Route:
        """Return the route of a page that stands behind this door."""
        return Route(path, guarded(self._opened(page)), methods=[method], name=name)

    def _opened(self, page: Handler) -> Handler:
        """Let a page be asked for by whoever may look; note who it is for the drawing."""

        async def behind(request: Request) -> Response:
            if self.accounts is None or await asyncio.to_thread(lambda: self._is_open):
                return await page(request)
            session = await self.session(request)
            if session is None:
                if request.method != "GET":
                    raise FormStale
                return go(request, "/sign-in")
            request.state.session = session
            return await page(request)

        return behind

    @property
    def _is_open(self) -> bool:
        return self.accounts is None or self.accounts.is_empty

    async def session(self, request: Request) -> Session | None:
        """Return the session of whoever asks."""
        value = request.cookies.get(_cookie(request), "")
        if self.accounts is None or not value:
            return None
        by_itself = "hx-request" in request.headers  # htmx asks so every few seconds
        return await asyncio.to_thread(Sessions(self.accounts).find, value, by_itself=by_itself)

    async def show(self, request: Request) -> Response:
        """Answer with the form."""
        return self._form(request, None)

    def _form(self, request: Request, error: IdentityFailed | None) -> Response:
        token = secrets.token_urlsafe(24)
        status = error.status if error else 200
        answer = draw("sign_in.html", request, status=status, token=token, error=error)
        answer.set_cookie(
            _ENTRY_FORM, token, secure=_is_https(request), httponly=True, samesite="strict"
        )
        return answer

    async def sign_in(self, request: Request) -> Response:
        """Open a session, or say again what is asked for."""
        form = await form_of(request)
        held = request.cookies.get(_ENTRY_FORM, "")
        if self.accounts is None or not hmac.compare_digest(
            held.encode() or b"-", form.get("token", "").encode()
        ):
            return self._form(request, FormStale())
        try:
            value = await asyncio.to_thread(
                Sessions(self.accounts).sign_in,
                form.get("name", "").strip().lower(),
                form.get("password", ""),
                form.get("code", ""),
            )
        except IdentityFailed as error:
            return self._form(request, error)
        answer = go(request, "/")
        answer.delete_cookie(_ENTRY_FORM)
        answer.set_cookie(
            _cookie(request), value, secure=_is_https(request), httponly=True, samesite="strict"
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        form = await form_of(request)
        session = await self.session(request)
        if session is not None and self.accounts is not None:
            session.check_form(form.get("token", ""))
            value = request.cookies.get(_cookie(request), "")
            await asyncio.to_thread(Sessions(self.accounts).end, value)
        answer = go(request, "/sign-in")
        answer.delete_cookie(_cookie(request), secure=_is_https(request))
        return answer


def check_is_ours(request: Request) -> None:
    """Raise ``FormStale`` unless a form comes from a page of ours."""
    origin = request.headers.get("origin", "")
    elsewhere = origin and urlsplit(origin).netloc != request.headers.get("host", "")
    if elsewhere or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise FormStale


async def form_of(request: Request, *, longest: int = _LONGEST_FIELD) -> dict[str, str]:
    """Return the fields of a form that a page of ours sent; raise ``FormStale`` for others."""
    check_is_ours(request)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise FormStale
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise FormStale from None
    return {name: values[-1][:longest] for name, values in fields.items()}


async def asked_by(
    request: Request, deed: Deed, *, longest: int = _LONGEST_FIELD
) -> tuple[Session, dict[str, str]]:
    """Return who sent a form that decides something, and its fields.

    Raises:
        FormStale: nobody has signed in, or the form is not of their session.
        NotPermitted: the role does not include it.
    """
    form = await form_of(request, longest=longest)
    session = who(request)
    if session is None:  # without accounts nobody can decide
        raise FormStale
    session.check_form(form.get("token", ""))
    session.check_may(deed)
    return session, form


def is_allowed(session: Session | None, deed: Deed) -> bool:
    """Whether whoever looks may do it."""
    return session is not None and may(session.account.role, deed)


def who(request: Request) -> Session | None:
    """Return who has signed in, as :meth:`Door.opened` noted it."""
    found = getattr(request.state, "session", None)
    return found if isinstance(found, Session) else None


def go(request: Request, path: str) -> RedirectResponse:
    """Answer with the page to see next."""
    root = request.scope.get("root_path", "").rstrip("/")
    return RedirectResponse(f"{root}{path}", _SEE_OTHER, dict(SAFE_HEADERS))


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie(request: Request) -> str:
    return _SEALED if _is_https(request) else _PLAIN
