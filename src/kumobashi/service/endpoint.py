"""What only an endpoint has: it sends its systems' rows and takes in what others send."""

import asyncio
import logging
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import Fenced, IllegalMove
from kumobashi.exchange.holding import tell_lost
from kumobashi.exchange.leases import Held, Lease
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.patience import waits
from kumobashi.exchange.recalling import Recalling
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.states import Out, is_under_way
from kumobashi.kernel import business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.service.training import refuse_outside
from kumobashi.service.wiring import Wiring
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.spool import Spool

if TYPE_CHECKING:
    from kumobashi.service.gateway import Gateway

log = logging.getLogger(__name__)


def _allow(gateway: "Gateway", workspace: Workspace) -> None:
    if gateway.settings.is_training:
        refuse_outside(workspace, gateway.directory)


class Endpoint:
    """Sender and receiver of one site, and the runs that are under way."""

    def __init__(self, gateway: "Gateway", var: Path, spool: Spool) -> None:
        identity, ledger = gateway.identity, gateway.ledger
        self._ledger = ledger
        self._holder = gateway.holder
        self._clock = gateway.clock
        self.wiring = Wiring(
            gateway.settings.workspace,
            gateway.directory,
            today=lambda: business_date(gateway.clock.now()),
            allow=partial(_allow, gateway),
        )
        limits = Limits(memory_mib=gateway.settings.memory_mib)
        token_path = gateway.settings.workspace / "private" / identity.site / "token.key"
        self._outbox = Spool(var / "spool" / "out")
        self.sender = Sender(
            identity=identity,
            ledger=ledger,
            spool=self._outbox,
            peers=gateway.peers,
            orders=self.wiring.order,
            snapshots=Snapshots(var / "snapshots"),
            limits=limits,
            token_secret=TokenKey.load(token_path).secret if token_path.exists() else None,
        )
        self.receiver = Receiver(
            identity=identity,
            ledger=ledger,
            spool=spool,
            changes=gateway.changes,
            receptions=self.wiring.reception,
            limits=limits,
            set_aside=var / "quarantine",
            checkpoint=lambda: gateway.evidence.newest,
            incarnations=gateway.incarnations,
        )
        self._recalling = Recalling(
            identity,
            ledger,
            gateway.peers,
            self._again,
            seconds=gateway.settings.recall_seconds,
        )
        self._asking: asyncio.Task[None] | None = None
        self._runs: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """Go on with every transfer that was under way."""
        there = self._outbox.transfers()  # before asking: what comes later is not judged
        rows = self._ledger.under_way()
        for transfer in there - {row.transfer for row in rows}:
            self._outbox.forget(transfer)
        for row in rows:
            self._go(row.transfer)
        if self._holder:
            self._asking = asyncio.create_task(self._recalling.run(), name="ask receivers")

    def take_over(self, lease: Lease) -> None:
        """Work on a transfer whose lease this process has claimed."""
        if lease.on.transfer in self._runs and self._holder:  # begun meanwhile, or just ending
            self._holder.hand_back(lease)
        else:
            self._go(lease.on.transfer, lease)

    async def run(
        self, link: str, on: date, *, again: bool = False, full: bool = False
    ) -> tuple[Outgoing, bool]:
        """Start a link for a business date, or return the run that there is; and whether it is new.

        Raises:
            LinkUnknown, PlanRefused, ApprovalMissing, Drifted: nothing was started.
        """
        order = await asyncio.to_thread(self.wiring.order, link)
        row, is_new = await asyncio.to_thread(
            self._ledger.start,
            link,
            on.isoformat(),
            mode="full" if full else order.mode,
            plan_hash=order.plan_hash,
            basis=order.basis,
            again=again,
        )
        if is_under_way(row.state):
            self._go(row.transfer)
        return row, is_new

    async def accept(self, transfer: str) -> Outgoing:
        """Let a held transfer go on although its counts are outside the bounds."""
        row = await asyncio.to_thread(
            self._ledger.move_out, transfer, Out.EXTRACTING, bounds_accepted=True
        )
        self._go(transfer)
        return row

    async def cancel(self, transfer: str) -> Outgoing:
        """Give up a transfer that waits for a person."""
        row = self._ledger.outgoing(transfer)
        if row.state is not Out.HELD:
            raise IllegalMove(now=row.state.value, then=Out.CANCELLED.value)
        return await asyncio.to_thread(self._ledger.move_out, transfer, Out.CANCELLED)

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        for task in self._runs.values():
            task.cancel()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)

    async def _again(self, lost: Outgoing) -> Outgoing:
        """Send everything of a link again, for the date of a transfer that its receiver lost."""
        on = date.fromisoformat(lost.business_date)
        row, _ = await self.run(lost.link, on, again=True, full=True)
        return row

    def _go(self, transfer: str, lease: Lease | None = None) -> None:
        if self._holder is None or transfer in self._runs:  # another process works
            return
        task = asyncio.create_task(self._send(transfer, lease), name=f"send {transfer}")
        self._runs[transfer] = task
        task.add_done_callback(self._done)

    async def _send(self, transfer: str, lease: Lease | None) -> None:
        assert self._holder is not None  # noqa: S101 - else nothing is begun
        for wait in waits():
            try:
                async with self._holder.holding(Held(side="out", transfer=transfer), lease) as mine:
                    if mine is not None:
                        await self.sender.under(mine).run(transfer)
            except Fenced:
                tell_lost(transfer)
                return
            except StorageFailed as away:  # the state itself: nothing can be noted there
                if not away.retryable:
                    raise
                log.warning("state is away", extra={"code": away.code, "transfer": transfer})
                lease = None
                await asyncio.sleep(wait)
            else:
                return

    def _done(self, task: asyncio.Task[None]) -> None:
        self._runs = {name: run for name, run in self._runs.items() if run is not task}
        if not task.cancelled() and (error := task.exception()):
            log.error("a transfer ended unexpectedly", exc_info=error)
