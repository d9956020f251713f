"""A row of the book of addresses as a value: neither whose it is, nor where it leads."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.channels.states import Channel, Reason, State
from kumobashi.kernel import from_micros, to_wire

_TIMES = ("until", "made_at", "sent_at", "proven_at", "ended_at", "opened_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A row of the book as people see it: neither whose, nor where."""

    record: str
    channel: Channel
    state: State
    reason: Reason | None
    until: datetime  # of the code
    sendings: int
    tries: int
    made_at: datetime
    sent_at: datetime | None
    proven_at: datetime | None
    ended_at: datetime | None
    openings: int
    opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A proven address in the hands of a sender."""

    record: str
    address: str = field(repr=False)
    openings: int


def plain_address(address: Address) -> dict[str, Any]:
    """Return a row as JSON."""
    return {one.name: _plain(getattr(address, one.name)) for one in fields(address)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return to_wire(value)
    return value.value if isinstance(value, StrEnum) else value


def address_in(row: sa.Row[Any]) -> Address:
    """Return a row of the table as a value."""
    times = {
        name: None if getattr(row, name) is None else from_micros(getattr(row, name))
        for name in _TIMES
    }
    return Address(
        record=row.record,
        channel=Channel(row.channel),
        state=State(row.state),
        reason=Reason(row.reason) if row.reason else None,
        sendings=row.sendings,
        tries=row.tries,
        openings=row.openings,
        **times,  # type: ignore[arg-type]
    )
