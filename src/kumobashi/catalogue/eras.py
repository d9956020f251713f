"""Dates in Japanese eras, as the code list ``era`` says them; codes of one digit or of two.

The last day of an era and the first of the next were the same day in 1912 and 1926; it counts to
the new era here. Days before Meiji have no era.

>>> era_date(date(2026, 11, 22))
EraDate(code='5', ja='令和', year=8, month=11, day=22)
>>> era_date(date(2019, 5, 1)).text
'令和元年5月1日'
>>> era_date(date(1926, 12, 25)).code_of_two_digits
'03'
>>> era_date(date(1989, 1, 7)).western
datetime.date(1989, 1, 7)
"""

from dataclasses import dataclass
from datetime import date

from kumobashi.catalogue.code_lists import Code, load_code_lists


@dataclass(frozen=True, slots=True)
class EraDate:
    """A day as it is written with an era; ``code`` has one digit, as in residents' data."""

    code: str
    ja: str
    year: int  # 1 is written 元年
    month: int
    day: int

    @property
    def code_of_two_digits(self) -> str:
        """The code of the intermediate standard layout, where it has two digits."""
        return self.code.zfill(2)

    @property
    def text(self) -> str:
        """The day in words."""
        year = "元" if self.year == 1 else str(self.year)
        return f"{self.ja}{year}年{self.month}月{self.day}日"

    @property
    def western(self) -> date:
        """The day in the western calendar.

        Raises:
            ValueError: the era had no such day.
        """
        era = next((era for era in _eras() if era.code == self.code), None)
        if era is None or era.valid_from is None or self.year < 1:
            raise ValueError(f"no such era or year: {self.code} {self.year}")
        found = date(era.valid_from.year + self.year - 1, self.month, self.day)
        if era_of(found) != era:
            raise ValueError(f"{self.text} is outside the era")
        return found


def era_date(day: date) -> EraDate:
    """Return a day in its era.

    Raises:
        ValueError: the day is before Meiji.
    """
    era = era_of(day)
    if era is None or era.valid_from is None:
        raise ValueError(f"{day} is before Meiji")
    return EraDate(era.code, era.ja, day.year - era.valid_from.year + 1, day.month, day.day)


def era_of(day: date) -> Code | None:
    """Return the era of a day, as the code list has it."""
    for era in _eras():
        if era.valid_from and era.valid_from <= day and (not era.valid_to or day <= era.valid_to):
            return era
    return None


def _eras() -> tuple[Code, ...]:
    return load_code_lists()["era"].codes
