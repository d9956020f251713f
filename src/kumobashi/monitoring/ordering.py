"""What happened when, across sites whose clocks are not the same. Pure.

A time that a site wrote says where its own clock stood. Taken back to the clock here it is a span:
its offset says where, the bound of the offset how wide. Of two spans that touch nobody can say
which came first, and none is made up. An order that several give is never broken: what is certainly
before stays before, whatever stands between.

>>> from datetime import UTC, datetime, timedelta
>>> noon, second = datetime(2026, 11, 24, 3, 0, tzinfo=UTC), timedelta(seconds=1)
>>> here = Skew(ahead=0 * second, within=0 * second)
>>> fast = Skew(ahead=30 * second, within=1 * second)
>>> sent, came = span(noon, here), span(noon + 29 * second, fast)
>>> order(sent, came).value
'unknown'
>>> order(sent, span(noon + 45 * second, fast)).value
'before'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from kumobashi.monitoring.clocks import Skew

T = TypeVar("T")


class Order(Enum):
    """How two things stand to each other."""

    BEFORE = "before"
    AFTER = "after"
    UNKNOWN = "unknown"  # their clocks do not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When something happened by the clock here: not before, not after."""

    earliest: datetime
    latest: datetime

    @property
    def middle(self) -> datetime:
        """Where people look for it."""
        return self.earliest + (self.latest - self.earliest) / 2

    @property
    def within(self) -> timedelta:
        """Give or take."""
        return (self.latest - self.earliest) / 2


def span(written: datetime, skew: Skew) -> Span:
    """Return when something happened that a site with ``skew`` says was at ``written``."""
    middle = written - skew.ahead
    return Span(earliest=middle - skew.within, latest=middle + skew.within)


def order(one: Span, other: Span) -> Order:
    """Return which was first, where that is certain."""
    if one.latest < other.earliest:
        return Order.BEFORE
    return Order.AFTER if other.latest < one.earliest else Order.UNKNOWN


def ordered(happened: Iterable[tuple[Span, T]]) -> list[list[T]]:
    """Return what happened in groups: of two groups the order is certain, within one it is not.

    Within a group they stand by their middles, which is a habit and no statement.
    """
    groups: list[list[T]] = []
    latest: datetime | None = None
    for at, what in sorted(happened, key=lambda pair: (pair[0].earliest, pair[0].latest)):
        if latest is None or at.earliest > latest:
            groups.append([])
            latest = at.latest
        groups[-1].append(what)
        latest = max(latest, at.latest)
    return groups
