"""Pass a bundle on without being able to read it: the exchange server in the hall, the LGWAN-ASP.

A relay routes by the announcement and counts parts. It forwards each part as soon as it is durable
here, the manifest after all of them, and hands the receiver's signed receipts back unchanged. It
loads neither DuckDB nor Arrow, and holds no key that opens anything.
"""

import asyncio
import logging
from copy import copy
from typing import Any, Self

from kumobashi.crypto.canonical import canonical
from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.errors import Fenced, PeerRefused, PeerUnreachable
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Downstream
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.patience import waits
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.announcement import Announcement, AttemptState
from kumobashi.messages.deletions import verify_deletion
from kumobashi.messages.errors import AttemptSuperseded, TransferUnknown
from kumobashi.messages.manifest import Manifest, kept_manifest
from kumobashi.messages.recall import Recall
from kumobashi.messages.receipts import Stage, verify_receipt
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_POLL_SECONDS = 20
_FINAL = {Stage.APPLIED, Stage.REFUSED}


class Relay:
    """Meets ``Taker`` for sites of role relay."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        changes: Changes,
        peers: Peers,
        *,
        keys: TransferKeys,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._peers = peers
        self._keys = keys
        self._behind: dict[Key, Downstream] = {}
        self._passed: dict[Key, set[str]] = {}

    def closed_state(self) -> In:
        """Return that a relay holds a complete bundle until the next hop has it."""
        return In.CLOSED

    def receipt_for(self, _manifest: Manifest, _state: In) -> None:
        """Return nothing: only the receiver of a bundle makes statements about it."""
        return

    def downstream(self, key: Key) -> Downstream:
        """Return what the next hop said last."""
        return self._behind.get(key, Downstream())

    async def catch_up(self, bundle: Incoming) -> None:
        """Ask the next hop for what the receiver signed since: that it was deleted."""
        key = (bundle.transfer, bundle.attempt)
        keys = self._identity.keys_of(bundle.to_site)
        hop = self._identity.next_hop(bundle.to_site)
        have = await asyncio.to_thread(self._ledger.receipts, *key, "in")
        answer = await self._peers.status(hop, *key, after=len(have), seen="", wait=0)
        fresh = [str(token) for token in answer.get("receipts", ())]
        staged = [(verify_receipt(token, keys).stage.value, token) for token in fresh]
        if staged:
            await asyncio.to_thread(self._ledger.keep_receipts, *key, "in", staged)

    async def deletion(self, bundle: Incoming, token: str) -> None:
        """Hand a request to delete on; the relay itself has nothing left of the transfer."""
        keys = self._identity.keys_of(bundle.from_site)
        verify_deletion(token, keys, kept_manifest(bundle.manifest or ""))
        hop = self._identity.next_hop(bundle.to_site)
        await self._peers.request_deletion(hop, bundle.transfer, bundle.attempt, token)

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Hand the question on, and the answer back."""
        return dict(await self._peers.recall(self._identity.next_hop(recall.to_site), recall))

    async def take(self, bundle: Incoming) -> None:
        """Pass on what is here; after the manifest, wait for the last receipt."""
        key = (bundle.transfer, bundle.attempt)
        tries = 0
        for wait in waits():
            try:
                bundle = self._ledger.incoming(*key)
                await self._pass_on(bundle)
                if bundle.cause:
                    await asyncio.to_thread(self._ledger.move_in, bundle, None)
                    self._changes.tell(key)
            except Fenced:  # whoever took over goes on
                raise
            except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a bundle
                error = as_known(raised)
                tries += 1
                log.warning("not passed on", extra={"code": error.code, "transfer": key[0]})
                try:
                    if isinstance(error, PeerRefused) and error.peer_code == AttemptSuperseded.code:
                        await asyncio.to_thread(self._give_way, bundle)
                        return
                    await self._note(bundle, error, tries, wait)
                except StorageFailed as away:
                    if not away.retryable:
                        raise
                self._passed.pop(key, None)
                await asyncio.sleep(wait)
            else:
                return

    def under(self, lease: Lease) -> Self:
        """Return this relay with every change of the ledger under ``lease``."""
        fenced = copy(self)
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        return fenced

    async def _pass_on(self, bundle: Incoming) -> None:
        key = (bundle.transfer, bundle.attempt)
        hop = self._identity.next_hop(bundle.to_site)
        announcement = Announcement.decode(canonical(bundle.announcement))
        if bundle.state in {In.ANNOUNCED, In.CLOSED}:
            await self._parts(hop, key, announcement)
        # The parts may have been closed while they were passed on.
        bundle = self._ledger.incoming(*key)
        if bundle.state is In.CLOSED and bundle.manifest:
            await self._parts(hop, key, announcement)
            crashpoint("relaying.parts_passed")
            await self._peers.close_attempt(hop, *key, bundle.manifest)
            crashpoint("relaying.passed_before_commit")
            bundle = await asyncio.to_thread(self._ledger.move_in, bundle, In.PASSED)
            self._changes.tell(key)
            crashpoint("relaying.passed")
        if bundle.state is In.PASSED:
            try:
                await self._receipts(hop, bundle)
            except PeerRefused as refused:
                if refused.peer_code != TransferUnknown.code:
                    raise
                await self._forgotten(hop, bundle, announcement)
                raise

    async def _forgotten(self, hop: str, bundle: Incoming, announcement: Announcement) -> None:
        """Hand a bundle over again to a next hop that has forgotten it.

        Once there are receipts a second handing over would get others, which fit no chain: then it
        is for the sender to notice and to send anew, and this bundle has come to its end.
        """
        key = (bundle.transfer, bundle.attempt)
        if self._ledger.receipts(*key, "in"):
            await asyncio.to_thread(self._ledger.move_in, bundle, In.SETTLED)
            self._spool.forget(*key)
            return
        self._passed.pop(key, None)
        await self._parts(hop, key, announcement)
        await self._peers.close_attempt(hop, *key, bundle.manifest or "")

    async def _parts(self, hop: str, key: Key, announcement: Announcement) -> None:
        if key not in self._passed:
            answer = await self._peers.announce(hop, announcement)
            document = await asyncio.to_thread(self._keys.taken, *key)
            if document is not None:
                self._peers.require_keys(hop, answer)
                await self._peers.put_key(hop, *key, document)
            self._passed[key] = set(map(str, answer.get("have", ())))
        held = self._spool.held(*key)
        for part in announcement.parts:
            hex_ = part.digest.removeprefix("sha256:")
            if part.digest in self._passed[key] or hex_ not in held:
                continue
            with self._spool.open(*key, hex_) as body:
                await self._peers.put_part(hop, *key, part, body)
            self._passed[key].add(part.digest)
            crashpoint("relaying.part_passed")
            self._changes.tell(key)

    async def _receipts(self, hop: str, bundle: Incoming) -> None:
        key = (bundle.transfer, bundle.attempt)
        keys = self._identity.keys_of(bundle.to_site)
        seen = ""
        while True:
            have = self._ledger.receipts(*key, "in")
            answer = await self._peers.status(
                hop, *key, after=len(have), seen=seen, wait=_POLL_SECONDS
            )
            seen = str(answer.get("version", ""))
            self._behind[key] = _downstream(answer)
            fresh = [str(token) for token in answer.get("receipts", ())]
            more = [(verify_receipt(token, keys).stage, token) for token in fresh]
            if more:
                crashpoint("relaying.receipt_before_commit")
                staged = [(stage.value, token) for stage, token in more]
                await asyncio.to_thread(self._ledger.keep_receipts, *key, "in", staged)
                crashpoint("relaying.receipt_kept")
            self._changes.tell(key)
            # Finished without a last receipt: a hop behind has forgotten the bundle (below).
            is_over = answer.get("state") == AttemptState.FINISHED.value
            if is_over or any(stage in _FINAL for stage, _ in more) or self._is_over(key):
                await asyncio.to_thread(self._ledger.move_in, bundle, In.SETTLED)
                self._keys.forget_taken(bundle.transfer, bundle.attempt)
                self._spool.forget(bundle.transfer, bundle.attempt)
                self._changes.tell(key)
                return

    def _is_over(self, key: Key) -> bool:
        keys = self._identity.keys_of(self._ledger.incoming(*key).to_site)
        held = self._ledger.receipts(*key, "in")
        return any(verify_receipt(token, keys).stage in _FINAL for token in held)

    def _give_way(self, bundle: Incoming) -> None:
        """Let go of an attempt whose place a newer one took."""
        if bundle.state is In.ANNOUNCED:
            self._ledger.move_in(bundle, In.SUPERSEDED)
        self._keys.forget_taken(bundle.transfer, bundle.attempt)
        self._spool.forget(bundle.transfer, bundle.attempt)

    async def _note(self, bundle: Incoming, error: KumobashiError, tries: int, wait: float) -> None:
        side = self._identity.next_hop(bundle.to_site)
        if not isinstance(error, PeerUnreachable | PeerRefused):
            side = self._identity.site
        cause = cause_of(
            error, side=side, now=self._ledger.clock.now(), tries=tries, wait=wait, old=bundle.cause
        )
        await asyncio.to_thread(self._ledger.move_in, bundle, None, cause=cause)
        self._changes.tell((bundle.transfer, bundle.attempt))


def _downstream(answer: Answer) -> Downstream:
    hops: list[dict[str, Any]] = [hop for hop in answer.get("hops", ()) if isinstance(hop, dict)]
    waiting = answer.get("waiting")
    return Downstream(hops=tuple(hops), waiting=waiting if isinstance(waiting, dict) else None)
