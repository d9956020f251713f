"""Hours of the office and of the night: when something may go out, or from when. Pure.

>>> from datetime import UTC
>>> office, quiet = OfficeHours(), QuietHours()
>>> friday_night = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 23:00 in Japan
>>> office_opens(office, friday_night).isoformat()
'2026-11-22T23:30:00+00:00'
>>> quiet_ends(quiet, friday_night).isoformat()
'2026-11-20T22:00:00+00:00'
"""

from datetime import UTC, date, datetime, time, timedelta

from kumobashi.directory.alert_models import WEEKDAYS, OfficeHours, QuietHours
from kumobashi.kernel import JST

_MOST_DAYS = 400  # as many closed days may be written; one of the days behind them is open


def is_open(office: OfficeHours, day: date) -> bool:
    """Whether the office is open on a day."""
    return WEEKDAYS[day.weekday()] in office.days and day not in office.holidays


def office_opens(office: OfficeHours, now: datetime) -> datetime:
    """Return ``now`` while the office is open, or when it opens next."""
    here = now.astimezone(JST)
    for ahead in range(_MOST_DAYS * 8):
        day = here.date() + timedelta(days=ahead)
        if not is_open(office, day):
            continue
        opens, closes = at_time(day, office.opens), at_time(day, office.closes)
        if now < closes:
            return max(now, opens)
    raise AssertionError("a year of closed days")  # the model bounds holidays


def quiet_ends(quiet: QuietHours, now: datetime) -> datetime:
    """Return ``now`` outside of the quiet hours, or when they end."""
    here = now.astimezone(JST)
    begins, ends = _time(quiet.begins), _time(quiet.ends)
    clock = here.time().replace(tzinfo=None)
    if begins == ends:
        return now
    is_over_midnight = begins > ends
    is_quiet = clock >= begins or clock < ends if is_over_midnight else begins <= clock < ends
    if not is_quiet:
        return now
    is_next_day = is_over_midnight and clock >= begins
    return at_time(here.date() + timedelta(days=is_next_day), quiet.ends)


def at_time(day: date, said: str) -> datetime:
    """Return a time of a day in Japan, in UTC."""
    return datetime.combine(day, _time(said), JST).astimezone(UTC)


def _time(said: str) -> time:
    return time.fromisoformat(said)
