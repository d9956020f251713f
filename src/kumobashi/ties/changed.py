"""Which changes of ties matter to who was sent rows: whose tie permits it no more, or again."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.storage.changes import newest_change
from kumobashi.ties.agent import Offered
from kumobashi.ties.asked import Asked, offered_at_hall, why_not
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.records import AT_LAST, OF_LAST, Tie, joined_of
from kumobashi.ties.revisions import revisions_in_force
from kumobashi.ties.sql import revisions, services, ties
from kumobashi.ties.states import State

_AT_ONCE: Final = 500  # subjects named in one statement
_AGREED_ONCE: Final = tuple(x.value for x in (State.IN_FORCE, State.ENDED, State.WITHDRAWN))


def changed(
    connection: sa.Connection, tenant: str, asked: Asked, *, after: int, most: int
) -> tuple[Mapping[str, int], int]:
    """Return residents whose receivers may have to be told, and up to which change they are all.

    Each with the number of the change. Whoever is tied for the first time is nobody's business
    there. About ``most`` at a time: the residents of one change stay together.
    """
    newest = newest_change(connection, tenant)
    ours = sa.and_(
        ties.c.tenant == tenant,
        ties.c.sequence > after,
        ties.c.service == asked.service,
        ties.c.state.in_(_AGREED_ONCE),
    )
    query = sa.select(ties.c.sequence).where(ours).order_by(ties.c.sequence)
    end = connection.execute(query.offset(most - 1).limit(1)).scalar()
    until = newest if end is None else int(end)
    moved: dict[str, int] = {}
    known: set[str] = set()  # their rows may have been sent
    for row in connection.execute(sa.select(ties).where(ours, ties.c.sequence <= until)).all():
        moved[row.subject] = max(row.sequence, moved.get(row.subject, 0))
        is_in_force = row.state == State.IN_FORCE.value  # accepted now, or narrowed since
        if revisions_in_force(connection, tenant, row.tie) > is_in_force:
            known.add(row.subject)
    known |= _tied_before(connection, tenant, asked.service, moved.keys() - known)
    return {subject: number for subject, number in moved.items() if subject in known}, until


def permitted_among(
    connection: sa.Connection,
    tenant: str,
    asked: Asked,
    subjects: Collection[str],
    now: datetime,
) -> set[str]:
    """Return those of some residents whose rows may be used, how often aside."""
    offered = _offered(connection, tenant, asked.service)
    found = set()
    for subject, tie in _newest(connection, tenant, asked.service, subjects).items():
        if tie is not None and why_not(asked, tie, offered, now) is None:
            found.add(subject)
    return found


def _tied_before(
    connection: sa.Connection, tenant: str, service: str, subjects: Iterable[str]
) -> set[str]:
    """Return those who have an ended tie with a service that was in force."""
    over = [State.ENDED.value, State.WITHDRAWN.value]
    return {
        row.subject
        for page in _pages(subjects)
        for row in connection.execute(
            sa.select(ties.c.subject, ties.c.tie).where(
                ties.c.tenant == tenant,
                ties.c.subject.in_(page),
                ties.c.service == service,
                ties.c.state.in_(over),
            )
        ).all()
        if revisions_in_force(connection, tenant, row.tie)
    }


def _newest(
    connection: sa.Connection, tenant: str, service: str, subjects: Iterable[str]
) -> Mapping[str, Tie | None]:
    """Return the newest tie of each resident with a service; none: it is not as it was written."""
    query = (
        sa.select(ties, *OF_LAST)
        .join_from(ties, revisions, AT_LAST, isouter=True)
        .where(ties.c.tenant == tenant, ties.c.service == service)
        .order_by(ties.c.tie)
    )
    return {
        row.subject: _read(row)
        for page in _pages(subjects)
        for row in connection.execute(query.where(ties.c.subject.in_(page)))
    }


def _read(row: sa.Row[Any]) -> Tie | None:
    try:
        return joined_of(row)
    except (TieTouched, ValueError):
        return None


def _pages(subjects: Iterable[str]) -> Iterator[list[str]]:
    listed = sorted(subjects)
    for at in range(0, len(listed), _AT_ONCE):
        yield listed[at : at + _AT_ONCE]


def _offered(connection: sa.Connection, tenant: str, service: str) -> Offered | None:
    mine = sa.and_(services.c.tenant == tenant, services.c.service == service)
    row = connection.execute(sa.select(services).where(mine)).first()
    return offered_at_hall(row) if row is not None else None
