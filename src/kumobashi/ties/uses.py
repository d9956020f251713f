"""What was permitted under a tie: a row and a revision each, numbered, in one chain per tie.

Whoever takes a row away, or moves one out of the window that is counted, resets no frequency: the
agent holds the rows against the chain before it permits, and verification holds both against the
evidence.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Facts, Revision, faults, revise
from kumobashi.kernel import from_micros, to_micros
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.revisions import verify_head
from kumobashi.ties.sql import revisions, uses

PREFIX: Final = "uses:"
"""Before the id of a tie, where the chain of its uses stands."""
_LEAST_HELD: Final = 100  # newest uses that are held against their revisions, each time


def add_use(
    connection: sa.Connection, tenant: str, tie: str, *, use: str, asked: str, at: datetime
) -> None:
    """Add a use with its revision and its leaf; the row of the tie is locked."""
    record = PREFIX + tie
    newest = sa.select(revisions.c.number, revisions.c.hash).where(_of(tenant, record))
    before = connection.execute(newest.order_by(revisions.c.number.desc()).limit(1)).first()
    number = before.number + 1 if before else 1
    row = {"use": use, "asked": asked, "at": to_micros(at)}
    revision = revise(record, number, before.hash if before else None, _told(row))
    connection.execute(
        sa.insert(uses).values({**row, "tenant": tenant, "tie": tie, "number": number})
    )
    kept = {"tenant": tenant, "record": record, "number": number}
    kept |= {"hash": revision.hash, "body": revision.body}
    connection.execute(sa.insert(revisions).values(kept))
    facts = {"tie": record, "revision": revision.hash, "number": number}
    append(connection, tenant, Entry(event="tie.used", at=at, facts=facts))


def taken(
    connection: sa.Connection, tenant: str, tie: str, use: str
) -> tuple[str, datetime] | None:
    """Return for what, and when, a use of this id was permitted."""
    mine = sa.and_(_rows_of(tenant, tie), uses.c.use == use)
    row = connection.execute(sa.select(uses.c.asked, uses.c.at).where(mine)).first()
    return (row.asked, from_micros(row.at)) if row else None


def count_after(
    connection: sa.Connection, tenant: str, tie: str, after: datetime, *, without: str
) -> int:
    """Return how many uses were permitted after a moment, one left out."""
    mine = sa.and_(_rows_of(tenant, tie), uses.c.at > to_micros(after), uses.c.use != without)
    return connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one()


def check_uses(connection: sa.Connection, tenant: str, tie: str, *, times: int) -> None:
    """Raise :class:`TieTouched` when a use is missing, or one of the newest was changed.

    As many are held as a frequency has ``times``: the window holds the newest, and whoever moves
    one of them out of it would have to change it.
    """
    record = PREFIX + tie
    numbered = sa.select(sa.func.count()).where(_rows_of(tenant, tie), uses.c.number > 0)
    there = connection.execute(numbered).scalar_one()
    rows = connection.execute(
        _joined(tenant, tie).order_by(revisions.c.number.desc()).limit(max(times, _LEAST_HELD))
    ).all()
    newest = rows[0].number if rows else 0
    if there != newest:
        raise TieTouched(record=record, number=newest or 1, what="a use is missing, or new")
    for row in rows:
        _hold(record, row)


def faults_of_uses(connection: sa.Connection, tenant: str) -> Iterator[TieTouched]:
    """Yield of each tie the first use that is not as it was written."""
    chained = sa.select(revisions.c.record).where(
        revisions.c.tenant == tenant, revisions.c.record.startswith(PREFIX, autoescape=True)
    )
    ties = {record.removeprefix(PREFIX) for record in connection.execute(chained).scalars()}
    rows = sa.select(uses.c.tie).where(uses.c.tenant == tenant, uses.c.number > 0)
    for tie in sorted(ties | set(connection.execute(rows).scalars())):
        if fault := _fault(connection, tenant, tie):
            yield fault


def _fault(connection: sa.Connection, tenant: str, tie: str) -> TieTouched | None:
    record = PREFIX + tie
    rows = connection.execute(_joined(tenant, tie).order_by(revisions.c.number)).all()
    chain = [Revision(number=row.number, hash=row.hash, body=bytes(row.body)) for row in rows]
    wrong = next(faults(record, chain), None)
    try:
        for row in rows[: wrong[0] - 1 if wrong else None]:
            _hold(record, row)
    except TieTouched as fault:
        return fault
    if wrong:
        return TieTouched(record=record, number=wrong[0], what=wrong[1])
    more = sa.and_(_rows_of(tenant, tie), uses.c.number > len(chain))
    if connection.execute(sa.select(uses.c.use).where(more)).first():
        return TieTouched(record=record, number=len(chain) + 1, what="missing")
    return None


def _hold(record: str, row: sa.Row[Any]) -> None:
    """Hold a use against its revision; raise :class:`TieTouched`."""
    if row.use is None:
        raise TieTouched(record=record, number=row.number, what="its row is gone")
    revision = Revision(number=row.number, hash=row.hash, body=bytes(row.body))
    verify_head(record, _told(row._asdict()), row.hash, revision)


def _joined(tenant: str, tie: str) -> sa.Select[Any]:
    """Return the query of revisions of a tie's uses, each with its row."""
    at = sa.and_(_rows_of(tenant, tie), uses.c.number == revisions.c.number)
    return (
        sa.select(
            revisions.c.number,
            revisions.c.hash,
            revisions.c.body,
            uses.c.use,
            uses.c.asked,
            uses.c.at,
        )
        .join_from(revisions, uses, at, isouter=True)
        .where(_of(tenant, PREFIX + tie))
    )


def _told(row: dict[str, Any]) -> Facts:
    """Return what a revision says of a use; the caller's id by its digest."""
    return {"use": digest(row["use"].encode()), "asked": row["asked"], "used_at": row["at"]}


def _of(tenant: str, record: str) -> sa.ColumnElement[bool]:
    return sa.and_(revisions.c.tenant == tenant, revisions.c.record == record)


def _rows_of(tenant: str, tie: str) -> sa.ColumnElement[bool]:
    return sa.and_(uses.c.tenant == tenant, uses.c.tie == tie)
