"""The internal-linkage profile over HTTP: ``/linkage/token``, ``/linkage/introspect``, and calls.

A consumer gets a token for one provider and asks ``/linkage/<provider>/<service>/<version>/<name>``
as it would ask the provider. The token says who asks; whether it may is asked of the link in force,
when the token is made and again with every call.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from kumobashi.calls.asking import Asker, Wish
from kumobashi.calls.binary_http import Answer, Headers, Request
from kumobashi.calls.errors import ServiceUnfit
from kumobashi.calls.linkage.answers import read_answer, refused, shaped
from kumobashi.calls.linkage.clients import (
    ASSERTION_TYPE,
    Assertions,
    Client,
    client_id_of,
    secret_fits,
)
from kumobashi.calls.linkage.errors import (
    BodyUnfit,
    ClientUnproven,
    GrantRefused,
    ItemsUnfit,
    LinkageFailed,
    ScopeMissing,
    ScopeRefused,
    TokenRefused,
    TokenRequestUnfit,
    TooSlow,
)
from kumobashi.calls.linkage.items import renamed, wrong_items
from kumobashi.calls.linkage.scopes import read_scopes
from kumobashi.calls.linkage.tokens import LIFE, Token, read_token, write_token
from kumobashi.crypto.canonical import read_json
from kumobashi.crypto.errors import NotCanonical
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import Clock, KumobashiError, new_id
from kumobashi.service.call_api import Pairs, body_of, headers_of, send_answer
from kumobashi.service.described import MEDIA_TYPE, text_of
from kumobashi.service.linkage_offers import Offer

FACE: Final = "/linkage/"
LIMIT_SECONDS: Final = 30.0  # of the profile, for a whole call
_FORM_SECONDS: Final = 10.0
_LARGEST_FORM: Final = 16 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_NOT_KEPT: Final = [("cache-control", "no-store"), ("pragma", "no-cache")]
_OK, _BAD_REQUEST, _REDIRECT = 200, 400, 300  # HTTP
Form = Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class LinkageCalls:
    """The authorisation server of one site, and where the systems ask that speak the profile."""

    asker: Asker
    clients: Callable[[str], Client | None]
    offers: Callable[[], Sequence[Offer]]
    key: SigningKey
    tenant: str
    url: Callable[[], str]  # of this gateway, as the directory has it
    clock: Clock
    record: Callable[[KumobashiError], Awaitable[None]]
    limit_seconds: float = LIMIT_SECONDS
    _assertions: Assertions = field(init=False)
    _document: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._assertions = Assertions(self.clock.now())
        self._document = text_of("linkage")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["path"] == f"{FACE}openapi.yaml" and scope["method"] == "GET":
            await send_answer(send, _OK, [("content-type", MEDIA_TYPE)], self._document)
        elif scope["path"] in {f"{FACE}token", f"{FACE}introspect"}:
            await self._authorise(scope, receive, send)
        else:
            await self._call(scope, receive, send)

    async def _authorise(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = headers_of(scope)
            async with asyncio.timeout(_FORM_SECONDS):
                form = await _form(scope, headers, receive)
            client = self._proven(headers, form)
            is_token = scope["path"] == f"{FACE}token"
            said = self._issue(client, form) if is_token else self._introspect(client, form)
        except (KumobashiError, TimeoutError) as error:
            told = TokenRequestUnfit(reason="slow") if isinstance(error, TimeoutError) else error
            await self.record(told)
            await _deny(send, told)
            return
        content = [("content-type", "application/json"), *_NOT_KEPT]
        await send_answer(send, _OK, content, _json(said))

    def _proven(self, headers: Pairs, form: Form) -> Client:
        """Return the client that asks; it shows who it is in one way only."""
        shown = [value for name, value in headers if name == "authorization"]
        if shown and ("client_assertion" in form or "client_secret" in form or len(shown) > 1):
            raise TokenRequestUnfit(reason="client authentication, twice")
        if shown:
            client_id, secret = _basic(shown[0])
            client = self.clients(client_id)
            if not secret_fits(client, secret) or client is None or not client.may_use_basic:
                raise ClientUnproven(reason="client_secret_basic")
        else:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise ClientUnproven(reason="client_assertion_type")
            assertion = form.get("client_assertion", "")
            client = self.clients(client_id_of(assertion))
            if client is None:
                raise ClientUnproven(reason="sub")
            issuer = self._issuer()
            here = frozenset({issuer, f"{issuer}/token", f"{issuer}/introspect"})
            self._assertions.check(assertion, client, here, self.clock.now())
        if form.get("client_id", client.client_id) != client.client_id:
            raise ClientUnproven(reason="client_id")
        return client

    def _issue(self, client: Client, form: Form) -> dict[str, object]:
        if form.get("grant_type") != "client_credentials" or "refresh_token" in form:
            raise GrantRefused
        scopes = read_scopes(form.get("scope", ""))
        token = Token(
            issuer=self._issuer(),
            tenant=self.tenant,
            client_id=client.client_id,
            scopes=scopes,
            issued=self.clock.now(),
            token=new_id(),
        )
        if not self._stands(token, client):
            raise ScopeRefused(reason=scopes[0].provider)
        return {
            "access_token": write_token(token, self.key),
            "token_type": "Bearer",
            "expires_in": int(LIFE.total_seconds()),
            "scope": " ".join(map(str, scopes)),
        }

    def _introspect(self, client: Client, form: Form) -> dict[str, object]:
        """Return what a token is worth to the provider that asks (RFC 7662); no more to others."""
        if "token" not in form:
            raise TokenRequestUnfit(reason="token")
        try:
            token, holder = self._read(form["token"])
        except TokenRefused:
            return {"active": False}
        mine = {offer.provider for offer in self.offers() if offer.system == client.system}
        if token.provider not in mine or not self._stands(token, holder):
            return {"active": False}
        return {
            "active": True,
            "iss": token.issuer,
            "aud": token.provider,
            "client_id": token.client_id,
            "scope": " ".join(map(str, token.scopes)),
            "token_type": "Bearer",
            "iat": int(token.issued.timestamp()),
            "exp": int(token.issued.timestamp() + LIFE.total_seconds()),
            "jti": token.token,
        }

    def _read(self, text: str) -> tuple[Token, Client]:
        token = read_token(text, self.key, self.tenant, self.clock.now())
        client = self.clients(token.client_id)
        if client is None:
            raise TokenRefused(reason="client")
        return token, client

    def _stands(self, token: Token, client: Client) -> bool:
        """Whether links in force stand behind every scope."""
        held = [offer for offer in self.offers() if offer.asker == client.system]
        return all(any(offer.covers(scope) for offer in held) for scope in token.scopes)

    def _issuer(self) -> str:
        return self.url().rstrip("/") + FACE.rstrip("/")

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        href = scope["raw_path"].decode("latin-1")
        try:
            async with asyncio.timeout(self.limit_seconds):
                headers = headers_of(scope)
                offer = self._permitted(scope, headers)
                wish = _wish(offer, scope, headers, await body_of(receive), self.limit_seconds)
                answer = await self.asker.ask(wish)
                status, body = await asyncio.to_thread(_told, answer, offer, href)
        except (KumobashiError, TimeoutError) as error:
            told = TooSlow() if isinstance(error, TimeoutError) else error
            if isinstance(told, LinkageFailed):  # others are in the record of the call
                await self.record(told)
            status, media_type, body = refused(told, href)
            content = [
                ("content-type", media_type),
                ("kumobashi-code", told.code),
                *_challenge(told),
            ]
            await send_answer(send, status, content, body)
            return
        await send_answer(send, status, [("content-type", "application/json"), *_NOT_KEPT], body)

    def _permitted(self, scope: Scope, headers: Pairs) -> Offer:
        """Return the operation that is asked, if the token allows it."""
        shown = [value for name, value in headers if name == "authorization"]
        if b"access_token" in scope["query_string"]:
            raise TokenRefused(reason="query")
        if len(shown) != 1 or not shown[0].startswith("Bearer "):
            raise TokenRefused(reason="Authorization")
        token, client = self._read(shown[0].removeprefix("Bearer "))
        path = scope["raw_path"].decode("latin-1").removeprefix(FACE)
        provider, _, api = path.partition("/")
        for offer in self.offers():
            is_asked = (offer.provider, offer.api, offer.method) == (provider, api, scope["method"])
            if is_asked and offer.asker == client.system and any(map(offer.covers, token.scopes)):
                return offer
        raise ScopeMissing(api=provider if token.provider != provider else "API")


async def _form(scope: Scope, headers: Pairs, receive: Receive) -> Form:
    if scope["method"] != "POST" or scope["query_string"]:
        raise TokenRequestUnfit(reason="POST, no query")
    if not _is_utf8(dict(headers).get("content-type", ""), _FORM):
        raise TokenRequestUnfit(reason=f"{_FORM}; UTF-8")
    body = await body_of(receive)
    if len(body) > _LARGEST_FORM:
        raise TokenRequestUnfit(reason=f"{_LARGEST_FORM} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:  # UnicodeDecodeError too
        raise TokenRequestUnfit(reason="UTF-8") from None
    if len(pairs) != len(dict(pairs)):
        raise TokenRequestUnfit(reason="twice")
    return dict(pairs)


def _is_utf8(content_type: str, expected: str) -> bool:
    media_type, _, parameters = content_type.partition(";")
    said = parameters.strip().lower().replace('"', "")
    return media_type.strip().lower() == expected and said in {"", "charset=utf-8"}


def _basic(shown: str) -> tuple[str, str]:
    if not shown.startswith("Basic "):
        raise ClientUnproven(reason="Authorization")
    try:
        client_id, _, secret = base64.b64decode(shown[6:], validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise ClientUnproven(reason="Authorization") from None
    return client_id, secret


def _wish(offer: Offer, scope: Scope, headers: Pairs, body: bytes, seconds: float) -> Wish:
    """Return what is asked of the system, in its own names."""
    query = scope["query_string"].decode("latin-1")
    sent = b""
    content: Headers = (("accept", "application/json"),)
    if scope["method"] not in {"GET", "HEAD", "DELETE"} or body:
        said = _object(dict(headers).get("content-type", ""), body)
        if wrong := wrong_items(said, offer.request, offer.layout):
            raise ItemsUnfit(wrong)
        names = {} if offer.is_romaji else {f.romaji: f.name for f in offer.request if f.romaji}
        sent = _json(renamed(said, names))
        content = (*content, ("content-type", "application/json"))
    request = Request(
        method=offer.method,
        path=f"{offer.path}?{query}" if query else offer.path,
        headers=content,
        body=sent,
    )
    return Wish(
        asker=offer.asker,
        answerer=offer.system,
        service=offer.service,
        version=offer.version,
        request=request,
        seconds=seconds,
    )


def _object(content_type: str, body: bytes) -> dict[str, object]:
    if not _is_utf8(content_type, "application/json"):
        raise BodyUnfit(reason="application/json; UTF-8")
    try:
        said = read_json(body)
    except NotCanonical as error:
        raise BodyUnfit(reason=str(error.reason)) from None
    if not isinstance(said, dict):
        raise BodyUnfit(reason="object")
    return said


def _told(answer: Answer, offer: Offer, href: str) -> tuple[int, bytes]:
    """Return status and body of the answer, in the profile's shape and names."""
    service = f"{offer.system}.{offer.service}"
    if _OK <= answer.status < _REDIRECT:
        names = (
            {} if offer.is_romaji else {f.name: f.romaji for f in offer.layout.fields if f.romaji}
        )
        return _OK, shaped(read_answer(answer, service), href, names, offer.at)
    said = read_answer(answer, service)
    if answer.status == _BAD_REQUEST and isinstance(said, dict) and "errors" in said:
        return _BAD_REQUEST, _json(said | {"_links": {"self": {"href": href}}})
    raise ServiceUnfit(service=service, reason=f"HTTP {answer.status}")


def _challenge(error: KumobashiError) -> list[tuple[str, str]]:
    if isinstance(error, TokenRefused | ScopeMissing):
        return [("www-authenticate", f'Bearer realm="linkage", error="{error.oauth}"')]
    return []


async def _deny(send: Send, error: KumobashiError) -> None:
    """Refuse at the authorisation server (RFC 6749, 5.2)."""
    oauth = error.oauth if isinstance(error, LinkageFailed) else "invalid_request"
    said = {"error": oauth, "error_description": f"{error.code}: {error.say('en')}"}
    content = [("content-type", "application/json"), ("kumobashi-code", error.code), *_NOT_KEPT]
    if isinstance(error, ClientUnproven):
        content.append(("www-authenticate", 'Basic realm="linkage"'))
    status = error.status if isinstance(error, ClientUnproven) else _BAD_REQUEST
    await send_answer(send, status, content, _json(said))


def _json(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
