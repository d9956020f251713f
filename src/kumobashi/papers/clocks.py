"""When the reports of an incident are due, and how late they are. Pure.

Days are counted in Japan. The day on which anybody of the municipality noticed counts as the first,
and weekends and holidays count: the strictest reading, so that nothing is late by a doubt.

>>> from datetime import UTC
>>> noticed = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
>>> prompt, final = clocks_of(noticed, improper="no", filed={})
>>> prompt.due_day.isoformat(), final.due_day.isoformat()
('2026-11-24', '2026-12-19')
>>> [prompt.level(noticed + timedelta(days=days)).name for days in (0, 2, 4, 5)]
['CALM', 'SOON', 'SOON', 'OVERDUE']
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from kumobashi.kernel import JST, business_date
from kumobashi.papers.rules import REPORTS, ClockRow, clock_for


class Level(IntEnum):
    """How a clock stands; the higher the worse."""

    DONE = 0  # 報告済
    CALM = 1
    SOON = 2
    OVERDUE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReport:
    """One report of an incident."""

    report: str
    row: ClockRow
    noticed_day: date
    due_day: date  # the last day on which it is in time
    warn_day: date
    filed: datetime | None

    @property
    def due_at(self) -> datetime:
        """The first moment that is too late."""
        after = self.due_day + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=JST)

    @property
    def was_late(self) -> bool:
        """Whether it was filed too late."""
        return self.filed is not None and self.filed >= self.due_at

    def level(self, now: datetime) -> Level:
        """Return how it stands."""
        if self.filed is not None:
            return Level.DONE
        if now >= self.due_at:
            return Level.OVERDUE
        return Level.SOON if business_date(now) >= self.warn_day else Level.CALM

    def days_left(self, now: datetime) -> int:
        """Return the days left after today; negative when it is late."""
        return (self.due_day - business_date(now)).days


def clocks_of(
    noticed: datetime, *, improper: str, filed: Mapping[str, datetime]
) -> tuple[DueReport, DueReport]:
    """Return the prompt and the final report; raise ``PaperRulesMissing``."""
    prompt, final = (
        _due(
            noticed, report, clock_for(report, improper=improper, on=business_date(noticed)), filed
        )
        for report in REPORTS
    )
    return prompt, final


def _due(noticed: datetime, report: str, row: ClockRow, filed: Mapping[str, datetime]) -> DueReport:
    day = business_date(noticed)
    first = 1 if row.counts_first_day else 0
    return DueReport(
        report=report,
        row=row,
        noticed_day=day,
        due_day=day + timedelta(days=row.days - first),
        warn_day=day + timedelta(days=row.warn_days - first),
        filed=filed.get(report),
    )
