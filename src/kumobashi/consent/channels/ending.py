"""How an address ends: with whatever else the caller's transaction does, and what it was is gone.

The sealed address, its mark and its code leave the row in the same commit; the key that opened them
is destroyed afterwards by :meth:`ChannelBook.tidy`, also where a process died in between.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.channels.sql import addresses
from kumobashi.consent.channels.states import LIVE, Channel, Reason, State, check_move
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.kernel import to_micros

_LIVE = sorted(state.value for state in LIVE)


def end(
    connection: sa.Connection,
    row: sa.Row[Any],
    then: State,
    reason: Reason,
    *,
    now: datetime,
    by: str,
) -> str:
    """End one address and return its record; raise ``ChannelMove``."""
    check_move(State(row.state), then)
    mine = sa.and_(addresses.c.tenant == row.tenant, addresses.c.record == row.record)
    gone = {"sealed": None, "mark": None, "code": None}
    ended = {"state": then.value, "reason": reason.value, "ended_at": to_micros(now)}
    connection.execute(sa.update(addresses).where(mine).values(**gone, **ended))
    moved = {"before": row.state, "after": then.value, "reason": reason.value}
    note(connection, row, then.value, now=now, by=by, **moved)
    record: str = row.record
    return record


def end_of_resident(
    connection: sa.Connection,
    tenant: str,
    subject: str,
    reason: Reason,
    *,
    channels: Collection[Channel] | None = None,
    now: datetime,
    by: str,
) -> list[str]:
    """End the addresses of a resident, of some channels or of all; return their records."""
    query = sa.select(addresses).where(
        addresses.c.tenant == tenant,
        addresses.c.subject == subject,
        addresses.c.state.in_(_LIVE),
    )
    if channels is not None:
        query = query.where(addresses.c.channel.in_(sorted(one.value for one in channels)))
    rows = connection.execute(query.order_by(addresses.c.record)).all()
    return [end(connection, row, State.WITHDRAWN, reason, now=now, by=by) for row in rows]


def has_proven(connection: sa.Connection, tenant: str, subject: str, channel: Channel) -> bool:
    """Whether a resident has a proven address of a channel."""
    query = sa.select(addresses.c.record).where(
        addresses.c.tenant == tenant,
        addresses.c.subject == subject,
        addresses.c.channel == channel.value,
        addresses.c.state == State.PROVEN.value,
    )
    return connection.execute(query).first() is not None


def note(
    connection: sa.Connection, row: sa.Row[Any], what: str, *, now: datetime, by: str, **facts: Fact
) -> None:
    """Write a leaf of evidence: which row, never whose and never where."""
    said = {"id": row.record, "channel": row.channel, **facts}
    append(connection, row.tenant, Entry(event=f"channel.{what}", at=now, by=by, facts=said))
