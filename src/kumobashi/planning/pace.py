"""How many parts a bundle makes, how long they take at the permitted pace, and when doors are open.

>>> from kumobashi.directory.profile_models import PeerProfile
>>> slow = PeerProfile(requests_per_minute=60)
>>> pace([(4096, slow), (1024, PeerProfile())], size=10_000)
Pace(parts=10, part_bytes=1024, seconds=8.9, hours=())
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from kumobashi.directory.profile_models import OpenHours, PeerProfile, Weekday

_BESIDE_PARTS = 4  # announce, close, and asking for receipts
_SUSTAINED = 0.9  # of the permitted calls; the rest may go at once
_JA = dict(zip(Weekday, "月火水木金土日", strict=True))


@dataclass(frozen=True, slots=True)
class Pace:
    """What the narrowest door on the way makes of a bundle."""

    parts: int
    part_bytes: int
    seconds: float  # that the calls alone take, at the slowest pace on the way
    hours: tuple[tuple[int, OpenHours], ...]  # number of the door, from 1, and when it is open

    @property
    def said_ja(self) -> str:
        """The pace in one sentence."""
        took = (
            f"、要求の上限どおりで {_span(self.seconds, '秒', '分')}" if self.seconds >= 1 else ""
        )
        return f"{self.parts:,} 部分{took}"

    @property
    def said_en(self) -> str:
        """The same in English."""
        took = f", {_span(self.seconds, ' s', ' min')} at the permitted pace"
        return f"{self.parts:,} parts{took if self.seconds >= 1 else ''}"


def pace(doors: Sequence[tuple[int, PeerProfile]], *, size: int) -> Pace | None:
    """Return the pace of a bundle of ``size`` bytes; none when it passes no door.

    ``doors`` give the largest part that each far side takes, and its profile.
    """
    if not doors:
        return None
    part_bytes = min(largest for largest, _ in doors)
    parts = max(1, ceil(size / part_bytes))
    calls = parts + _BESIDE_PARTS
    seconds = 0.0
    for _, profile in doors:
        at_once = profile.requests_per_minute * (1 - _SUSTAINED)
        rate = profile.requests_per_minute * _SUSTAINED / 60
        seconds = max(seconds, (calls - at_once) / rate)
    hours = tuple(
        (number, profile.open) for number, (_, profile) in enumerate(doors, 1) if profile.open
    )
    return Pace(parts, part_bytes, round(max(0.0, seconds), 1), hours)


def hours_ja(hours: OpenHours) -> str:
    """Return opening hours as people say them.

    >>> hours_ja(OpenHours(days=(Weekday.MON, Weekday.FRI), opens="08:30", closes="17:15"))
    '月・金 08:30〜17:15'
    """
    days = "毎日" if len(hours.days) == len(Weekday) else "・".join(_JA[d] for d in hours.days)
    closed = f"（休み {len(hours.closed)} 日）" if hours.closed else ""
    return f"{days} {hours.opens}〜{hours.closes}{closed}"


def hours_en(hours: OpenHours) -> str:
    """Return the same in English."""
    days = "daily" if len(hours.days) == len(Weekday) else ", ".join(hours.days)
    closed = f" (closed on {len(hours.closed)} days)" if hours.closed else ""
    return f"{days} {hours.opens} to {hours.closes} JST{closed}"


def _span(seconds: float, short: str, long: str) -> str:
    return f"{seconds:.0f}{short}" if seconds < 100 else f"{seconds / 60:.0f}{long}"  # noqa: PLR2004
