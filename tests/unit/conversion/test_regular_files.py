"""The quick reader and the one that goes row by row give the same, whatever the file."""

import codecs
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion import files
from kumobashi.conversion.errors import ConversionFailed
from kumobashi.conversion.files import FileRead, read_file
from kumobashi.conversion.regular_files import read_regular
from kumobashi.conversion.text_form import TextForm

HEADER = "宛名番号,氏名,住所"
Rows = list[tuple[object, ...]]


def known(header: list[str]) -> int:
    return len({"宛名番号", "氏名", "住所"} & set(header))


def by(
    path: Path, work: duckdb.DuckDBPyConnection, *, is_quick: bool
) -> tuple[FileRead, Rows] | str:
    """Return what a way of reading gives: the rows, or the code of its failure."""
    work.execute("drop table if exists t")
    with pytest.MonkeyPatch.context() as patch:
        if not is_quick:
            patch.setattr(files, "read_regular", lambda *_args, **_kwargs: None)
        try:
            found = read_file(path, work, "t", layout="x", known=known)
        except ConversionFailed as failed:
            return failed.code
        return found, work.execute(f'from t order by "{LINE}"').fetchall()


PIECES = st.sampled_from(
    [
        "1",
        "髙橋",
        "a",
        " ",
        ",",
        ",",
        '"',
        '""',
        "\n",
        "\r\n",
        "\r",
        "\t",
        "",
        "\x0b",
        "\x0c",
        "\u2028",
    ]
)
BODIES = st.lists(PIECES, max_size=24).map("".join)
REGULAR = st.lists(
    st.lists(st.sampled_from(["", "1", "髙橋", '"1,2"', '""', '"髙"']), min_size=3, max_size=3).map(
        ",".join
    ),
    max_size=5,
).map("\n".join)


@settings(max_examples=300)
@given(
    body=BODIES | REGULAR,
    charset=st.sampled_from(["utf-8", "utf-8-sig", "cp932", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@example(body='a","b,1\nc","d,2', charset="utf-8", newline="\n")
@example(body='1,"髙\n橋",3', charset="cp932", newline="\n")
@example(body="1,2,3\n\n4,5,6", charset="utf-8", newline="\n")
@example(body='1,2"3",4', charset="utf-8", newline="\n")
@example(body='"1"x,2,3', charset="utf-8", newline="\n")
@example(body="1,2,3,,\n1,2", charset="utf-8", newline="\n")
def test_both_ways_give_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    shared: duckdb.DuckDBPyConnection,
    body: str,
    charset: str,
    newline: str,
) -> None:
    path = tmp_path_factory.mktemp("f") / "a.csv"
    try:
        path.write_bytes(f"{HEADER}{newline}{body}".encode(charset))
    except UnicodeEncodeError:
        return

    assert by(path, shared, is_quick=True) == by(path, shared, is_quick=False)


def quick(path: Path, charset: str = "utf-8") -> tuple[int | None, Rows]:
    form = TextForm(charset=charset, delimiter=",")  # type: ignore[arg-type]
    with duckdb.connect() as work:
        header = tuple(HEADER.split(","))
        rows = read_regular(path, form, work, "t", header, longest_field=1 << 20)
        there = work.execute("select 1 from duckdb_tables() where table_name = 't'").fetchall()
        assert bool(there) == (rows is not None)
        return rows, work.execute("from t").fetchall() if there else []


def test_a_regular_file_is_read_quickly(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF8 + f'{HEADER}\r\n1,"髙,橋",""\r\n2,,3'.encode())

    assert quick(path, "utf-8-bom") == (2, [(2, "1", "髙,橋", ""), (3, "2", "", "3")])


@pytest.mark.parametrize(
    "body",
    [
        '1,"a\nb",3',
        "1,2",
        "1,2,3\n\n4,5,6",
        '1,"a""b",3',
        "1,2,3\r4,5,6",
        "1," + "x" * 1_100_000 + ",3",
    ],
)
def test_other_files_are_left_to_the_slow_reader(tmp_path: Path, body: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n{body}\n", encoding="utf-8", newline="")

    assert quick(path) == (None, [])


def test_a_file_of_many_blocks_has_its_lines(
    tmp_path: Path, shared: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "a.csv"
    rows = 150_000
    with path.open("w", encoding="cp932", newline="") as file:
        file.write(f"{HEADER}\r\n")
        file.writelines(f"{number:010},髙橋 太郎,架空町{number}番地\r\n" for number in range(rows))

    found = by(path, shared, is_quick=True)

    assert not isinstance(found, str)
    assert found[0].rows == rows
    assert all(row[0] == int(str(row[1])) + 2 for row in found[1])
    assert quick(path, "cp932")[0] == rows
