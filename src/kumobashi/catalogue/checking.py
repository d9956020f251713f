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

import duckdb

from kumobashi.catalogue.checks import Check
from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.faults import (
    GOT_SQL,
    LINE_SQL,
    NUMBER_SQL,
    Prepared,
    checks_on,
    faults_sql,
    numbered,
    of_columns,
    prepare,
    types_of,
)
from kumobashi.catalogue.fields import Layout
from kumobashi.kernel import Finding


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
        f"select {NUMBER_SQL}, {GOT_SQL}, min({LINE_SQL}) as first, count(*)"
        f" from ({faults_sql(held)})"
        f" group by {NUMBER_SQL}, {GOT_SQL} order by {NUMBER_SQL}, first limit {room}"
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
    held = prepare(connection, relation_sql, layout, code_lists)
    found = list(held.of_columns)[:limit]
    if not held.checks or len(found) == limit:
        return found
    rows = connection.execute(f"{faults_sql(held)} limit {limit - len(found)}").fetchall()
    return found + [_one(held.checks[int(n) - 1], int(line), str(got)) for line, n, got in rows]


def fault_condition(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None = None,
) -> str:
    """Return the SQL condition that is true for a row with any fault, and never null."""
    lists = load_code_lists() if code_lists is None else code_lists
    checks = checks_on(connection, relation_sql, types_of(connection, relation_sql), layout, lists)
    return " or ".join(f"coalesce({check.fault}, false)" for check in checks) or "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked(Prepared):
    """What a scan found: only the checks that failed, and how often each."""

    counts: tuple[int, ...]


def _look(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None,
) -> _Looked:
    lists = load_code_lists() if code_lists is None else code_lists
    types = types_of(connection, relation_sql)
    checks = checks_on(connection, relation_sql, types, layout, lists)
    counted = "".join(f", count(*) filter ({check.fault})" for check in checks)
    rows, *counts = connection.execute(f"select count(*){counted} from {relation_sql}").fetchall()[
        0
    ]
    failed = [
        (check, int(count)) for check, count in zip(checks, counts, strict=True) if int(count)
    ]
    return _Looked(
        rows=int(rows),
        numbered=numbered(connection, relation_sql),
        of_columns=tuple(of_columns(layout, types, int(rows))),
        checks=tuple(check for check, _ in failed),
        counts=tuple(count for _, count in failed),
    )


def _one(check: Check, line: int, got: str) -> Finding:
    return Finding(code=check.code, line=line, item=check.item, expected=check.expected, got=got)


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
