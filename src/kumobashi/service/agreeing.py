"""Agreements (利用協議) in a gateway: the gate that every order passes, and what ends with them.

:class:`Gate` answers the exchange inside its commits, and the wiring before an order is given, in
words. :class:`Stopping` begins and ends agreements by the calendar, and cancels what runs under one
that is over, in every process of a site that works on transfers.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from typing import Final

import sqlalchemy as sa

from kumobashi.agreements import Agreement, Book, reading
from kumobashi.agreements.auditing import Fault, audit
from kumobashi.agreements.contents import Application
from kumobashi.agreements.errors import (
    AgreementFailed,
    AgreementForged,
    AgreementMissing,
    PlanDrifted,
)
from kumobashi.agreements.offices import Offices, offices_of
from kumobashi.agreements.terms import Wanted, ended
from kumobashi.agreements.verifying import Trusted
from kumobashi.directory.models import MunicipalityFile
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.errors import HasLeft, IllegalMove
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.permitting import AGREEMENT, Needed, Sending
from kumobashi.kernel import Clock, business_date
from kumobashi.planning.changes import differences
from kumobashi.planning.decided import Decided, Declared
from kumobashi.planning.workspace import Workspace
from kumobashi.storage.state import StateStore

log = logging.getLogger(__name__)
EVERY_SECONDS: Final = 1.0  # so that a withdrawal reaches every process well within five
AUDIT_SECONDS: Final = 3600.0  # and once at the start; it reads the whole evidence log
_LOG_AGAIN: Final = 600  # looks until a failure that lasts is logged once more


def trusted_of(identity: Identity) -> Trusted:
    """Return whose moves count at this site: its own key, and those that the directory names."""
    mine = {identity.signing.kid: identity.signing.public}
    return Trusted(
        tenant=identity.tenant,
        site=identity.site,
        keys={**identity.keys_of(identity.site), **mine},
    )


def offices_in(municipality: MunicipalityFile) -> Offices:
    """Return who may do what, as ``kumobashi.yaml`` says."""
    return offices_of(municipality.agreements)


def needed_by(workspace: Workspace, link: Declared) -> Needed | None:
    """Return the agreement that a link needs; nothing when it is free to go without."""
    if link.agreement is None and not workspace.municipality.agreements.required:
        return None
    return Needed(number=link.agreement)


def refuse_what_needs_one(workspace: Workspace, link: Declared, _decided: Decided) -> None:
    """Raise ``AgreementMissing`` for a link that needs an agreement, where there is no gate."""
    if needed_by(workspace, link) is not None:
        raise AgreementMissing(link=link.link)


class Memory:
    """What this process knows beside the rows: how long histories were, and what an audit found.

    Somebody with the database can cut off the end of a history, so that what is left fits together.
    Whoever has seen the longer one, or has laid it beside the evidence log, is not deceived.
    """

    def __init__(self) -> None:
        self._lengths: dict[str, int] = {}
        self._bad: Mapping[str, Fault] = {}

    def distrust(self, faults: Iterable[Fault]) -> None:
        """Note what an audit found; what it does not name any more is trusted again."""
        self._bad = {fault.agreement: fault for fault in faults}

    def check(self, agreement: Agreement) -> None:
        """Raise :class:`AgreementForged` when its history was longer, or an audit named it."""
        name, length = agreement.agreement, len(agreement.moves)
        if fault := self._bad.get(name):
            raise AgreementForged(agreement=agreement.name, what=fault.ja, what_en=fault.en)
        if length < self._lengths.get(name, 0):
            ja, en = "履歴の終わりが消されています", "the end of its history is gone"
            raise AgreementForged(agreement=agreement.name, what=ja, what_en=en)
        self._lengths[name] = length


class Gate:
    """The port of :mod:`kumobashi.exchange.permitting`, and the same question in words."""

    def __init__(self, store: StateStore, trusted: Trusted, clock: Clock) -> None:
        self._store = store
        self._trusted = trusted
        self._clock = clock
        self._memory = Memory()

    def cover(self, held: sa.Connection, sending: Sending, needed: Needed) -> str:
        """Return the id of the agreement in force that covers what is to be sent."""
        wanted = self._wanted(sending)
        found = reading.covering(held, self._trusted, wanted, number=needed.number)
        self._memory.check(found)
        return found.agreement

    def check(self, held: sa.Connection, sending: Sending, agreement: str) -> None:
        """Raise unless the agreement that a transfer began under still covers it."""
        found = reading.still(held, self._trusted, agreement, self._wanted(sending))
        self._memory.check(found)

    def audit(self) -> None:
        """Look at all agreements beside the evidence log; what does not fit lets nothing leave."""
        found = self._store.read(lambda held: audit(held, self._trusted))
        self._memory.distrust(found.faults)
        for fault in found.faults:
            extra = {"code": fault.code, "agreement": fault.agreement}
            log.error("an agreement is not what was decided", extra=extra)

    def refuse(self, workspace: Workspace, link: Declared, decided: Decided) -> None:
        """Raise unless an agreement covers a plan today; says what of the plan has changed."""
        needed = needed_by(workspace, link)
        if needed is None:
            return
        today = business_date(self._clock.now())
        sending = Sending(link=link.link, plan_hash=decided.hash, business_date=today.isoformat())
        try:
            self._store.read(lambda held: self._covered(held, sending, needed))
        except PlanDrifted as drifted:
            name = drifted.number
            old = self._store.read(lambda held: reading.one(held, self._trusted, name))
            raise told(drifted, old.application, decided) from None

    def _covered(self, held: sa.Connection, sending: Sending, needed: Needed) -> Agreement:
        wanted = self._wanted(sending)
        found = reading.covering(held, self._trusted, wanted, number=needed.number, hold=False)
        self._memory.check(found)
        return found

    def _wanted(self, sending: Sending) -> Wanted:
        return Wanted(
            link=sending.link,
            plan_hash=sending.plan_hash,
            business_date=date.fromisoformat(sending.business_date),
            today=business_date(self._clock.now()),
        )


def told(drifted: PlanDrifted, application: Application, decided: Decided) -> PlanDrifted:
    """Return the error with what has changed between the plan that was agreed to and this one."""
    names = {item.name: item.ja for item in decided.items}
    found = list(differences(json.loads(application.plan.decision), decided.decision, names))
    # The hash of the rule says nothing to people when its items do.
    telling = [change for change in found if not change.key.endswith(".hash")] or found
    return PlanDrifted(
        number=drifted.number,
        link=drifted.link,
        changes="、".join(change.ja for change in telling) or drifted.changes,
        changes_en=", ".join(change.en for change in telling) or drifted.changes_en,
    )


class Stopping:
    """Looks every second, in each process: agreements begin and end, and what ran under them."""

    def __init__(self, book: Book, gate: Gate, ledger: Ledger, deeds: Deeds, *, site: str) -> None:
        self._book = book
        self._gate = gate
        self._ledger = ledger
        self._deeds = deeds
        self._site = site
        self._told: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="agreements")

    async def aclose(self) -> None:
        """Stop; what ended is seen to at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> int:
        """Do what there is to do now; return how many transfers were cancelled."""
        for agreement in self._book.due():
            with self._going_on(agreement):
                self._book.keep_up(agreement)
        count = 0
        for agreement in self._book.unsettled():
            with self._going_on(agreement):
                count += self._stop(self._book.get(agreement))
                self._book.settle(agreement)
        return count

    def _stop(self, over: Agreement) -> int:
        """Cancel what waits or is being prepared under an agreement that is over."""
        count = 0
        for row in self._ledger.not_left(over.application.link):
            if row.facts.get(AGREEMENT) != over.agreement:
                continue
            # What may have left is told by its receipts; nobody can call it back.
            with suppress(HasLeft, IllegalMove):
                self._deeds.stop(row.transfer, ended(over), side=self._site)
                count += 1
                extra = {"transfer": row.transfer, "link": row.link, "code": ended(over).code}
                log.warning("cancelled: its agreement is over", extra=extra)
        return count

    @contextmanager
    def _going_on(self, agreement: str) -> Iterator[None]:
        """Log an agreement that cannot be seen to, now and then, and go on with the others."""
        try:
            yield
        except AgreementFailed as error:
            seen = self._told[agreement] = self._told.get(agreement, 0) + 1
            if seen % _LOG_AGAIN == 1:
                extra = {"code": error.code, "agreement": agreement}
                log.warning("an agreement cannot be seen to", extra=extra)

    async def _run(self) -> None:
        audited = -AUDIT_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            try:
                if loop.time() - audited >= AUDIT_SECONDS:
                    await asyncio.to_thread(self._gate.audit)
                    audited = loop.time()
                await asyncio.to_thread(self.look)
            except Exception as error:  # noqa: BLE001 - the state may be away; it is looked at again
                log.warning("agreements not looked at", extra={"code": type(error).__name__})
            await asyncio.sleep(EVERY_SECONDS)
