"""When a site may be called: its hours in Japanese time, and the next moment it opens. Pure.

>>> from datetime import UTC, datetime
>>> from kumobashi.directory.profile_models import Weekday
>>> office = HoursEntry(
...     days=(Weekday.MON, Weekday.FRI),
...     opens="08:30",
...     closes="17:15",
...     closed=(date(2026, 11, 23),),  # 勤労感謝の日
... )
>>> friday = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
>>> is_open(office, friday), next_opening(office, friday) == friday
(True, True)
>>> next_opening(office, friday.replace(hour=9)).isoformat()
'2026-11-26T23:30:00+00:00'
>>> is_open(None, friday)
True
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from kumobashi.directory.entries import HoursEntry
from kumobashi.directory.profile_models import Weekday
from kumobashi.kernel import JST

_DAYS = tuple(Weekday)
_FARTHEST = 400  # days; beyond, every day is one that is closed


def is_open(hours: HoursEntry | None, at: datetime) -> bool:
    """Whether the site takes calls at ``at``."""
    return next_opening(hours, at) == at


def next_opening(hours: HoursEntry | None, at: datetime) -> datetime | None:
    """Return ``at`` while it is open, else when it opens next; ``None``: not within a year."""
    if hours is None:
        return at
    for opens, closes in _windows(hours, at):
        if at < closes:
            return max(at, opens)
    return None


def next_closing(hours: HoursEntry | None, at: datetime) -> datetime | None:
    """Return when the hours that hold at ``at`` end; ``None``: never, or it is closed."""
    if hours is None:
        return None
    for opens, closes in _windows(hours, at):
        if opens <= at < closes:
            return closes
    return None


def seconds_open(hours: HoursEntry | None, start: datetime, end: datetime) -> float:
    """Return for how many seconds between ``start`` and ``end`` the site is open."""
    if hours is None:
        return max(0.0, (end - start).total_seconds())
    total = 0.0
    for opens, closes in _windows(hours, start):
        if opens >= end:
            break
        total += max(0.0, (min(closes, end) - max(opens, start)).total_seconds())
    return total


def _windows(hours: HoursEntry, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield opening and closing, the window of the day before first: it may pass midnight."""
    today = at.astimezone(JST).date()
    for number in range(-1, _FARTHEST):
        on = today + timedelta(days=number)
        if _DAYS[on.weekday()] not in hours.days or on in hours.closed:
            continue
        opens, closes = _moment(on, hours.opens), _moment(on, hours.closes)
        yield opens, closes if opens < closes else closes + timedelta(days=1)


def _moment(on: date, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    midnight = datetime(on.year, on.month, on.day, tzinfo=JST)
    return (midnight + timedelta(hours=hour, minutes=minute)).astimezone(UTC)
