"""What can be put right in a text without asking anyone, in SQL, one rule after the other.

Only what has one reading is changed: a date of an era, a figure in full width, a zero that Excel
took away where the code list shows it. What has two readings stays as it is and stays a finding.

>>> import duckdb
>>> born = Field("birth_date", "DATE")
>>> said = "select * from (values ('昭和64年1月7日'), ('2026/4/1 '), ('H31.5.1')) as t(birth_date)"
>>> duckdb.sql(f"select {corrected(born)} from ({said})").fetchall()
[('1989-01-07',), ('2026-04-01',), ('H31.5.1',)]
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from kumobashi.storage.tables import literal, quoted

Rule = Literal["spaces", "half_width", "thousands", "dates", "zeros"]
RULES: tuple[Rule, ...] = ("spaces", "half_width", "thousands", "dates", "zeros")
_FULL = "０１２３４５６７８９－／．，　"
_HALF = "0123456789-/., "
_FIGURES = {"9", "S9", "9V", "YEAR", "DATE", "TIME", "TIMESTAMP", "LIST9"}
# Era, its names, the day it began and the last; a year outside has two readings and stays.
_ERAS = (
    ("令和|R", 2018, "2019-05-01", "9999-12-31"),
    ("平成|H", 1988, "1989-01-08", "2019-04-30"),
    ("昭和|S", 1925, "1926-12-25", "1989-01-07"),
    ("大正|T", 1911, "1912-07-30", "1926-12-24"),
    ("明治|M", 1867, "1868-01-25", "1912-07-29"),
)
_WESTERN = "^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$"
_PACKED = "^([0-9]{4})([0-9]{2})([0-9]{2})$"


@dataclass(frozen=True, slots=True)
class Field:
    """What correcting needs to know of an item."""

    name: str
    type: str
    digits: int | None = None
    codes: tuple[str, ...] = field(default=())
    is_identifier: bool = False  # a number of fixed length that is written as a text


def steps(item: Field) -> Iterator[tuple[Rule, str]]:
    """Give the rules for an item, each with the SQL of its result, one built on the one before."""
    value = quoted(item.name)
    for rule in RULES:
        after = _apply(rule, value, item)
        if after != value:
            yield rule, after
            value = after


def corrected(item: Field) -> str:
    """Return the SQL of an item's text when all rules are applied."""
    last = quoted(item.name)
    for _, last in steps(item):  # noqa: B007 - the last one is what is asked for
        pass
    return last


def _apply(rule: Rule, value: str, item: Field) -> str:
    is_figures = item.type in _FIGURES or bool(item.codes) or item.is_identifier
    match rule:
        case "spaces":
            return f"trim({value}, ' \t　')"
        case "half_width" if is_figures:
            return f"translate({value}, '{_FULL}', '{_HALF}')"
        case "thousands" if item.type in {"9", "S9"}:
            shown = f"regexp_full_match({value}, '-?[0-9]{{1,3}}(,[0-9]{{3}})+')"
            return f"case when {shown} then replace({value}, ',', '') else {value} end"
        case "dates" if item.type == "DATE":
            return _date(value)
        case "zeros" if item.codes or (item.is_identifier and item.digits):
            return _with_zeros(value, item)
        case _:
            return value


def _date(value: str) -> str:
    readings = [_read(value, _WESTERN, "0"), _read(value, _PACKED, "0")]
    for names, before, first, last in _ERAS:
        year = "([0-9]{1,2}|元)"
        pattern = f"^(?:{names}){year}[-/.年]([0-9]{{1,2}})[-/.月]([0-9]{{1,2}})日?$"
        day = _read(value, pattern, str(before))
        readings.append(f"case when {day} between date '{first}' and date '{last}' then {day} end")
    return f"coalesce(strftime(coalesce({', '.join(readings)}), '%Y-%m-%d'), {value})"


def _read(value: str, pattern: str, add: str) -> str:
    """Return the SQL of the date that a pattern of year, month and day gives, else null."""
    year, month, day = (f"regexp_extract({value}, '{pattern}', {group})" for group in (1, 2, 3))
    number = f"try_cast(case {year} when '元' then '1' else {year} end as integer) + {add}"
    text = f"printf('%04d-%02d-%02d', {number}, try_cast({month} as int), try_cast({day} as int))"
    return f"case when regexp_matches({value}, '{pattern}') then try_cast({text} as date) end"


def _with_zeros(value: str, item: Field) -> str:
    """Put zeros back that a spreadsheet took away, where only one length is right."""
    lengths = {len(code) for code in item.codes} or {item.digits or 0}
    if len(lengths) > 1:
        return value
    padded = f"lpad({value}, {lengths.pop()}, '0')"
    is_short = f"regexp_full_match({value}, '[0-9]+') and length({value}) < length({padded})"
    if item.codes:
        is_short += f" and {padded} in ({', '.join(map(literal, item.codes))})"
    return f"case when {is_short} then {padded} else {value} end"
