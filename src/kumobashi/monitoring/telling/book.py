"""The book of telling: each alert, how far its telling has come, who was sent to whom.

A file of its own beside the faults. An alert is in it, durably, before anybody is told; a letter is
in it before it leaves, under the id that the far side knows repeats by. What a crash leaves is a
letter that may have gone out: it goes once more, under the same id.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kumobashi.kernel import Clock, from_micros, from_wire, new_id, to_micros, to_wire
from kumobashi.monitoring.alerts import Alert, Moment, Urgency
from kumobashi.monitoring.channels.ports import Outcome
from kumobashi.monitoring.telling.escalating import Course, Errand, Next, Rest
from kumobashi.monitoring.telling.sql import errands, letters, metadata, tellings
from kumobashi.monitoring.telling.states import LEFT, LetterState
from kumobashi.storage.shared_file import SharedFile

FILE = "telling.db"
RANKS = {Urgency.NOW: 0, Urgency.TODAY: 1, Urgency.NOTE: 2}
_AT_ONCE = 500
_MOST_FAILED_TRIES = 2  # from then on a letter counts as failed, while it is tried further
_CAME_TO_NOTHING = (
    Outcome.ANSWERED,
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.FAILED,
    Outcome.UNKNOWN,
)


def telling_file(folder: Path) -> SharedFile:
    """Return the file of a site's telling, in the site's folder under ``var``."""
    return SharedFile(folder / FILE, metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the telling of one alert stands, for people."""

    alert: Alert
    steps: int
    due: datetime | None
    rest: Rest | None
    acknowledged_by: str | None


class TellingBook:
    """The alerts of one site; any thread may use it."""

    def __init__(self, file: SharedFile, *, tenant: str, clock: Clock) -> None:
        self.file = file
        self.tenant = tenant
        self.clock = clock

    def tell(self, alert: Alert) -> None:
        """Take an alert over; it is durable when this returns, and once only."""
        now = to_micros(self.clock.now())
        with self.file.writing() as connection:
            self.take(connection, alert, now)

    def take(self, connection: sa.Connection, alert: Alert, now: int) -> None:
        """Write an alert down; what was said of its fault before gives way to it."""
        if connection.execute(
            sa.select(tellings.c.alert).where(self.mine(tellings, alert.id))
        ).first():
            return
        of_fault = sa.and_(tellings.c.tenant == self.tenant, tellings.c.fault == alert.fault)
        running = sa.and_(of_fault, tellings.c.due_at.is_not(None))
        rank, steps, last = RANKS[alert.urgency], 0, None
        for row in connection.execute(sa.select(tellings).where(running)).all():
            is_end = alert.moment is Moment.ENDED
            self._rest(connection, row.alert, Rest.OVER if is_end else Rest.REPLACED)
            if not is_end and row.rank <= rank and row.steps > steps:
                steps, last = row.steps, row.last_at  # it goes on where the other was
        connection.execute(
            sa.insert(tellings).values(
                tenant=self.tenant,
                alert=alert.id,
                fault=alert.fault,
                said=plain_alert(alert),
                rank=rank,
                began_at=now,
                steps=steps,
                last_at=last,
                due_at=now,
            )
        )

    # -- deciding --------------------------------------------------------------------------------

    def due(self, now: datetime) -> list[tuple[str, str]]:
        """Return alerts to be decided upon, and their faults: the most urgent first."""
        where = sa.and_(tellings.c.tenant == self.tenant, tellings.c.due_at <= to_micros(now))
        query = sa.select(tellings.c.alert, tellings.c.fault).where(where)
        query = query.order_by(tellings.c.rank, tellings.c.due_at).limit(_AT_ONCE)
        if not self.file.exists:
            return []
        with self.file.engine.connect() as connection:
            return [(row.alert, row.fault) for row in connection.execute(query)]

    def course(self, connection: sa.Connection, alert: str) -> Course | None:
        """Return how far the telling of an alert has come; none: it is at rest."""
        row = connection.execute(
            sa.select(tellings).where(self.mine(tellings, alert), tellings.c.due_at.is_not(None))
        ).first()
        if row is None:
            return None
        said = alert_of(row.said)
        is_end = said.moment is Moment.ENDED
        states = self._states(connection, row)
        return Course(
            alert=said,
            began=from_micros(row.began_at),
            steps=row.steps,
            last=from_micros(row.last_at) if row.last_at is not None else None,
            has_failed=bool(states) and all(map(_has_failed, states)),
            has_reached=self._has_reached(connection, alert),
            is_acknowledged=row.acknowledged_by is not None,
            told=self._told_of(connection, row.fault) if is_end else frozenset(),
            sent=self._sent(connection, alert) if is_end else frozenset(),
        )

    def decided(self, connection: sa.Connection, course: Course, then: Next) -> None:
        """Write down what follows for one alert."""
        alert = course.alert.id
        if then.rest:
            self._rest(connection, alert, then.rest)
            return
        values: dict[str, Any] = {"due_at": to_micros(then.due or self.clock.now())}
        if then.errands:
            self._drop_unsent(connection, alert)
            now = to_micros(self.clock.now())
            rank = RANKS[course.alert.urgency]
            connection.execute(
                sa.insert(errands),
                [
                    {
                        "tenant": self.tenant,
                        "errand": new_id(),
                        "alert": alert,
                        "step": course.steps,
                        "person": one.person,
                        "channel": one.channel,
                        "rank": rank,
                        "is_dropped": False,
                    }
                    for one in then.errands
                ],
            )
            values |= {"steps": course.steps + 1, "last_at": now}
        connection.execute(sa.update(tellings).where(self.mine(tellings, alert)).values(values))

    def hurry(self, connection: sa.Connection, alerts: Iterable[str], now: int) -> None:
        """Have alerts decided upon again at once: something came to nothing."""
        for some in _chunks(sorted(set(alerts))):
            which = sa.and_(tellings.c.tenant == self.tenant, tellings.c.alert.in_(some))
            connection.execute(
                sa.update(tellings)
                .where(which, tellings.c.due_at.is_not(None))
                .values({"due_at": sa.func.min(tellings.c.due_at, now)})
            )

    def acknowledge(self, takers: Mapping[str, str]) -> None:
        """Say who sees to faults: nobody further is told of them."""
        with self.file.writing() as connection:
            for fault, by in takers.items():
                running = sa.and_(
                    tellings.c.tenant == self.tenant,
                    tellings.c.fault == fault,
                    tellings.c.due_at.is_not(None),
                )
                rows = connection.execute(sa.select(tellings).where(running)).all()
                for row in rows:
                    if alert_of(row.said).moment is not Moment.ENDED:
                        self._rest(connection, row.alert, Rest.ACKNOWLEDGED, by=by[:80])

    # -- looking ---------------------------------------------------------------------------------

    def listed(self, *, running_only: bool = False, limit: int = 50) -> Sequence[Told]:
        """Return alerts, the newest first."""
        if not self.file.exists:
            return ()
        query = sa.select(tellings).where(tellings.c.tenant == self.tenant)
        if running_only:
            query = query.where(tellings.c.due_at.is_not(None))
        query = query.order_by(tellings.c.began_at.desc(), tellings.c.alert.desc()).limit(limit)
        with self.file.engine.connect() as connection:
            return tuple(
                Told(
                    alert=alert_of(row.said),
                    steps=row.steps,
                    due=from_micros(row.due_at) if row.due_at is not None else None,
                    rest=Rest(row.rest) if row.rest else None,
                    acknowledged_by=row.acknowledged_by,
                )
                for row in connection.execute(query)
            )

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    # -- what helps ------------------------------------------------------------------------------

    def mine(self, table: sa.Table, key: str) -> sa.ColumnElement[bool]:
        """Return the condition for one row of a table by its key."""
        return sa.and_(table.c.tenant == self.tenant, table.primary_key.columns.values()[1] == key)

    def _rest(
        self, connection: sa.Connection, alert: str, why: Rest, *, by: str | None = None
    ) -> None:
        values = {"due_at": None, "rest": why.value, "acknowledged_by": by}
        connection.execute(sa.update(tellings).where(self.mine(tellings, alert)).values(values))
        if why is not Rest.TOLD:
            self._drop_unsent(connection, alert)

    def _drop_unsent(self, connection: sa.Connection, alert: str) -> None:
        """Let go of errands that have not left: nobody is told of what is past."""
        unsent = sa.select(letters.c.letter).where(
            letters.c.tenant == self.tenant, letters.c.state.not_in(LEFT)
        )
        which = sa.and_(
            errands.c.tenant == self.tenant,
            errands.c.alert == alert,
            sa.or_(errands.c.letter.is_(None), errands.c.letter.in_(unsent)),
        )
        connection.execute(sa.update(errands).where(which).values(is_dropped=True))

    def _states(self, connection: sa.Connection, row: sa.Row[Any]) -> Sequence[Any]:
        """Return the letters of the last step."""
        carried = errands.outerjoin(
            letters,
            sa.and_(letters.c.tenant == errands.c.tenant, letters.c.letter == errands.c.letter),
        )
        query = (
            sa.select(letters.c.state, letters.c.tries, letters.c.outcome)
            .select_from(carried)
            .where(errands.c.tenant == self.tenant, errands.c.alert == row.alert)
            .where(errands.c.step == row.steps - 1)
        )
        return connection.execute(query).all()

    def _has_reached(self, connection: sa.Connection, alert: str) -> bool:
        query = (
            sa.select(errands.c.errand)
            .join_from(errands, letters, errands.c.letter == letters.c.letter)
            .where(errands.c.tenant == self.tenant, errands.c.alert == alert)
            .where(letters.c.tenant == self.tenant)
            .where(letters.c.state == LetterState.ACCEPTED.value)
        )
        return connection.execute(query.limit(1)).first() is not None

    def _told_of(self, connection: sa.Connection, fault: str) -> frozenset[Errand]:
        """Return who may have been told of a fault: whatever was tried counts."""
        query = (
            sa.select(errands.c.person, errands.c.channel)
            .join_from(errands, tellings, errands.c.alert == tellings.c.alert)
            .join(letters, errands.c.letter == letters.c.letter)
            .where(tellings.c.tenant == self.tenant, tellings.c.fault == fault)
            .where(errands.c.tenant == self.tenant, letters.c.tenant == self.tenant)
            .where(letters.c.state.in_(LEFT - {LetterState.REFUSED.value}))
            .where(errands.c.is_dropped.is_(False))
        )
        found = connection.execute(query.distinct())
        return frozenset(Errand(person=row.person, channel=row.channel) for row in found)

    def _sent(self, connection: sa.Connection, alert: str) -> frozenset[Errand]:
        query = sa.select(errands.c.person, errands.c.channel).where(
            errands.c.tenant == self.tenant, errands.c.alert == alert
        )
        found = connection.execute(query)
        return frozenset(Errand(person=row.person, channel=row.channel) for row in found)


def _has_failed(row: sa.Row[Any]) -> bool:
    if row.state == LetterState.REFUSED.value:
        return True
    if row.state == LetterState.ACCEPTED.value:
        return row.outcome in _CAME_TO_NOTHING
    return row.tries is not None and row.tries >= _MOST_FAILED_TRIES


def plain_alert(alert: Alert) -> dict[str, Any]:
    """Return an alert as JSON."""
    plain: dict[str, Any] = json.loads(json.dumps({**asdict(alert), "at": to_wire(alert.at)}))
    return plain


def alert_of(said: Mapping[str, Any]) -> Alert:
    """Return what :func:`plain_alert` wrote."""
    return Alert(
        id=said["id"],
        fault=said["fault"],
        moment=Moment(said["moment"]),
        urgency=Urgency(said["urgency"]),
        code=said["code"],
        side=said["side"],
        title_ja=said["title_ja"],
        title_en=said["title_en"],
        lines_ja=tuple(said["lines_ja"]),
        lines_en=tuple(said["lines_en"]),
        links=tuple(said["links"]),
        more_links=said["more_links"],
        at=from_wire(said["at"]),
    )


def _chunks(names: Sequence[str]) -> Iterable[Collection[str]]:
    return (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
