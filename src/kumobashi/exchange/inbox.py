"""What peers hand to this gateway: announced, part by part, closed; and how it stands.

A relay and a receiver are the same up to here. What they do with a bundle is a :class:`Taker`: it
is woken whenever there is something new, and told nothing else, so a restart is just a waking.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from kumobashi.crypto.canonical import canonical
from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.errors import Fenced, NoSuchTransfer, StrangeCaller
from kumobashi.exchange.holding import Holder, tell_lost
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.leases import Held, Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.patience import waits
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.kernel import crashpoint
from kumobashi.messages.announcement import Announcement, AttemptState
from kumobashi.messages.errors import (
    AttemptSuperseded,
    MessageForeign,
    MessageReplayed,
    PartAltered,
    PartNotAnnounced,
    PartTooLarge,
    TransferUnknown,
)
from kumobashi.messages.manifest import Manifest, verify_manifest
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.parts import missing, parts_missing
from kumobashi.messages.recall import Recall
from kumobashi.storage.errors import PartUnlike, StorageFailed
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_LONGEST_WAIT_SECONDS = 25
_LOOK_SECONDS = 0.5  # how often to look at what another process may have changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Downstream:
    """What the hops behind this one said last."""

    hops: tuple[dict[str, Any], ...] = ()
    waiting: dict[str, Any] | None = None


class Taker(Protocol):
    """What happens to a bundle at this site."""

    async def take(self, bundle: Incoming) -> None:
        """Carry the bundle as far as it goes; called again after every restart."""

    def under(self, lease: Lease) -> Self:
        """Return the same, with every change of the ledger under ``lease``."""

    def closed_state(self) -> In:
        """Return the state that a complete bundle enters when its manifest comes."""

    def receipt_for(self, manifest: Manifest, state: In) -> tuple[str, str] | None:
        """Return the signed receipt that is kept together with ``state``, if there is one."""

    def downstream(self, key: Key) -> Downstream:
        """Return what the hops behind said."""

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Return what the receiver of a recall does not hold any more."""


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
        holder: Holder | None,
    ) -> None:
        """Make it; without a ``holder`` bundles are taken in, and another process works on them."""
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._taker = taker
        self._holder = holder
        self._is_shared = ledger.store.is_shared
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._news: dict[Key, asyncio.Event] = {}

    def resume(self) -> None:
        """Go on with everything that was under way when the process ended."""
        there = self._spool.transfers()  # before asking: what comes later is not judged
        bundles = self._ledger.unsettled()
        for transfer in there - {bundle.transfer for bundle in bundles}:
            self._spool.forget(transfer)
        for bundle in bundles:
            self._wake(bundle)

    def take_over(self, lease: Lease) -> None:
        """Work on a bundle whose lease this process has claimed."""
        key = (lease.on.transfer, lease.on.attempt)
        if key in self._tasks and self._holder:  # begun meanwhile: it claims again, or is ending
            self._holder.hand_back(lease)
        else:
            self._begin(key, lease).set()

    async def announce(self, caller: str, body: bytes) -> dict[str, Any]:
        """Note what is coming; return which parts are here already."""
        announcement = Announcement.decode(body)
        self._check(caller, announcement)
        bundle = await asyncio.to_thread(
            self._ledger.announced,
            transfer=announcement.transfer,
            attempt=announcement.attempt,
            link=announcement.link,
            from_site=announcement.from_site,
            to_site=announcement.to_site,
            announcement=json.loads(body),
        )
        if bundle.state is In.SUPERSEDED:
            raise AttemptSuperseded(transfer=bundle.transfer, attempt=bundle.attempt)
        crashpoint("inbox.announced")
        self._wake(bundle)
        held = self._spool.held(bundle.transfer, bundle.attempt)
        return {**self._answer(bundle), "have": sorted(f"sha256:{hex_}" for hex_ in held)}

    async def part(
        self, caller: str, transfer: str, attempt: int, hex_: str, body: AsyncIterator[bytes]
    ) -> bool:
        """Take one part; return whether it is new. Durable when this returns."""
        bundle = self._open(caller, transfer, attempt)
        announced = Announcement.decode(canonical(bundle.announcement))
        listed = {part.digest.removeprefix("sha256:"): part.bytes for part in announced.parts}
        if bundle.state is not In.ANNOUNCED or hex_ in self._spool.held(transfer, attempt):
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
        self._check_manifest(bundle, manifest)
        if bundle.state is not In.ANNOUNCED:
            if bundle.manifest != token:
                raise MessageReplayed(transfer=transfer)
            return self._answer(bundle)
        manifest.refuse_expired(self._ledger.clock.now())
        held = {f"sha256:{hex_}" for hex_ in self._spool.held(transfer, attempt)}
        if absent := missing(manifest.parts, held):
            raise parts_missing(absent)
        state = self._taker.closed_state()
        receipt = self._taker.receipt_for(manifest, state)
        crashpoint("inbox.close_before_commit")
        bundle = await asyncio.to_thread(
            self._ledger.move_in, bundle, state, receipt=receipt, manifest=token
        )
        crashpoint("inbox.closed")
        self._changes.tell((transfer, attempt))
        self._wake(bundle)
        return self._answer(bundle)

    async def status(
        self, caller: str, transfer: str, attempt: int, *, after: int, seen: str, wait: int
    ) -> dict[str, Any]:
        """Return how a bundle stands, waiting a while for what the caller has not seen."""
        key = (transfer, attempt)
        self._bundle(caller, transfer, attempt)
        loop = asyncio.get_running_loop()
        until = loop.time() + min(wait, _LONGEST_WAIT_SECONDS)
        while True:
            event = self._changes.waiting(key)
            try:
                answer = self._status(key, after)
                left = until - loop.time()
                is_new = answer["version"] != seen or answer["receipts"]
                if is_new or left <= 0 or self._changes.is_over:
                    return answer
                with suppress(TimeoutError):
                    look = min(left, _LOOK_SECONDS) if self._is_shared else left
                    await asyncio.wait_for(event.wait(), look)
            finally:
                self._changes.leave(key, event)

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

    async def aclose(self) -> None:
        """Stop what is running; it goes on at the next start."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # -- inside ---------------------------------------------------------------------------------

    def _status(self, key: Key, after: int) -> dict[str, Any]:
        bundle = self._ledger.incoming(*key)
        receipts = self._ledger.receipts(*key, "in")
        behind = self._taker.downstream(key)
        held = len(self._spool.held(*key))
        announced = bundle.announcement.get("parts")
        total = len(announced) if isinstance(announced, list) else 0
        if bundle.state is not In.ANNOUNCED:
            held = total  # parts may be forgotten once they are not needed
        own = {"site": self._identity.site, "state": bundle.state.value, "parts": held}
        answer: dict[str, Any] = {
            **self._answer(bundle, receipts),
            "parts_held": held,
            "parts_total": total,
            "hops": [own, *behind.hops],
            "waiting": bundle.cause or behind.waiting,
        }
        version = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:16]
        return {**answer, "version": version, "receipts": receipts[after:]}

    def _answer(self, bundle: Incoming, receipts: list[str] | None = None) -> dict[str, Any]:
        if receipts is None:
            receipts = self._ledger.receipts(bundle.transfer, bundle.attempt, "in")
        match bundle.state:
            case In.ANNOUNCED:
                state = AttemptState.OPEN
            case In.SUPERSEDED:
                state = AttemptState.SUPERSEDED
            case In.APPLIED | In.REFUSED | In.SETTLED:
                state = AttemptState.FINISHED
            case _:
                state = AttemptState.CLOSED
        return {
            "format": FORMAT,
            "transfer": bundle.transfer,
            "attempt": bundle.attempt,
            "state": state.value,
            "receipts": receipts,
        }

    def _check(self, caller: str, announcement: Announcement) -> None:
        identity = self._identity
        if announcement.tenant != identity.tenant:
            raise MessageForeign(field="tenant")
        here = identity.here
        origin_is_caller = announcement.from_site == caller
        if not identity.may_call(caller):
            raise StrangeCaller(site=caller)
        if not origin_is_caller and identity.at(caller).role != "relay":
            raise MessageForeign(field="from_site")
        identity.at(announcement.from_site)
        if here.role != "relay" and announcement.to_site != identity.site:
            raise MessageForeign(field="to_site")
        identity.at(announcement.to_site)
        for part in announcement.parts:
            if part.bytes > here.largest_part_bytes:
                raise PartTooLarge(bytes=part.bytes, limit=here.largest_part_bytes)

    def _check_manifest(self, bundle: Incoming, manifest: Manifest) -> None:
        said = bundle.announcement
        for name in ("tenant", "transfer", "attempt", "link", "from_site", "to_site"):
            if getattr(manifest, name) != said.get(name):
                raise MessageForeign(field=name)
        announced = Announcement.decode(canonical(said))
        if announced.parts and announced.parts != manifest.parts:
            raise MessageForeign(field="parts")
        if announced.business_date != manifest.business_date:
            raise MessageForeign(field="business_date")

    def _bundle(self, caller: str, transfer: str, attempt: int) -> Incoming:
        if not self._identity.may_call(caller):
            raise StrangeCaller(site=caller)
        try:
            bundle = self._ledger.incoming(transfer, attempt)
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
        if bundle.state in IN_FINAL:
            return
        if self._holder:
            self._begin((bundle.transfer, bundle.attempt), None).set()

    def _begin(self, key: Key, lease: Lease | None) -> asyncio.Event:
        news = self._news.setdefault(key, asyncio.Event())
        if key not in self._tasks:
            task = asyncio.create_task(self._work(key, news, lease), name=f"take {key[0]}")
            self._tasks[key] = task
            task.add_done_callback(lambda _task: self._done(key))
        return news

    async def _work(self, key: Key, news: asyncio.Event, lease: Lease | None) -> None:
        assert self._holder is not None  # noqa: S101 - else nothing is begun
        for wait in waits():
            try:
                on = Held(side="in", transfer=key[0], attempt=key[1])
                async with self._holder.holding(on, lease) as mine:
                    if mine is not None:
                        await self._take(key, news, self._taker.under(mine))
            except Fenced:
                tell_lost(key[0])
                return
            except StorageFailed as away:  # the state itself: nothing can be noted there
                if not away.retryable:
                    raise
                log.warning("state is away", extra={"code": away.code, "transfer": key[0]})
                lease = None
                await asyncio.sleep(wait)
            else:
                return

    async def _take(self, key: Key, news: asyncio.Event, taker: Taker) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), _LOOK_SECONDS if self._is_shared else None)
            news.clear()
            bundle = self._ledger.incoming(*key)
            if bundle.state in IN_FINAL:
                return
            await taker.take(bundle)
            if self._ledger.incoming(*key).state in IN_FINAL:
                return

    def _done(self, key: Key) -> None:
        self._tasks.pop(key, None)
        self._news.pop(key, None)
