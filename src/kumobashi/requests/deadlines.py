"""When a request must be decided: days counted by the law's rows, pure.

The day of the request is not counted (初日不算入, 民法140条), days on which the applicant completes
the request are not counted (補正), and a last day on which offices are closed moves to the next day
that they are open (民法142条の例によった; whether it holds for an office's own deadlines is not
verified). ``counted`` is the day before that move: who keeps it is safe under either reading.

>>> from datetime import date
>>> due = due_of(date(2026, 11, 2), RULES.of(Kind.DISCLOSURE, date(2026, 11, 2)), RULES.closed)
>>> due.counted.isoformat(), due.day.isoformat()
('2026-12-02', '2026-12-02')
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from typing import Final

from kumobashi.policy.reading import Folder, Origin, Row, Shelf
from kumobashi.requests.errors import DeadlineUnknown
from kumobashi.requests.states import Kind

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_FOLDER: Final = "requests/tables"


class Step(StrEnum):
    """Which days a row is about."""

    FIRST = "first"
    LONGER = "longer"  # the extension, once
    SPECIAL = "special"  # so much, or so long, that a day is set and told
    STOP = "stop"  # 補正
    WINDOW = "window"  # how long after a disclosure this may be asked for
    RECEIVERS = "receivers"  # until receivers are waited for no longer


_NEEDED: Final = frozenset(Step) - {Step.WINDOW, Step.RECEIVERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRow:
    """One dated row of the law."""

    kind: Kind
    step: Step
    days: int | None  # none: the office sets the day
    article_ja: str
    article_en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A clause on which a request may be refused, in whole or in part."""

    code: str
    kinds: frozenset[str]
    outcomes: frozenset[str]
    ja: str
    en: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A time in which the applicant completes the request; ``came`` is None while it lasts."""

    asked: date
    came: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """How the deadline was put off: by days, or to a day that was set."""

    step: Step  # LONGER or SPECIAL
    told: date
    days: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a decision is due."""

    counted: date  # the last day by counting alone
    day: date  # the same, or the next day that offices are open
    article_ja: str
    article_en: str
    lost: int  # days not counted
    is_stopped: bool  # the applicant is asked: both days move on with each day that passes
    is_verified: bool  # whether the rows of the law were compared with their source
    is_calendar_known: bool  # whether the table of closed days has these days
    part: date | None = None  # 84条: by when a considerable part is decided

    def is_late(self, on: date) -> bool:
        """Whether the deadline has passed on a day."""
        return not self.is_stopped and on > self.day

    def days_left(self, on: date) -> int:
        """Return the days from a day to the last counted one; below zero when it has passed."""
        return (self.counted - on).days


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days on which offices are closed beside Saturdays and Sundays, for the years of a table."""

    days: frozenset[date]
    first_year: int
    last_year: int

    def next_open(self, day: date) -> date:
        """Return a day, or the next on which offices are open."""
        while day.weekday() >= _SATURDAY or day in self.days:
            day += _DAY
        return day

    def knows(self, day: date) -> bool:
        """Whether the table has the year of a day."""
        return self.first_year <= day.year <= self.last_year


@dataclass(frozen=True)
class Rules:
    """The dated tables of this package."""

    folder: Folder

    @cached_property
    def deadlines(self) -> tuple[DeadlineRow, ...]:
        """All rows; raises ``PolicyUnreadable``."""
        return Shelf(self.folder, _FOLDER).rows("deadlines.csv", _deadline)

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """All clauses; raises ``PolicyUnreadable``."""
        return Shelf(self.folder, _FOLDER).rows("refusals.csv", _refusal)

    @cached_property
    def closed(self) -> ClosedDays:
        """The days on which offices are closed; raises ``PolicyUnreadable``."""
        days = frozenset(Shelf(self.folder, _FOLDER).rows("closed_days.csv", _closed))
        years = {day.year for day in days}
        return ClosedDays(days, min(years), max(years))

    def of(self, kind: Kind, on: date) -> Mapping[Step, DeadlineRow]:
        """Return the rows that hold for a request made on a day; raise ``DeadlineUnknown``."""
        found = {
            row.step: row for row in self.deadlines if row.kind is kind and row.origin.holds(on)
        }
        if not set(found) >= _NEEDED or found[Step.FIRST].days is None:
            raise DeadlineUnknown(kind=kind.value, kind_ja=kind.ja, on=on.isoformat())
        return found

    def refusal(self, code: str, kind: Kind, outcome: str, on: date) -> Refusal | None:
        """Return a clause that fits, or nothing."""
        return next(
            (
                one
                for one in self.refusals
                if one.code == code
                and kind.value in one.kinds
                and outcome in one.outcomes
                and one.origin.holds(on)
            ),
            None,
        )


RULES: Final = Rules(files("kumobashi.requests") / "tables")


def due_of(
    received: date,
    rows: Mapping[Step, DeadlineRow],
    closed: ClosedDays,
    *,
    stops: Sequence[Stop] = (),
    extension: Extension | None = None,
    today: date | None = None,
) -> Due:
    """Return when a request is due.

    ``today`` ends, for the count, a stop that lasts. A stop that began after the last day gives
    nothing back: what is late stays late. A day that was set under the special rule stands as it
    was told.
    """
    first = rows[Step.FIRST]
    days = first.days or 0
    used = [first]
    if extension is not None:
        row = rows[extension.step]
        used.append(row)
        days += extension.days or 0
    last, lost, is_stopped = received + timedelta(days=days), 0, False
    for stop in sorted(stops, key=lambda one: one.asked):
        if stop.asked > last:
            break
        ended = stop.came or max(today or stop.asked, stop.asked)
        lost += (ended - stop.asked).days
        last += ended - stop.asked
        is_stopped = is_stopped or stop.came is None
    if lost or is_stopped:
        used.append(rows[Step.STOP])
    part = None
    if extension is not None and extension.until is not None:
        if row.days is not None:
            part = received + timedelta(days=row.days + lost)
        last = max(last, extension.until)
    day = closed.next_open(last)
    shown = used[1] if extension is not None else first
    return Due(
        counted=last,
        day=day,
        article_ja=shown.article_ja,
        article_en=shown.article_en,
        lost=lost,
        is_stopped=is_stopped,
        is_verified=all(row.origin.is_verified for row in used) and day == last,
        is_calendar_known=closed.knows(last) and closed.knows(day),
        part=part,
    )


def is_in_window(
    on: date, disclosed: date | None, rows: Mapping[Step, DeadlineRow], closed: ClosedDays
) -> bool:
    """Whether a request made on a day is early enough after its disclosure.

    Where the law sets no such time, it is. Without a disclosure here nobody can say, so it is not:
    the office asks the applicant for the notice of another.
    """
    row = rows.get(Step.WINDOW)
    if row is None or row.days is None:
        return True
    return disclosed is not None and on <= closed.next_open(disclosed + timedelta(days=row.days))


def _deadline(row: Row) -> DeadlineRow:
    return DeadlineRow(
        kind=Kind(row.text("kind", tuple(Kind))),
        step=Step(row.text("step", tuple(Step))),
        days=row.count("days") if row.optional("days") else None,
        article_ja=row.name("article_ja"),
        article_en=row.name("article_en"),
        origin=row.origin(),
    )


def _refusal(row: Row) -> Refusal:
    return Refusal(
        code=row.ident("code"),
        kinds=frozenset(row.listed("kinds", tuple(Kind))),
        outcomes=frozenset(row.listed("outcomes", ("partly", "refused"))),
        ja=row.name("ja"),
        en=row.name("en"),
        origin=row.origin(),
    )


def _closed(row: Row) -> date:
    day = row.day("day")
    if day is None or not row.name("ja"):
        raise row.wrong("day", "")
    return day
