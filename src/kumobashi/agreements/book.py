"""The book of agreements of one site: every move is one commit, with its record of evidence."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kumobashi.agreements import processors, reading
from kumobashi.agreements.acting import Wish, dated, may_act
from kumobashi.agreements.contents import Application, text_digest
from kumobashi.agreements.errors import (
    AgreementChanged,
    AgreementsNotSet,
    IllegalAct,
    NumberTaken,
)
from kumobashi.agreements.moves import GATEWAY, Move
from kumobashi.agreements.numbering import free_number
from kumobashi.agreements.offices import Actor, Offices, Standing
from kumobashi.agreements.processors import Processor, check_register
from kumobashi.agreements.records import Agreement, Row
from kumobashi.agreements.states import Act, State, check_act
from kumobashi.agreements.terms import act_due
from kumobashi.agreements.verifying import Trusted
from kumobashi.agreements.writing import add_move, insert, settle, update
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import Clock, business_date, new_id
from kumobashi.storage.state import StateStore

_TRIES: Final = 5  # when another process takes the same serial at this moment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What one act makes of an agreement, beside the move itself."""

    application: Application | None = None
    register: tuple[Processor, ...] | None = None
    number: str | None = None


class Book:
    """The agreements of one site, in the state that all its processes share."""

    def __init__(
        self,
        store: StateStore,
        *,
        trusted: Trusted,
        key: SigningKey,
        offices: Callable[[], Offices],
        clock: Clock,
    ) -> None:
        self.store = store
        self.trusted = trusted
        self.clock = clock
        self.offices = offices  # as the file says now
        self._key = key

    # -- people ---------------------------------------------------------------------------------

    def create(
        self, application: Application, actor: Actor, *, register: Sequence[Processor] = ()
    ) -> Agreement:
        """Draft an application; it has no number before it is submitted.

        Raises:
            AgreementsNotSet, NotYours: nothing was written.
            AgreementUnknown, IllegalAct: what it would change is not there, or not in force.
        """
        check_register(register)
        offices, now, agreement = self._offices(), self.clock.now(), new_id()

        def work(connection: sa.Connection) -> Agreement:
            if application.supersedes:
                self._check_changes(connection, application)
            standing = may_act(
                offices,
                actor,
                Act.CREATE,
                state=State.DRAFT,
                application=application,
                history=(),
                this_round=(),
                now=now,
            )
            content, said = application.encode(), processors.encode(register)
            move = Move(
                tenant=self.trusted.tenant,
                site=self.trusted.site,
                agreement=agreement,
                number=1,
                previous=None,
                act=Act.CREATE,
                before=State.DRAFT,
                after=State.DRAFT,
                at=now,
                by=actor.account,
                instead_of=actor.instead_of,
                section=standing.section,
                title=standing.title,
                role=actor.role.value,
                revision=1,
                content=text_digest(content),
                processors=text_digest(said),
                plan_hash=application.plan.hash,
                document=None,
            )
            row = Row(
                tenant=self.trusted.tenant,
                agreement=agreement,
                number=None,
                link=application.link,
                state=State.DRAFT,
                revision=1,
                plan_hash=application.plan.hash,
                first_day=application.first.isoformat(),
                last_day=application.last.isoformat(),
                content=content,
                processors=said,
                is_settled=False,
            )
            insert(connection, row)
            return add_move(connection, row, move, self._key)

        return self.store.write(work, key=agreement)

    def act(
        self,
        agreement: str,
        wish: Wish,
        actor: Actor,
        *,
        seen: int | None = None,
        number: str | None = None,
        dry_run: bool = False,
    ) -> Agreement:
        """Let somebody submit, review, concur, decide, send back or withdraw.

        ``seen`` is the number of the last move that they have seen; ``number`` a document number
        of their own for an application. With ``dry_run`` all is checked and nothing written.

        Raises:
            AgreementUnknown, AgreementForged, AgreementChanged, AgreementsNotSet, IllegalAct,
            NotYours, FourEyes, ClockBehind, NumberTaken: nothing was changed.
        """
        return self._write(agreement, wish, actor, seen, _Change(number=number), dry_run=dry_run)

    def edit(self, agreement: str, application: Application, actor: Actor) -> Agreement:
        """Change a draft; the revision rises."""
        change = _Change(application=application)
        return self._write(agreement, Wish(act=Act.EDIT), actor, None, change)

    def register(
        self, agreement: str, register: Sequence[Processor], actor: Actor, *, note: str = ""
    ) -> Agreement:
        """Replace the register of processors (再委託台帳)."""
        check_register(register)
        change = _Change(register=tuple(register))
        return self._write(agreement, Wish(act=Act.REGISTER, note=note), actor, None, change)

    # -- the gateway ----------------------------------------------------------------------------

    def due(self) -> list[str]:
        """Return the ids of those that may have to begin or end today."""
        today = business_date(self.clock.now())
        return self.store.read(lambda held: reading.due(held, self.trusted.tenant, today))

    def keep_up(self, agreement: str) -> Agreement | None:
        """Begin what is decided and whose first day has come, end what is over.

        Returns nothing when there was nothing to do, so that doing it again does no harm.

        Raises:
            AgreementForged, ClockBehind: nothing was changed.
        """

        def work(connection: sa.Connection) -> Agreement | None:
            now = reading.one(connection, self.trusted, agreement, hold=True)
            act = act_due(now, business_date(self.clock.now()))
            return self._by_gateway(connection, now, act) if act else None

        return self.store.write(work, key=agreement)

    def _by_gateway(self, connection: sa.Connection, now: Agreement, act: Act) -> Agreement:
        after = self._moved(
            connection,
            now,
            Wish(act=act),
            standing=None,
            clock=self.clock.now(),
            change=_Change(),
        )
        if act is Act.BEGIN and now.application.supersedes:
            for old in reading.replaced_by(connection, self.trusted, now):
                self._by_gateway(connection, old, Act.SUPERSEDE)
        return after

    # -- reading --------------------------------------------------------------------------------

    def get(self, agreement: str) -> Agreement:
        """Return one, verified; by number, id, or an end of the id that no other has.

        Raises:
            AgreementUnknown, AgreementForged.
        """
        return self.store.read(lambda held: reading.one(held, self.trusted, agreement))

    def unsettled(self) -> list[str]:
        """Return the ids of those that ended and under which something may still run."""
        return self.store.read(lambda held: reading.unsettled(held, self.trusted.tenant))

    def settle(self, agreement: str) -> None:
        """Note that nothing runs any more under one that ended."""
        tenant = self.trusted.tenant
        self.store.write(lambda held: settle(held, tenant, agreement), key=agreement)

    # -- inside ---------------------------------------------------------------------------------

    def _write(
        self,
        agreement: str,
        wish: Wish,
        actor: Actor,
        seen: int | None,
        change: _Change,
        *,
        dry_run: bool = False,
    ) -> Agreement:
        offices = self._offices()

        def work(connection: sa.Connection) -> Agreement:
            clock = self.clock.now()
            now = reading.one(connection, self.trusted, agreement, hold=not dry_run)
            if seen is not None and seen != now.head.number:
                raise AgreementChanged(agreement=now.name)
            standing = may_act(
                offices,
                actor,
                wish.act,
                state=now.state,
                application=change.application or now.application,
                history=now.moves,
                this_round=now.this_round(),
                now=clock,
            )
            dated(wish.act, clock, now.head.at)
            if dry_run:
                return now
            after = self._moved(
                connection, now, wish, standing=standing, clock=clock, change=change
            )
            due = act_due(after, business_date(clock))
            return self._by_gateway(connection, after, due) if due is Act.BEGIN else after

        if dry_run:
            return self.store.read(work)
        for _ in range(_TRIES if change.number is None else 1):
            with suppress(sa.exc.IntegrityError):  # number, or same move, of another process
                return self.store.write(work, key=agreement)
        raise NumberTaken(number=change.number or "")

    def _moved(
        self,
        connection: sa.Connection,
        now: Agreement,
        wish: Wish,
        *,
        standing: Standing | None,
        clock: datetime,
        change: _Change,
    ) -> Agreement:
        then = check_act(now.state, wish.act)
        when = dated(wish.act, clock, now.head.at)
        application = change.application or now.application
        register = (
            now.row.processors if change.register is None else processors.encode(change.register)
        )
        content = application.encode()
        row = replace(
            now.row,
            state=then,
            link=application.link,
            plan_hash=application.plan.hash,
            first_day=application.first.isoformat(),
            last_day=application.last.isoformat(),
            content=content,
            processors=register,
            revision=now.row.revision + (1 if wish.act is Act.EDIT else 0),
        )
        given: dict[str, object] = {}
        if wish.act is Act.SUBMIT and row.number is None:
            today, letters = business_date(clock), self.offices().letters
            number, given = free_number(connection, row.tenant, change.number, today, letters)
            row = replace(row, number=number)
        move = Move(
            tenant=row.tenant,
            site=self.trusted.site,
            agreement=row.agreement,
            number=now.head.number + 1,
            previous=now.head.digest(),
            act=wish.act,
            before=now.state,
            after=then,
            at=when.at,
            by=standing.actor.account if standing else GATEWAY,
            instead_of=standing.actor.instead_of if standing else None,
            section=standing.section if standing else "",
            title=standing.title if standing else "",
            role=standing.actor.role.value if standing else "",
            revision=row.revision,
            content=text_digest(content),
            processors=text_digest(register),
            plan_hash=row.plan_hash,
            document=row.number,
            note=wish.note,
            conditions=wish.conditions,
            clock=when.clock,
        )
        update(connection, row, given)
        return add_move(connection, row, move, self._key, before=now.moves)

    def _check_changes(self, connection: sa.Connection, application: Application) -> None:
        """Refuse to change what is not in force, or is of another link."""
        old = reading.one(connection, self.trusted, application.supersedes or "")
        if old.state not in {State.IN_FORCE, State.DECIDED} or old.row.link != application.link:
            raise IllegalAct(
                state=old.state.value,
                state_ja=old.state.ja,
                act="change",
                act_ja="変更申請",
                possible="a new application",
                possible_ja="新しい申請",
            )

    def _offices(self) -> Offices:
        offices = self.offices()
        if not offices.members:
            raise AgreementsNotSet
        return offices
