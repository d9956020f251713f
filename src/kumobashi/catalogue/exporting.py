"""Write every finding on a table into a file: for Excel, or as Parquet.

The file carries the standard's error codes and sentences beside ours.
"""

# ruff: noqa: S608 - names pass `quoted`, texts `literal`; the relation is the caller's own

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kumobashi.catalogue.code_lists import CodeList
from kumobashi.catalogue.faults import GOT_SQL, LINE_SQL, NUMBER_SQL, Prepared, faults_sql, prepare
from kumobashi.catalogue.fields import Layout
from kumobashi.catalogue.standard_errors import standard_error
from kumobashi.kernel import Finding
from kumobashi.storage.tables import literal, quoted

_TITLES = ("行", "項目", "日本語名", "符号", "標準の符号", "期待", "実際", "説明")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written into a file of findings."""

    findings: int
    rows: int  # of the table that was checked


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
    held = prepare(connection, relation_sql, layout, code_lists)
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


def _written_sql(held: Prepared, layout: Layout, code_lists: Mapping[str, CodeList] | None) -> str:
    """Return the query for the lines of the file; words are looked up by the check's number."""
    said = [_said(c.code, c.item, c.expected, layout, code_lists) for c in held.checks]

    def by_number(column: int) -> str:
        listed = ", ".join(literal(texts[column]) for texts in said)
        return f"[{listed}][{NUMBER_SQL}]"

    item, ja, code, standard, expected, message = map(by_number, range(6))
    return (
        f"select {LINE_SQL} as c0, {item} as c1, {ja} as c2, {code} as c3, {standard} as c4,"
        f" {expected} as c5, {GOT_SQL} as c6, {message} as c7"
        f" from ({faults_sql(held)})"
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
