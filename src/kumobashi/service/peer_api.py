"""The peer API over HTTP: check who calls, hand on to the inbox, answer (``docs/protocol.md``)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.http_signatures import NonceMemory, claimed_site, verify_request
from kumobashi.exchange.errors import StrangeCaller
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox
from kumobashi.kernel import Clock, KumobashiError
from kumobashi.messages.errors import PartTooLarge
from kumobashi.messages.fields import LARGEST_DOCUMENT, Fields
from kumobashi.messages.media_types import FORMAT, JSON
from kumobashi.observe import tracing
from kumobashi.observe.trace_context import HEADER, parse
from kumobashi.service.errors import BadRequest, BodyStalled
from kumobashi.service.peer_evidence import PeerEvidence
from kumobashi.service.problems import problem

Handler = Callable[[Request], Awaitable[Response]]
Pulsed = Callable[[str, bytes], Awaitable[dict[str, object]]]
STALL_SECONDS = 20.0  # between two pieces of a body


def peer_routes(
    identity: Identity, inbox: Inbox, clock: Clock, evidence: PeerEvidence, pulsed: Pulsed
) -> list[Route]:
    """Return the routes that peers call."""
    api = _PeerApi(identity, inbox, clock, evidence, pulsed)
    one = "/peer/v1/transfers/{transfer:uuid}/{attempt:int}"
    return [
        Route("/peer/v1/transfers", _safely(api.announce), methods=["POST"]),
        Route("/peer/v1/recall", _safely(api.recall), methods=["POST"]),
        Route("/peer/v1/pulse", _safely(api.pulse), methods=["POST"]),
        Route("/peer/v1/withdrawals", _safely(api.withdrawal), methods=["POST"]),
        Route(one + "/parts/{digest:str}", _safely(api.part), methods=["PUT"]),
        Route(one + "/key", _safely(api.key), methods=["PUT"]),
        Route(one + "/close", _safely(api.close), methods=["POST"]),
        Route(one + "/deletion", _safely(api.deletion), methods=["POST"]),
        Route(one, _safely(api.status), methods=["GET"]),
        Route(
            "/peer/v1/evidence/{site:str}/consistency", _safely(api.consistency), methods=["GET"]
        ),
        Route("/peer/v1/evidence/{site:str}/witness", _safely(api.witness), methods=["POST"]),
    ]


class _PeerApi:
    def __init__(
        self,
        identity: Identity,
        inbox: Inbox,
        clock: Clock,
        evidence: PeerEvidence,
        pulsed: Pulsed,
    ) -> None:
        self._identity = identity
        self._inbox = inbox
        self._clock = clock
        self._evidence = evidence
        self._pulsed = pulsed
        self._nonces = NonceMemory()

    async def announce(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        return self._answer(await self._inbox.announce(caller, body))

    async def recall(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        return JSONResponse(await self._inbox.recall(caller, body), media_type=JSON)

    async def pulse(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        return self._answer(await self._pulsed(caller, body))

    async def withdrawal(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        return self._answer(await self._inbox.withdrawal(caller, body))

    async def part(self, request: Request) -> Response:
        hex_ = str(request.path_params["digest"])
        if len(hex_) != 64 or not set(hex_) <= set("0123456789abcdef"):  # noqa: PLR2004 - SHA-256
            raise BadRequest(field="digest", expected="64 hexadecimal digits")
        caller = self._caller(request, f"sha256:{hex_}")
        transfer, attempt = _which(request)
        is_new = await self._inbox.part(caller, transfer, attempt, hex_, _pieces(request))
        said = {"format": FORMAT, "digest": f"sha256:{hex_}"}  # it is durable here
        return JSONResponse(said, status_code=201 if is_new else 200, media_type=JSON)

    async def key(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        is_new = await self._inbox.key(caller, *_which(request), body)
        return JSONResponse({"format": 1}, status_code=201 if is_new else 200, media_type=JSON)

    async def close(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        transfer, attempt = _which(request)
        parent = parse(request.headers.get(HEADER))
        with tracing.server("transfer.receive", parent=parent, transfer=transfer) as made:
            made.set(attempt=attempt, **{"from": caller})
            answer = await self._inbox.close(caller, transfer, attempt, _token(body))
        return self._answer(answer, status=202)

    async def deletion(self, request: Request) -> Response:
        body = await _body(request)
        caller = self._caller(request, digest(body))
        answer = await self._inbox.deletion(caller, *_which(request), _token(body))
        return self._answer(answer, status=202)

    async def status(self, request: Request) -> Response:
        caller = self._caller(request, digest(b""))
        query = request.query_params
        answer = await self._inbox.status(
            caller,
            *_which(request),
            after=_number(query.get("after", "0"), "after"),
            seen=query.get("seen", "")[:64],
            wait=_number(query.get("wait", "0"), "wait"),
        )
        return self._answer(answer)

    async def consistency(self, request: Request) -> Response:
        """Prove that the log of a site only grew; for another site, the next hop is asked."""
        caller = self._caller(request, digest(b""))
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        old, new = (_number(request.query_params.get(n, ""), n) for n in ("from", "to"))
        proof = await self._evidence.prove(str(request.path_params["site"]), old, new)
        return JSONResponse({"format": FORMAT, "proof": proof}, media_type=JSON)

    async def witness(self, request: Request) -> Response:
        """Keep a checkpoint that a site offers; for another site, the next hop is asked to."""
        body = await _body(request)
        caller = self._caller(request, digest(body))
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        fields = Fields.read("offer", body)
        note, old = fields.text("checkpoint"), fields.integer("from")
        proof = fields.texts("proof")
        kept = await self._evidence.witness(str(request.path_params["site"]), note, old, proof)
        return self._answer({"format": FORMAT, **kept})

    def _answer(self, said: dict[str, Any], status: int = 200) -> Response:
        """Return an answer with the newest checkpoint of this gateway's evidence log."""
        note = self._evidence.newest
        more = {"checkpoint": note} if note else {}
        return JSONResponse({**said, **more}, status_code=status, media_type=JSON)

    def _caller(self, request: Request, body_digest: str) -> str:
        """Return the site that signed the request; its address is the one in the directory."""
        site = claimed_site(request.headers)
        query = f"?{request.url.query}" if request.url.query else ""
        path = request.scope["raw_path"].decode("ascii")
        known = self._identity.directory.sites.get(site)
        return verify_request(
            method=request.method,
            target_uri=f"{self._identity.here.url}{path}{query}",
            headers=request.headers,
            keys=known.verify_keys if known else {},
            now=self._clock.now(),
            body_digest=body_digest,
            nonces=self._nonces,
        ).site


def _safely(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except KumobashiError as error:
            return problem(error)
        except ClientDisconnect:  # a line that broke is no fault of ours; the caller comes again
            return Response(status_code=400)

    return answer


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Give a body piece by piece.

    Raises:
        BodyStalled: the next piece does not come; a corrupted length would wait for ever.
    """
    pieces = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise BodyStalled(seconds=round(STALL_SECONDS)) from None
        if piece is None:
            return
        yield piece


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in _pieces(request):
        size += len(piece)
        if size > LARGEST_DOCUMENT:
            raise PartTooLarge(bytes=size, limit=LARGEST_DOCUMENT)
        pieces.append(piece)
    return b"".join(pieces)


def _token(body: bytes) -> str:
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise BadRequest(field="body", expected="a compact JWS") from None


def _which(request: Request) -> tuple[str, int]:
    return str(request.path_params["transfer"]), int(request.path_params["attempt"])


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - far enough
        raise BadRequest(field=field, expected="a number")
    return int(text)
