"""Time: aware and in UTC inside, RFC 3339 on the wire, integer microseconds in SQL, JST for people.

>>> at = from_wire("2026-11-21T16:20:00.000000Z")
>>> to_wire(at)
'2026-11-21T16:20:00.000000Z'
>>> business_date(at).isoformat()
'2026-11-22'
>>> from_micros(to_micros(at)) == at
True
"""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

JST = timezone(timedelta(hours=9), "JST")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where decisions get the time from."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.now(UTC)


def to_wire(at: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_wire(text: str) -> datetime:
    """Read what :func:`to_wire` wrote; raise ``ValueError`` for a time without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return at.astimezone(UTC)


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970 in UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Read what :func:`to_micros` wrote."""
    return _EPOCH + timedelta(microseconds=micros)


def business_date(at: datetime) -> date:
    """Return the Japanese calendar date at ``at``."""
    return at.astimezone(JST).date()
