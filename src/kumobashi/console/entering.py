"""Signing in and out, and what stands before every page: who is it, and may they look.

Without accounts anybody on the gateway's machine may look, as before; nobody can approve. With
accounts every page asks for a session. Forms are taken only from a page of ours: the browser's
``Origin`` must be this host, and the form must carry the token of its session.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kumobashi.console.access_ports import AccessBook
from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.asking import Handler, guarded
from kumobashi.console.drawing import draw
from kumobashi.console.permits import WITHIN_A_SCOPE, Permit, first_page, page_code, permit_of
from kumobashi.console.ports import BoardSource
from kumobashi.console.sign_on_ports import Offered
from kumobashi.exchange.views import Board
from kumobashi.identity import Accounts, Deed, Session, Sessions, may
from kumobashi.identity.errors import FormStale, IdentityFailed, OutOfScope
from kumobashi.kernel import KumobashiError

_LARGEST_FORM = 20_000  # bytes
_LONGEST_FIELD = 200  # characters
_SEE_OTHER = 303
_SEALED, _PLAIN = "__Host-kumo_session", "kumo_session"  # the first needs https
_ENTRY_FORM = "kumo_entry"
_LEFT = "kumo_left"
_LEFT_SECONDS = 600
_REFUSED = 400  # statuses from here on show nothing of a resident


@dataclass(frozen=True, slots=True)
class Door:
    """Knows who has signed in; ``None`` as accounts: there are none at this console."""

    accounts: Accounts | None
    board: BoardSource | None = None  # which links a bound account may see
    book: AccessBook | None = None
    offered: Callable[[], Sequence[Offered]] = tuple  # providers where people sign on too

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
        """Return the route of a page that stands behind this door; ``permits`` has its row."""
        permit = permit_of(method, path)
        handler = guarded(self._opened(page, permit, path, page_code(method, path)))
        return Route(path, handler, methods=[method], name=name)

    def _opened(self, page: Handler, permit: Permit, path: str, code: str) -> Handler:
        """Let a page be asked for by whoever may; note who it is for the drawing."""

        async def behind(request: Request) -> Response:
            if self.accounts is None or await asyncio.to_thread(lambda: self._is_open):
                return await page(request)
            session = await self.session(request)
            if session is None:
                if request.method != "GET":
                    raise FormStale
                return go(request, "/sign-in")
            request.state.session = session
            account = session.account
            if path == "/" and (first := first_page(account.role)) != path:
                return go(request, first)
            try:
                session.check_may(permit.deed)
                request.state.visible = await self._visible(request, session, path)
                answer = await page(request)
            except IdentityFailed as error:
                if self.book and not isinstance(error, FormStale):
                    said = partial(self.book.refused, account, page=code, code=error.code)
                    await asyncio.to_thread(said)
                raise
            if permit.purpose and self.book and answer.status_code < _REFUSED:
                said = partial(self.book.looked, account, page=code, purpose=permit.purpose)
                await asyncio.to_thread(said)
            return answer

        return behind

    async def _visible(
        self, request: Request, session: Session, path: str
    ) -> frozenset[str] | None:
        """Return the links to which an account is bound; none: it sees all.

        Raises:
            OutOfScope: the page is not for accounts that are bound.
        """
        scope = session.account.scope
        if scope is None:
            return None
        if path not in WITHIN_A_SCOPE or self.board is None:
            raise OutOfScope
        board = await asyncio.to_thread(self.board.board)
        found = frozenset(
            row.link
            for row in board.rows
            if scope.covers(row.link, {row.from_system, row.to_system})
        )
        link = request.path_params.get("link")
        if link is not None and link not in found:
            raise HTTPException(404)  # as if there were none of that name
        return found

    @property
    def _is_open(self) -> bool:
        return self.accounts is None or (self.accounts.is_empty and not self.offered())

    async def session(self, request: Request) -> Session | None:
        """Return the session of whoever asks."""
        value = request.cookies.get(_cookie(request), "")
        if self.accounts is None or not value:
            return None
        by_itself = "hx-request" in request.headers  # htmx asks so every few seconds
        return await asyncio.to_thread(Sessions(self.accounts).find, value, by_itself=by_itself)

    async def show(self, request: Request) -> Response:
        """Answer with the form."""
        return await self.form(request, None)

    async def form(self, request: Request, error: IdentityFailed | None) -> Response:
        """Answer with the form, and with what has just been refused."""
        token = secrets.token_urlsafe(24)
        status = error.status if error else 200
        try:
            offered = await asyncio.to_thread(self.offered)
        except KumobashiError:  # whoever has an account of this console still comes in
            offered = ()
        left = request.query_params.get("left", "")
        answer = draw(
            "sign_in.html",
            request,
            status=status,
            token=token,
            error=error,
            offered=offered,
            left=next((one for one in offered if one.provider == left), None),
        )
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
            return await self.form(request, FormStale())
        try:
            value = await asyncio.to_thread(
                Sessions(self.accounts).sign_in,
                form.get("name", "").strip().lower(),
                form.get("password", ""),
                form.get("code", ""),
            )
        except IdentityFailed as error:
            return await self.form(request, error)
        answer = go(request, "/")
        answer.delete_cookie(_ENTRY_FORM)
        self.remember_session(request, answer, value)
        return answer

    def remember_session(
        self, request: Request, answer: Response, value: str, *, is_sealed: bool = False
    ) -> None:
        """Leave the cookie of a session; ``is_sealed``: https ends before this gateway."""
        answer.set_cookie(
            _cookie(request),
            value,
            secure=is_sealed or _is_https(request),
            httponly=True,
            samesite="strict",
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        form = await form_of(request)
        session, provider, value = await self.session(request), None, ""
        if session is not None and self.accounts is not None:
            session.check_form(form.get("token", ""))
            value = request.cookies.get(_cookie(request), "")
            sessions = Sessions(self.accounts)
            provider = await asyncio.to_thread(sessions.origin, value)
            await asyncio.to_thread(sessions.end, value)
        answer = go(request, f"/sign-in?left={provider}" if provider else "/sign-in")
        answer.delete_cookie(_cookie(request), secure=_is_https(request))
        if provider:  # it opens nothing any more; a provider wants to hear whom it was of
            answer.set_cookie(
                _LEFT,
                value,
                max_age=_LEFT_SECONDS,
                path=_path_of_left(request),
                secure=_is_https(request),
                httponly=True,
                samesite="strict",
            )
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


def is_let(request: Request, deed: Deed) -> bool:
    """Whether a page may show this: to whoever may do it, or to all where nobody signs in."""
    session = who(request)
    return session is None or may(session.account.role, deed)


def visible_to(request: Request) -> frozenset[str] | None:
    """Return the links to which whoever asks is bound; none: they see all."""
    found = getattr(request.state, "visible", None)
    return found if isinstance(found, frozenset) else None


def within(board: Board, request: Request) -> Board:
    """Return what whoever asks may see of a board."""
    visible = visible_to(request)
    if visible is None:
        return board
    rows = tuple(row for row in board.rows if row.link in visible)
    return replace(
        board, rows=rows, overdue=(), overdue_media=(), overdue_requests=(), incidents=()
    )


def who(request: Request) -> Session | None:
    """Return who has signed in, as :meth:`Door.opened` noted it."""
    found = getattr(request.state, "session", None)
    return found if isinstance(found, Session) else None


def go(request: Request, path: str) -> RedirectResponse:
    """Answer with the page to see next."""
    root = request.scope.get("root_path", "").rstrip("/")
    return RedirectResponse(f"{root}{path}", _SEE_OTHER, dict(SAFE_HEADERS))


def left_session(request: Request) -> str:
    """Return the cookie of the session that a browser has just left."""
    return request.cookies.get(_LEFT, "")[:_LONGEST_FIELD]


def forget_left(request: Request, answer: Response) -> None:
    """Take that cookie away."""
    answer.delete_cookie(_LEFT, path=_path_of_left(request))


def _path_of_left(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/sign-out"


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie(request: Request) -> str:
    return _SEALED if _is_https(request) else _PLAIN
