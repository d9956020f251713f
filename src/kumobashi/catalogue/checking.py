"""Hold a table against its layout and report what is wrong, grouped, with no loop over rows.

One scan counts every kind of fault; only where something was counted does a second query fetch the
first line and what was got. That is a code, a length or the name of a type, never a value of a
person: a text that stands where a code should and does not look like one is told by its length.

>>> from duckdb import connect
>>> from kumobashi.catalogue.layouts import load_layouts
>>> rows = "(select '0000000001' as resident_no, '7' as payment_kind, null::date as decided_on)"
>>> layout = load_layouts().get("child-support-allowance", "1")
>>> [(f.code, f.line, f.item, f.got) for f in findings(connect(), rows, layout, 10)]
[('finding.unknown_code', 1, 'payment_kind', '7')]
"""

# ruff: noqa: S608 - names pass `quoted`, codes `literal`; the relation is the caller's own

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.layouts import Field, Layout
from kumobashi.kernel import Finding
from kumobashi.storage.tables import literal, quoted

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_INTEGERS |= {f"U{name}" for name in _INTEGERS}
_TEXT = "VARCHAR"
_TIMESTAMPS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
_ACCEPTED: dict[str, set[str]] = {
    "X": {_TEXT},
    "N": {_TEXT},
    "9": {_TEXT, *_INTEGERS},
    "S9": {_TEXT, *_INTEGERS},
    "DATE": {_TEXT, "DATE"},
    "YEAR": {_TEXT, *_INTEGERS},
    "TIMESTAMP": {_TEXT, "TIMESTAMP WITH TIME ZONE", *_TIMESTAMPS},
    "LIST9": {_TEXT, *(f"{name}[]" for name in _INTEGERS)},
}
# A text that should be something else, as CSV brings it: when it is not that. {} is the column.
_NOT_THAT = {
    "9": "not regexp_full_match({}, '[0-9]+')",
    "S9": "not regexp_full_match({}, '-?[0-9]+')",
    "DATE": "{} not like '____-__-__' or try_cast({} as date) is null",
    "YEAR": "not regexp_full_match({}, '[0-9]{{4}}')",
    "TIMESTAMP": "try_cast({} as timestamp) is null",
    "LIST9": "not regexp_full_match({}, '\\[?[0-9]*([ ,] ?[0-9]+)*\\]?')",
}
_LONGER_THAN_CODES = 2  # characters by which a wrong code may exceed the longest and still be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """One kind of fault of one column, in SQL."""

    code: str
    item: str
    expected: str
    fault: str  # true where a row is wrong
    got: str  # text to show


def findings(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    limit: int,
    code_lists: Mapping[str, CodeList] | None = None,
) -> list[Finding]:
    """Return at most ``limit`` findings on the rows of ``relation_sql``, a name or ``(select …)``.

    Faults of one column that look the same are one finding: ``line`` is the first, ``rows`` counts
    them. What does not fit into the limit is counted in the last finding of its kind, so that the
    counts stay true for every column listed.
    """
    types = _types(connection, relation_sql)
    checks = _all_checks(types, layout, code_lists)
    counted = ", ".join(f"count(*) filter ({check.fault})" for check in checks) or "0"
    counts = connection.execute(f"select count(*), {counted} from {relation_sql}").fetchall()[0]
    found = list(_of_columns(layout, types, int(counts[0])))
    for check, count in zip(checks, counts[1:], strict=bool(checks)):
        if count and len(found) < limit:
            found += _grouped(connection, relation_sql, check, int(count), limit - len(found))
    return found[:limit]


def fault_condition(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None = None,
) -> str:
    """Return the SQL condition that is true for a row with any fault, and never null."""
    checks = _all_checks(_types(connection, relation_sql), layout, code_lists)
    return " or ".join(f"coalesce({check.fault}, false)" for check in checks) or "false"


def _types(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> dict[str, str]:
    described = connection.execute(f"describe select * from {relation_sql}").fetchall()
    return {str(row[0]): _plain(str(row[1])) for row in described}


def _all_checks(
    types: Mapping[str, str], layout: Layout, code_lists: Mapping[str, CodeList] | None
) -> list[_Check]:
    lists = load_code_lists() if code_lists is None else code_lists
    return [
        check
        for field in layout.fields
        if types.get(field.name) in _ACCEPTED[field.type]
        for check in _checks(field, types[field.name], lists)
    ]


def _plain(kind: str) -> str:
    """Return a type without its parameters; an enumeration is text."""
    return _TEXT if kind.startswith("ENUM") else kind


def _of_columns(layout: Layout, types: Mapping[str, str], rows: int) -> Iterator[Finding]:
    """Find what is wrong with whole columns."""
    for field in layout.fields:
        kind = types.get(field.name)
        if kind is None:
            yield _whole("finding.column_missing", field.name, field.type, "-", rows)
        elif kind not in _ACCEPTED[field.type]:
            yield _whole("finding.wrong_type", field.name, field.type, kind, rows)
    for name in types:
        if name not in layout.names:
            yield _whole("finding.column_unexpected", name, "-", types[name], rows)


def _whole(code: str, item: str, expected: str, got: str, rows: int) -> Finding:
    return Finding(code=code, line=None, item=item, expected=expected, got=got, rows=max(rows, 1))


def _checks(field: Field, kind: str, lists: Mapping[str, CodeList]) -> Iterator[_Check]:
    """Give the checks of one column that is there and may be of this type."""
    name = quoted(field.name)
    is_empty = f"({name} is null or {name} = '')" if kind == _TEXT else f"({name} is null)"
    if field.required:
        yield _Check(
            code="finding.required_missing",
            item=field.name,
            expected=field.type,
            fault=is_empty,
            got="'-'",
        )
    wrong = _NOT_THAT.get(field.type) if kind == _TEXT else None
    is_wrong = f"not {is_empty} and ({wrong.format(name, name)})" if wrong else "false"
    if wrong:
        yield _Check(
            code="finding.wrong_type",
            item=field.name,
            expected=field.type,
            fault=is_wrong,
            got=literal(_TEXT),
        )
    if field.digits is not None:
        yield _length(field, kind, f"not {is_empty} and not ({is_wrong})")
    if field.code_list is not None:
        yield _coded(field, lists[field.code_list], f"not {is_empty}")


def _length(field: Field, kind: str, present: str) -> _Check:
    """Check digits, which count characters; a variation selector belongs to its character."""
    name = quoted(field.name)
    if field.type == "LIST9":
        texts = f"regexp_extract_all({name}::varchar, '[0-9]+')"
        length = f"coalesce(list_max(list_transform({texts}, lambda n: length(n))), 0)"
        fault = f"{length} > {field.digits}"
        if kind.endswith("[]"):  # numbers are compared as numbers, which costs a tenth
            largest = f"greatest(list_max({name}), -list_min({name}))"
            fault = f"coalesce({largest}, 0) >= {10 ** (field.digits or 0)}"
    elif kind == _TEXT:
        length = f"length_grapheme({name})" if field.type in {"X", "N"} else f"length({name})"
        # The dear function is asked only where the cheap one found something.
        fault = f"case when length({name}) > {field.digits} then {length} > {field.digits} end"
    else:
        length = f"length(ltrim({name}::varchar, '-'))"
        fault = f"{length} > {field.digits}"
    return _Check(
        code="finding.too_long",
        item=field.name,
        expected=f"<= {field.digits}",
        fault=f"{present} and {fault}",
        got=f"({length})::varchar",
    )


def _coded(field: Field, codes: CodeList, present: str) -> _Check:
    text = f"{quoted(field.name)}::varchar"
    known = ", ".join(literal(value) for value in codes.values)
    fault = f"{text} not in ({known})"
    longest = max(len(value) for value in codes.values)
    if codes.chain > 1:
        parts = f"string_split({text}, ',')"
        is_chain = f"len({parts}) <= {codes.chain} and list_has_all([{known}], {parts})"
        fault = f"case when {fault} then not ({is_chain}) end"
        longest = longest * codes.chain + codes.chain - 1
    shown = rf"regexp_full_match({text}, '[0-9A-Za-z,._-]{{1,{longest + _LONGER_THAN_CODES}}}')"
    return _Check(
        code="finding.unknown_code",
        item=field.name,
        expected=f"code_list:{codes.name}",
        fault=f"{present} and {fault}",
        got=f"case when {shown} then {text} else 'length ' || length({text}) end",
    )


def _grouped(
    connection: duckdb.DuckDBPyConnection, relation_sql: str, check: _Check, count: int, room: int
) -> Iterator[Finding]:
    """Fetch what was got, from which line on and how often."""
    groups = connection.execute(
        f"""select got, min(line) as first, count(*) from (
            select row_number() over () as line, {check.fault} as fault, {check.got} as got
            from {relation_sql}
        ) where fault group by got order by first limit {room}"""
    ).fetchall()
    rest = count - sum(rows for _, _, rows in groups)
    for number, (got, line, rows) in enumerate(groups, 1):
        is_last = number == len(groups)
        yield Finding(
            code=check.code,
            line=int(line),
            item=check.item,
            expected=check.expected,
            got=f"{got} …" if is_last and rest else str(got),
            rows=int(rows) + (rest if is_last else 0),
        )
