"""The calls a gateway makes to the next one: announce, put parts, close, ask how it stands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import aiohttp

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.client_tls import ClientTls, Shown
from kumobashi.crypto.http_signatures import EMPTY_BODY, sign_request
from kumobashi.exchange.entrances import NotLetIn, is_refusal, is_shut, shown_at
from kumobashi.exchange.errors import (
    CertificateRefused,
    CourierAwaited,
    PeerRefused,
    PeerUnreachable,
    PeerWithoutKeys,
)
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.refusals import answer_object, read_refusal
from kumobashi.kernel import Clock, new_id
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.media_types import FORMAT, JOSE, JSON, PART, TAKES_KEYS, WRAPPED_KEY
from kumobashi.messages.parts import Part
from kumobashi.messages.recall import Recall
from kumobashi.messages.withdrawals import WithdrawalEnvelope
from kumobashi.observe.trace_context import outgoing

_CONNECT_SECONDS = 5
_CHUNK_BYTES = 1 << 18
Answer = Mapping[str, Any]
Hear = Callable[[str, object], None]
HearDate = Callable[[str, datetime, str | None], None]


class Peers:
    """Signed calls to peers; one connection pool for the whole gateway, one line to each peer."""

    def __init__(self, identity: Identity, clock: Clock, lines: Lines, tls: ClientTls) -> None:
        self.lines = lines
        self._identity = identity
        self._clock = clock
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self.hear: Hear = _unheard  # told every checkpoint that comes with an answer
        self.hear_date: HearDate = _no_date  # told when an answer says it was written

    async def announce(self, site: str, announcement: Announcement) -> Answer:
        """Tell ``site`` what is coming; the answer says which parts it has."""
        body = announcement.encode()
        return await self._call(site, "POST", "/peer/v1/transfers", body, JSON)

    def require_keys(self, site: str, answer: Answer) -> None:
        """Raise ``PeerWithoutKeys`` unless an answer to an announcement says it takes keys."""
        takes = answer.get("takes")
        if not isinstance(takes, list) or TAKES_KEYS not in takes:
            raise PeerWithoutKeys(site=site, site_name=self._identity.at(site).name)

    async def put_key(self, site: str, transfer: str, attempt: int, document: bytes) -> None:
        """Give ``site`` the wrapped key; it is durable there when this returns."""
        path = f"{_path(transfer, attempt)}/key"
        await self._call(site, "PUT", path, document, WRAPPED_KEY)

    async def put_part(
        self, site: str, transfer: str, attempt: int, part: Part, body: BinaryIO
    ) -> None:
        """Give ``site`` one part; it is durable there when this returns."""
        path = f"{_path(transfer, attempt)}/parts/{part.digest.removeprefix('sha256:')}"
        said = await self._call(
            site, "PUT", path, _chunks(body), PART, body_digest=part.digest, length=part.bytes
        )
        if said.get("digest", part.digest) != part.digest:  # older gateways do not say
            raise PeerUnreachable(
                site=site,
                site_name=self._identity.at(site).name,
                reason_ja="別の分割片への返事です",
                reason="the answer is about another part",
            )

    async def close_attempt(self, site: str, transfer: str, attempt: int, manifest: str) -> Answer:
        """Hand over the signed manifest, after all parts."""
        path = f"{_path(transfer, attempt)}/close"
        return await self._call(site, "POST", path, manifest.encode(), JOSE)

    async def request_deletion(
        self, site: str, transfer: str, attempt: int, request: str
    ) -> Answer:
        """Hand over a signed request to delete; the receiver has it when this returns."""
        path = f"{_path(transfer, attempt)}/deletion"
        return await self._call(site, "POST", path, request.encode(), JOSE)

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

    async def tell_withdrawn(self, site: str, told: WithdrawalEnvelope) -> Answer:
        """Have the receiver of a notice of withdrawal keep it; the answer holds its receipt."""
        return await self._call(site, "POST", "/peer/v1/withdrawals", told.encode(), JSON)

    async def pulse(self, site: str, body: bytes) -> Answer:
        """Ask the next site of a way for a pulse; beside the line, which may rest meanwhile."""
        return await self._ask(site, "POST", "/peer/v1/pulse", body, JSON)

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
        async with self.lines.to(site).call():
            return await self._ask(
                site, method, path, body, media_type, body_digest=body_digest, length=length
            )

    async def _ask(
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
            key=self._identity.asks_with,
            created=self._clock.now(),
            nonce=new_id(),
        )
        headers |= outgoing()  # of this hop: no signature covers it
        if media_type:
            headers["content-type"] = media_type
        if length is not None:
            headers["content-length"] = str(length)
        status, after, text = await self._sent(site, method, address, body, headers)
        if status >= 300:  # noqa: PLR2004 - the protocol has no redirects
            refusal = read_refusal(status, text, retry_after=after, now=self._clock.now())
            raise PeerRefused(
                site=site,
                site_name=known.name,
                peer_code=refusal.code,
                peer_says=refusal.says,
                refusal=refusal,
            )
        said = answer_object(text)
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

    async def _sent(
        self,
        site: str,
        method: str,
        address: str,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str],
    ) -> tuple[int, str | None, bytes]:
        """Return status, ``Retry-After`` and body of what comes back."""
        known = self._identity.at(site)
        shown: Shown | None = None
        try:
            shown = shown_at(known.url, site, self._tls)
            sent = self._clock.now()
            async with self._pool().request(
                method,
                address,
                data=body or None,
                headers=headers,
                ssl=shown.context if shown else True,
                allow_redirects=False,
                timeout=self._patience(known.profile.answer_seconds),
            ) as answer:
                self.hear_date(site, sent, answer.headers.get("date"))
                text = await answer.read()
                status, fields = answer.status, answer.headers
        except NotLetIn as error:
            raise self._not_let_in(site, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if shown and await _was_ours(known.url, shown, error):
                raise self._not_let_in(site, NotLetIn(shown=shown.has_certificate)) from None
            reason_ja, reason = _reason(error)
            raise PeerUnreachable(
                site=site,
                site_name=known.name,
                reason_ja=reason_ja,
                reason=reason,
                is_late=isinstance(error, TimeoutError),
            ) from None
        if shown and is_refusal(status, fields.get("content-type", ""), text):
            raise self._not_let_in(site, NotLetIn(shown=shown.has_certificate))
        return status, fields.get("retry-after"), text

    def _not_let_in(self, site: str, why: NotLetIn) -> CertificateRefused:
        return CertificateRefused(site=site, site_name=self._identity.at(site).name, **why.told())

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            # trust_env is off: a proxy variable must not send residents' data elsewhere. How many
            # connections there are at once is each line's business.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), trust_env=False
            )
        return self._session

    def _patience(self, answer_seconds: int) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS, sock_read=answer_seconds)


def _no_date(_site: str, _sent: datetime, _date: str | None) -> None:
    """Nobody compares clocks."""


def _unheard(_site: str, _note: object) -> None:
    """Nobody listens."""


def _path(transfer: str, attempt: int) -> str:
    return f"/peer/v1/transfers/{transfer}/{attempt}"


async def _chunks(body: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(body.read, _CHUNK_BYTES):
        yield chunk


async def _was_ours(url: str, shown: Shown, error: BaseException) -> bool:
    """Whether a connection failed for our certificate; asked by one without a call on it."""
    return not isinstance(error, TimeoutError) and await asyncio.to_thread(is_shut, url, shown)


def _reason(error: BaseException) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        return "時間内に返事がありません", "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "接続できません", "no connection"
    return "通信が途中で切れました", "the connection broke"
