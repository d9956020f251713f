"""Strict layouts, the standard's codes and sentences, and findings one by one and in files."""

import csv
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.checking import count_findings, each_finding, fault_condition, findings
from kumobashi.catalogue.exporting import export_findings
from kumobashi.catalogue.fields import Condition, Field, Layout
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.catalogue.standard_errors import TEMPLATES, standard_error
from kumobashi.kernel import Finding
from tests.unit.catalogue.test_checking import field, seen
from tests.unit.catalogue.test_checking import layout as loose
from tools import bench_findings


def layout(*fields: Field) -> Layout:
    from dataclasses import replace

    return replace(loose(*fields), is_strict=True)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def check(
    connection: duckdb.DuckDBPyConnection, rows: dict[str, Any], *fields: Field
) -> list[Finding]:
    connection.register("given_rows", pa.table(rows))
    return findings(connection, "given_rows", layout(*fields), 100)


def test_full_width_fields_hold_no_half_width_characters(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    right = ["架空　太郎", "ＺＨＡＮＧ", "ガ", "𠮷", "辻\U000e0100", "−〜", "", None]
    wrong = ["架空 太郎", "Zhang", "ｱ", "1番", "¥", "あ\n", "\u203e"]
    found = check(connection, {"a": [*right, *wrong]}, field("a", "N"))

    assert [(f.code, f.line, f.got) for f in found] == [
        ("finding.wrong_characters", len(right) + number, got)
        for number, got in enumerate(
            ["U+0020", "U+005A", "U+FF71", "U+0031", "U+00A5", "U+000A", "U+203E"], 1
        )
    ]


def test_half_width_fields_hold_no_full_width_or_control_characters(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    right = ["0123-abc", "ｶﾀｶﾅ", "~!", "", None]
    wrong = ["０", "あ", "a\tb", "\u00e9"]
    found = check(connection, {"a": [*right, *wrong]}, field("a", "X"))

    assert [(f.line, f.got) for f in found] == [
        (6, "U+FF10"),
        (7, "U+3042"),
        (8, "U+0009"),
        (9, "U+00E9"),
    ]


def test_widths_are_checked_only_where_the_layout_is_strict(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.register("given_rows", pa.table({"a": ["Taro"]}))

    assert findings(connection, "given_rows", loose(field("a", "N")), 10) == []


def test_a_fixed_field_is_neither_shorter_nor_longer(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = {"a": ["999997", "99997", "9999970", "", None]}
    fixed = field("a", digits=6, is_fixed=True)

    assert seen(check(connection, rows, fixed)) == [
        ("wrong_length", 2, "5", 1),
        ("wrong_length", 3, "7", 1),
    ]
    assert seen(findings(connection, "given_rows", loose(fixed), 10)) == [("too_long", 3, "7", 1)]


@pytest.mark.parametrize(
    ("condition", "lines"),
    [(Condition(field="a"), [2, 4]), (Condition(field="a", one_of=("1",)), [2])],
)
def test_a_field_is_needed_when_another_asks_for_it(
    connection: duckdb.DuckDBPyConnection, condition: Condition, lines: list[int]
) -> None:
    rows = {"a": ["1", "1", None, "0", ""], "b": ["x", "", None, None, ""]}
    found = check(connection, rows, field("a"), field("b", condition=condition))

    assert {f.code for f in found} == {"finding.required_together"}
    assert found[0].line == lines[0]
    assert found[0].rows == len(lines)


@pytest.mark.parametrize(
    "values",
    [["0.5", "12.34", "00.50", "7"], [Decimal("0.50"), Decimal("12.34")], [7, 12]],
)
def test_decimals_that_fit(connection: duckdb.DuckDBPyConnection, values: list[Any]) -> None:
    decimal = field("a", "9V", digits=2, decimals=2)

    assert check(connection, {"a": values}, decimal) == []


def test_decimals_that_do_not_fit(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"a": ["123.4", "0.505", "-1", "1,5", "."]}
    decimal = field("a", "9V", digits=2, decimals=2)

    assert seen(check(connection, rows, decimal)) == [
        ("wrong_type", 3, "VARCHAR", 3),
        ("too_long", 1, "3,1", 1),
        ("too_long", 2, "0,3", 1),
    ]


def test_times(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"a": ["23:59:59", "09:00", "24:00:00", "9:00", "09:60"]}

    assert seen(check(connection, rows, field("a", "TIME"))) == [("wrong_type", 3, "VARCHAR", 3)]
    assert check(connection, {"a": [time(9, 0)]}, field("a", "TIME")) == []


REGISTER = load_layouts().get("resident-registry", "2")


@pytest.mark.parametrize(
    ("finding", "item", "code", "message"),
    [
        ("required_missing", "sex", "E0001", "【性別】が設定されていません。"),
        ("column_missing", "sex", "E0001", "【性別】が設定されていません。"),
        (
            "unknown_code",
            "sex",
            "E0002",
            "【性別】は【0（不明）・1（男）・2（女）】で設定してください。",
        ),
        (
            "unknown_code",
            "relationship",
            "E0002",
            "【続柄】は【コード表 relationship の値】で設定してください。",
        ),
        (
            "wrong_type",
            "birth_date",
            "E0002",
            "【生年月日】は【YYYY-MM-DD】で設定してください。",
        ),
        ("wrong_characters", "full_name", "E0002", "【氏名】は【全角文字】で設定してください。"),
        (
            "wrong_length",
            "municipality_code",
            "E0003",
            "【市区町村コード】は6桁で設定してください。",
        ),
        ("too_long", "full_name", "E0003", "【氏名】は100桁以内で設定してください。"),
        (
            "required_together",
            "birth_date_label",
            "E0004",
            (
                "【生年月日_不詳フラグ（1）】が設定されている場合、"
                "【生年月日_不詳表記】は設定必須です。"
            ),
        ),
    ],
)
def test_findings_carry_the_sentence_of_the_standard(
    finding: str, item: str, code: str, message: str
) -> None:
    said = standard_error(f"finding.{finding}", REGISTER, item)

    assert said is not None
    assert (said.code, said.name, said.message) == (code, TEMPLATES[code][0], message)


def test_what_the_standard_does_not_know_has_no_code_of_it() -> None:
    assert standard_error("finding.column_unexpected", REGISTER, "colour") is None
    assert standard_error("finding.character_unmappable", REGISTER, "full_name") is None


WRONG = {
    "a": ["1", None, "9", "", "1"],
    "b": ["架空", "x", "太郎", "長い名前です", "一"],
    "z": [1] * 5,
}
FIELDS = (
    field("a", required=True, code_list="sex", ja="性別"),
    field("b", "N", digits=4, ja="名"),
    field("c", ja="区分"),
)


@pytest.mark.parametrize("name", ["all.parquet", "all.csv"])
def test_the_file_holds_every_finding_in_the_order_of_lines(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    connection.register("given_rows", pa.table(WRONG))
    path = tmp_path / name

    written = export_findings(connection, "given_rows", layout(*FIELDS), path)

    lines = connection.execute("from '" + str(path) + "'").fetchall()
    assert (written.findings, written.rows) == (7, 5)
    assert [(line, item, code) for line, item, _, code, *_ in lines] == [
        (None, "c", "finding.column_missing"),
        (None, "z", "finding.column_unexpected"),
        (2, "a", "finding.required_missing"),
        (2, "b", "finding.wrong_characters"),
        (3, "a", "finding.unknown_code"),
        (4, "a", "finding.required_missing"),
        (4, "b", "finding.too_long"),
    ]
    assert lines[4][2:] == (
        "性別",
        "finding.unknown_code",
        "E0002",
        "code_list:sex",
        "9",
        "【性別】は【0（不明）・1（男）・2（女）】で設定してください。",
    )


def test_the_csv_opens_in_excel(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    connection.register("given_rows", pa.table(WRONG))
    path = tmp_path / "findings.csv"
    export_findings(connection, "given_rows", layout(*FIELDS), path)

    assert path.read_bytes().startswith(b"\xef\xbb\xbf\xe8\xa1\x8c,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[2]["標準の符号"] == "E0001"
    assert len(rows) == 7


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_a_right_table_gives_an_empty_file_with_its_header(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    connection.register("given_rows", pa.table({"a": ["1"]}))

    written = export_findings(
        connection, "given_rows", layout(field("a", code_list="sex")), tmp_path / name
    )

    assert written.findings == 0
    assert (tmp_path / name).stat().st_size > 0


values = st.lists(st.none() | st.text("0129あ架X 　", max_size=4), min_size=1, max_size=30)


@given(values, st.integers(1, 5))
def test_grouped_listed_and_exported_findings_are_the_same(
    given_: list[str | None], limit: int
) -> None:
    fields = (
        field("a", "N", digits=2, required=True),
        field("b", code_list="sex", condition=Condition(field="a")),
    )
    rows = pa.table({"a": pa.array(given_, pa.string()), "b": pa.array(given_[::-1], pa.string())})
    with duckdb.connect() as opened:
        opened.register("given_rows", rows)
        of = layout(*fields)
        grouped = findings(opened, "given_rows", of, 1_000)
        each = each_finding(opened, "given_rows", of, 1_000)
        first = each_finding(opened, "given_rows", of, limit)
        faulty = opened.execute(
            f"select count(*) from given_rows where {fault_condition(opened, 'given_rows', of)}"
        ).fetchall()[0][0]

        counted = count_findings(opened, "given_rows", of)

    assert sum(f.rows for f in grouped) == len(each) == counted
    assert first == each[:limit]
    assert [f.line for f in each] == sorted(f.line or 0 for f in each)
    assert len({f.line for f in each}) == faulty


def test_lines_stay_in_order_over_many_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    found = bench_findings.measure(connection, tmp_path, 150_000, 0.05)
    lines = [
        line
        for (line,) in connection.execute(
            f"select \"行\" from read_parquet('{tmp_path / 'findings.parquet'}')"
        ).fetchall()
    ]

    assert found["findings"] == 7_500
    assert lines == sorted(lines)
    assert lines[:2] == [1, 21]
