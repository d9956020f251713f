"""What only an endpoint has: it sends its systems' rows and takes in what others send."""

import asyncio
import logging
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.agreements import Book
from kumobashi.exchange.adopting import name_receivers
from kumobashi.exchange.beginning import begin
from kumobashi.exchange.deeds import Deed, Deeds
from kumobashi.exchange.deleting import Deleter
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.dispatching import Dispatcher
from kumobashi.exchange.errors import NothingToResend
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.holdings import RED_FROM, Level, escalation_of
from kumobashi.exchange.individual import IndividualLists
from kumobashi.exchange.keeping import Holdings
from kumobashi.exchange.noting import LOCAL_API, OPERATOR
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.preparing import snapshot_of
from kumobashi.exchange.proofs import Proofs
from kumobashi.exchange.ranks import RANKS
from kumobashi.exchange.recalling import Recalling
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.reminding import Reminder
from kumobashi.exchange.requesting import Requester
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.set_aside import SetAside
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.tie_telling import TellingTies
from kumobashi.exchange.traces import Traces
from kumobashi.exchange.withdrawing import Withdrawing
from kumobashi.kernel import business_date
from kumobashi.planning.workspace import Workspace
from kumobashi.service.agreeing import Gate, Stopping, offices_in, trusted_of
from kumobashi.service.beating import Beating
from kumobashi.service.call_permits import CallPermits
from kumobashi.service.call_wiring import CallWiring
from kumobashi.service.channels import senders_of
from kumobashi.service.consents import Consents, sites_of, token_secret
from kumobashi.service.lifecycle import Lifecycle
from kumobashi.service.planned import Planned
from kumobashi.service.register import candidates
from kumobashi.service.residents import Residents
from kumobashi.service.resting import resting_links
from kumobashi.service.tie_expiring import Expiring
from kumobashi.service.training import refuse_outside
from kumobashi.service.wiring import Wiring
from kumobashi.storage.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumobashi.exchange.views import Board
    from kumobashi.service.gateway import Gateway


log = logging.getLogger(__name__)
_TEXTS_OLD = 1.0  # seconds: a consent is of the text that somebody was shown before


def _allow(gateway: "Gateway", workspace: Workspace) -> None:
    if gateway.settings.is_training:
        refuse_outside(workspace, gateway.directory)


class Endpoint:
    """Sender and receiver of one site, and the runs that are under way."""

    def __init__(self, gateway: "Gateway", var: Path, spool: Spool) -> None:
        identity, ledger = gateway.identity, gateway.ledger
        self._identity = identity
        self._ledger = ledger
        self._works = gateway.holder is not None
        self._clock = gateway.clock
        self._keys = gateway.keys
        trusted = trusted_of(identity)
        gate = Gate(gateway.store, trusted, gateway.clock)
        ledger.permits = gate
        secret = token_secret(gateway.settings.workspace, identity.site)
        self.consents = Consents(
            gateway.store,
            tenant=identity.tenant,
            site=identity.site,
            secret=secret,
            clock=gateway.clock,
            keys=gateway.keys.store,
        )
        self.wiring = Wiring(
            gateway.settings.workspace,
            gateway.directory,
            today=lambda: business_date(gateway.clock.now()),
            allow=partial(_allow, gateway),
            agreed=gate.refuse,
            consents=self.consents,
        )
        self.call_permits = CallPermits(
            lambda newest: CallWiring(
                self.wiring.workspace,
                newest,
                Planned(newest, lambda: business_date(gateway.clock.now())),
                site=identity.site,
                allow=partial(_allow, gateway),
                agreed=gate.refuse,
            ),
            self.wiring.workspace,
            gateway.directory,
        )
        self.agreements = Book(
            gateway.store,
            trusted=trusted,
            key=identity.signing,
            offices=lambda: offices_in(self.wiring.workspace().municipality),
            clock=gateway.clock,
        )
        recent = partial(self.wiring.workspace, seconds_old=_TEXTS_OLD)
        self.consents.texts = lambda: recent().consents
        self.consents.residents = Residents(recent, identity.site)
        self.consents.senders = lambda: senders_of(recent(), identity.site)
        self.consents.register = lambda said: candidates(recent(), said)
        self.consents.systems = lambda: sites_of(recent())
        limits = Limits(memory_mib=gateway.settings.memory_mib)
        self.deeds = Deeds(ledger)
        self._stopping = Stopping(self.agreements, gate, ledger, self.deeds, site=identity.site)
        snapshots = self._snapshots = Snapshots(var / "snapshots", gateway.keys)
        histories = Histories(var / "histories", gateway.keys)
        self.traces = Traces(snapshots, histories)
        self.individual = IndividualLists(var / "individual", gateway.keys)
        self._set_aside = SetAside(var / "quarantine")
        self._recipient = identity.sealing.recipient
        self.sender = Sender(
            identity=identity,
            ledger=ledger,
            spool=Spool(var / "spool" / "out"),
            peers=gateway.peers,
            orders=self.wiring.order,
            snapshots=snapshots,
            histories=histories,
            individual=self.individual,
            keys=gateway.keys,
            limits=limits,
            token_secret=secret,
        )
        holdings = self.holdings = Holdings(gateway.store, identity.tenant, gateway.clock)
        self.requester = Requester(
            identity=identity,
            ledger=ledger,
            holdings=holdings,
            peers=gateway.peers,
            snapshots=snapshots,
            histories=histories,
            clock=gateway.clock,
        )
        deleter = Deleter(
            identity=identity,
            ledger=ledger,
            holdings=holdings,
            spool=spool,
            set_aside=self._set_aside,
            keys=gateway.keys,
            receptions=self.wiring.reception,
            changes=gateway.changes,
            clock=gateway.clock,
            checkpoint=lambda: gateway.evidence.newest,
            wake=self.wake,
        )
        self.receiver = Receiver(
            identity=identity,
            ledger=ledger,
            spool=spool,
            changes=gateway.changes,
            receptions=self.wiring.reception,
            limits=limits,
            set_aside=self._set_aside,
            keys=gateway.keys,
            deletions=deleter,
            checkpoint=lambda: gateway.evidence.newest,
            incarnations=gateway.incarnations,
            holder=gateway.holder,
        )
        self.dispatcher = Dispatcher(
            identity, ledger, self.sender, gateway.lines, self.deeds, holder=gateway.holder
        )
        self._lifecycle = Lifecycle(
            holdings=holdings,
            deleter=deleter,
            requester=self.requester,
            holder=gateway.holder,
            alone=self.receiver.one_at_a_time,
            clock=gateway.clock,
            every_seconds=gateway.settings.duty_seconds,
            tidy=self.consents.tidy_channels,
        )
        self._recalling = Recalling(
            identity,
            ledger,
            gateway.peers,
            self._again,
            reminder=Reminder(identity, Proofs(gateway.store, identity.tenant), gateway.peers),
            seconds=gateway.settings.recall_seconds,
        )
        self._asking: asyncio.Task[None] | None = None
        self._withdrawing = (
            Withdrawing(
                identity,
                gateway.store,
                gateway.peers,
                secret=secret,
                links=lambda: resting_links(
                    self.wiring.workspace(seconds_old=_TEXTS_OLD),
                    ledger,
                    site=identity.site,
                    clock=gateway.clock,
                ),
                clock=gateway.clock,
            )
            if secret
            else None
        )
        self._telling: asyncio.Task[None] | None = None
        self._telling_ties = (
            TellingTies(
                identity,
                gateway.store,
                gateway.peers,
                secret=secret,
                systems=self.consents.systems,
                clock=gateway.clock,
            )
            if secret
            else None
        )
        self._ties_told: asyncio.Task[None] | None = None
        self._expiring = Expiring(self.consents.ties, gateway.clock)
        self.board: Callable[[], Board] | None = None  # of all links, once pages are served
        self.beating = Beating(
            gateway.pulsing,
            ways=self._ways,
            seconds=gateway.settings.pulse_seconds,
            hear=gateway.own_clock.heard_trip,
        )

    def resume(self) -> None:
        """Go on with every transfer that was under way."""
        self._seal_older()
        self.sender.clear()
        if self._works:
            name_receivers(self._ledger, self._identity)
            self.dispatcher.start()
            self._asking = asyncio.create_task(self._recalling.run(), name="ask receivers")
            if self._withdrawing:
                self._telling = asyncio.create_task(
                    self._withdrawing.run(), name="tell withdrawals"
                )
            if self._telling_ties:
                self._ties_told = asyncio.create_task(self._telling_ties.run(), name="tell ties")
            self._lifecycle.start()
            self._stopping.start()
            self._expiring.start()
            self.beating.start()

    def look(self) -> None:
        """Look for what another process began, or does not work on any more."""
        self.dispatcher.wake()

    def _seal_older(self) -> None:
        """Leave nothing readable that releases of before this one wrote."""
        if sealed := self._set_aside.seal_older(self._recipient):
            log.warning("files of an older release were sealed", extra={"files": sealed})
        if dropped := self._snapshots.drop_older():
            log.warning("files of an older release were removed", extra={"files": dropped})

    def overdue_by_level(self) -> dict[int, int]:
        """Return how many deletions are late, by level; nothing is left out for being 0."""
        now, late = self._clock.now(), self.holdings.overdue()
        levels = Counter(escalation_of(held, now) for held in late)
        return {int(level): levels[level] for level in Level if level >= RED_FROM}

    def _ways(self) -> frozenset[str]:
        """Return the sites that links and calls of this site lead to, by line."""
        workspace, here = self.wiring.workspace(seconds_old=_TEXTS_OLD), self._identity.site
        systems = workspace.systems
        pairs = [(link.from_, link.to.system) for link in workspace.links.values()]
        pairs += [(call.to, call.from_) for call in workspace.calls.values()]
        ends = {systems[far].site for near, far in pairs if systems[near].site == here}
        return frozenset(
            site
            for site in ends - {here}
            if site in self._identity.directory.sites and not self._identity.is_carried(site)
        )

    def wake(self) -> None:
        """See soon to what is to be deleted; another process does at its next look."""
        self._lifecycle.wake()

    async def run(
        self, link: str, on: date, *, again: bool = False, full: bool = False
    ) -> tuple[Outgoing, bool]:
        """Start a link for a business date, or return the run that there is; and whether it is new.

        Raises:
            LinkUnknown, PlanRefused, ApprovalMissing, Drifted: nothing was started.
            NotCovered, AgreementUnknown, AgreementForged: no agreement in force covers it.
        """
        order = await asyncio.to_thread(self.wiring.order, link)
        row, is_new = await asyncio.to_thread(
            begin, self._ledger, order, on.isoformat(), again=again, full=full
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

    async def do(self, deed: Deed, transfer: str, *, by: str = OPERATOR) -> Outgoing:
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
        row = await asyncio.to_thread(partial(deeds[deed], transfer, by=by))
        if row.state is Out.CANCELLED:
            await asyncio.to_thread(self.sender.let_go, transfer)
        self.dispatcher.wake(anew=True)
        return row

    async def resend(
        self, transfer: str, *, rejected_only: bool, by: str = LOCAL_API
    ) -> tuple[Outgoing, bool]:
        """Send what is over anew as a new transfer; or what of it was not taken, once corrected.

        Rejected rows are found by comparing with what was sent, so the new transfer holds those
        that pass now, and what else has changed since; it is a difference to the old one.

        Raises:
            NothingToResend: it is under way, nothing was set aside, or a later one was applied.
            LinkUnknown, PlanRefused, ApprovalMissing, Drifted: as for every run.
        """
        old = self._ledger.outgoing(transfer)
        if old.state not in OUT_FINAL:
            raise NothingToResend(reason="まだ終わっていません", reason_en="it is not over")
        order = await asyncio.to_thread(self.wiring.order, old.link)
        if rejected_only:
            await asyncio.to_thread(self.refuse_to_resend, old)
        row, is_new = await asyncio.to_thread(
            self._ledger.start,
            old.link,
            old.business_date,
            mode="difference" if rejected_only else "full",
            plan_hash=order.plan_hash,
            basis=order.basis,
            by=by,
            again=True,
            to_site=order.to_site,
            rank=RANKS[order.priority],
            in_order=order.is_in_order,
            needed=order.needed,
            resends=old.transfer,
        )
        self.dispatcher.wake()
        return row, is_new

    def refuse_to_resend(self, old: Outgoing) -> None:
        """Raise ``NothingToResend`` unless a transfer's rejected rows can be told from others."""
        last = self._ledger.last_applied(old.link)
        if old.state is not Out.APPLIED or last is None or last.transfer != old.transfer:
            raise NothingToResend(
                reason="最後に取り込まれた転送ではありません",
                reason_en="it is not the one that was applied last",
            )
        if not self._snapshots.exists(old.link, snapshot_of(old)):
            raise NothingToResend(
                reason="隔離された行がありません", reason_en="no rows were set aside"
            )

    async def pause_link(self, link: str, *, paused: bool, by: str = OPERATOR) -> None:
        """Let the transfers of a link wait, or go on; raise ``LinkUnknown``."""
        workspace = await asyncio.to_thread(self.wiring.workspace)
        workspace.link(link)
        deed = self.deeds.pause_link if paused else self.deeds.resume_link
        await asyncio.to_thread(partial(deed, link, by=by))
        self.dispatcher.wake(anew=True)

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        await self._lifecycle.aclose()
        await self._stopping.aclose()
        await self._expiring.aclose()
        await self.beating.aclose()
        for task in (self._asking, self._telling, self._ties_told):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self.dispatcher.aclose()

    async def _again(self, lost: Outgoing) -> Outgoing:
        """Send everything of a link again, for the date of a transfer that its receiver lost."""
        await asyncio.to_thread(self.sender.let_go, lost.transfer)
        on = date.fromisoformat(lost.business_date)
        row, _ = await self.run(lost.link, on, again=True, full=True)
        return row
