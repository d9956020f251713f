"""How often something was done in a window: counted in the caller's transaction."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kumobashi.consent.channels.errors import ChannelLimited
from kumobashi.consent.channels.sql import counts
from kumobashi.kernel import from_micros, to_micros, to_wire


class What(StrEnum):
    """What is counted, each of a resident or an address."""

    SENT_TO_RESIDENT = "resident"
    SENT_TO_ADDRESS = "address"
    TRIED = "tried"
    IDENTIFIED = "identified"


_WORDS = {
    What.SENT_TO_RESIDENT: "codes for one resident",
    What.SENT_TO_ADDRESS: "codes to one address",
    What.TRIED: "codes typed for one resident",
    What.IDENTIFIED: "comparisons of four items",
}


def take(
    connection: sa.Connection,
    key: tuple[str, What, str],  # tenant, what, of whom
    *,
    most: int,
    window: timedelta,
    now: datetime,
) -> int:
    """Count one more use and return how many there are; raise ``ChannelLimited`` beyond ``most``.

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
    if row.used > most:
        after = to_wire(from_micros(row.since) + window)
        raise ChannelLimited(what=_WORDS[what], after=after)
    used: int = row.used
    return used


def forget_old(connection: sa.Connection, tenant: str, *, window: timedelta, now: datetime) -> None:
    """Remove what has no say any more: marks of addresses do not outlive their window."""
    is_old = sa.and_(counts.c.tenant == tenant, counts.c.since <= to_micros(now - window))
    connection.execute(sa.delete(counts).where(is_old))
