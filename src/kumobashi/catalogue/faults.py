"""What is known of a table before and after a scan: its columns, its checks, the query for faults.

``checking`` reads findings with it, ``exporting`` writes them.
"""

# ruff: noqa: S608 - names pass `quoted`; the relation is the caller's own

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from kumobashi.catalogue.checks import (
    ACCEPTED,
    KEY_REPEATED,
    Check,
    check_of_key,
    checks_of,
    plain_type,
    repeated_keys,
)
from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.fields import Layout
from kumobashi.kernel import Finding

# Names that no column of a dataset has: columns are ASCII.
LINE = "·line"
LINE_SQL, NUMBER_SQL, GOT_SQL = f'"{LINE}"', '"·number"', '"·got"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is known before any row is looked at."""

    rows: int
    numbered: str  # the relation with the lines
    of_columns: tuple[Finding, ...]
    checks: tuple[Check, ...]


def prepare(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    layout: Layout,
    code_lists: Mapping[str, CodeList] | None,
) -> Prepared:
    """Return what is known of a relation before its rows are looked at."""
    lists = load_code_lists() if code_lists is None else code_lists
    types = types_of(connection, relation_sql)
    rows = int(connection.execute(f"select count(*) from {relation_sql}").fetchall()[0][0])
    return Prepared(
        rows=rows,
        numbered=numbered(connection, relation_sql),
        of_columns=tuple(of_columns(layout, types, rows)),
        checks=tuple(checks_on(connection, relation_sql, types, layout, lists)),
    )


def checks_on(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    types: Mapping[str, str],
    layout: Layout,
    lists: Mapping[str, CodeList],
) -> list[Check]:
    """Return the checks of columns, and that of the key where one is repeated."""
    checks = checks_of(types, layout, lists)
    repeated = repeated_keys(relation_sql, types, layout)
    # Asked by itself: where no key is repeated, as nearly always, the scan stays one without joins.
    if repeated and connection.execute(f"{repeated} limit 1").fetchone():
        checks.append(check_of_key(repeated, layout))
    return checks


def types_of(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> dict[str, str]:
    """Return the columns of a relation and their plain types; its own lines are no column."""
    described = connection.execute(f"describe select * from {relation_sql}").fetchall()
    return {str(row[0]): plain_type(str(row[1])) for row in described if row[0] != LINE}


def of_columns(layout: Layout, types: Mapping[str, str], rows: int) -> Iterator[Finding]:
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


def numbered(connection: duckdb.DuckDBPyConnection, relation_sql: str) -> str:
    """Return the query for the rows with their lines: the relation's own, else counted."""
    described = connection.execute(f"describe select * from {relation_sql}").fetchall()
    if any(row[0] == LINE for row in described):
        return f"select * from {relation_sql}"
    return f"select row_number() over () as {LINE_SQL}, * from {relation_sql}"


def faults_sql(held: Prepared) -> str:
    """Return the query for every fault: line, number of the check from 1, and what was got.

    Lines are counted before anything is left out, and stay in order; only wrong rows are unfolded.
    """
    checks = held.checks
    numbers = ", ".join(f"case when {c.fault} then {n} end" for n, c in enumerate(checks, 1))
    got = ", ".join(f"case when {c.fault} then {c.got} end" for c in checks)
    is_wrong = " or ".join(f"({c.fault})" for c in checks)
    has_join = any(c.code == KEY_REPEATED for c in checks)  # which loses the order of the rows
    return (
        f"select {LINE_SQL}, {NUMBER_SQL}, {GOT_SQL} from ("
        f"select {LINE_SQL}, unnest([{numbers}]) as {NUMBER_SQL},"
        f" unnest([{got}]) as {GOT_SQL} from ("
        f"{held.numbered}) where {is_wrong}) where {NUMBER_SQL} is not null"
        f"{f' order by {LINE_SQL}, {NUMBER_SQL}' if has_join else ''}"
    )
