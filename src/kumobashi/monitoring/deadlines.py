"""What is overdue: nightly links whose rows are not in by their deadline. Pure.

A deadline is a time of day in Japan; one that is earlier than the link's start falls on the next
day. What counts is when a run began, not the business date it is for: a night's run after midnight
may be of the day before. So a deadline is kept by a run that began with its night, or later, and is
in. It is missed once. A link that has never run is due from the first deadline on after the watch
has seen it.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.exchange.views import Light
from kumobashi.kernel import JST
from kumobashi.monitoring.picture import LinkFacts, Picture

Missed = tuple[date, str, str | None]  # day and time of the deadline, contact
EARLY = timedelta(hours=1)  # a run that began so long before its time is still that night's


def missed(picture: Picture, rules: MonitorFile) -> Mapping[Missed, tuple[str, ...]]:
    """Return the links that are overdue, by day and time of the deadline, and contact."""
    found: dict[Missed, list[str]] = {}
    nights: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for name, link in picture.settled.links.items():
        if link.daily is None:
            continue
        times = link.daily, deadline_of(link, rules)
        if times not in nights:
            nights[times] = night_of(*times, picture.now)
        begin, due = nights[times]
        if _is_missed(picture, name, begin - EARLY, due):
            found.setdefault((due.date(), times[1], link.contact), []).append(name)
    return {key: tuple(names) for key, names in found.items()}


def deadline_of(link: LinkFacts, rules: MonitorFile) -> str:
    """Return the deadline of a link: its own, that of its contact, or the default."""
    own = rules.deadlines.contacts.get(link.contact or "")
    return link.deadline or own or rules.deadlines.default


def night_of(daily: str, deadline: str, now: datetime) -> tuple[datetime, datetime]:
    """Return when the newest night whose deadline has passed began, and that deadline.

    >>> from datetime import UTC
    >>> begin, due = night_of("01:20", "06:00", datetime(2026, 11, 24, 20, 59, tzinfo=UTC))
    >>> begin.isoformat(), due.isoformat()
    ('2026-11-24T01:20:00+09:00', '2026-11-24T06:00:00+09:00')

    A link that runs before midnight is due in the morning after:

    >>> begin, due = night_of("23:00", "06:00", datetime(2026, 11, 24, 21, 0, tzinfo=UTC))
    >>> begin.isoformat(), due.isoformat()
    ('2026-11-24T23:00:00+09:00', '2026-11-25T06:00:00+09:00')
    """
    here = now.astimezone(JST)
    due = datetime.combine(here.date(), time.fromisoformat(deadline), JST)
    if due > here:
        due -= timedelta(days=1)
    begin = datetime.combine(due.date(), time.fromisoformat(daily), JST)
    return (begin - timedelta(days=1) if begin > due else begin), due


def _is_missed(picture: Picture, name: str, begin: datetime, due: datetime) -> bool:
    known = picture.applied.get(name)
    if known is not None and known >= begin:
        return False
    if picture.said is None:  # what was in when the gateway was last heard is all that is known
        return known is not None
    newest = picture.said.links.get(name)
    if newest is None:
        first = picture.settled.links[name].first
        return first is not None and first <= due
    started, light = newest
    if started >= begin + timedelta(days=1):
        return False  # the next night's: what the one before came to cannot be seen behind it
    return started < begin or light is not Light.APPLIED
