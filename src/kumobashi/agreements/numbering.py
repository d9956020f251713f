"""Document numbers (文書番号): the fiscal year of Reiwa, the letters of the office, a serial.

>>> from datetime import date
>>> number_of(date(2026, 11, 22), "架総", 123)
'8架総第123号'
>>> fiscal_year(date(2027, 3, 31)), fiscal_year(date(2027, 4, 1))
(2026, 2027)
"""

from datetime import date
from typing import Final

_REIWA: Final = 2018  # the year before its first
_APRIL: Final = 4


def fiscal_year(on: date) -> int:
    """Return the fiscal year of a day; it begins on 1 April."""
    return on.year if on.month >= _APRIL else on.year - 1


def number_of(on: date, letters: str, serial: int) -> str:
    """Return the document number of the ``serial``-th document of the year."""
    return f"{fiscal_year(on) - _REIWA}{letters}第{serial}号"
