"""The book of faults of one site: written by its watch and by people, read by the console.

A file of its own beside the gateway's state: what has happened is known when the gateway, or its
database, is what failed. A terminal, a gateway and a watch may have it open at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.views import Words
from kumobashi.kernel import Clock, from_micros, to_micros
from kumobashi.monitoring.errors import FaultClosed, FaultUnknown, NoteMissing, StillOpen
from kumobashi.monitoring.faults import (
    EntryKind,
    Fault,
    FaultEntry,
    Standing,
    plain_suspicion,
    suspicion_of,
)
from kumobashi.monitoring.following import Change, Turn
from kumobashi.monitoring.sql import entries, faults, looks, metadata
from kumobashi.storage.shared_file import SharedFile

FILE = "watch.db"
_LONGEST_NOTE = 2_000
_SAID: Mapping[Turn, tuple[EntryKind, Words]] = {
    Turn.OPENED: (EntryKind.OPENED, Words(ja="発生", en="began")),
    Turn.REOPENED: (EntryKind.REOPENED, Words(ja="再発", en="came back")),
    Turn.WORSENED: (EntryKind.WORSENED, Words(ja="期限を過ぎました", en="a deadline has passed")),
    Turn.ENDED: (EntryKind.ENDED, Words(ja="復旧", en="over")),
}


def watch_file(folder: Path) -> SharedFile:
    """Return the file of a site's watch, in the site's folder under ``var``."""
    return SharedFile(folder / FILE, metadata)


class FaultBook:
    """The file of one site's faults."""

    def __init__(self, file: SharedFile, *, tenant: str, site: str, clock: Clock) -> None:
        """Take the file of :func:`watch_file`; it is made when something is first written."""
        self._file = file
        self._tenant = tenant
        self._site = site
        self._clock = clock

    # -- the watch writes ------------------------------------------------------------------------

    def turn(self, change: Change) -> Fault:
        """Write down what turned, and return the fault as it is then."""
        now = to_micros(self._clock.now())
        one = change.suspicion
        values: dict[str, Any] = {"suspicion": plain_suspicion(one)}
        with self._file.writing() as connection:
            if change.turn is Turn.OPENED:
                connection.execute(sa.insert(faults).values(self._new(change, now)))
            elif change.turn is Turn.REOPENED:
                values |= {"ended_at": None, "closed_at": None, "closed_by": None}
            elif change.turn is Turn.ENDED:
                values = {"ended_at": now}
            is_mine = self._is(change.fault)
            connection.execute(sa.update(faults).where(is_mine).values(values))
            if change.turn in _SAID:
                kind, words = _SAID[change.turn]
                if change.turn is Turn.WORSENED:
                    words = Words(ja=f"{words.ja}：{one.what.ja}", en=f"{words.en}: {one.what.en}")
                elif change.turn is not Turn.ENDED:
                    words = one.what
                self._add(connection, change.fault, kind, words, by="", at=now)
        return self.get(change.fault)

    def told(self, fault: str, words: Words) -> None:
        """Note that somebody was told, by which channel."""
        with self._file.writing() as connection:
            self._add(connection, fault, EntryKind.TOLD, words, by="")

    def looked(self, version: str, settled: Mapping[str, Any] | None) -> None:
        """Note that the watch has looked, and what seldom changes when that has changed."""
        with self._file.writing() as connection:
            mine = sa.and_(looks.c.tenant == self._tenant, looks.c.site == self._site)
            values: dict[str, Any] = {"at": to_micros(self._clock.now()), "version": version}
            if settled is not None:
                values["settled"] = settled
            if not connection.execute(sa.update(looks).where(mine).values(values)).rowcount:
                row = {"settled": {}, **values, "tenant": self._tenant, "site": self._site}
                connection.execute(sa.insert(looks).values(row))

    def last_look(self) -> tuple[datetime, str, Mapping[str, Any]] | None:
        """Return when the watch last looked, and what it was told last; none: it never did."""
        if not self._file.exists:
            return None
        mine = sa.and_(looks.c.tenant == self._tenant, looks.c.site == self._site)
        with self._file.engine.connect() as connection:
            row = connection.execute(sa.select(looks).where(mine)).first()
        return (from_micros(row.at), row.version, row.settled) if row else None

    # -- people write ----------------------------------------------------------------------------

    def take(self, fault: str, *, by: str) -> Fault:
        """Say that somebody sees to it: nobody else is called; raises as :meth:`note`."""
        fault, now = self.get(fault).id, to_micros(self._clock.now())
        with self._file.writing() as connection:
            self._check_open(connection, fault)
            first = sa.and_(self._is(fault), faults.c.taken_at.is_(None))
            values = {"taken_at": now, "taken_by": by}
            if connection.execute(sa.update(faults).where(first).values(values)).rowcount:
                words = Words(ja="対応を始めました", en="sees to it")
                self._add(connection, fault, EntryKind.TAKEN, words, by=by, at=now)
        return self.get(fault)

    def note(self, fault: str, kind: EntryKind, text: str, *, by: str) -> Fault:
        """Add an enquiry, a measure or the cause to the timeline.

        Raises:
            FaultUnknown, FaultClosed, NoteMissing: nothing was noted.
        """
        plain = "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()
        if not plain:
            raise NoteMissing
        fault = self.get(fault).id
        plain = plain[:_LONGEST_NOTE]
        with self._file.writing() as connection:
            self._check_open(connection, fault)
            self._add(connection, fault, kind, Words(ja=plain, en=plain), by=by)
        return self.get(fault)

    def close_record(self, fault: str, cause: str, *, by: str) -> Fault:
        """Close the record of a fault that is over, with its cause.

        Raises:
            FaultUnknown, FaultClosed, NoteMissing, StillOpen: it is as it was.
        """
        held = self.get(fault)
        if held.standing in {Standing.OPEN, Standing.TAKEN}:
            raise StillOpen
        fault = held.id
        self.note(fault, EntryKind.CAUSE, cause, by=by)
        now = to_micros(self._clock.now())
        with self._file.writing() as connection:
            values = {"closed_at": now, "closed_by": by}
            connection.execute(sa.update(faults).where(self._is(fault)).values(values))
            words = Words(ja="障害票を閉じました", en="closed the record")
            self._add(connection, fault, EntryKind.CLOSED, words, by=by, at=now)
        return self.get(fault)

    # -- all read --------------------------------------------------------------------------------

    def get(self, fault: str) -> Fault:
        """Return one fault with its timeline, by id or by its number; raise ``FaultUnknown``."""
        if not self._file.exists:
            raise FaultUnknown(fault=fault)
        wanted = sa.or_(
            faults.c.fault == fault, faults.c.fault.like("%-" + "_" * 6 + _number(fault))
        )
        query = sa.select(faults).where(faults.c.tenant == self._tenant, wanted)
        with self._file.engine.connect() as connection:
            row = connection.execute(query.order_by(faults.c.opened_at.desc())).first()
            if row is None:
                raise FaultUnknown(fault=fault)
            mine = sa.and_(entries.c.tenant == self._tenant, entries.c.fault == row.fault)
            lines = connection.execute(
                sa.select(entries).where(mine).order_by(entries.c.number)
            ).all()
        found = tuple(
            FaultEntry(
                at=from_micros(line.at),
                kind=EntryKind(line.kind),
                by=line.by,
                words=Words(ja=line.ja, en=line.en),
            )
            for line in lines
        )
        return replace(_fault(row), entries=found)

    def listed(
        self, *, open_only: bool = False, side: str | None = None, limit: int = 50, skip: int = 0
    ) -> Sequence[Fault]:
        """Return faults without their timelines, those that go on first, then the newest."""
        if not self._file.exists:
            return ()
        query = sa.select(faults).where(faults.c.tenant == self._tenant)
        if open_only:
            query = query.where(faults.c.ended_at.is_(None))
        if side:
            query = query.where(faults.c.side == side)
        order = (faults.c.ended_at.is_not(None), faults.c.opened_at.desc(), faults.c.fault)
        with self._file.engine.connect() as connection:
            rows = connection.execute(query.order_by(*order).limit(limit).offset(skip)).all()
        return tuple(_fault(row) for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # -- what helps ------------------------------------------------------------------------------

    def _new(self, change: Change, now: int) -> dict[str, Any]:
        one = change.suspicion
        return {
            "tenant": self._tenant,
            "fault": change.fault,
            "site": self._site,
            "key": one.key[:500],
            "side": one.side,
            "code": one.code,
            "suspicion": plain_suspicion(one),
            "began_at": min(to_micros(one.since), now),
            "opened_at": now,
        }

    def _add(
        self,
        connection: sa.Connection,
        fault: str,
        kind: EntryKind,
        words: Words,
        *,
        by: str,
        at: int | None = None,
    ) -> None:
        mine = sa.and_(entries.c.tenant == self._tenant, entries.c.fault == fault)
        last = connection.execute(sa.select(sa.func.max(entries.c.number)).where(mine)).scalar()
        connection.execute(
            sa.insert(entries).values(
                tenant=self._tenant,
                fault=fault,
                number=(last or 0) + 1,
                at=at or to_micros(self._clock.now()),
                kind=kind.value,
                by=by,
                ja=words.ja[:_LONGEST_NOTE],
                en=words.en[:_LONGEST_NOTE],
            )
        )

    def _check_open(self, connection: sa.Connection, fault: str) -> None:
        row = connection.execute(sa.select(faults).where(self._is(fault))).first()
        if row is None:
            raise FaultUnknown(fault=fault)
        if row.closed_at is not None:
            raise FaultClosed

    def _is(self, fault: str) -> sa.ColumnElement[bool]:
        return sa.and_(faults.c.tenant == self._tenant, faults.c.fault == fault)


def _number(fault: str) -> str:
    """Return what the id of a fault ends with, if it was called by its number."""
    known = set("0123456789abcdef")
    plain = fault.lower()
    return plain if len(plain) == 6 and set(plain) <= known else "-"  # noqa: PLR2004 - six digits


def _fault(row: sa.Row[Any]) -> Fault:
    def moment(value: int | None) -> datetime | None:
        return from_micros(value) if value is not None else None

    return Fault(
        id=row.fault,
        site=row.site,
        seen=suspicion_of(row.suspicion),
        began=from_micros(row.began_at),
        opened=from_micros(row.opened_at),
        ended=moment(row.ended_at),
        taken=moment(row.taken_at),
        taken_by=row.taken_by,
        closed=moment(row.closed_at),
        closed_by=row.closed_by,
    )
