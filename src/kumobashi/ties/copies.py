"""Which systems elsewhere have a tie, and what there is to tell them: a table beside the ties.

A deed that changes what a system was told of marks it in the same commit, so nothing that is
committed can be forgotten; a row that somebody took away, or set to what was never told, is made
good by the next deed. ``sequence`` is the number of revisions of the tie and of its service
together: both only grow, so of two standings of a tie the later has the higher one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.messages.standings import Stands
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.records import AT_LAST, OF_LAST, joined_of
from kumobashi.ties.revisions import revisions_in_force
from kumobashi.ties.services import Service, service_of
from kumobashi.ties.sql import copies, revisions, services, ties
from kumobashi.ties.states import LIVE, State

PREFIX: Final = "copies:"
"""Before the id of a tie, where verification speaks of its copies."""
_TELLING: Final = {State.IN_FORCE: Stands.IN_FORCE, State.WITHDRAWN: Stands.WITHDRAWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What one system has to be told of one tie."""

    tie: str
    subject: str | None  # sealed; none: the row is not as it was written
    stands: Stands
    terms: str
    service: Service
    sequence: int


def mark_tie(connection: sa.Connection, tenant: str, tie: str) -> None:
    """Note that what is known of a tie elsewhere is old; called in the commit of a move."""
    query = (
        sa.select(
            ties.c.state,
            services.c.system,
            (ties.c.revisions + services.c.revisions).label("sequence"),
        )
        .join_from(ties, services, _served())
        .where(ties.c.tenant == tenant, ties.c.tie == tie)
    )
    row = connection.execute(query).first()
    if row is None or row.system is None:
        return
    mine = sa.and_(copies.c.tenant == tenant, copies.c.tie == tie)
    is_in_force = row.state == State.IN_FORCE.value
    value = {"sequence": row.sequence, "rank": int(is_in_force)}
    marked = sa.update(copies).where(mine).values(**value, told=_before(row.sequence))
    known = connection.execute(marked).rowcount
    # Nobody is told of what never was in force.
    if not known and (is_in_force or revisions_in_force(connection, tenant, tie)):
        new = {"tenant": tenant, "tie": tie, "system": row.system, "told": 0}
        connection.execute(sa.insert(copies).values({**new, **value}))


def mark_service(connection: sa.Connection, tenant: str, service: str) -> None:
    """Note that a service changed for all who have a live tie with it."""
    states = [state.value for state in LIVE]
    changed = (
        sa.select(ties.c.revisions + services.c.revisions)
        .join_from(ties, services, _served())
        .where(ties.c.tenant == copies.c.tenant, ties.c.tie == copies.c.tie)
        .scalar_subquery()
    )
    living = sa.select(ties.c.tie).where(
        ties.c.tenant == tenant, ties.c.service == service, ties.c.state.in_(states)
    )
    mine = sa.and_(copies.c.tenant == tenant, copies.c.tie.in_(living))
    marked = sa.update(copies).where(mine).values(sequence=changed, told=_before(changed))
    connection.execute(marked)


def beyond(connection: sa.Connection, tenant: str) -> list[str]:
    """Return the ties of which more is said to be told than there is; nobody but us writes so."""
    query = sa.select(copies.c.tie).where(
        copies.c.tenant == tenant, copies.c.told > copies.c.sequence
    )
    return list(connection.execute(query.order_by(copies.c.tie)).scalars())


def systems_to_tell(connection: sa.Connection, tenant: str) -> list[str]:
    """Return the systems for which something is to be told, by name."""
    query = sa.select(copies.c.system).where(_due(tenant)).distinct().order_by(copies.c.system)
    return list(connection.execute(query).scalars())


def due_at(connection: sa.Connection, tenant: str, system: str, *, most: int) -> list[Due]:
    """Return what a system is to be told next, at most ``most`` ties; first what is over.

    A tie that is not as it was written is told as ended: nothing may be done under it.
    """
    at = sa.and_(ties.c.tenant == copies.c.tenant, ties.c.tie == copies.c.tie)
    chosen = (
        sa.select(copies.c.tie, copies.c.sequence)
        .where(_due(tenant), copies.c.system == system)
        .order_by(copies.c.rank, copies.c.tie)
        .limit(most)
    )
    waiting = {row.tie: row.sequence for row in connection.execute(chosen)}
    rows = connection.execute(
        sa.select(ties, *OF_LAST)
        .join_from(copies, ties, at)
        .outerjoin(revisions, AT_LAST)
        .where(copies.c.tenant == tenant, copies.c.tie.in_(waiting), copies.c.system == system)
    ).all()
    served = {
        row.service: service_of(row)
        for row in connection.execute(sa.select(services).where(services.c.tenant == tenant))
        if row.service in {one.service for one in rows}
    }
    found = {row.tie: row for row in rows}
    return [
        _read(found[tie], served[found[tie].service], sequence)
        for tie, sequence in waiting.items()
        if tie in found
    ]


def note_told(
    connection: sa.Connection, tenant: str, system: str, told: Iterable[tuple[str, int]]
) -> None:
    """Note which standings, by tie and sequence, are in a notice that is kept."""
    for tie, sequence in told:
        mine = sa.and_(
            copies.c.tenant == tenant,
            copies.c.tie == tie,
            copies.c.system == system,
            copies.c.told < sequence,
        )
        connection.execute(sa.update(copies).where(mine).values(told=sequence))


def _before(sequence: Any) -> sa.ColumnElement[int]:  # noqa: ANN401 - a number, or a column
    """Return what was told, which can only lie before what is new."""
    return sa.case((copies.c.told < sequence, copies.c.told), else_=sequence - 1)


def _read(row: sa.Row[Any], service: Service, sequence: int) -> Due:
    try:
        tie = joined_of(row)
    except (TieTouched, ValueError):
        subject, stands = None, Stands.ENDED
    else:
        subject, stands = tie.subject, _TELLING.get(tie.state, Stands.ENDED)
    return Due(
        tie=row.tie,
        subject=subject,
        stands=stands,
        terms=row.terms,
        service=service,
        sequence=sequence,
    )


def _due(tenant: str) -> sa.ColumnElement[bool]:
    return sa.and_(copies.c.tenant == tenant, copies.c.told < copies.c.sequence)


def _served() -> sa.ColumnElement[bool]:
    return sa.and_(services.c.tenant == ties.c.tenant, services.c.service == ties.c.service)
