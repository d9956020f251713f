"""What peers hand to this gateway: announced, part by part, closed; and how it stands.

A relay and a receiver are the same up to here. What they do with a bundle is a :class:`Taker`: it
is woken whenever there is something new, and finds in the ledger what there is to do, so a restart
is just a start.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from kumobashi.exchange.admitting import refuse_over_quota, refuse_strange, refuse_unlike, sweep
from kumobashi.exchange.announced import Announced
from kumobashi.exchange.changes import Changes
from kumobashi.exchange.errors import NoSuchTransfer, StrangeCaller
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.standing import Standing
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.exchange.takers import Taker
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import crashpoint
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import (
    AttemptSuperseded,
    KeyMissing,
    MessageForeign,
    MessageReplayed,
    PartAltered,
    PartNotAnnounced,
    PartTooLarge,
    TransferUnknown,
)
from kumobashi.messages.manifest import verify_manifest
from kumobashi.messages.media_types import FORMAT, TAKES_KEYS
from kumobashi.messages.parts import missing, parts_missing
from kumobashi.messages.recall import Recall
from kumobashi.messages.withdrawals import WithdrawalEnvelope
from kumobashi.storage.errors import PartUnlike, StorageFailed
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_NEEDS_NO_KEY = frozenset({In.REFUSED, In.SETTLED, In.SUPERSEDED})
_SWEEP_SECONDS = 600


class Inbox:
    """Takes bundles from peers; every answer is given only after what it says is durable."""

    def __init__(
        self,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        changes: Changes,
        taker: Taker,
        *,
        keys: TransferKeys,
        works: bool,
    ) -> None:
        """Make it; unless it ``works``, bundles are taken in, and another process works on them."""
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._taker = taker
        self._keys = keys
        self._works = works
        self._announced = Announced(ledger)
        self._standing = Standing(identity.site, ledger, spool, changes, taker)
        self._sweeping: asyncio.Task[None] | None = None

    def resume(self) -> None:
        """Go on with everything that was under way when the process ended."""
        there = self._spool.transfers()  # before asking: what comes later is not judged
        for transfer in there - self._ledger.unsettled():
            self._spool.forget(transfer)
        self._forget_keys()
        if self._works:
            self._taker.start()
            self._sweeping = asyncio.create_task(self._sweep(), name="sweep")

    def look(self) -> None:
        """Look for what another process took in, or does not work on any more."""
        if self._works:
            self._taker.look()

    async def announce(self, caller: str, body: bytes) -> dict[str, Any]:
        """Note what is coming; return which parts are here already."""
        announcement = Announcement.decode(body)
        refuse_strange(caller, announcement, self._identity)
        bundle = await asyncio.to_thread(
            self._ledger.announced,
            transfer=announcement.transfer,
            attempt=announcement.attempt,
            link=announcement.link,
            from_site=announcement.from_site,
            to_site=announcement.to_site,
            announcement=json.loads(body),
            admit=lambda held: refuse_over_quota(
                held, announcement.tenant, announcement, self._identity.here.profile
            ),
        )
        if bundle.state is In.SUPERSEDED:
            raise AttemptSuperseded(transfer=bundle.transfer, attempt=bundle.attempt)
        crashpoint("inbox.announced")
        self._wake(bundle)
        held = self._spool.held(bundle.transfer, bundle.attempt)
        have = sorted(f"sha256:{hex_}" for hex_ in held)
        return {**self._standing.answer(bundle), "have": have, "takes": [TAKES_KEYS]}

    async def key(self, caller: str, transfer: str, attempt: int, document: bytes) -> bool:
        """Take the wrapped key of a bundle; return whether it is new. Durable when this returns."""
        bundle = self._open(caller, transfer, attempt)
        if bundle.state is not In.ANNOUNCED:
            return False
        is_new = await asyncio.to_thread(self._keys.take, transfer, attempt, document)
        crashpoint("inbox.key_stored")
        if is_new and attempt > 1:
            await asyncio.to_thread(self._forget_keys, transfer)
        return is_new

    async def part(
        self, caller: str, transfer: str, attempt: int, hex_: str, body: AsyncIterator[bytes]
    ) -> bool:
        """Take one part; return whether it is new. Durable when this returns."""
        bundle = self._open(caller, transfer, attempt)
        listed = self._announced.of((transfer, attempt)).bytes_of
        if bundle.state is not In.ANNOUNCED or self._spool.has(transfer, attempt, hex_):
            return False
        if listed and hex_ not in listed:
            raise PartNotAnnounced(transfer=transfer, attempt=attempt)
        limit = listed.get(hex_) or self._identity.here.largest_part_bytes
        size = 0
        try:
            with self._spool.incoming(transfer, attempt, hex_) as part:
                async for piece in body:
                    size += len(piece)
                    if size > limit:
                        raise PartTooLarge(bytes=size, limit=limit)
                    part.write(piece)
                crashpoint("inbox.part_written")
                await asyncio.to_thread(part.keep)
        except PartUnlike:
            raise PartAltered(numbers=hex_[:12]) from None
        crashpoint("inbox.part_stored")
        self._wake(bundle)
        return True

    async def close(self, caller: str, transfer: str, attempt: int, token: str) -> dict[str, Any]:
        """Check the manifest against the parts; the bundle is this gateway's business from here."""
        bundle = self._open(caller, transfer, attempt)
        manifest = verify_manifest(token, self._identity.keys_of(bundle.from_site))
        refuse_unlike(self._announced.of((transfer, attempt)).announcement, manifest)
        if bundle.state is not In.ANNOUNCED:
            if bundle.manifest is None:  # swept: it could not be closed any more
                manifest.refuse_expired(self._ledger.clock.now())
            if bundle.manifest != token:
                raise MessageReplayed(transfer=transfer)
            return self._standing.answer(bundle)
        manifest.refuse_expired(self._ledger.clock.now())
        held = {f"sha256:{hex_}" for hex_ in self._spool.held(transfer, attempt)}
        if absent := missing(manifest.parts, held):
            raise parts_missing(absent)
        if manifest.key and self._keys.taken(transfer, attempt) is None:
            raise KeyMissing(transfer=transfer)
        state = self._taker.closed_state()
        receipt = self._taker.receipt_for(manifest, state)
        crashpoint("inbox.close_before_commit")
        bundle = await asyncio.to_thread(
            self._ledger.move_in, bundle, state, receipt=receipt, manifest=token
        )
        crashpoint("inbox.closed")
        self._changes.tell((transfer, attempt))
        self._wake(bundle)
        return self._standing.answer(bundle)

    async def deletion(
        self, caller: str, transfer: str, attempt: int, token: str
    ) -> dict[str, Any]:
        """Take a signed request to delete what was received, or hand it on."""
        bundle = self._open(caller, transfer, attempt)
        await self._taker.deletion(bundle, token)
        return self._standing.answer(self._bundle(caller, transfer, attempt))

    async def status(
        self, caller: str, transfer: str, attempt: int, *, after: int, seen: str, wait: int
    ) -> dict[str, Any]:
        """Return how a bundle stands, waiting a while for what the caller has not seen."""
        key = (transfer, attempt)
        bundle = self._bundle(caller, transfer, attempt)
        if bundle.state is In.SETTLED and after >= len(self._ledger.receipts(*key, "in")):
            await self._taker.catch_up(bundle)
        return await self._standing.news(key, after=after, seen=seen, wait=wait)

    async def recall(self, caller: str, body: bytes) -> dict[str, Any]:
        """Return what of its own receipts the receiving site has lost."""
        recall = Recall.decode(body)
        if recall.tenant != self._identity.tenant:
            raise MessageForeign(field="tenant")
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        if recall.from_site != caller and self._identity.at(caller).role != "relay":
            raise MessageForeign(field="from_site")
        self._identity.at(recall.to_site)
        return await self._taker.recall(recall)

    async def withdrawal(self, caller: str, body: bytes) -> dict[str, Any]:
        """Take a notice of withdrawal, or hand it on; return the receiver's receipt."""
        told = WithdrawalEnvelope.decode(body)
        if told.tenant != self._identity.tenant:
            raise MessageForeign(field="tenant")
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        if told.from_site != caller and self._identity.at(caller).role != "relay":
            raise MessageForeign(field="from_site")
        self._identity.at(told.to_site)
        return {"format": FORMAT, "receipt": await self._taker.withdrawal(told)}

    async def aclose(self) -> None:
        """Stop what is running; it goes on at the next start."""
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self._taker.aclose()

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._swept)
            except StorageFailed as away:  # the next round finds them again
                log.warning("nothing was swept", extra={"code": away.code})
            except Exception:
                log.exception("nothing was swept")
            await asyncio.sleep(_SWEEP_SECONDS)

    def _swept(self) -> None:
        for bundle in sweep(self._ledger, self._spool, self._identity.site):
            self._keys.forget_taken(bundle.transfer, bundle.attempt)

    # -- inside ---------------------------------------------------------------------------------

    def _forget_keys(self, transfer: str | None = None) -> None:
        """Destroy keys that nothing here will ever be opened or passed on with."""
        for named, attempt in self._keys.all_taken():
            if transfer not in {None, named}:
                continue
            try:
                is_needed = self._ledger.incoming(named, attempt).state not in _NEEDS_NO_KEY
            except NoSuchTransfer:
                is_needed = False
            if not is_needed:
                self._keys.forget_taken(named, attempt)

    def _bundle(self, caller: str, transfer: str, attempt: int) -> Incoming:
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        try:
            bundle = self._ledger.incoming_briefly(transfer, attempt)
        except NoSuchTransfer:
            raise TransferUnknown(transfer=transfer, attempt=attempt) from None
        known = self._identity.at(caller)
        if caller not in (bundle.from_site, self._identity.site) and known.role != "relay":
            raise TransferUnknown(transfer=transfer, attempt=attempt)
        return bundle

    def _open(self, caller: str, transfer: str, attempt: int) -> Incoming:
        bundle = self._bundle(caller, transfer, attempt)
        if bundle.state is In.SUPERSEDED:
            raise AttemptSuperseded(transfer=transfer, attempt=attempt)
        return bundle

    def _wake(self, bundle: Incoming) -> None:
        if bundle.state not in IN_FINAL:
            self._taker.wake(bundle)
