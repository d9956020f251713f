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
_SPACES = " \t　"
_SPACED = f"^[{_SPACES}]|[{_SPACES}]$"
_WIDTHS = "'０１２３４５６７８９－／．，　', '0123456789-/., '"
_FIGURES = {"9", "S9", "9V", "YEAR", "DATE", "TIME", "TIMESTAMP", "LIST9"}
# First letters of an era, the year before its first, its first day and its last; a day outside has
# two readings and stays. 明治 begins where Japan took the western calendar.
_ERAS = (
    ("令R", 2018, "2019-05-01", "9999-12-31"),
    ("平H", 1988, "1989-01-08", "2019-04-30"),
    ("昭S", 1925, "1926-12-25", "1989-01-07"),
    ("大T", 1911, "1912-07-30", "1926-12-24"),
    ("明M", 1867, "1873-01-01", "1912-07-29"),
)
_WESTERN = "([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
_PACKED = "([0-9]{4})([0-9]{2})([0-9]{2})"
_OF_AN_ERA = (
    "(令和|平成|昭和|大正|明治|[RHSTM])([0-9]{1,2}|元)[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
)


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
            is_spaced = f"regexp_matches({value}, '{_SPACED}')"  # asking is cheaper than trimming
            return f"case when {is_spaced} then trim({value}, '{_SPACES}') else {value} end"
        case "half_width" if is_figures:
            is_ascii = f"strlen({value}) = length({value})"  # most are, and translating is slow
            return f"case when {is_ascii} then {value} else translate({value}, {_WIDTHS}) end"
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
    """Return the SQL of a date as the standard writes it; most are already, and cost nothing."""
    western, packed = (
        f"case when regexp_full_match({value}, '{pattern}')"
        f" then try_cast(regexp_replace({value}, '{pattern}', '\\1-\\2-\\3') as date) end"
        for pattern in (_WESTERN, _PACKED)
    )
    era, year, month, day = (f"regexp_extract({value}, '{_OF_AN_ERA}', {n})" for n in range(1, 5))
    number = f"cast(case {year} when '元' then '1' else {year} end as integer)"
    of_eras = ""
    for letters, before, first, last in _ERAS:
        read = f"try_cast(concat_ws('-', {number} + {before}, {month}, {day}) as date)"
        within = f"{read} between date '{first}' and date '{last}'"
        of_eras += f"when contains('{letters}', left({era}, 1)) and {within} then {read} "
    of_an_era = f"case when regexp_full_match({value}, '{_OF_AN_ERA}') then case {of_eras} end end"
    read = f"strftime(coalesce({western}, {packed}, {of_an_era}), '%Y-%m-%d')"
    return f"case when {value} like '____-__-__' then {value} else coalesce({read}, {value}) end"


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
