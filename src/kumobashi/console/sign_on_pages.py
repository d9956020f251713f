"""Signing on at a provider: there, back, and out again. It works without JavaScript.

    /sign-in/<provider>  ──► the provider ──► /sign-in/<provider>/back ──► the morning
    /sign-out/<provider> ──► the provider's page       /sign-out/<provider>/back-channel ◄── it
                             /sign-out/<provider>/back ◄── a browser that it sends (SAML)

A way there is a link and no form: our own Content-Security-Policy lets no form lead elsewhere.
Whoever comes back is answered with a page, and not sent on at once, because browsers keep the new
session's cookie back from what another site has set going.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.asking import guarded
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, forget_left, go, left_session
from kumobashi.console.sign_on_ports import Offered, SignOnSource
from kumobashi.identity.errors import IdentityFailed, SignOnStale
from kumobashi.identity.ways import LIFE, Departure
from kumobashi.kernel import KumobashiError

_SEALED, _PLAIN = "__Host-kumo_way", "kumo_way"  # the first needs https
_LARGEST_FORM: Final = 100_000  # bytes
_LARGEST_QUERY: Final = 8_000
_MOST_FIELDS: Final = 20
_SEE_OTHER, _NOT_FOUND = 303, 404
_NO_STORE: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnPages:
    """The pages between this console and its providers."""

    source: SignOnSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes; the front channel of OpenID Connect has none, and answers 404."""
        there, out = "/sign-in/{provider}", "/sign-out/{provider}"
        return [
            Route(there, guarded(self.leave), methods=["GET"]),
            Route(f"{there}/back", guarded(self.come_back), methods=["GET", "POST"]),
            Route(out, guarded(self.part), methods=["GET"]),
            Route(f"{there}/metadata", guarded(self.describe), methods=["GET"]),
            Route(f"{out}/back", guarded(self.be_parted), methods=["GET"]),
            Route(f"{out}/back-channel", self.hear, methods=["POST"]),
        ]

    async def _offered(self, request: Request) -> Offered:
        wanted = request.path_params["provider"]
        for one in await asyncio.to_thread(self.source.offered):
            if one.provider == wanted:
                return one
        raise HTTPException(_NOT_FOUND)

    async def leave(self, request: Request) -> Response:
        """Send the browser to the provider."""
        offered = await self._offered(request)
        try:
            departure = await self.source.begin(offered.provider)
        except IdentityFailed as error:
            return await self.door.form(request, error)
        return _leaving(offered, departure, posts=offered.posts)

    async def come_back(self, request: Request) -> Response:
        """Begin a session for whoever the provider recognised, or say why not."""
        offered = await self._offered(request)
        name = _SEALED if offered.is_sealed else _PLAIN
        try:
            if offered.posts != (request.method == "POST"):
                raise SignOnStale
            said = await _form(request) if offered.posts else _fields(request.url.query)
            browser = request.cookies.get(name, "")
            value = await self.source.finish(offered.provider, said, browser)
        except IdentityFailed as error:
            answer: Response = await self.door.form(request, error)
        else:
            answer = draw("signed_on.html", request, name=offered.name)
            answer.headers["Refresh"] = f"0; url={request.scope.get('root_path', '')}/"
            self.door.remember_session(request, answer, value, is_sealed=offered.is_sealed)
        answer.delete_cookie(name, secure=offered.is_sealed, httponly=True)
        return answer

    async def part(self, request: Request) -> Response:
        """Send a browser whose session is over to the provider's page for signing out."""
        offered = await self._offered(request)
        try:
            departure = await self.source.farewell(offered.provider, left_session(request))
        except IdentityFailed as error:
            return await self.door.form(request, error)
        if departure is None:
            raise HTTPException(_NOT_FOUND)
        answer = _leaving(offered, departure)
        forget_left(request, answer)
        return answer

    async def be_parted(self, request: Request) -> Response:
        """Take a browser that the provider sends to sign out here, or because it has (SAML)."""
        offered = await self._offered(request)
        name = _SEALED if offered.is_sealed else _PLAIN
        try:
            address = await self.source.parted(
                offered.provider, request.url.query, request.cookies.get(name, "")
            )
        except IdentityFailed as error:
            return await self.door.form(request, error)
        if address is not None:
            return _elsewhere(address)
        answer = go(request, "/sign-in")
        answer.delete_cookie(name, secure=offered.is_sealed, httponly=True)
        return answer

    async def describe(self, request: Request) -> Response:
        """Answer with what the provider has to know of this console (SAML)."""
        offered = await self._offered(request)
        said = await self.source.metadata(offered.provider)
        if said is None:
            raise HTTPException(_NOT_FOUND)
        headers = {**SAFE_HEADERS, **_NO_STORE}
        return Response(said, media_type="application/samlmetadata+xml", headers=headers)

    async def hear(self, request: Request) -> Response:
        """Take a logout token from a provider (Back-Channel Logout 1.0, 2.5 to 2.8)."""
        try:
            offered = await self._offered(request)
            await self.source.hear_ended(offered.provider, await _form(request))
        except HTTPException:
            return JSONResponse({"error": "not_found"}, _NOT_FOUND, _NO_STORE)
        except KumobashiError as error:
            status = error.status if error.retryable else 400
            said = {"error": "invalid_request", "error_description": error.code}
            return JSONResponse(said, status, _NO_STORE)
        return Response(status_code=200, headers=_NO_STORE)


async def _form(request: Request) -> Mapping[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise SignOnStale
    return _fields(body.decode("utf-8", "replace"), longest=_LARGEST_FORM)


def _fields(text: str, *, longest: int = _LARGEST_QUERY) -> Mapping[str, str]:
    """Return the fields of an answer; one that comes twice means two things, and is refused."""
    try:
        if len(text) > longest:
            raise SignOnStale
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise SignOnStale from None
    if any(len(values) > 1 for values in found.values()):
        raise SignOnStale
    return {name: values[0] for name, values in found.items()}


def _leaving(offered: Offered, departure: Departure, *, posts: bool = False) -> Response:
    answer = _elsewhere(departure.address)
    if departure.browser:
        answer.set_cookie(
            _SEALED if offered.is_sealed else _PLAIN,
            departure.browser,
            max_age=int(LIFE.total_seconds()),
            secure=offered.is_sealed,
            httponly=True,
            # A form that another site's page sends brings no other cookies.
            samesite="none" if posts and offered.is_sealed else "lax",
        )
    return answer


def _elsewhere(address: str) -> RedirectResponse:
    headers = {**SAFE_HEADERS, **_NO_STORE, "Referrer-Policy": "no-referrer"}
    return RedirectResponse(address, _SEE_OTHER, headers)
