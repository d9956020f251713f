"""A condition as SQL of the working database (DuckDB); every value is bound, none is in the text.

SQL's own three values are those we want: true, false, and NULL for unknown, with ``and``, ``or``
and ``not`` after Kleene. What asks for other rows (``has_row``, ``household_has``) becomes a column
beforehand, and is named here by ``fact``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from kumobashi.release.campaign_days import (
    Before,
    day_of,
    earlier,
    month_number,
    months_between,
)
from kumobashi.release.conditions import (
    AllOf,
    AnyOf,
    Condition,
    HasAge,
    HasCode,
    HasMonth,
    HasRow,
    HouseholdHas,
    InAges,
    InDays,
    InMonths,
    InNumbers,
    InParcels,
    IsFlag,
    Not,
    StartsWith,
)
from kumobashi.storage.tables import quoted

Bound = str | int | date | list[int] | bytes
_DIGITS = "translate({}, '０１２３４５６７８９', '0123456789')"
# 番 and 番地 alike; 5-1 is written too. What has no such number is unknown.
_NUMBER = "'^[ 　]*([0-9]+)[ 　]*(番|[-‐−ー－]|$)'"


@dataclass(slots=True)
class Values:
    """The values of one statement, by the names that its text has for them."""

    bound: dict[str, Bound] = field(default_factory=dict)

    def __call__(self, value: Bound) -> str:
        """Bind a value and return its name in the text."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"${name}"

    def listed(self, values: Sequence[Bound]) -> str:
        """Bind values and return them as the list behind ``in``."""
        return ", ".join(self(value) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiling:
    """What turns conditions into SQL for one statement."""

    on: date  # the base date
    values: Values
    fact: Callable[[HasRow | HouseholdHas], str]  # the column that holds the answer
    column: Callable[[str], str] = quoted

    def sql(self, condition: Condition) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each
        """Return an expression that is true, false or NULL."""
        values, on = self.values, self.on
        match condition:
            case AllOf(of=parts):
                return f"({' and '.join(self.sql(part) for part in parts)})"
            case AnyOf(of=parts):
                return f"({' or '.join(self.sql(part) for part in parts)})"
            case Not(of=part):
                return f"(not {self.sql(part)})"
            case HasRow() | HouseholdHas():
                return self.fact(condition)
            case HasCode(column=name, one_of=one, none_of=none):
                return self._code(self.column(name), one, none)
            case StartsWith(column=name, one_of=heads):
                tries = (f"starts_with({self.column(name)}, {values(head)})" for head in heads)
                return f"({' or '.join(tries)})"
            case IsFlag(column=name, is_=wanted):
                return f"({self.column(name)} = {values(wanted)})"
            case InNumbers(column=name, from_=first, to=last):
                return self._between(self.column(name), first, last)
            case InDays(column=name, from_=start, to=end):
                return self._between(self.column(name), _day(start, on), _day(end, on))
            case InAges():
                return self._age(condition)
            case InMonths(column=name, from_=start, to=end):
                months = [None if d is None else month_number(day_of(d, on)) for d in (start, end)]
                return self._between(self.column(name), *months)
            case HasMonth(column=name, from_=start, to=end):
                return self._holds(name, months_between(day_of(start, on), day_of(end, on)))
            case HasAge(column=name, from_=youngest, to=oldest):
                return self._holds(name, list(range(youngest, oldest + 1)))
            case InParcels():
                return self._parcels(condition)

    def _code(self, name: str, one: Sequence[str | int], none: Sequence[str | int]) -> str:
        text = f"{name}::varchar"
        is_one = f"{text} in ({self.values.listed([str(code) for code in one])})"
        if not none:
            return f"({is_one})"
        is_none = f"{text} in ({self.values.listed([str(code) for code in none])})"
        return f"(case when {is_one} then true when {is_none} then false end)"

    def _holds(self, name: str, wanted: list[int]) -> str:
        """Ask whether a list holds one of the numbers; for one alone that is much quicker said."""
        if len(wanted) == 1:
            return f"list_contains({self.column(name)}, {self.values(wanted[0])}::integer)"
        return f"list_has_any({self.column(name)}::integer[], {self.values(wanted)}::integer[])"

    def _between(self, name: str, first: int | date | None, last: int | date | None) -> str:
        ends = []
        if first is not None:
            ends.append(f"{name} >= {self.values(first)}")
        if last is not None:
            ends.append(f"{name} <= {self.values(last)}")
        return f"({' and '.join(ends)})"

    def _age(self, ages: InAges) -> str:
        """Compare birth dates with two days rather than compute everybody's age.

        A year is full on the birthday, and of who was born on 29 February, on 1 March.
        """
        day = day_of(ages.at, self.on) if ages.at is not None else self.on
        if ages.reached == "day_before":  # 年齢計算ニ関スル法律
            day += timedelta(days=1)
        name, ends = self.column(ages.column), []
        if ages.from_ is not None:
            ends.append(f"{name} <= {self.values(earlier(day, years=ages.from_))}")
        if ages.to is not None:
            ends.append(f"{name} > {self.values(earlier(day, years=ages.to + 1))}")
        return f"({' and '.join(ends)})"

    def _parcels(self, area: InParcels) -> str:
        town, number = self.column(area.town), self.column(area.number)
        block = f"try_cast(regexp_extract({_DIGITS.format(number)}, {_NUMBER}, 1) as integer)"
        towns = self.values.listed(list(area.of))
        parcels = [f"{town}:{block}" for town, blocks in area.of.items() for block in blocks]
        return (
            f"(case when {town} not in ({towns}) then false"
            f" else {town} || ':' || {block} in ({self.values.listed(parcels)}) end)"
        )


def _day(day: date | Before | None, on: date) -> date | None:
    return None if day is None else day_of(day, on)
