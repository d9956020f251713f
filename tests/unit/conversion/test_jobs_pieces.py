"""Cut a load into uploads: all of it, nothing twice, never more than an upload may be."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.conversion.jobs.errors import KeyUnfit, ValueTooLong, ValueUnfit
from kumobashi.conversion.jobs.keys import Key
from kumobashi.conversion.jobs.pieces import EMPTY, Limits, check_load, pieces, texts_of
from kumobashi.storage.errors import LoadIncomplete
from kumobashi.storage.tables import ColumnSpec, Load

COLUMNS = (
    ColumnSpec("key", "text", 40),
    ColumnSpec("name", "text"),
    ColumnSpec("n", "integers", 3),
)
KEY = Key(("key",))
Row = tuple[str, str | None, list[int] | None]


@pytest.fixture(scope="module")
def work() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def load(work: duckdb.DuckDBPyConnection, rows: list[Row], told: int | None = None) -> Load:
    work.execute("create or replace table t (key varchar, name varchar, n integer[])")
    if rows:
        work.executemany("insert into t values (?, ?, ?)", rows)
    return Load(
        tenant="999997", transfer="-", link="-", business_date=date(2026, 11, 21), sequence=1,
        mode="full", base_transfer=None, table="t", columns=COLUMNS, key=("key",),
        rows=len(rows) if told is None else told, deleted=0, connection=work, relation="t",
        deleted_relation=None, before_commit=lambda: None,
    )  # fmt: skip


def cut(one: Load, limits: Limits, room: Path) -> list[tuple[bytes, int]]:
    found = []
    for piece in pieces(one.connection, texts_of(one, KEY), "key", limits, room):
        body = piece.path.read_bytes()
        assert hashlib.sha256(body).hexdigest() == piece.digest
        found.append((body, piece.rows))
    assert list(room.glob("piece*")) == []
    return found


_NUMBERS = st.none() | st.lists(st.integers(0, 999), max_size=3)
_TEXTS = st.none() | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30
).filter(lambda text: text != EMPTY)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    values=st.lists(
        st.tuples(_TEXTS, st.none() | st.lists(st.integers(0, 999), max_size=3)), max_size=40
    ),
    upload_bytes=st.integers(300, 3_000),
    upload_rows=st.integers(1, 40),
)
def test_pieces_together_are_the_load_and_each_is_within_the_limits(
    work: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    values: list[tuple[str | None, list[int] | None]],
    upload_bytes: int,
    upload_rows: int,
) -> None:
    rows: list[Row] = [(f"{n:03}", *value) for n, value in enumerate(values)]
    one, limits = load(work, rows), Limits(upload_bytes=upload_bytes, upload_rows=upload_rows)
    check_load(one, KEY, limits)

    found = cut(one, limits, tmp_path)

    read: list[list[str]] = []
    for body, count in found:
        assert len(body) <= upload_bytes
        assert 0 < count <= upload_rows
        header, *lines = csv.reader(body.decode().splitlines(keepends=True))
        assert header == ["key", "name", "n"]
        assert len(lines) == count
        read += lines
    assert sum(count for _, count in found) == len(rows)
    assert [line[0] for line in read] == [row[0] for row in rows]
    assert [line[1] for line in read] == [row[1] or EMPTY for row in rows]
    assert [line[2] for line in read] == [" ".join(map(str, row[2] or [])) or EMPTY for row in rows]
    assert cut(one, limits, tmp_path) == found, "the same again after a crash"


def test_a_row_that_is_larger_than_an_upload_is_refused(
    work: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one = load(work, [("a", "甲", None), ("b", "乙" * 400, None)])
    with pytest.raises(ValueTooLong):
        cut(one, Limits(upload_bytes=1_000), tmp_path)


@pytest.mark.parametrize(
    ("rows", "told", "error", "facts"),
    [
        ([("a", None, None)], 2, LoadIncomplete, {"expected": 2, "got": 1}),
        ([("a", None, None), ("a", "乙", None)], None, KeyUnfit, {"rows": 1}),
        ([("", None, None), ("b", None, None)], None, KeyUnfit, {"rows": 1}),
        ([("a", EMPTY, None)], None, ValueUnfit, {"rows": 1, "line": 1, "item": "name"}),
        ([("a", None, None), ("b", None, [1, None])], None, ValueUnfit, {"line": 2, "item": "n"}),
        ([("a", "永" * 51, None)], None, ValueTooLong, {"got": 51, "limit": 50, "line": 1}),
        ([("a" * 40, "永" * 41, None)], None, ValueTooLong, {"got": 81, "limit": 80}),
    ],
)
def test_what_could_not_arrive_as_it_is_is_told_before_anything_is_sent(
    work: duckdb.DuckDBPyConnection,
    rows: list[Row],
    told: int | None,
    error: type[Exception],
    facts: dict[str, object],
) -> None:
    one = load(work, rows, told)
    with pytest.raises(error) as failure:
        check_load(one, KEY, Limits(field_characters=50, row_characters=80))
    assert {name: getattr(failure.value, name) for name in facts} == facts
    assert "永" not in str(failure.value)


def test_more_columns_than_the_cloud_has_are_refused(work: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueTooLong):
        check_load(load(work, []), KEY, Limits(columns=2))
