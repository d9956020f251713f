"""A key that stands in several rows is a finding of every one of them, and of no other."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.checking import each_finding, fault_condition, findings
from kumobashi.catalogue.exporting import export_findings
from tests.unit.catalogue.test_checking import field, layout

ONE = replace(layout(field("a"), field("b")), key=("a",))
BOTH = replace(ONE, key=("a", "b"))
KEYS = st.sampled_from(["1", "2", "3", None])


@given(rows=st.lists(st.tuples(KEYS, KEYS), max_size=12))
def test_every_row_of_a_repeated_key_is_found(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[str | None, str | None]]
) -> None:
    shared.register("given_rows", table(rows))
    for of, keys in ((ONE, [row[:1] for row in rows]), (BOTH, rows)):
        counted = Counter(keys)
        wrong = [
            line
            for line, key in enumerate(keys, 1)
            if counted[key] > 1 and None not in key  # a key that is not whole is another fault
        ]
        found = each_finding(shared, "given_rows", of, 100)
        assert [finding.line for finding in found] == wrong
        grouped = findings(shared, "given_rows", of, 100)
        assert sum(finding.rows for finding in grouped) == len(wrong)


def test_a_repeated_key_shows_no_value(tmp_path: Path) -> None:
    with duckdb.connect() as work:
        work.register("given_rows", table([("4711", "x"), ("4711", "y"), ("4712", "z")]))
        (found,) = findings(work, "given_rows", ONE, 10)
        assert (found.code, found.line, found.item, found.rows) == (
            "finding.key_repeated",
            1,
            "a",
            2,
        )
        export_findings(work, "given_rows", ONE, tmp_path / "f.csv")
    assert "4711" not in str(found) + (tmp_path / "f.csv").read_text(encoding="utf-8")


def test_rows_of_a_repeated_key_can_be_set_aside_whole() -> None:
    with duckdb.connect() as work:
        work.register("given_rows", table([("1", "x"), ("1", "y"), ("2", "z"), (None, "z")]))
        faulty = fault_condition(work, "given_rows", ONE)
        left = work.execute(f"select a from given_rows where not ({faulty}) order by a").fetchall()
    assert left == [("2",), (None,)]


def table(rows: list[tuple[str | None, str | None]]) -> pa.Table:
    columns = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    return pa.table(columns, schema=pa.schema({"a": pa.string(), "b": pa.string()}))
