"""The book of agreements of one site: every move is one commit, with its record of evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

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
from kumobashi.agreements.moves import GATEWAY, Move, sign_move
from kumobashi.agreements.numbering import fiscal_year, number_of
from kumobashi.agreements.offices import Actor, Offices, Standing
from kumobashi.agreements.processors import Processor, check_register
from kumobashi.agreements.records import Agreement, Row
from kumobashi.agreements.sql import agreements, moves
from kumobashi.agreements.states import Act, State, check_act
from kumobashi.agreements.terms import act_due
from kumobashi.agreements.verifying import Trusted
from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.kernel import Clock, business_date, new_id, to_micros
from kumobashi.storage.state import StateStore

_TRIES: Final = 5  # when another process takes the same serial at this moment
EVENT: Final = "agreement.moved"


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
            connection.execute(sa.insert(agreements).values(_values(row)))
            return self._add(connection, row, move)

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
        table = agreements.c
        query = sa.select(table.agreement).where(
            table.tenant == self.trusted.tenant,
            table.state.in_([State.WITHDRAWN.value, State.EXPIRED.value]),
            sa.not_(table.is_settled),
        )
        return self.store.read(lambda held: list(held.execute(query).scalars()))

    def settle(self, agreement: str) -> None:
        """Note that nothing runs any more under one that ended."""
        mine = self._is(agreement)
        self.store.write(
            lambda held: held.execute(sa.update(agreements).where(mine).values(is_settled=True)),
            key=agreement,
        )

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
        for attempt in range(_TRIES):
            try:
                return self.store.write(work, key=agreement)
            except sa.exc.IntegrityError:  # the number, or the same move, of another process
                if change.number is not None or attempt == _TRIES - 1:
                    raise NumberTaken(number=change.number or "") from None
        raise AssertionError  # pragma: no cover - the loop returns or raises

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
            row, given = self._numbered(connection, row, change.number, clock)
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
        values = {**_values(row), **given}
        connection.execute(sa.update(agreements).where(self._is(row.agreement)).values(values))
        return self._add(connection, row, move, before=now.moves)

    def _numbered(
        self, connection: sa.Connection, row: Row, wanted: str | None, clock: datetime
    ) -> tuple[Row, dict[str, object]]:
        if wanted is not None:
            taken = sa.select(agreements.c.agreement).where(
                agreements.c.tenant == row.tenant, agreements.c.number == wanted
            )
            if connection.execute(taken).first() is not None:
                raise NumberTaken(number=wanted)
            return replace(row, number=wanted), {}
        today = business_date(clock)
        year, letters = fiscal_year(today), self.offices().letters
        newest = sa.select(sa.func.max(agreements.c.serial)).where(
            agreements.c.tenant == row.tenant, agreements.c.year == year
        )
        serial = (connection.execute(newest).scalar() or 0) + 1
        while True:  # past those that the staff gave themselves
            number = number_of(today, letters, serial)
            taken = sa.select(agreements.c.agreement).where(
                agreements.c.tenant == row.tenant, agreements.c.number == number
            )
            if connection.execute(taken).first() is None:
                return replace(row, number=number), {"year": year, "serial": serial}
            serial += 1

    def _add(
        self, connection: sa.Connection, row: Row, move: Move, *, before: tuple[Move, ...] = ()
    ) -> Agreement:
        """Write a signed move and its record of evidence."""
        connection.execute(
            sa.insert(moves).values(
                tenant=row.tenant,
                agreement=row.agreement,
                number=move.number,
                token=sign_move(move, self._key),
                at=to_micros(move.at),
            )
        )
        facts: Mapping[str, Fact] = {
            "agreement": row.agreement,
            "link": row.link,
            "plan_hash": row.plan_hash,
            "before": move.before.value,
            "after": move.after.value,
            "move": move.digest(),
            "number": move.number,
            "act": move.act.value,
        }
        by = GATEWAY if move.by == GATEWAY else f"account:{move.by}"
        append(connection, row.tenant, Entry(event=EVENT, at=move.at, by=by, facts=facts))
        return Agreement(
            row=row,
            application=Application.decode(row.content),
            register=processors.decode(row.processors),
            moves=(*before, move),
        )

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

    def _is(self, agreement: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            agreements.c.tenant == self.trusted.tenant, agreements.c.agreement == agreement
        )


def _values(row: Row) -> dict[str, Any]:
    names = (
        "tenant", "agreement", "number", "link", "revision", "plan_hash", "first_day", "last_day",
        "content", "processors", "is_settled",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"state": row.state.value}
