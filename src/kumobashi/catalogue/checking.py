"""Hold a table against its layout and report what is wrong, with no loop over rows.

``findings`` groups what looks the same, for receipts and screens: one scan counts every kind of
fault, and only where something was counted does a second one fetch the first line and what was got.
``each_finding`` and ``export_findings`` give every fault of every line, in the order of the lines,
in one scan; the file carries the standard's error codes and sentences beside ours. What was got is
never a value of a person (see ``checks``). Lines are counted from 1, unless the relation brings its
own in the column ``LINE``.

>>> from duckdb import connect
>>> from kumobashi.catalogue.layouts import load_layouts
>>> rows = "(select '0000000001' as resident_no, '7' as payment_kind, null::date as decided_on)"
>>> layout = load_layouts().get("child-support-allowance", "1")
>>> [(f.code, f.line, f.item, f.got) for f in findings(connect(), rows, layout, 10)]
[('finding.unknown_code', 1, 'payment_kind', '7')]
"""

# ruff: noqa: S608 - names pass `quoted`, codes `literal`; the relation is the caller's own

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.catalogue.checks import ACCEPTED, Check, checks_of, plain_type
from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.fields import Layout
from kumobashi.catalogue.standard_errors import standard_error
from kumobashi.kernel import Finding
from kumobashi.storage.tables import literal, quoted

# Names that no column of a dataset has: columns are ASCII.
LINE = "·line"
_LINE, _NUMBER, _GOT = f'"{LINE}"', '"·number"', '"·got"'
_TITLES = ("行", "項目", "日本語名", "符号", "標準の符号", "期待", "実際", "説明")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written into a file of findings."""

    findings: int
    rows: int  # of the table that was checked


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
    held = _look(connection, relation_sql, layout, code_lists)
    found = list(held.of_columns)[:limit]
    room = limit - len(found)
    if not held.counts or not room:
        return found
    groups = connection.execute(
        f"select {_NUMBER}, {_GOT}, min({_LINE}) as first, count(*)"
        f" from ({_faults_sql(held)})"
        f" group by {_NUMBER}, {_GOT} order by {_NUMBER}, first limit {room}"
    ).fetchall()
    return [*found, *_grouped(groups, held)]


def count_findings(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None = None,
) -> int:
    """Return how many findings ``export_findings`` would write."""
    held = _look(connection, relation_sql, layout, code_lists)
    return len(held.of_columns) + sum(held.counts)


def each_finding(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    limit: int,
    code_lists: Mapping[str, CodeList] | None = None,
) -> list[Finding]:
    """Return the first ``limit`` findings one by one: those on columns, then line by line.

    There is one scan, and it ends with the last finding that is asked for.
    """
    held = _prepare(connection, relation_sql, layout, code_lists)
    found = list(held.of_columns)[:limit]
    if not held.checks or len(found) == limit:
        return found
    rows = connection.execute(f"{_faults_sql(held)} limit {limit - len(found)}").fetchall()
    return found + [_one(held.checks[int(n) - 1], int(line), str(got)) for line, n, got in rows]


def export_findings(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    path: Path,
    code_lists: Mapping[str, CodeList] | None = None,
) -> Exported:
    """Write every finding to ``path``: Parquet if it is so called, else CSV that Excel opens.

    The rows never become Python objects; memory is bounded by DuckDB's own limit.
    """
    held = _prepare(connection, relation_sql, layout, code_lists)
    parts = [
        _row_sql("null::bigint", f, layout, literal(f.got), code_lists) for f in held.of_columns
    ]
    if held.checks:
        parts.append(_written_sql(held, layout, code_lists))
    first, *others = _TITLES
    is_parquet = path.suffix == ".parquet"
    names = [first if is_parquet else _BOM + first, *others]
    body = " union all ".join(f"({part})" for part in parts) or _nothing_sql()
    form = "format parquet, compression zstd" if is_parquet else "format csv, header"
    columns = ", ".join(f"c{n} as {quoted(name)}" for n, name in enumerate(names))
    (written,) = connection.execute(
        f"copy (select {columns} from ({body})) to {literal(str(path))} ({form})"
    ).fetchall()
    return Exported(findings=int(written[0]), rows=held.rows)


def fault_condition(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None = None,
) -> str:
    """Return the SQL condition that is true for a row with any fault, and never null."""
    lists = load_code_lists() if code_lists is None else code_lists
    checks = checks_of(_types(connection, relation_sql), layout, lists)
    return " or ".join(f"coalesce({check.fault}, false)" for check in checks) or "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What is known before any row is looked at."""

    rows: int
    numbered: str  # the relation with the lines
    of_columns: tuple[Finding, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked(_Prepared):
    """What a scan found: only the checks that failed, and how often each."""

    counts: tuple[int, ...]


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None,
) -> _Prepared:
    lists = load_code_lists() if code_lists is None else code_lists
    types = _types(connection, relation_sql)
    rows = int(connection.execute(f"select count(*) from {relation_sql}").fetchall()[0][0])
    return _Prepared(
        rows=rows,
        numbered=_numbered(connection, relation_sql),
        of_columns=tuple(_of_columns(layout, types, rows)),
        checks=tuple(checks_of(types, layout, lists)),
    )


def _look(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None,
) -> _Looked:
    lists = load_code_lists() if code_lists is None else code_lists
    types = _types(connection, relation_sql)
    checks = checks_of(types, layout, lists)
    counted = "".join(f", count(*) filter ({check.fault})" for check in checks)
    rows, *counts = connection.execute(f"select count(*){counted} from {relation_sql}").fetchall()[
        0
    ]
    failed = [
        (check, int(count)) for check, count in zip(checks, counts, strict=True) if int(count)
    ]
    return _Looked(
        rows=int(rows),
        numbered=_numbered(connection, relation_sql),
        of_columns=tuple(_of_columns(layout, types, int(rows))),
        checks=tuple(check for check, _ in failed),
        counts=tuple(count for _, count in failed),
    )


def _types(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> dict[str, str]:
    described = connection.execute(f"describe select * from {relation_sql}").fetchall()
    return {str(row[0]): plain_type(str(row[1])) for row in described if row[0] != LINE}


def _of_columns(layout: Layout, types: Mapping[str, str], rows: int) -> Iterator[Finding]:
    """Find what is wrong with whole columns."""
    for field in layout.fields:
        kind = types.get(field.name)
        if kind is None:
            yield _whole("finding.column_missing", field.name, field.type, "-", rows)
        elif kind not in ACCEPTED[field.type]:
            yield _whole("finding.wrong_type", field.name, field.type, kind, rows)
    for name in types:
        if name not in layout.names:
            yield _whole("finding.column_unexpected", name, "-", types[name], rows)


def _whole(code: str, item: str, expected: str, got: str, rows: int) -> Finding:
    return Finding(code=code, line=None, item=item, expected=expected, got=got, rows=max(rows, 1))


def _one(check: Check, line: int, got: str) -> Finding:
    return Finding(code=check.code, line=line, item=check.item, expected=check.expected, got=got)


def _numbered(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> str:
    """Return the query for the rows with their lines: the relation's own, else counted."""
    described = connection.execute(f"describe select * from {relation_sql}").fetchall()
    if any(row[0] == LINE for row in described):
        return f"select * from {relation_sql}"
    return f"select row_number() over () as {_LINE}, * from {relation_sql}"


def _faults_sql(held: _Prepared) -> str:
    """Return the query for every fault: line, number of the check from 1, and what was got.

    Lines are counted before anything is left out, and stay in order; only wrong rows are unfolded.
    """
    checks = held.checks
    numbers = ", ".join(f"case when {c.fault} then {n} end" for n, c in enumerate(checks, 1))
    got = ", ".join(f"case when {c.fault} then {c.got} end" for c in checks)
    is_wrong = " or ".join(f"({c.fault})" for c in checks)
    return (
        f"select {_LINE}, {_NUMBER}, {_GOT} from ("
        f"select {_LINE}, unnest([{numbers}]) as {_NUMBER}, unnest([{got}]) as {_GOT} from ("
        f"{held.numbered}) where {is_wrong}) where {_NUMBER} is not null"
    )


def _grouped(groups: Sequence[tuple[int, str, int, int]], held: _Looked) -> Iterator[Finding]:
    """Make findings of groups; what the limit cut off is counted in the last of its kind."""
    listed: dict[int, int] = {}
    for number, _, _, rows in groups:
        listed[number] = listed.get(number, 0) + int(rows)
    last = {number: place for place, (number, *_) in enumerate(groups)}
    for place, (number, got, line, rows) in enumerate(groups):
        check = held.checks[number - 1]
        rest = held.counts[number - 1] - listed[number] if last[number] == place else 0
        yield Finding(
            code=check.code,
            line=int(line),
            item=check.item,
            expected=check.expected,
            got=f"{got} …" if rest else str(got),
            rows=int(rows) + rest,
        )


def _written_sql(held: _Prepared, layout: Layout, code_lists: Mapping[str, CodeList] | None) -> str:
    """Return the query for the lines of the file; words are looked up by the check's number."""
    said = [_said(c.code, c.item, c.expected, layout, code_lists) for c in held.checks]

    def by_number(column: int) -> str:
        listed = ", ".join(literal(texts[column]) for texts in said)
        return f"[{listed}][{_NUMBER}]"

    item, ja, code, standard, expected, message = map(by_number, range(6))
    return (
        f"select {_LINE} as c0, {item} as c1, {ja} as c2, {code} as c3, {standard} as c4,"
        f" {expected} as c5, {_GOT} as c6, {message} as c7"
        f" from ({_faults_sql(held)})"
    )


def _row_sql(
    line: str,
    finding: Finding,
    layout: Layout,
    got: str,
    code_lists: Mapping[str, CodeList] | None,
) -> str:
    item, ja, code, standard, expected, message = map(
        literal, _said(finding.code, finding.item, finding.expected, layout, code_lists)
    )
    return (
        f"select {line} as c0, {item} as c1, {ja} as c2, {code} as c3, {standard} as c4,"
        f" {expected} as c5, {got} as c6, {message} as c7"
    )


def _nothing_sql() -> str:
    empty = ", ".join(f"'' as c{n}" for n in range(1, len(_TITLES)))
    return f"select null::bigint as c0, {empty} where false"


def _said(
    code: str,
    item: str,
    expected: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None,
) -> tuple[str, str, str, str, str, str]:
    standard = standard_error(code, layout, item, code_lists)
    ja = layout.field(item).ja if item in layout.names else ""
    return (
        item,
        ja,
        code,
        standard.code if standard else "",
        expected,
        standard.message if standard else "",
    )
