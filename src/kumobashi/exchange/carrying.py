"""Bring a sealed bundle to the next hop: announce, put the parts that are missing there, close.

How many parts go at once, and how large they may be, is what the peer can take: as it declares, and
as it shows by refusing larger ones. Parts go in any order, again without harm.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import SMALLEST_PART_BYTES
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.preparing import READ_IN
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.recutting import recut
from kumobashi.exchange.refusals import refusal_of
from kumobashi.exchange.states import Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.waiting import alone
from kumobashi.kernel import crashpoint
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.manifest import Manifest, sign_manifest, verify_manifest
from kumobashi.messages.parts import Part
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_PARTS_AT_ONCE = 4  # of one transfer


class Carrier:
    """Carries the sealed transfers of one site to their next hop."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        peers: Peers,
        keys: TransferKeys,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._peers = peers
        self._keys = keys
        self._deeds = Deeds(ledger)

    async def carry(self, row: Outgoing) -> Outgoing:
        """Hand a sealed transfer over and note that it has left; or cut it smaller, as asked."""
        started = time.monotonic()
        manifest = self._manifest(row)
        try:
            await self.hand_over(row, manifest)
        except Exception as raised:
            limit = self._smaller(manifest, alone(raised))
            if limit is None:
                raise
            return await asyncio.to_thread(self._recut, row, manifest, limit)
        crashpoint("sending.sent_before_commit")
        carried = {"carry": {"seconds": time.monotonic() - started}}
        row = await asyncio.to_thread(
            self._ledger.move_out, row.transfer, Out.SENT, facts={"stages": carried}
        )
        crashpoint("sending.sent")
        return row

    async def hand_over(self, row: Outgoing, manifest: Manifest) -> None:
        """Announce, put the key and the parts that are missing there, close."""
        hop = self._identity.next_hop(manifest.to_site)
        key = (row.transfer, row.attempt)
        answer = await self._peers.announce(hop, _announcement(manifest))
        crashpoint("sending.announced")
        if manifest.key:
            self._peers.require_keys(hop, answer)
            await self._peers.put_key(hop, *key, self._keys.sent(*key))
            crashpoint("sending.key_put")
        have = set(map(str, answer.get("have", ())))
        await self._put(hop, key, [part for part in manifest.parts if part.digest not in have])
        # From here on it counts as having left: the close may be taken though no answer comes.
        await asyncio.to_thread(self._deeds.begin_to_close, row.transfer)
        await self._peers.close_attempt(hop, *key, row.manifest or "")

    async def _put(self, hop: str, key: tuple[str, int], parts: Sequence[Part]) -> None:
        """Put parts, as many at once as the peer takes; the first that fails stops the others."""
        line, waiting = self._peers.lines.to(hop), iter(parts)

        async def put() -> None:
            for part in waiting:
                self._deeds.refuse_paused(key[0])
                with self._spool.open(*key, part.digest.removeprefix("sha256:")) as body:
                    await self._peers.put_part(hop, *key, part, body)
                line.took(part.bytes)
                crashpoint("sending.part_put")

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(parts), line.width(_PARTS_AT_ONCE))):
                group.create_task(put())

    # -- what the other side can take ------------------------------------------------------------

    def _smaller(self, manifest: Manifest, error: Exception) -> int | None:
        """Return how large parts may be after a 413; none where smaller ones are no remedy."""
        refusal = refusal_of(error)
        largest = max(part.bytes for part in manifest.parts)
        if refusal is None or not refusal.is_too_large or largest <= SMALLEST_PART_BYTES:
            return None
        if refusal.limit is not None and refusal.limit >= largest:
            return None
        hop = self._identity.next_hop(manifest.to_site)
        return self._peers.lines.to(hop).too_large(largest, refusal.limit)

    def _recut(self, row: Outgoing, manifest: Manifest, limit: int) -> Outgoing:
        """Cut what is sealed into smaller parts: a new attempt, durable before the old one goes."""
        again = recut(manifest, self._spool, limit)
        if manifest.key:  # the sealed bytes stay what they are, and so does what opens them
            self._keys.keep_sent(row.transfer, manifest.attempt, again.attempt)
        log.info("cut anew", extra={"transfer": row.transfer, "parts": len(again.parts)})
        row = self._ledger.move_out(
            row.transfer,
            None,
            still=row.state,
            attempt=again.attempt,
            manifest=sign_manifest(again, self._identity.signing),
            facts={
                "sent": {"parts": len(again.parts)},
                READ_IN: row.facts.get(READ_IN, row.attempt),
            },
        )
        self._keys.forget_sent(row.transfer, manifest.attempt)
        self._spool.forget(row.transfer, manifest.attempt)
        return row

    def _manifest(self, row: Outgoing) -> Manifest:
        mine = {self._identity.signing.kid: self._identity.signing.public}
        return verify_manifest(row.manifest or "", mine)


def _announcement(manifest: Manifest) -> Announcement:
    return Announcement(
        tenant=manifest.tenant,
        transfer=manifest.transfer,
        attempt=manifest.attempt,
        link=manifest.link,
        from_site=manifest.from_site,
        to_site=manifest.to_site,
        business_date=manifest.business_date,
        parts=manifest.parts,
        sealed_bytes=manifest.sealed_bytes,
        created=manifest.created,
    )
