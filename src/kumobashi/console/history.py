"""Days of a link as small squares: a strip for the list, a year in weeks for its page.

All pure. A day without a transfer has a square too, drawn empty, so that squares below one another
are the same day.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kumobashi.exchange.views import RED, DayView, Light

STRIP_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One day; ``week`` and ``weekday`` say where it stands in a year."""

    on: date
    light: Light | None  # None: nothing ran
    week: int
    weekday: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Squares:
    """Days in a row, and how many of them stand how."""

    days: tuple[Square, ...]
    counts: tuple[tuple[Light, int], ...]

    @property
    def weeks(self) -> int:
        """How many columns of weeks there are."""
        return self.days[-1].week + 1 if self.days else 0

    @property
    def shapes(self) -> tuple[tuple[str, str], ...]:
        """Return the strip as one path for each light: its class, and where its bars stand.

        Fifty strips of thirty bars are a list's heaviest part; one path draws faster than thirty
        rectangles. What calls for people is taller, so that colour is not all that tells.
        """
        found: dict[str, list[str]] = {}
        for number, square in enumerate(self.days):
            light = square.light
            top, height = (0, 14) if light in RED else (4, 10) if light else (12, 2)
            bar = f"M{6 * number} {top}h5v{height}h-5z"
            found.setdefault(light.value if light else "none", []).append(bar)
        return tuple((name, "".join(bars)) for name, bars in found.items())


def strip(days: Sequence[DayView], today: date, *, length: int = STRIP_DAYS) -> Squares:
    """Return the last ``length`` days up to ``today``."""
    return _squares(days, today - timedelta(days=length - 1), today)


def year_of(days: Sequence[DayView], today: date) -> Squares:
    """Return a year of weeks that ends with ``today``; weeks begin on Sunday, as on calendars."""
    return _squares(days, today - timedelta(days=364), today)


def _squares(days: Sequence[DayView], first: date, last: date) -> Squares:
    held = {day.on: day.light for day in days}
    offset = first.isoweekday() % 7
    found = tuple(
        Square(
            on=(on := first + timedelta(days=number)),
            light=held.get(on),
            week=(number + offset) // 7,
            weekday=(number + offset) % 7,
        )
        for number in range((last - first).days + 1)
    )
    counts = Counter(square.light for square in found if square.light)
    return Squares(days=found, counts=tuple(sorted(counts.items(), key=lambda held: -held[1])))
