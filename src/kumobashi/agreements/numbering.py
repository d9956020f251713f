"""Document numbers (文書番号): the fiscal year of Reiwa, the letters of the office, a serial.

>>> from datetime import date
>>> number_of(date(2026, 11, 22), "架総", 123)
'8架総第123号'
>>> fiscal_year(date(2027, 3, 31)), fiscal_year(date(2027, 4, 1))
(2026, 2027)
"""

from datetime import date
from typing import Final

import sqlalchemy as sa

from kumobashi.agreements.errors import NumberTaken
from kumobashi.agreements.sql import agreements

_REIWA: Final = 2018  # the year before its first
_APRIL: Final = 4


def fiscal_year(on: date) -> int:
    """Return the fiscal year of a day; it begins on 1 April."""
    return on.year if on.month >= _APRIL else on.year - 1


def last_of_fiscal_year(on: date) -> date:
    """Return 31 March of the fiscal year of a day."""
    return date(fiscal_year(on) + 1, 3, 31)


def number_of(on: date, letters: str, serial: int) -> str:
    """Return the document number of the ``serial``-th document of the year."""
    return f"{fiscal_year(on) - _REIWA}{letters}第{serial}号"


def free_number(
    connection: sa.Connection, tenant: str, wanted: str | None, today: date, letters: str
) -> tuple[str, dict[str, object]]:
    """Return a number that no agreement has, and the columns with what it was made from.

    Raises:
        NumberTaken: the staff wants one that another agreement has.
    """
    if wanted is not None:
        if _is_taken(connection, tenant, wanted):
            raise NumberTaken(number=wanted)
        return wanted, {}
    year = fiscal_year(today)
    newest = sa.select(sa.func.max(agreements.c.serial)).where(
        agreements.c.tenant == tenant, agreements.c.year == year
    )
    serial = (connection.execute(newest).scalar() or 0) + 1
    while _is_taken(connection, tenant, number := number_of(today, letters, serial)):
        serial += 1  # past those that the staff gave themselves
    return number, {"year": year, "serial": serial}


def _is_taken(connection: sa.Connection, tenant: str, number: str) -> bool:
    held = sa.select(agreements.c.agreement).where(
        agreements.c.tenant == tenant, agreements.c.number == number
    )
    return connection.execute(held).first() is not None
