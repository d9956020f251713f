"""A file is held against a layout: faults with their lines, and what can be put right."""

from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.catalogue.layouts import load_layouts
from kumobashi.conversion.copies import write_copy
from kumobashi.conversion.correcting import Field, corrected
from kumobashi.conversion.inspecting import CORRECTED, FileChecked, check_file

LAYOUT = load_layouts().get("child-support-allowance", "1")
REGISTRY = load_layouts().get("resident-registry", "1")
HEADER = "宛名番号,支給区分,認定年月日"
BORN = Field("v", "DATE")
ERAS = [("令和", "R", 2018), ("平成", "H", 1988), ("昭和", "S", 1925), ("大正", "T", 1911)]
BEGAN = {"令和": date(2019, 5, 1), "平成": date(1989, 1, 8), "昭和": date(1926, 12, 25)}
BEGAN["大正"] = date(1912, 7, 30)


def check(tmp_path: Path, *lines: str, header: str = HEADER) -> FileChecked:
    path = tmp_path / "受給者.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="cp932")
    with duckdb.connect() as work:
        return check_file(path, LAYOUT, work)


def put_right(value: str, item: Field) -> str:
    return all_put_right([value], item)[0]


def all_put_right(values: list[str], item: Field) -> list[str]:
    """Put many values right at once: planning the expression takes far longer than a value."""
    query = f"select {corrected(item)} from (select unnest(?) as v)"
    return [str(row[0]) for row in duckdb.execute(query, [values]).fetchall()]


def era_of(day: date) -> tuple[str, str, int]:
    return next(era for era in ERAS if BEGAN[era[0]] <= day)


def every_way(day: date) -> list[str]:
    name, letter, before = era_of(day)
    year = day.year - before
    return [
        f"{day:%Y/%m/%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{letter}{year}.{day.month}.{day.day}",
        f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
        f" {letter}{year:02}/{day.month:02}/{day.day:02}　",
    ]


@settings(max_examples=10)
@given(days=st.lists(st.dates(date(1912, 7, 30), date(2060, 12, 31)), min_size=1, max_size=20))
def test_every_way_of_writing_a_date_becomes_one(days: list[date]) -> None:
    written = [(way, day.isoformat()) for day in days for way in every_way(day)]

    assert all_put_right([way for way, _ in written], BORN) == [day for _, day in written]


@pytest.mark.parametrize(
    "value",
    ["2026-02-30", "平成32年1月1日", "昭和64年1月8日", "R0.1.1", "45000", "四月一日", "4/1"],
)
def test_what_has_no_sure_reading_stays(value: str) -> None:
    assert put_right(value, BORN) == value


TEXTS = st.text(max_size=12).filter(lambda text: "\0" not in text)


@settings(max_examples=15)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_putting_right_twice_changes_nothing_more(values: list[str]) -> None:
    for item in (BORN, Field("v", "9"), Field("v", "X", 10, (), True), Field("v", "N")):
        once = all_put_right(values, item)
        assert all_put_right(once, item) == once


@pytest.mark.parametrize(
    ("value", "item", "right"),
    [
        ("１２", Field("v", "9"), "12"),
        ("1,234,567", Field("v", "9"), "1234567"),
        ("1,23", Field("v", "9"), "1,23"),
        ("1", Field("v", "X", 2, ("01", "02")), "01"),
        ("7", Field("v", "X", 2, ("01", "02")), "7"),
        ("1", Field("v", "X", 2, ("1", "01")), "1"),
        ("10003319", Field("v", "X", 10, (), True), "0010003319"),
        ("12345678901", Field("v", "X", 10, (), True), "12345678901"),
        ("１丁目", Field("v", "N"), "１丁目"),
        ("　山田　太郎 ", Field("v", "N"), "山田　太郎"),
    ],
)
def test_only_what_has_one_reading_is_put_right(value: str, item: Field, right: str) -> None:
    assert put_right(value, item) == right


def test_findings_name_line_item_expected_and_got(tmp_path: Path) -> None:
    found = check(
        tmp_path, "0010000001,1,2026-04-01", "0010000002,7,2026-04-01", "0010000003,1,2026-04-31"
    )

    said = [(one.code, one.line, one.item, one.expected, one.got) for one in found.findings]
    assert said == [
        (
            "finding.unknown_code",
            3,
            "payment_kind",
            "code_list:child_support_allowance_payment",
            "7",
        ),
        ("finding.wrong_type", 4, "decided_on", "DATE", "VARCHAR"),
    ]


def test_lines_are_those_of_the_file_behind_broken_and_folded_rows(tmp_path: Path) -> None:
    found = check(tmp_path, '"0010000001",1,2026-04-01', "", "1,1", '0010000002,"7\n",2026-04-01')

    assert [(one.code, one.line) for one in found.findings] == [
        ("finding.column_count", 4),
        ("finding.too_long", 5),
        ("finding.unknown_code", 5),
    ]


def test_headers_may_be_english_spaced_or_in_another_order(tmp_path: Path) -> None:
    found = check(tmp_path, "2026-04-01,0010000001,1", header=" decided_on ,宛名 番号,PAYMENT_KIND")

    assert found.findings == ()


def test_columns_that_lack_or_are_too_many_are_named(tmp_path: Path) -> None:
    found = check(tmp_path, "0010000001,1,x", header="宛名番号,支給区分,備考")

    assert {(one.code, one.item) for one in found.findings} == {
        ("finding.column_missing", "decided_on"),
        ("finding.column_unexpected", "備考"),
    }


def test_formulas_are_found_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    names = ["family_name", "given_name"]
    path.write_text("氏,名\n=cmd,太郎\n-1,花子\n山田,+1\n山-田,@x\n", encoding="utf-8")
    with duckdb.connect() as work:
        found = [
            f for f in check_file(path, REGISTRY, work).findings if f.code == "finding.formula"
        ]

    assert [(f.item, f.line, f.rows) for f in found] == [(names[0], 2, 1), (names[1], 4, 2)]


def test_characters_that_change_without_a_word_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("氏,名\n山〜〜,𠮷\n−田,¢子\n‖川,£¬\n", encoding="utf-8")
    with duckdb.connect() as work:
        found = check_file(path, REGISTRY, work).characters

    told = {(one.line, one.got.partition("?")[0]) for one in found}
    assert told >= {
        (2, "U+301C @2 → U+FF5E"),
        (3, "U+2212 @1 → U+FF0D"),
        (4, "U+2016 @1 → U+2225"),
        (2, "U+20BB7 @1 → U+5409"),
    }
    held = {one.got.split(" ")[0] for one in found}
    assert held == {"U+301C", "U+2212", "U+2016", "U+20BB7", "U+00A2", "U+00A3", "U+00AC"}


def test_a_corrected_copy_holds_what_is_left_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "受給者.csv"
    lines = ["10000001, 1,令和8年4月1日", "0010000002,7,2026/4/1", "０010000003,２,20260401"]
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    headers = {field.name: field.ja for field in LAYOUT.fields}
    copy = tmp_path / "直し.xlsx"

    with duckdb.connect() as work:
        before = check_file(path, LAYOUT, work)
        write_copy(work, CORRECTED, headers, copy)
    with duckdb.connect() as work:
        after = check_file(copy, LAYOUT, work)

    assert [(one.item, one.rule, one.rows, one.line) for one in before.corrections] == [
        ("resident_no", "half_width", 1, 4),
        ("resident_no", "zeros", 1, 2),
        ("payment_kind", "spaces", 1, 2),
        ("payment_kind", "half_width", 1, 4),
        ("decided_on", "dates", 3, 2),
    ]
    assert after.findings == before.left
    assert [(one.code, one.line, one.got) for one in after.findings] == [
        ("finding.unknown_code", 3, "7")
    ]
    assert after.corrections == ()
