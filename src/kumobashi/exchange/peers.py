"""The calls a gateway makes to the next one: announce, put parts, close, ask how it stands."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import aiohttp

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.http_signatures import EMPTY_BODY, sign_request
from kumobashi.exchange.errors import CourierAwaited, PeerRefused, PeerUnreachable
from kumobashi.exchange.identity import Identity
from kumobashi.kernel import Clock, new_id
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.media_types import FORMAT, JOSE, JSON, PART
from kumobashi.messages.parts import Part
from kumobashi.messages.recall import Recall

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 120
_CHUNK_BYTES = 1 << 18
Answer = Mapping[str, Any]
Hear = Callable[[str, object], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a peer answered when it said no."""

    status: int
    code: str
    says: str
    retryable: bool
    missing: tuple[str, ...]


class Peers:
    """Signed calls to peers; one connection pool for the whole gateway."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self.hear: Hear = _unheard  # told every checkpoint that comes with an answer

    async def announce(self, site: str, announcement: Announcement) -> Answer:
        """Tell ``site`` what is coming; the answer says which parts it has."""
        body = announcement.encode()
        return await self._call(site, "POST", "/peer/v1/transfers", body, JSON)

    async def put_part(
        self, site: str, transfer: str, attempt: int, part: Part, body: BinaryIO
    ) -> None:
        """Give ``site`` one part; it is durable there when this returns."""
        path = f"{_path(transfer, attempt)}/parts/{part.digest.removeprefix('sha256:')}"
        await self._call(
            site, "PUT", path, _chunks(body), PART, body_digest=part.digest, length=part.bytes
        )

    async def close_attempt(self, site: str, transfer: str, attempt: int, manifest: str) -> Answer:
        """Hand over the signed manifest, after all parts."""
        path = f"{_path(transfer, attempt)}/close"
        return await self._call(site, "POST", path, manifest.encode(), JOSE)

    async def status(
        self, site: str, transfer: str, attempt: int, *, after: int, seen: str, wait: int
    ) -> Answer:
        """Ask how it stands; waits up to ``wait`` seconds for something that was not ``seen``."""
        path = f"{_path(transfer, attempt)}?after={after}&seen={seen}&wait={wait}"
        return await self._call(site, "GET", path, b"", None)

    async def consistency(self, site: str, old: int, new: int) -> Answer:
        """Ask for the proof that the log of ``site`` only grew; relays pass the question on."""
        hop = self._identity.next_hop(site)
        path = f"/peer/v1/evidence/{site}/consistency?from={old}&to={new}"
        return await self._call(hop, "GET", path, b"", None)

    async def recall(self, site: str, recall: Recall) -> Answer:
        """Have the receiver of a recall say what of its own receipts it does not hold any more."""
        return await self._call(site, "POST", "/peer/v1/recall", recall.encode(), JSON)

    async def offer(self, site: str, note: str, old: int, proof: Sequence[str]) -> Answer:
        """Have ``site`` keep the own checkpoint; the answer says which size it has."""
        hop = self._identity.next_hop(site)
        body = canonical({"format": FORMAT, "checkpoint": note, "from": old, "proof": list(proof)})
        return await self._call(hop, "POST", f"/peer/v1/evidence/{site}/witness", body, JSON)

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _call(
        self,
        site: str,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes],
        media_type: str | None,
        *,
        body_digest: str | None = None,
        length: int | None = None,
    ) -> Answer:
        known = self._identity.at(site)
        if self._identity.is_carried(site):
            raise CourierAwaited(site=site, site_name=known.name)
        address = known.url + path
        if body_digest is None:
            body_digest = digest(body) if isinstance(body, bytes) and body else EMPTY_BODY
        headers = sign_request(
            method=method,
            target_uri=address,
            content_digest=body_digest,
            site=self._identity.site,
            key=self._identity.signing,
            created=self._clock.now(),
            nonce=new_id(),
        )
        if media_type:
            headers["content-type"] = media_type
        if length is not None:
            headers["content-length"] = str(length)
        try:
            async with self._pool().request(
                method, address, data=body or None, headers=headers, allow_redirects=False
            ) as answer:
                text = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason_ja, reason = _reason(error)
            raise PeerUnreachable(
                site=site, site_name=known.name, reason_ja=reason_ja, reason=reason
            ) from None
        if status >= 300:  # noqa: PLR2004 - the protocol has no redirects
            refusal = _refusal(status, text)
            raise PeerRefused(
                site=site,
                site_name=known.name,
                peer_code=refusal.code,
                peer_says=refusal.says,
                refusal=refusal,
            )
        said = _object(text)
        if said.get("format") != FORMAT:  # a proxy's page, say: nobody there has taken anything
            raise PeerUnreachable(
                site=site,
                site_name=known.name,
                reason_ja="相手のゲートウェイではない返事です",
                reason="the answer is not a gateway's",
            )
        if "checkpoint" in said:
            self.hear(site, said["checkpoint"])
        return said

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(
                total=None, connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS
            )
            # trust_env is off: a proxy variable must not send residents' data elsewhere.
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        return self._session


def _unheard(_site: str, _note: object) -> None:
    """Nobody listens."""


def _path(transfer: str, attempt: int) -> str:
    return f"/peer/v1/transfers/{transfer}/{attempt}"


async def _chunks(body: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(body.read, _CHUNK_BYTES):
        yield chunk


def _object(text: bytes) -> Answer:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _refusal(status: int, text: bytes) -> Refusal:
    problem = _object(text)
    retry = problem.get("retryable")
    listed = problem.get("missing")
    return Refusal(
        status=status,
        code=str(problem.get("code") or f"http.{status}")[:100],
        says=str(problem.get("detail") or "")[:300],
        retryable=retry if isinstance(retry, bool) else status >= 500 or status == 429,  # noqa: PLR2004
        missing=tuple(map(str, listed)) if isinstance(listed, list) else (),
    )


def _reason(error: BaseException) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        return "時間内に返事がありません", "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "接続できません", "no connection"
    return "通信が途中で切れました", "the connection broke"
