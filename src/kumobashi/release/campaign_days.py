"""Days as campaigns write them: a date, or a distance from the base date.

>>> from datetime import date
>>> Before(years=1, months=6, at="month_start", days=7).on(date(2026, 11, 22))
datetime.date(2025, 4, 24)
>>> day_of(Before(at="fiscal_year_end"), date(2026, 11, 22))
datetime.date(2027, 3, 31)
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from kumobashi.directory.file_parts import FileModel

_APRIL, _MARCH, _MONTHS = 4, 3, 12
At = Literal["day", "month_start", "month_end", "fiscal_year_start", "fiscal_year_end"]


class Before(FileModel):
    """So long before the base date: years and months first, then ``at``, then days.

    A negative number of days is later. A month that is too short gives its last day: nine years
    before 29 February is the 28th.
    """

    years: Annotated[int, Field(ge=0, le=150)] = 0
    months: Annotated[int, Field(ge=0, le=1800)] = 0
    at: At = "day"
    days: Annotated[int, Field(ge=-36_525, le=36_525)] = 0

    def on(self, base: date) -> date:
        """Return the day, for a base date; the first day of our era at the earliest."""
        day = earlier(base, years=self.years, months=self.months)
        match self.at:
            case "day":
                pass
            case "month_start":
                day = day.replace(day=1)
            case "month_end":
                day = month_end(day)
            case "fiscal_year_start":
                day = date(fiscal_year(day), _APRIL, 1)
            case "fiscal_year_end":
                day = date(fiscal_year(day) + 1, _MARCH, 31)
        return day - timedelta(days=self.days)


def _kind(value: object) -> str:
    return "Before" if isinstance(value, dict | Before) else "date"


Day = Annotated[
    Annotated[date, Tag("date")] | Annotated[Before, Tag("Before")], Discriminator(_kind)
]


def day_of(day: date | Before, base: date) -> date:
    """Return the day that is meant, for a base date."""
    return day.on(base) if isinstance(day, Before) else day


def earlier(day: date, *, years: int = 0, months: int = 0) -> date:
    """Return the same day so many years and months earlier, or the last of a shorter month.

    >>> earlier(date(2028, 2, 29), years=9), earlier(date(2026, 3, 31), months=1)
    (datetime.date(2019, 2, 28), datetime.date(2026, 2, 28))
    """
    number = day.year * _MONTHS + day.month - 1 - years * _MONTHS - months
    year, month = max(number // _MONTHS, 1), number % _MONTHS + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def fiscal_year(day: date) -> int:
    """Return 年度: from April to March.

    >>> fiscal_year(date(2027, 3, 31)), fiscal_year(date(2027, 4, 1))
    (2026, 2027)
    """
    return day.year if day.month >= _APRIL else day.year - 1


def month_number(day: date) -> int:
    """Return a month as coarsened columns hold it: yyyymm."""
    return day.year * 100 + day.month


def months_between(first: date, last: date) -> list[int]:
    """Return the months from that of ``first`` to that of ``last``, as yyyymm.

    >>> months_between(date(2025, 12, 31), date(2026, 1, 1))
    [202512, 202601]
    """
    start, end = (day.year * _MONTHS + day.month - 1 for day in (first, last))
    return [number // _MONTHS * 100 + number % _MONTHS + 1 for number in range(start, end + 1)]
