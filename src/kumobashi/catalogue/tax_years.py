"""Which tax year (相当年度) of the resident tax applies on a day.

The tax of a year is decided on the income of the year before and known from June on; until 31 May
the decision of the previous year is the one in force, for benefits too (未確認: the day on which
each scheme changes over is its own; 1 June is that of the tax).

>>> tax_year_on(date(2026, 5, 31)), tax_year_on(date(2026, 6, 1))
(2025, 2026)
>>> days_of(2026)
(datetime.date(2026, 6, 1), datetime.date(2027, 5, 31))
"""

from datetime import date

_SWITCH = (6, 1)  # month and day on which the new year begins to apply


def tax_year_on(day: date) -> int:
    """Return the tax year whose decision applies on that day."""
    return day.year if (day.month, day.day) >= _SWITCH else day.year - 1


def days_of(tax_year: int) -> tuple[date, date]:
    """Return the first and the last day on which a tax year applies."""
    month, day = _SWITCH
    return date(tax_year, month, day), date(tax_year + 1, month - 1, 31)
