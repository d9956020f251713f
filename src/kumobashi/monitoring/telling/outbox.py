"""The letters of the book: made of errands, handed over, asked after."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kumobashi.kernel import from_micros, new_id, to_micros
from kumobashi.monitoring.alerts import Alert
from kumobashi.monitoring.channels.ports import Accepted, Outcome
from kumobashi.monitoring.telling.book import TellingBook, alert_of
from kumobashi.monitoring.telling.flooding import WINDOW, Gathered, Sent, Waiting
from kumobashi.monitoring.telling.sql import errands, letters, tellings
from kumobashi.monitoring.telling.states import LetterState, before

MOST_NAMED = 20  # alerts that a letter names; the others are counted
_MOST_READY = 200
_MOST_WAITING = 10_000  # of one channel, at once; the others follow
_ASKED_FOR = timedelta(hours=1)  # from then on a call is not asked after


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A letter that may be handed over."""

    letter: str
    channel: str
    person: str
    tries: int
    word: str = field(default="", repr=False)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call whose outcome is open."""

    letter: str
    channel: str
    reference: str


class Outbox:
    """The letters of one site's book; any thread may use it."""

    def __init__(self, book: TellingBook) -> None:
        self._book = book
        self._file = book.file
        self._tenant = book.tenant

    def recover(self) -> int:
        """Put back what a crash left on its way: it goes once more, under its id."""
        if not self._file.exists:
            return 0
        going = self._all(letters.c.state == LetterState.GOING.value)
        with self._file.writing() as connection:
            values = {"state": LetterState.DUE.value}
            return connection.execute(sa.update(letters).where(going).values(values)).rowcount

    # -- making ----------------------------------------------------------------------------------

    def channels_waiting(self) -> list[str]:
        """Return channels for which errands wait to be carried."""
        if not self._file.exists:
            return []
        query = sa.select(errands.c.channel).where(self._waits()).distinct()
        with self._file.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def waiting(self, channel: str, now: datetime) -> tuple[list[Waiting], list[Sent]]:
        """Return what waits for a channel, and its letters of the last minutes."""
        query = sa.select(errands.c.errand, errands.c.person, errands.c.rank)
        query = query.where(self._waits(), errands.c.channel == channel)
        since = to_micros(now - WINDOW)
        made = sa.select(letters.c.made_at, letters.c.person).where(
            self._all(letters.c.channel == channel, letters.c.made_at > since)
        )
        with self._file.engine.connect() as connection:
            rows = connection.execute(
                query.order_by(errands.c.rank, errands.c.errand).limit(_MOST_WAITING)
            )
            found = [Waiting(errand=row.errand, person=row.person, rank=row.rank) for row in rows]
            return found, [
                Sent(at=from_micros(row.made_at), person=row.person)
                for row in connection.execute(made)
            ]

    def make(self, channel: str, gathered: Sequence[Gathered], now: datetime) -> None:
        """Make letters of errands, durably."""
        at = to_micros(now)
        with self._file.writing() as connection:
            for one in gathered:
                letter = new_id()
                first = connection.execute(
                    sa.select(errands.c.rank).where(self._book.mine(errands, one.errands[0]))
                ).scalar_one()
                connection.execute(
                    sa.insert(letters).values(
                        tenant=self._tenant,
                        letter=letter,
                        channel=channel,
                        person=one.person,
                        rank=first,
                        made_at=at,
                        state=LetterState.DUE.value,
                        due_at=at,
                        tries=0,
                    )
                )
                connection.execute(
                    sa.update(errands)
                    .where(errands.c.tenant == self._tenant)
                    .where(errands.c.errand == sa.bindparam("one"))
                    .values(letter=letter),
                    [{"one": errand} for errand in one.errands],
                )

    # -- handing over ----------------------------------------------------------------------------

    def ready(self, now: datetime) -> list[Ready]:
        """Return letters that may go, the most urgent first."""
        if not self._file.exists:
            return []
        is_due = letters.c.state == LetterState.DUE.value
        due = self._all(is_due, letters.c.due_at <= to_micros(now))
        query = sa.select(letters).where(due).order_by(letters.c.rank, letters.c.letter)
        with self._file.engine.connect() as connection:
            return [
                Ready(
                    letter=row.letter,
                    channel=row.channel,
                    person=row.person,
                    tries=row.tries,
                    word=row.word or "",
                    faults=tuple(connection.execute(self._faults(row.letter)).scalars()),
                )
                for row in connection.execute(query.limit(_MOST_READY)).all()
            ]

    def start(self, one: Ready) -> tuple[tuple[Alert, ...], int] | None:
        """Note that a letter is being handed over; return its alerts, and how many more.

        None: nothing of it has to be said any more.
        """
        with self._file.writing() as connection:
            if one.word:
                said, more = self._notes(connection, one.letter)
            else:
                members = self._members(one.letter)
                count = connection.execute(
                    sa.select(sa.func.count()).select_from(members.subquery())
                ).scalar_one()
                rows = connection.execute(members.limit(MOST_NAMED)).all()
                said = tuple(alert_of(row.said) for row in rows)
                more = count - len(said)
                if not said:
                    self._become(connection, one.letter, LetterState.DROPPED)
                    return None
            tries = letters.c.tries + 1
            if not self._become(connection, one.letter, LetterState.GOING, tries=tries):
                return None
        return said, more

    def accepted(self, one: Ready, what: Accepted, now: datetime) -> tuple[str, ...]:
        """Note that somebody took a letter over; return of which faults it speaks."""
        with self._file.writing() as connection:
            self._become(
                connection,
                one.letter,
                LetterState.ACCEPTED,
                accepted_at=to_micros(now),
                reference=what.reference,
                reason=None,
            )
            return tuple(connection.execute(self._faults(one.letter)).scalars())

    def failed(
        self, one: Ready, reason: str, now: datetime, *, retry: datetime | None, counts: bool
    ) -> None:
        """Note that a letter was not taken; without ``retry`` it is refused for good.

        ``counts``: it does not look as if it went through soon, so the next step may come.
        """
        state = LetterState.DUE if retry else LetterState.REFUSED
        at = to_micros(now)
        due = to_micros(retry) if retry else at
        with self._file.writing() as connection:
            self._become(connection, one.letter, state, reason=reason[:40], due_at=due)
            if counts or not retry:
                self._book.hurry(connection, self._alerts(connection, one.letter), at)

    def put_off(self, one: Ready, until: datetime, now: datetime) -> None:
        """Leave a letter for later without a try: its channel is known to be away."""
        with self._file.writing() as connection:
            mine = self._book.mine(letters, one.letter)
            values = {"due_at": to_micros(until), "tries": letters.c.tries + 1, "reason": "away"}
            connection.execute(sa.update(letters).where(mine).values(values))
            self._book.hurry(connection, self._alerts(connection, one.letter), to_micros(now))

    # -- asking after calls ----------------------------------------------------------------------

    def asked(self, now: datetime) -> list[Asked]:
        """Return calls whose outcome is open."""
        if not self._file.exists:
            return []
        is_open = sa.or_(letters.c.outcome.is_(None), letters.c.outcome == Outcome.RINGING.value)
        where = self._all(
            letters.c.state == LetterState.ACCEPTED.value,
            letters.c.reference.is_not(None),
            letters.c.accepted_at > to_micros(now - _ASKED_FOR),
            is_open,
        )
        with self._file.engine.connect() as connection:
            return [
                Asked(letter=row.letter, channel=row.channel, reference=row.reference)
                for row in connection.execute(sa.select(letters).where(where).limit(_MOST_READY))
            ]

    def by_reference(self, channel: str, reference: str) -> Asked | None:
        """Return the call that a gateway speaks of by itself."""
        if not self._file.exists:
            return None
        where = self._all(letters.c.channel == channel, letters.c.reference == reference)
        with self._file.engine.connect() as connection:
            row = connection.execute(sa.select(letters).where(where)).first()
        return Asked(letter=row.letter, channel=channel, reference=reference) if row else None

    def came(self, one: Asked, outcome: Outcome, now: datetime) -> tuple[str, ...]:
        """Note what came of a call, once; return the faults it was about if that is new."""
        mine = sa.and_(
            self._book.mine(letters, one.letter),
            sa.or_(
                letters.c.outcome.is_(None),
                letters.c.outcome.not_in([Outcome.ACKNOWLEDGED.value, outcome.value]),
            ),
        )
        with self._file.writing() as connection:
            values = {"outcome": outcome.value}
            if not connection.execute(sa.update(letters).where(mine).values(values)).rowcount:
                return ()
            if outcome.is_final and outcome is not Outcome.ACKNOWLEDGED:
                found = self._alerts(connection, one.letter)
                self._book.hurry(connection, found, to_micros(now))
            return tuple(connection.execute(self._faults(one.letter)).scalars())

    def person_of(self, letter: str) -> str:
        """Return who a letter went to."""
        query = sa.select(letters.c.person).where(self._book.mine(letters, letter))
        with self._file.engine.connect() as connection:
            return connection.execute(query).scalar() or ""

    # -- what helps ------------------------------------------------------------------------------

    def _become(
        self, connection: sa.Connection, letter: str, state: LetterState, **values: object
    ) -> bool:
        """Move a letter; return whether it could be moved there."""
        may = sa.and_(self._book.mine(letters, letter), letters.c.state.in_(before(state)))
        change = sa.update(letters).where(may).values(state=state.value, **values)
        return connection.execute(change).rowcount == 1

    def _all(self, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        return sa.and_(letters.c.tenant == self._tenant, *where)

    def _waits(self) -> sa.ColumnElement[bool]:
        return sa.and_(
            errands.c.tenant == self._tenant,
            errands.c.letter.is_(None),
            errands.c.is_dropped.is_(False),
        )

    def _members(self, letter: str) -> sa.Select[Any]:
        return (
            sa.select(tellings.c.said)
            .join_from(errands, tellings, errands.c.alert == tellings.c.alert)
            .where(errands.c.tenant == self._tenant, tellings.c.tenant == self._tenant)
            .where(errands.c.letter == letter, errands.c.is_dropped.is_(False))
            .order_by(errands.c.rank, errands.c.errand)
        )

    def _faults(self, letter: str) -> sa.Select[Any]:
        return (
            sa.select(tellings.c.fault)
            .join_from(errands, tellings, errands.c.alert == tellings.c.alert)
            .where(errands.c.tenant == self._tenant, tellings.c.tenant == self._tenant)
            .where(errands.c.letter == letter, errands.c.is_dropped.is_(False))
            .order_by(errands.c.rank, errands.c.errand)
        )

    def _alerts(self, connection: sa.Connection, letter: str) -> list[str]:
        query = sa.select(errands.c.alert).where(
            errands.c.tenant == self._tenant, errands.c.letter == letter
        )
        return list(connection.execute(query).scalars())

    def _notes(self, connection: sa.Connection, letter: str) -> tuple[tuple[Alert, ...], int]:
        """Return the notes that a daily letter takes along."""
        mine = sa.and_(tellings.c.tenant == self._tenant, tellings.c.daily == letter)
        count = connection.execute(
            sa.select(sa.func.count()).select_from(tellings).where(mine)
        ).scalar_one()
        rows = connection.execute(sa.select(tellings.c.said).where(mine).limit(MOST_NAMED)).all()
        return tuple(alert_of(row.said) for row in rows), count - len(rows)
