"""How often something was done in a window: counted in the caller's transaction."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kumobashi.consent.channels.sql import counts
from kumobashi.kernel import from_micros, to_micros


class What(StrEnum):
    """What is counted, each of a resident or an address."""

    SENT_TO_RESIDENT = "resident"
    SENT_TO_ADDRESS = "address"
    TRIED = "tried"
    IDENTIFIED = "identified"  # four items compared for one resident


def take(
    connection: sa.Connection,
    key: tuple[str, What, str],  # tenant, what, of whom
    *,
    most: int,
    window: timedelta,
    now: datetime,
) -> datetime | None:
    """Count one more use; return when the window ends if it is beyond ``most``, else nothing.

    The row is locked until the commit: of many at once each gets a number of its own.
    """
    tenant, what, mark = key
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    at = to_micros(now)
    is_over = counts.c.since <= to_micros(now - window)
    first = insert(counts).values(tenant=tenant, what=what.value, mark=mark, since=at, used=1)
    counted = first.on_conflict_do_update(
        index_elements=[counts.c.tenant, counts.c.what, counts.c.mark],
        set_={
            "since": sa.case((is_over, at), else_=counts.c.since),
            "used": sa.case((is_over, 1), else_=counts.c.used + 1),
        },
    ).returning(counts.c.since, counts.c.used)
    row = connection.execute(counted).one()
    return from_micros(row.since) + window if row.used > most else None


def forget_old(connection: sa.Connection, tenant: str, *, window: timedelta, now: datetime) -> None:
    """Remove what has no say any more: marks of addresses do not outlive their window."""
    is_old = sa.and_(counts.c.tenant == tenant, counts.c.since <= to_micros(now - window))
    connection.execute(sa.delete(counts).where(is_old))
