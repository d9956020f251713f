"""Calls over HTTP: the face that a site's own systems ask at, and the one that other gateways do.

Both are plain ASGI, for every call passes them. A system asks
``/call/<system>/<service>/<version>/…`` with any method, as it would ask the service itself, and
says who it is::

    Authorization: Bearer <token>
    Kumobashi-System: arrears
"""

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from kumobashi.calls.asking import Asker, Wish
from kumobashi.calls.binary_http import LARGEST_HEAD, Answer, Request
from kumobashi.calls.errors import (
    CallFailed,
    CallForeign,
    HeaderUnreadable,
    RequestTooLarge,
    SystemUnproven,
)
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.calls.metering import ANSWERED, ANSWERER, RELAY, Meter
from kumobashi.calls.posting import Answered, NoAnswer
from kumobashi.calls.streams import TooLong
from kumobashi.calls.taking import Entrance, Taken
from kumobashi.calls.wire import LARGEST_REQUEST, PROBLEM_TYPE, end_to_end, overhead
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.kernel import KumobashiError
from kumobashi.observe import tracing
from kumobashi.storage.errors import StorageFailed

if TYPE_CHECKING:
    from kumobashi.calls.answering import Answerer
    from kumobashi.calls.claiming import Claims
    from kumobashi.calls.permits import Known
    from kumobashi.calls.refusals import Refusals
    from kumobashi.calls.relaying import Relaying

log = logging.getLogger(__name__)
FACE = "/call/"
STALL_SECONDS = 20.0  # between two pieces of a body
BODY_SECONDS = 120.0  # for all of it: nobody waits longer for an answer
_SEALED = LARGEST_REQUEST + overhead(LARGEST_REQUEST)  # bytes of a request under way
_PARTS = 4  # of a path: system, service, version, and what the service is asked
_BEARER = "Bearer "
Pairs = Iterable[tuple[str, str]]


class LocalCalls:
    """Where the systems of this site ask."""

    def __init__(self, asker: Asker, known: "Known") -> None:
        self._asker = asker
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        try:
            headers = headers_of(scope)
            said = dict(headers)
            asker = proven_by_token(self._known, said)
            wish = wish_of(scope, headers, asker, await body_of(receive))
            answer = await self._asker.ask(replace(wish, takes_rest=True))
        except KumobashiError as error:
            answered = refused(error)
            await send_answer(send, answered.status, answered.headers, answered.body)
            return
        await send_begun(send, receive, answer)


class PeerCalls:
    """Where other gateways hand calls over: to be answered here, or to be handed on."""

    def __init__(
        self,
        entrance: Entrance,
        *,
        answerer: "Answerer | None",
        relaying: "Relaying | None",
        refusals: "Refusals | None" = None,
        claims: "Claims | None" = None,
        meter: Meter | None = None,
    ) -> None:
        """Be that door.

        ``refusals`` keeps what is turned away; a relay keeps nothing. ``claims`` are needed where
        other processes of this site answer too.
        """
        self._entrance = entrance
        self._answerer = answerer
        self._relaying = relaying
        self._refusals = refusals
        self._claims = claims
        self._meter = meter or Meter()
        self._role = RELAY if relaying else ANSWERER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        fields: dict[str, str] = {}
        try:
            fields = dict(headers_of(scope))
            body = await body_of(receive, _SEALED)
        except CallFailed as error:
            answered = await self._turned_away(fields, error)
        else:
            answered = await self.answer(fields, body)
        await send_begun(send, receive, answered)

    async def answer(
        self, fields: Mapping[str, str], body: bytes, fetched_from: str | None = None
    ) -> Answered:
        """Return what becomes of a call that was handed over, or ``fetched_from`` a site."""
        begun = time.monotonic()
        try:
            taken = self._entrance.take(fields, body, fetched_from=fetched_from)
            answered = await self._answer(taken)
            if self._role == RELAY:
                self._meter.note(RELAY, ANSWERED, time.monotonic() - begun)
        except (CallFailed, CryptoFailed, StorageFailed) as error:
            self._meter.note(self._role, type(error).code, time.monotonic() - begun)
            return await self._turned_away(fields, error)
        else:
            return answered

    async def _answer(self, taken: Taken) -> Answered:
        is_here = taken.header.answering_site == self._entrance.site
        if is_here and self._answerer:
            if self._claims:
                await self._claims.claim(taken.header)
            with tracing.server("call.answer", parent=taken.trace, **_of(taken)) as made:
                answered = await self._answerer.answer(taken)
                made.set(status=answered.status)
                return answered
        if self._relaying and not is_here:
            with tracing.server("call.relay", parent=taken.trace, **_of(taken)) as made:
                answered = await self._relaying.answer(taken)
                made.set(status=answered.status)
                return answered
        raise CallForeign(field="answering_site")

    async def _turned_away(self, fields: Mapping[str, str], error: KumobashiError) -> Answered:
        """Refuse what nobody has proven to have sent; it is recorded, and not signed for."""
        header: CallHeader | None = None
        with suppress(CallFailed):
            header = CallHeader.decode(fields.get(FIELD, ""))
        if self._refusals:
            await self._refusals.record(header, error)
        return refused(error, said_by=self._entrance.site)


def _of(taken: Taken) -> dict[str, str]:
    """Return what a span may say of a call."""
    header = taken.header
    return {"link": header.link, "call": header.call, "from": header.asking_site}


def proven_by_token(known: "Known", said: Mapping[str, str]) -> str:
    """Return the system that asks, if it showed its token; raise ``SystemUnproven``."""
    system, given = said.get("kumobashi-system", ""), said.get("authorization", "")
    expected = known(system)
    shown = sha256(given.removeprefix(_BEARER).encode("latin-1")).digest()
    if (
        expected is None
        or not given.startswith(_BEARER)
        or not hmac.compare_digest(shown, expected)
    ):
        raise SystemUnproven
    return system


def address_of(scope: Scope, face: str = FACE) -> list[str]:
    """Return system, service, version, and what the service is asked, without the first slash."""
    parts: list[str] = scope["raw_path"].decode("ascii").removeprefix(face).split("/", _PARTS - 1)
    if len(parts) < _PARTS:
        raise HeaderUnreadable(reason=f"{face}<system>/<service>/<version>/…")
    return parts


def wish_of(scope: Scope, headers: Pairs, asker: str, body: bytes, face: str = FACE) -> Wish:
    """Return what a system asks; raise ``HeaderUnreadable``."""
    said, parts = dict(headers), address_of(scope, face)
    query = scope["query_string"].decode("ascii")
    asked = f"/{parts[3]}?{query}" if query else f"/{parts[3]}"
    answerer, service, version = parts[:3]
    return Wish(
        asker=asker,
        answerer=answerer,
        service=service,
        version=version,
        request=Request(method=scope["method"], path=asked, headers=end_to_end(headers), body=body),
        correlation=said.get("kumobashi-correlation"),
        seconds=_seconds(said.get("kumobashi-budget")),
        is_test=said.get("kumobashi-test") == "1",
    )


def _seconds(said: str | None) -> float | None:
    """Return how long the system waits; it says milliseconds."""
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and 0 < int(said[:10]) <= 3_600_000):  # noqa: PLR2004
        raise HeaderUnreadable(reason="kumobashi-budget: milliseconds")
    return int(said) / 1000


def headers_of(scope: Scope) -> list[tuple[str, str]]:
    """Return the fields of a request, bounded; raise ``HeaderUnreadable``."""
    held = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    if sum(len(name) + len(value) for name, value in held) > LARGEST_HEAD:
        raise HeaderUnreadable(reason="too many header fields")
    return held


async def body_of(receive: Receive, largest: int = LARGEST_REQUEST) -> bytes:
    """Return a body, bounded in size and pause; raise ``RequestTooLarge``, ``HeaderUnreadable``."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > largest:
            raise RequestTooLarge(limit=largest)
        return body
    held = bytearray(body)
    until = asyncio.get_running_loop().time() + BODY_SECONDS
    while message.get("more_body"):
        try:
            async with asyncio.timeout(STALL_SECONDS), asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HeaderUnreadable(reason="the body did not come") from None
        if message["type"] == "http.disconnect":
            raise HeaderUnreadable(reason="the body broke off")
        held += message.get("body", b"")
        if len(held) > largest:
            raise RequestTooLarge(limit=largest)
    return bytes(held)


def refused(error: KumobashiError, **more: str) -> Answered:
    """Return an error as an answer that nobody signs, with ``more`` members."""
    headers = [("content-type", PROBLEM_TYPE)]
    if (seconds := error.facts.get("seconds")) and error.status == 503:  # noqa: PLR2004 - HTTP
        headers.append(("retry-after", str(seconds)))
    body = json.dumps(error.problem() | more, ensure_ascii=False).encode()
    return Answered(status=error.status, headers=tuple(headers), body=body)


async def send_begun(send: Send, receive: Receive, answer: Answer | Answered) -> None:
    """Send an answer, and what follows it if it is a large one.

    What breaks off is not ended: whoever reads it is told by HTTP that it is not all.
    """
    if answer.rest is None:
        await send_answer(send, answer.status, answer.headers, answer.body)
        return
    held = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    gone = asyncio.ensure_future(receive())  # the next thing to hear is that it hung up
    try:
        async with aclosing(answer.rest) as rest:
            await send({"type": "http.response.start", "status": answer.status, "headers": held})
            await _send_piece(send, answer.body)
            async for piece in rest:
                if gone.done():
                    return
                await _send_piece(send, piece)
        await send({"type": "http.response.body", "body": b""})
    except (KumobashiError, NoAnswer, TooLong, TimeoutError) as error:
        kind = error.code if isinstance(error, KumobashiError) else type(error).__name__
        log.warning("a large answer broke off", extra={"kind": kind})
    finally:
        gone.cancel()


async def _send_piece(send: Send, piece: bytes) -> None:
    async with asyncio.timeout(STALL_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def send_answer(send: Send, status: int, headers: Pairs, body: bytes) -> None:
    """Send a whole answer."""
    held = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    held.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": held})
    await send({"type": "http.response.body", "body": body})
