"""Reading files as people have them, and writing copies that they can open."""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion.copies import write_copy
from kumobashi.conversion.errors import (
    CharsetUnclear,
    FieldTooLarge,
    FileAbsent,
    FileChanged,
    FileEmpty,
    HeaderUnclear,
    NulInFile,
    WorkbookUnreadable,
)
from kumobashi.conversion.files import FileRead, read_file
from kumobashi.conversion.text_form import DELIMITERS, charset_of, form_of

HEADER = ["宛名番号", "氏名", "住所"]
NAMES = set(HEADER)


def known(header: list[str]) -> int:
    return len(NAMES & set(header))


def read(
    path: Path, known: Callable[[list[str]], int] = known
) -> tuple[FileRead, list[tuple[object, ...]]]:
    with duckdb.connect() as work:
        found = read_file(path, work, "t", layout="x", known=known)
        return found, work.execute(f'from t order by "{LINE}"').fetchall()


def written(rows: list[list[str]], charset: str, delimiter: str, newline: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows([HEADER, *rows])
    return text.getvalue().encode(charset)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=st.lists(
        st.lists(
            st.text("あ髙﨑ア〇1a ,;|\t\"'\n-", min_size=1, max_size=6), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=5,
    ),
    charset=st.sampled_from(["utf-8", "utf-8-sig", "cp932", "utf-16"]),
    delimiter=st.sampled_from(DELIMITERS),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(
    tmp_path: Path, rows: list[list[str]], charset: str, delimiter: str, newline: str
) -> None:
    path = tmp_path / "名簿.csv"
    path.write_bytes(written(rows, charset, delimiter, newline))

    found, got = read(path)

    assert found.rows == len(rows)
    assert [list(row[1:]) for row in got] == rows
    assert found.form is not None
    assert found.form.delimiter == delimiter


def test_each_row_knows_the_line_it_begins_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('宛名番号,氏名,住所\n1,"山田\n花子",x\n\n2,佐藤,y\n', encoding="utf-8")

    _, rows = read(path)

    assert [(row[0], row[1]) for row in rows] == [(2, "1"), (5, "2")]


def test_a_row_of_another_width_is_a_finding_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("宛名番号,氏名,住所\n1,a,b\n2,a\n3,a,b,c\n4,a,b,,\n", encoding="utf-8")

    found, rows = read(path)

    assert [row[1] for row in rows] == ["1", "4"]  # empty cells behind the last are no columns
    said = [(one.code, one.line, one.expected, one.got) for one in found.broken]
    assert said == [("finding.column_count", 3, "3", "2"), ("finding.column_count", 4, "3", "4")]


def test_a_tab_in_a_file_that_is_called_csv_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("宛名番号\t氏名,カナ\t住所\n1\ta,b\tc\n", encoding="utf-8")

    found = form_of(path, known)

    assert found is not None
    assert found.delimiter == "\t"


@pytest.mark.parametrize(("first", "second"), [("utf-8", "cp932"), ("cp932", "utf-8")])
def test_two_charsets_in_one_file_are_told_with_the_line(
    tmp_path: Path, first: str, second: str
) -> None:
    path = tmp_path / "a.csv"
    head = "宛名番号,氏名,住所\n1,山田,x\n".encode(first)
    path.write_bytes(head + "2,佐藤,y\n3,鈴木,z\n".encode(second))

    with pytest.raises(CharsetUnclear) as failure:
        read(path)

    assert failure.value.line == 3


def test_a_byte_that_is_no_character_is_not_cp932(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("宛名番号,氏名\n1,山".encode("cp932") + b"\xfd\n")

    with pytest.raises(CharsetUnclear) as failure:
        charset_of(path)

    assert failure.value.line == 2


def test_nul_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("宛名番号,氏名,住所\n1,a,b\n2,a\0,b\n".encode())

    with pytest.raises(NulInFile) as failure:
        read(path)

    assert failure.value.line == 3


def test_a_field_of_ten_megabytes_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'宛名番号,氏名,住所\n1,a,b\n2,"{"x" * 10_000_000},b\n', encoding="utf-8")

    with pytest.raises(FieldTooLarge) as failure:
        read(path)

    assert failure.value.line == 3
    assert "xx" not in failure.value.say("ja")


def test_a_header_without_any_known_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,山田,x\n", encoding="utf-8")

    with pytest.raises(HeaderUnclear) as failure:
        read(path)

    assert "山田" not in failure.value.say("ja") + failure.value.say("en")


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises((FileEmpty, HeaderUnclear)):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileAbsent):
        read(tmp_path / "無い.csv")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("宛名番号,氏名,住所\n1,a,b\n", encoding="utf-8")

    def saved_meanwhile(header: list[str]) -> int:
        os.utime(path, ns=(1, 1))
        return known(header)

    with pytest.raises(FileChanged):
        read(path, saved_meanwhile)


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")

    with pytest.raises(WorkbookUnreadable):
        read(path)


CELLS = [
    "0012",
    "1234567890123456",
    "=1+1",
    "2026-04-01",
    "1-2",
    "髙橋𠮷",
    "辻\U000e0100",
    "a\nb",
    "",
]


@pytest.mark.parametrize("name", ["写し.xlsx", "写し.csv"])
def test_a_copy_gives_back_what_spreadsheets_like_to_change(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [("1", cell, cell) for cell in CELLS]
    with duckdb.connect() as work:
        work.execute("create table t (no varchar, name varchar, address varchar)")
        work.executemany("insert into t values (?, ?, ?)", rows)

        count = write_copy(
            work, "t", dict(zip(("no", "name", "address"), HEADER, strict=True)), path
        )

    _, found = read(path)
    assert count == len(rows)
    assert [tuple(row[1:]) for row in found] == rows
    assert [entry.name for entry in tmp_path.iterdir()] == [name]  # no half of a copy stays


def test_a_csv_copy_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    with duckdb.connect() as work:
        write_copy(work, "(select 'x' as no)", {"no": "宛名番号"}, tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
