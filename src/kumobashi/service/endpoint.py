"""What only an endpoint has: it sends its systems' rows and takes in what others send."""

import asyncio
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.crypto.keys import TokenKey
from kumobashi.exchange.deeds import Deed, Deeds
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.dispatching import Dispatcher
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.states import Out
from kumobashi.exchange.turns import RANKS
from kumobashi.kernel import business_date
from kumobashi.service.wiring import Wiring
from kumobashi.storage.spool import Spool

if TYPE_CHECKING:
    from kumobashi.service.gateway import Gateway


class Endpoint:
    """Sender and receiver of one site, and the runs that are under way."""

    def __init__(self, gateway: "Gateway", var: Path, spool: Spool) -> None:
        identity, ledger = gateway.identity, gateway.ledger
        self._ledger = ledger
        self._clock = gateway.clock
        self.wiring = Wiring(
            gateway.settings.workspace,
            gateway.directory,
            today=lambda: business_date(gateway.clock.now()),
        )
        limits = Limits(memory_mib=gateway.settings.memory_mib)
        token_path = gateway.settings.workspace / "private" / identity.site / "token.key"
        self._outbox = Spool(var / "spool" / "out")
        self.deeds = Deeds(ledger)
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
        )
        self.dispatcher = Dispatcher(identity, ledger, self.sender, gateway.lines, self.deeds)

    def resume(self) -> None:
        """Go on with every transfer that was under way."""
        self._outbox.keep_only(self._ledger.under_way())
        self.dispatcher.start()

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
            again=again,
            to_site=order.to_site,
            rank=RANKS[order.priority],
            in_order=order.is_in_order,
        )
        self.dispatcher.wake()
        return row, is_new

    async def accept(self, transfer: str) -> Outgoing:
        """Let a held transfer go on although its counts are outside the bounds."""
        row = await asyncio.to_thread(
            self._ledger.move_out, transfer, Out.EXTRACTING, bounds_accepted=True
        )
        self.dispatcher.wake()
        return row

    async def do(self, deed: Deed, transfer: str) -> Outgoing:
        """Pause, resume, cancel a transfer or let it go first.

        Raises:
            HasLeft, IllegalMove, OrderKept, NoSuchTransfer: nothing was changed.
        """
        deeds = {
            Deed.PAUSE: self.deeds.pause,
            Deed.RESUME: self.deeds.resume,
            Deed.CANCEL: self.deeds.cancel,
            Deed.SEND_FIRST: self.deeds.send_first,
        }
        row = await asyncio.to_thread(deeds[deed], transfer)
        if row.state is Out.CANCELLED:
            await asyncio.to_thread(self._outbox.forget, transfer)
        self.dispatcher.wake(anew=True)
        return row

    async def pause_link(self, link: str, *, paused: bool) -> None:
        """Let the transfers of a link wait, or go on; raise ``LinkUnknown``."""
        workspace = await asyncio.to_thread(self.wiring.workspace)
        workspace.link(link)
        deed = self.deeds.pause_link if paused else self.deeds.resume_link
        await asyncio.to_thread(deed, link)
        self.dispatcher.wake(anew=True)

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        await self.dispatcher.aclose()
