"""Whether the clock here can be believed, from what several others say of the time. Pure.

Each source says how far it is ahead of the clock here, give or take. The truth lies where most of
these spans meet (Marzullo's intersection, RFC 5905, 11.2.1). One source, however wrong or hostile,
moves nothing: at least two have to agree, and more than half of all that were heard.

A sample goes on counting when the clock here is set: what it says moves by as much as the distance
between the wall clock and the steady clock has moved since. So a step shows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kumobashi.monitoring.clocks import Skew

_FEWEST = 2
_DRIFT = 0.0005  # seconds a second that a clock may gain while it is not heard (RFC 5905: 15 ppm)
_KEPT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One moment on both clocks of this machine."""

    wall: datetime
    steady: float  # seconds; goes on during a suspend, is never set


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a source said of the time, and what the clocks here stood at then."""

    source: str
    skew: Skew
    at: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the sources agree on: how far the clock here is ahead of the truth."""

    ahead: timedelta
    within: timedelta
    agree: tuple[str, ...]
    heard: int

    def is_off(self, bound: timedelta) -> bool:
        """Whether it is certainly off by more than ``bound``."""
        return abs(self.ahead) - self.within > bound


def now_says(sample: Sample, now: Reading) -> Skew | None:
    """Return what a sample says now; none: it is too long ago."""
    age = timedelta(seconds=now.steady - sample.at.steady)
    if not timedelta() <= age <= _KEPT:
        return None
    set_since = (now.wall - sample.at.wall) - age
    return Skew(ahead=sample.skew.ahead - set_since, within=sample.skew.within + age * _DRIFT)


def verdict(
    samples: Sequence[Sample], now: Reading, *, slack: timedelta = timedelta()
) -> Verdict | None:
    """Return what most sources agree on; none: too few were heard, or they do not agree.

    Sources that are less than twice the ``slack`` apart agree: the clock here may have been moved
    while one of them was heard.
    """
    said = [
        (one.source, replace(skew, within=skew.within + slack))
        for one in samples
        if (skew := now_says(one, now)) is not None
    ]
    edges = sorted(
        [(skew.ahead - skew.within, -1) for _, skew in said]
        + [(skew.ahead + skew.within, 1) for _, skew in said]
    )
    most, count, low, high = 0, 0, timedelta(), timedelta()
    for number, (edge, kind) in enumerate(edges):
        count -= kind
        if count > most:
            most, low, high = count, edge, edges[number + 1][0]
    if most < _FEWEST or most * 2 <= len(said):
        return None
    agree = tuple(
        sorted(
            source
            for source, skew in said
            if skew.ahead - skew.within <= high and skew.ahead + skew.within >= low
        )
    )
    middle, half = low + (high - low) / 2, (high - low) / 2
    return Verdict(ahead=-middle, within=half, agree=agree, heard=len(said))


def step(before: Reading, now: Reading) -> timedelta:
    """Return by how much the wall clock was set between two readings."""
    return (now.wall - before.wall) - timedelta(seconds=now.steady - before.steady)
