"""Send a link's rows: the main path. It reads like a page; each step is a package of its own.

    extract → release → seal → carry ⇒ (the receiver) → four signed receipts come back

``Sender`` takes one step of one transfer, from whatever state it is in: that is all that resuming
is. Whose turn it is, and when, is the business of ``dispatching``. Nothing is sent before the
sealed parts and the signed manifest are durable here; a crash before that starts the reading again,
under the same transfer with a new attempt.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Self

import duckdb
import sqlalchemy as sa

from kumobashi.exchange.beginning import fall_back
from kumobashi.exchange.carrying import Carrier
from kumobashi.exchange.confirming import Confirmation
from kumobashi.exchange.deeds import CARRIED, CLOSING
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import Fenced, IllegalMove, OutsideBounds, Paused, PeerRefused
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.individual import IndividualLists
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import is_about_the_line
from kumobashi.exchange.orders import Order, Orders
from kumobashi.exchange.packing import Limits, workroom
from kumobashi.exchange.patience import new_chance, wait_after
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.preparing import Preparation, snapshot_of
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import LEFT, OUT_FINAL, Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.waiting import alone, as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.errors import MessageExpired, TransferUnknown
from kumobashi.messages.manifest import Manifest, sign_manifest, verify_manifest
from kumobashi.observe import tracing
from kumobashi.release.errors import FindingsRefused, GateRefused
from kumobashi.storage.errors import SpoolFull, StorageFailed, is_disk_full
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_SEEN_AT_MOST = 1000  # transfers; the oldest is forgotten and answered at once


@dataclass(frozen=True, slots=True)
class Step:
    """How a transfer stands after one step; ``put_off`` are seconds, when it failed for its own."""

    row: Outgoing
    put_off: float | None = None


class Sender:
    """Sends the transfers of one site."""

    def __init__(  # noqa: PLR0913 - all that sending needs, joined once in the service
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        peers: Peers,
        orders: Orders,
        snapshots: Snapshots,
        histories: Histories,
        individual: IndividualLists,
        keys: TransferKeys,
        limits: Limits,
        token_secret: bytes | None,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._peers = peers
        self._orders = orders
        self._snapshots = snapshots
        self._histories = histories
        self._individual = individual
        self._keys = keys
        self._limits = limits
        self._token_secret = token_secret
        self._carrier = Carrier(identity, ledger, spool, peers, keys)
        self._seen: dict[str, str] = {}  # version of the last answer, by transfer
        self._chance = new_chance()

    async def prepare(self, transfer: str) -> Step:
        """Read, coarsen and seal a transfer; it is sealed, held or refused then, or waits."""
        with tracing.span("transfer.prepare", transfer=transfer):
            return await self._step(transfer, {Out.EXTRACTING}, self._prepared)

    async def carry(self, transfer: str) -> Step:
        """Bring a sealed transfer to the next hop, or leave it waiting."""
        with tracing.client("transfer.carry", transfer=transfer):
            return await self._step(transfer, {Out.SEALED}, self._carrier.carry)

    async def look(self, transfer: str, *, wait: int) -> Step:
        """Ask once for the receipts of a transfer that has left, waiting up to ``wait`` seconds."""
        return await self._step(transfer, LEFT, lambda row: self._confirm(row, wait))

    async def _step(
        self,
        transfer: str,
        states: Collection[Out],
        step: Callable[[Outgoing], Awaitable[Outgoing]],
    ) -> Step:
        row = self._ledger.outgoing(transfer)
        if row.state not in states:
            return Step(row)
        before = row.state
        try:
            row = await step(row)
            if row.state in OUT_FINAL:
                _trace_end(row)
            return Step(row)
        except Fenced:  # whoever took over goes on
            raise
        except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a transfer
            row = self._ledger.outgoing(transfer)
            error = as_known(alone(raised))
            if row.state in OUT_FINAL:  # a person cancelled it meanwhile, or its receiver lost it
                await asyncio.to_thread(self.let_go, transfer)
            if row.state not in states or (
                isinstance(error, IllegalMove) and row.state is not before
            ):  # a medium brought receipts meanwhile
                return Step(row)
            if isinstance(error, Paused) or is_about_the_line(error):
                return Step(row)  # it waits with all others that wait for the same
            may_wait = CARRIED in row.facts or _passes(error, row)
            if not may_wait or self._has_expired(row, error):
                row = await asyncio.to_thread(self._stop, row, error)
                _trace_end(row)
                return Step(row)
            return await asyncio.to_thread(self._note, row, error)

    async def _prepared(self, row: Outgoing) -> Outgoing:
        return await asyncio.to_thread(self._prepare, row)

    def under(self, lease: Lease | None) -> Self:
        """Return this sender with every change of the ledger under ``lease``, if there is one."""
        if lease is None:
            return self
        fenced = copy(self)
        ledger = self._ledger.under(lease)
        fenced._ledger = ledger  # noqa: SLF001 - its own copy
        fenced._carrier = Carrier(  # noqa: SLF001
            self._identity, ledger, self._spool, self._peers, self._keys
        )
        return fenced

    def clear(self) -> None:
        """Let go of transfers that are over: a crash came between the two."""
        # Before asking: what comes later is not judged.
        there = self._spool.transfers() | self._keys.all_sent()
        for transfer in there - self._ledger.under_way():
            self.let_go(transfer)

    def let_go(self, transfer: str) -> None:
        """Destroy what would only be needed to send a transfer once more."""
        self._keys.forget_sent(transfer)
        self._spool.forget(transfer)

    # -- prepare -------------------------------------------------------------------------------

    def _prepare(self, row: Outgoing) -> Outgoing:
        """Read, coarsen and seal; afterwards everything that will leave is durable here."""
        order = self._orders(row.link)
        line = self._peers.lines.to(self._identity.next_hop(order.to_site))
        # What the next hop has shown to be too large is not cut that large again.
        limit = min(order.largest_part_bytes, line.part_bytes)
        order = replace(order, largest_part_bytes=limit)
        if self._spool.held(row.transfer, row.attempt) or self._was_taken_over():
            # It was sealed before, but that was never committed: a new sealing is a new attempt.
            # Whoever worked on the old one may not know yet that he does so no more.
            row = self._ledger.move_out(row.transfer, None, attempt=row.attempt + 1)
        for attempt in range(1, row.attempt + 1):
            self._spool.forget(row.transfer, attempt)
        try:
            with self._preparation(row, order) as preparation:
                released = preparation.release()
                chosen = preparation.choose(released)
                bundle = preparation.seal(chosen, released)
                manifest = preparation.manifest(bundle, released)
        except OutsideBounds as held:
            return self._hold(row, held)
        except GateRefused:
            if order.fallback:  # before the refusal is kept; beginning twice does no harm
                fall_back(self._ledger, row, self._orders, order.fallback)
            raise
        except duckdb.Error as error:
            if is_disk_full(error):
                raise SpoolFull(place="work") from None
            # DuckDB's message may quote a value; its class does not.
            raise StorageFailed(reason=type(error).__name__) from None
        token = sign_manifest(manifest, self._identity.signing)
        crashpoint("sending.sealed_before_commit")
        row = self._ledger.move_out(
            row.transfer,
            Out.SEALED,
            facts=_numbers(manifest, bundle.seconds),
            manifest=token,
            base_transfer=manifest.base_transfer,
            to_site=manifest.to_site,
            also=partial(_still_permitted, order, row),
        )
        crashpoint("sending.sealed")
        return row

    def _was_taken_over(self) -> bool:
        lease = self._ledger.lease
        return self._ledger.store.is_shared and lease is not None and lease.was_taken_over

    @contextmanager
    def _preparation(self, row: Outgoing, order: Order) -> Iterator[Preparation]:
        """Give a working database and a private folder, and remove both at the end."""
        folder = self._identity.work / f"out-{row.transfer}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with workroom(folder, memory_mib=self._limits.memory_mib) as work:
                yield Preparation(
                    identity=self._identity,
                    ledger=self._ledger,
                    spool=self._spool,
                    snapshots=self._snapshots,
                    histories=self._histories,
                    individual=self._individual,
                    keys=self._keys,
                    token_secret=self._token_secret,
                    row=row,
                    order=order,
                    work=work,
                    folder=folder,
                )
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # -- carry and confirm ----------------------------------------------------------------------

    async def _confirm(self, row: Outgoing, wait: int) -> Outgoing:
        """Collect the receiver's receipts as far as there are any."""
        manifest = self._manifest(row)
        confirmation = Confirmation(self._identity, self._ledger, self._peers, manifest)
        try:
            row, self._seen[row.transfer] = await confirmation.collect(
                row, wait, seen=self._seen.pop(row.transfer, "")
            )
        except PeerRefused as refused:
            # It has been restored from a backup. Without a receipt the same bundle will do; with
            # one, its receiver is asked what it remembers (``recalling``).
            forgotten = refused.peer_code == TransferUnknown.code
            if forgotten and not self._ledger.receipts(row.transfer, row.attempt, "out"):
                await self._carrier.hand_over(row, manifest)
            raise
        if row.state in OUT_FINAL or len(self._seen) > _SEEN_AT_MOST:
            self._seen.pop(next(iter(self._seen)) if row.state not in OUT_FINAL else row.transfer)
        if row.state in OUT_FINAL:
            if row.state is Out.APPLIED:
                self._snapshots.forget_but(row.link, {snapshot_of(row)})
            self.let_go(row.transfer)
            crashpoint("sending.finished")
        return row

    # -- what can go wrong ----------------------------------------------------------------------

    def _hold(self, row: Outgoing, held: OutsideBounds) -> Outgoing:
        cause = cause_of(held, side=self._identity.site, now=self._ledger.clock.now())
        row = self._ledger.move_out(row.transfer, Out.HELD, cause=cause)
        self.let_go(row.transfer)
        return row

    def _stop(self, row: Outgoing, error: KumobashiError) -> Outgoing:
        log.warning("transfer stopped", extra={"code": error.code, "transfer": row.transfer})
        cause = cause_of(error, side=self._identity.site, now=self._ledger.clock.now())
        facts = {}
        if isinstance(error, FindingsRefused):
            facts["released"] = {"findings": [asdict(finding) for finding in error.findings]}
        row = self._ledger.move_out(row.transfer, Out.REFUSED, facts=facts, cause=cause)
        self.let_go(row.transfer)
        return row

    def _has_expired(self, row: Outgoing, error: KumobashiError) -> bool:
        """Whether the peer and this site agree that the bundle cannot be taken in any more."""
        if not isinstance(error, PeerRefused) or error.peer_code != MessageExpired.code:
            return False
        manifest = self._manifest(row)
        if CARRIED in row.facts and self._identity.next_hop(manifest.to_site) != manifest.to_site:
            return False  # a relay cannot know whether a medium brought it in time
        return row.state is Out.SEALED and manifest.expires < self._ledger.clock.now()

    def _note(self, row: Outgoing, error: KumobashiError) -> Step:
        side = error.site if isinstance(error, PeerRefused) else self._identity.site
        tries = int(row.cause["tries"]) + 1 if row.cause else 1
        wait = wait_after(tries, self._chance, is_no=not error.retryable)
        now = self._ledger.clock.now()
        cause = cause_of(error, side=side, now=now, tries=tries, wait=wait, old=row.cause)
        try:
            row = self._ledger.move_out(row.transfer, None, cause=cause, still=row.state)
        except IllegalMove:  # it went on in this very moment
            return Step(self._ledger.outgoing(row.transfer))
        return Step(row, put_off=wait)

    def _manifest(self, row: Outgoing) -> Manifest:
        mine = {self._identity.signing.kid: self._identity.signing.public}
        return verify_manifest(row.manifest or "", mine)


def _trace_end(row: Outgoing) -> None:
    """Send the root of a transfer's trace: how long all of it took, and how it ended."""
    if row.finished_at:
        tracing.transfer_ended(
            row.transfer,
            started=row.started_at / 1e6,
            ended=row.finished_at / 1e6,
            link=row.link,
            state=row.state,
            to=row.to_site,
            rows=row.facts.get("released", {}).get("rows"),
        )


def _still_permitted(order: Order, row: Outgoing, connection: sa.Connection) -> None:
    """Seal nothing with somebody in it who withdrew, or was suspended, since the rows were read.

    Raises:
        ConsentChanged, SuspendedSince, TiesChanged: the rows are read anew.
    """
    if order.refuse_changed:
        order.refuse_changed(connection)
    if order.ties:
        order.ties.seal(connection, transfer=row.transfer, link=row.link)


def _passes(error: KumobashiError, row: Outgoing) -> bool:
    """Whether waiting may help: the other side, the disk or the line is at fault, not the data."""
    if row.state in LEFT or row.facts.get(CLOSING) == row.attempt:
        return True  # it has left, or may have: only a receipt that verifies says how it ended
    # A peer that says no may be set right by a person there; nothing is lost by asking again.
    return error.retryable or isinstance(error, PeerRefused)


def _numbers(manifest: Manifest, seconds: float) -> dict[str, object]:
    """Return what people see of a sealed bundle."""
    rows = manifest.rows + manifest.deleted_rows
    return {
        "sent": {
            "payload_bytes": manifest.payload_bytes,
            "sealed_bytes": manifest.sealed_bytes,
            "parts": len(manifest.parts),
            "rows": manifest.rows,
            "deleted_rows": manifest.deleted_rows,
        },
        "stages": {"seal": {"seconds": seconds, "rows": rows}},
        "stage": "carry",
    }
