"""The value of each released column as SQL of the working database (DuckDB).

They read a row of ``eligible``: a subject, with what ``households`` says of its household.
Keys of tokens come as parameters, never in the text.
"""

from datetime import date
from typing import assert_never

from kumobashi.release.bands import Band
from kumobashi.release.columns import (
    CAMPAIGN,
    AnyColumn,
    Area,
    BaseDate,
    CampaignCode,
    Constant,
    Drop,
    Flag,
    HasMember,
    HasSpouse,
    HouseholdAges,
    HouseholdBirthMonths,
    HouseholdCounts,
    Keep,
    Mask,
    Prefix,
    Suppress,
    Token,
    TopBottom,
    Truncate,
)
from kumobashi.release.staging import area_stage, flag_stage
from kumobashi.storage.tables import literal, quoted

# 続柄 11 husband, 12 wife, 13 and 14 the same without registration; chained behind a comma.
SPOUSES = "('11', '12', '13', '14')"
HEAD = "'02'"


def value(key: str, column: AnyColumn, on: date) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each operation
    """Return the expression for ``column`` at the base date ``on``; ``key`` names the subject."""
    match column:
        case Token(of=source):
            plain = "head" if source == "household_head" else quoted(source)
            inner = f"unhex(sha256($inner || encode({plain})))"
            return f"left(sha256($outer || {inner}), 32)"  # RFC 2104, cut to 128 bits
        case BaseDate():
            return literal(on)
        case Keep(of=source):
            return quoted(source)
        case CampaignCode():
            return CAMPAIGN
        case Constant(value=same) | Suppress(mark=same):
            return literal(same)
        case Truncate():
            return _truncated(column)
        case Prefix(of=source, length=length):
            return f"left({quoted(source)}, {length})"
        case Area():
            return _area(column)
        case Mask():
            return _masked(column)
        case TopBottom(of=source, bottom=bottom, top=top):
            number = limited = f"try_cast({quoted(source)} as bigint)"
            limited = limited if top is None else f"least({limited}, {literal(top)})"
            limited = limited if bottom is None else f"greatest({limited}, {literal(bottom)})"
            # `least` and `greatest` pass over nulls: nobody's unknown income becomes the limit.
            return f"case when {number} is not null then {limited} end"
        case HasSpouse(of=source):
            name = quoted(source)
            spouse = (
                f"right({name}, 2) in {SPOUSES} or ({name} = {HEAD} and head_has_spouse)"
                f" or list_contains(partners, {name})"
            )
            return f"coalesce({spouse}, false)::smallint"
        case HouseholdAges(name=name):
            return f"coalesce({quoted('hh_' + name)}, [])::smallint[]"
        case HouseholdCounts(name=name):
            return f"{quoted('hh_' + name)}::smallint[]"
        case HasMember(name=name, form=form):
            has = f"coalesce({quoted('hh_' + name)}, false)::smallint"
            return has if form == "number" else f"[{has}]"
        case HouseholdBirthMonths(name=name):
            return f"coalesce({quoted('hh_' + name)}, []::integer[])"
        case Flag():
            return _flag(key, column)
        case Drop():
            raise AssertionError("what is dropped has no value")
        case _:
            assert_never(column)


def pushed_name(column: AnyColumn) -> str:
    """Return the column of ``pushed`` that holds a value which the source has worked out."""
    return f"v_{column.name}"


def pushed_value(  # noqa: PLR0911 - by operation
    key: str, column: AnyColumn, on: date
) -> str:
    """Return the expression for ``column`` over ``pushed``: the source's value, in our type.

    What needs a key, or is checked row by row, is made here as ever.
    """
    made = quoted(pushed_name(column))
    match column:
        case Token() | Area() | Mask() | TopBottom():
            return value(key, column, on)
        case HouseholdAges() | HouseholdCounts():
            return f"coalesce({made}, [])::smallint[]"
        case HouseholdBirthMonths():
            return f"coalesce({made}, [])::integer[]"
        case HasMember(form="list"):
            return f"[{made}::smallint]"
        case Truncate(to="month"):
            return f"{made}::integer"
        case HasSpouse() | HasMember() | Flag() | Truncate():
            return f"{made}::smallint"
        case _:
            return made


def household_facts(column: AnyColumn, relationship: str, on: date) -> list[str]:
    """Return what ``households`` must know for a column, as expressions over a group."""
    match column:
        case HasSpouse():
            # Nearly every couple holds the head: a flag costs a fraction of a list of codes.
            chained = f"length({relationship}) > 2 and right({relationship}, 2) in {SPOUSES}"
            partners = f"list(left({relationship}, length({relationship}) - 3))"
            return [
                f"bool_or({relationship} in {SPOUSES}) as head_has_spouse",
                f"{partners} filter ({chained}) as partners",
            ]
        case HouseholdAges(name=name, of=birth, top=top):
            years = f"least({age(birth, on)}, {top})::utinyint"
            known = f"{quoted(birth)} is not null"
            return [f"list_sort(list({years}) filter ({known})) as {quoted('hh_' + name)}"]
        case HouseholdCounts(name=name, of=birth):
            counts = (
                f"count(*) filter ({_within(birth, band, on)})::smallint" for band in column.read
            )
            return [f"[{', '.join(counts)}] as {quoted('hh_' + name)}"]
        case HasMember(name=name, of=birth):
            return [f"bool_or({_within(birth, column.band, on)}) as {quoted('hh_' + name)}"]
        case HouseholdBirthMonths(name=name, of=birth, under=under, to=to):
            young = f"{age(birth, on)} < {under}"
            born = f"{_months(birth)}" if to == "month" else f"year({quoted(birth)})"
            return [f"list_sort(list({born}::integer) filter ({young})) as {quoted('hh_' + name)}"]
        case _:
            return []


def doubt(column: Area | TopBottom) -> str:
    """Return the condition that the value of a row of ``eligible`` cannot be worked out.

    It is the same at every level of a ladder but ``drop``: climbing neither adds nor takes rows.
    """
    match column:
        case Area(of=source, lengths=lengths, mapping=mapping):
            code = f"{quoted(source)}::varchar"
            placed = [f"length({code}) >= {max(lengths.values())}"] if lengths else []
            if mapping:
                looked_up = f"left({code}, {mapping.length})" if mapping.length else code
                levels = " and ".join(f"{quoted(name)} is not null" for name in mapping.to.values())
                known = f"select key from {area_stage(column)}_keys where {levels}"
                placed.append(f"{looked_up} in ({known})")
            return f"not coalesce({' and '.join(placed)}, false)"
        case TopBottom(of=source):
            name = quoted(source)
            return f"{name} is not null and try_cast({name} as bigint) is null"


def age(birth: str, on: date) -> str:
    """Full years at ``on``: whole birthdays passed; 0 for who is born later, null for unknown."""
    name = quoted(birth)
    number = f"(year({name}) * 10000 + month({name}) * 100 + day({name}))"
    passed = f"({on:%Y%m%d} - {number})"
    return f"(case when {passed} < 0 then 0 else {passed} // 10000 end)"


def _within(birth: str, band: Band, on: date) -> str:
    low = f"{age(birth, on)} >= {band.first}"
    both = low if band.last is None else f"{low} and {age(birth, on)} <= {band.last}"
    return f"{quoted(birth)} is not null and {both}"


def _months(birth: str) -> str:
    return f"(year({quoted(birth)}) * 100 + month({quoted(birth)}))"


def _truncated(column: Truncate) -> str:
    born = quoted(column.of)
    match column.to:
        case "month":
            return f"{_months(column.of)}::integer"
        case "year":
            return f"year({born})::smallint"
        case "five_years":
            return f"(year({born}) // 5 * 5)::smallint"
        case "school_year":
            is_early = f"month({born}) * 100 + day({born}) < 402"  # 1 April is early (早生まれ)
            return f"(year({born}) - ({is_early})::integer)::smallint"


def _area(column: Area) -> str:
    code = f"{quoted(column.of)}::varchar"
    mapping = column.mapping
    if mapping is None or column.to not in mapping.to:
        return f"left({code}, {column.lengths[column.to]})"
    looked_up = f"left({code}, {mapping.length})" if mapping.length else code
    area = quoted(mapping.to[column.to])
    return f"(select {area} from {area_stage(column)}_keys where key = {looked_up})"


def _masked(column: Mask) -> str:
    text, mark = f"{quoted(column.of)}::varchar", literal(column.mark)
    # At least one character is hidden, of the shortest name too.
    shown = f"greatest(least(length_grapheme({text}) - 1, {column.kept}), 0)"
    if column.first is not None:
        return f"left_grapheme({text}, {shown}) || {mark}"
    return f"{mark} || right_grapheme({text}, {shown})"


def _flag(key: str, column: Flag) -> str:
    stage, name = flag_stage(column), quoted(key)
    one = ", ".join(map(literal, column.one))
    keys = f"select {name} from {stage} where {name} is not null and {quoted(column.of)}"
    is_one = f"{name} in ({keys} in ({one}))"
    if column.absent == 0:
        return f"({is_one})::smallint"
    zero = ", ".join(map(literal, column.zero)) or "null"
    is_zero = f"{name} in ({keys} in ({zero}))"
    return f"(({is_one}) or not ({is_zero}))::smallint"
