from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.checking import findings
from kumobashi.catalogue.layouts import Field, FieldType, Layout
from kumobashi.kernel import Finding


def field(name: str, kind: FieldType = "X", **more: Any) -> Field:
    given_: dict[str, Any] = {
        "ja": name,
        "item_id": None,
        "digits": None,
        "code_list": None,
        "required": False,
        "sensitivity": "personal",
    }
    return Field(name=name, type=kind, **{**given_, **more})


def layout(*fields: Field) -> Layout:
    return Layout(
        layout="x",
        version="1",
        ja="x",
        fields=fields,
        key=(),
        valid_from=date(2026, 4, 1),
        valid_to=None,
        source="x",
        own_shape=True,
    )


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def check(
    connection: duckdb.DuckDBPyConnection, rows: dict[str, Any], *fields: Field, limit: int = 100
) -> list[Finding]:
    connection.register("given_rows", pa.table(rows))
    return findings(connection, "given_rows", layout(*fields), limit)


def seen(found: list[Finding]) -> list[tuple[str, int | None, str, int]]:
    return [(f.code.removeprefix("finding."), f.line, f.got, f.rows) for f in found]


def test_a_right_table_has_no_findings(connection: duckdb.DuckDBPyConnection) -> None:
    assert check(connection, {"a": ["1", "2"]}, field("a", digits=1, required=True)) == []


def test_missing_and_unexpected_columns_are_about_the_whole(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = check(connection, {"a": ["1", "2"], "z": [1, 2]}, field("a"), field("b"))
    assert [(f.code, f.item, f.line, f.rows) for f in found] == [
        ("finding.column_missing", "b", None, 2),
        ("finding.column_unexpected", "z", None, 2),
    ]


@pytest.mark.parametrize(
    ("kind", "values", "got"),
    [
        ("X", pa.array([1]), "INTEGER"),
        ("9", pa.array([1.5]), "DOUBLE"),
        ("DATE", pa.array([20261101]), "INTEGER"),
        ("LIST9", pa.array([["a"]]), "VARCHAR[]"),
    ],
)
def test_a_column_of_a_wrong_type_is_told_by_the_type(
    connection: duckdb.DuckDBPyConnection, kind: FieldType, values: pa.Array, got: str
) -> None:
    if pa.types.is_integer(values.type):
        values = values.cast(pa.int32())
    assert seen(check(connection, {"a": values}, field("a", kind))) == [
        ("wrong_type", None, got, 1)
    ]


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("9", ["0", "12"], ["-1", "1.5", "一", "１"]),
        ("S9", ["0", "-12"], ["+1", "1.5", "--1"]),
        ("DATE", ["2026-11-01", "9999-12-31"], ["2026-13-01", "2026/11/01", "20261101", "R8.11.1"]),
        ("YEAR", ["2026", "0000"], ["26", "R8", "20266"]),
        ("TIMESTAMP", ["2026-11-01 01:02:03"], ["yesterday"]),
        ("LIST9", ["1 2 3", "[1, 2]", "4", "[]"], ["a b", "1.5", "1;2"]),
    ],
)
def test_text_from_csv_is_held_against_the_type(
    connection: duckdb.DuckDBPyConnection, kind: FieldType, right: list[str], wrong: list[str]
) -> None:
    rows = {"a": [*right, *wrong, None, ""]}
    found = check(connection, rows, field("a", kind))
    assert seen(found) == [("wrong_type", len(right) + 1, "VARCHAR", len(wrong))]


def test_digits_count_characters_not_bytes_and_not_variation_selectors(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = {"a": ["髙橋", "𠮷田", "辻\U000e0100本", "﨑", "長谷川", "五十嵐崎"]}
    found = check(connection, rows, field("a", "N", digits=2))
    assert seen(found) == [("too_long", 5, "3", 1), ("too_long", 6, "4", 1)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("9", pa.array([999, 1000], pa.int64())),
        ("S9", pa.array([-999, -1000], pa.int64())),
        ("9", pa.array(["999", "1000"])),
        ("LIST9", pa.array([[1, 999], [1, 1000]])),
        ("LIST9", pa.array(["1 999", "1 1000"])),
    ],
)
def test_digits_of_numbers(
    connection: duckdb.DuckDBPyConnection, kind: FieldType, values: pa.Array
) -> None:
    found = check(connection, {"a": values}, field("a", kind, digits=3))
    assert [(f.code, f.line, f.rows) for f in found] == [("finding.too_long", 2, 1)]


def test_unknown_codes_are_grouped_with_their_first_line(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = {"sex": ["1", "9", "2", "9", "M", None, ""]}
    found = check(connection, rows, field("sex", code_list="sex"))
    assert seen(found) == [("unknown_code", 2, "9", 2), ("unknown_code", 5, "M", 1)]


def test_a_name_in_a_column_of_codes_is_not_shown(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"sex": ["架空 太郎", "0123456789", "Taro Kaku"]}
    found = check(connection, rows, field("sex", code_list="sex"))
    assert [f.got for f in found] == ["length 5", "length 10", "length 9"]


def test_numbers_may_be_codes(connection: duckdb.DuckDBPyConnection) -> None:
    found = check(connection, {"a": [0, 1, 7]}, field("a", "9", code_list="flag"))
    assert seen(found) == [("unknown_code", 3, "7", 1)]


def test_chained_relationships_are_known(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"r": ["02", "20,12", "20,20,20,20", "20,20,20,20,20", "20,77", ","]}
    found = check(connection, rows, field("r", code_list="relationship"))
    assert [f.line for f in found] == [4, 5, 6]


def test_required_values_may_not_be_empty(connection: duckdb.DuckDBPyConnection) -> None:
    found = check(connection, {"a": ["x", None, ""]}, field("a", required=True))
    assert seen(found) == [("required_missing", 2, "-", 2)]


def test_the_limit_bounds_the_list_and_keeps_the_count(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = {"sex": [str(n) for n in range(100, 150)]}
    found = check(connection, rows, field("sex", code_list="sex"), limit=5)
    assert len(found) == 5
    assert sum(f.rows for f in found) == 50
    assert found[-1].got == "104 …"


def test_an_empty_table_has_no_bad_rows(connection: duckdb.DuckDBPyConnection) -> None:
    assert check(connection, {"a": pa.array([], pa.string())}, field("a", required=True)) == []


def test_names_of_columns_cannot_break_out(connection: duckdb.DuckDBPyConnection) -> None:
    name = 'a" from nothing; --'
    assert check(connection, {name: ["1"]}, field(name, digits=1)) == []


def test_columns_may_have_the_names_used_inside(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"line": ["1", "22"], "fault": ["x", "y"], "got": ["9", "1"]}
    fields = (field("line", digits=1), field("fault"), field("got", code_list="sex"))
    assert seen(check(connection, rows, *fields)) == [
        ("too_long", 2, "2", 1),
        ("unknown_code", 1, "9", 1),
    ]


def held_against(values: list[str | None], numbers: list[int | None]) -> list[Finding]:
    rows = {"a": pa.array(values, pa.string()), "b": pa.array(numbers, pa.int64())}
    fields = (field("a", "X", required=True, code_list="sex"), field("b", "S9", digits=3))
    with duckdb.connect() as connection:
        return check(connection, rows, *fields, limit=1_000)


@given(st.lists(st.none() | st.text(max_size=8), min_size=1, max_size=20))
def test_length_and_code_findings_are_those_of_plain_python(values: list[str | None]) -> None:
    numbers = [None if value is None else len(value) * 400 - 1000 for value in values]

    found = held_against(values, numbers)

    counted = {
        code: sum(f.rows for f in found if f.code == f"finding.{code}")
        for code in ("required_missing", "unknown_code", "too_long")
    }
    assert counted == {
        "required_missing": sum(not value for value in values),
        "unknown_code": sum(bool(value) and value not in {"0", "1", "2"} for value in values),
        "too_long": sum(number is not None and abs(number) > 999 for number in numbers),
    }
