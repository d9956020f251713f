"""Records of fixed length: what is written is read back, and what has no counterpart is refused."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.conversion.errors import FileEmpty, RecordsUneven, RecordsUnwritable
from kumobashi.conversion.host_codes import NotInCharset, host_charset
from kumobashi.conversion.record_files import read_records, write_records
from kumobashi.conversion.records import (
    DoesNotFit,
    FieldKind,
    RecordCharset,
    RecordField,
    Records,
)

CHARSETS: tuple[RecordCharset, ...] = ("cp932", "ibm930", "ibm939")
HELD = "髙橋﨑㈱ｱﾊﾟｰﾄ千葉　A1-"


def one(charset: RecordCharset, kind: FieldKind, length: int) -> Records:
    return Records(charset=charset, length=length, fields=(RecordField("f", 0, length, kind),))


def held_by(charset: RecordCharset) -> list[str]:
    """Return characters that the charset gives back as they are, of each of its parts."""
    if charset == "cp932":
        every = [chr(code) for code in (*range(0x20, 0x7F), *range(0x3040, 0x9FFF, 7), 0xFF71)]
        return [char for char in every if _survives(char)]
    codes = host_charset(charset)
    both = [*codes.to_single, *list(codes.to_double)[::7]]
    return [char for char in both if char.isprintable()]


def _survives(char: str) -> bool:
    try:
        return char.encode("cp932").decode("cp932") == char
    except UnicodeError:
        return False


@pytest.mark.parametrize("charset", CHARSETS)
@given(data=st.data())
def test_texts_are_read_back(charset: RecordCharset, data: st.DataObject) -> None:
    text = data.draw(st.text(st.sampled_from(held_by(charset)), max_size=12)).rstrip(" ")
    records = one(charset, "text", 80)

    raw = records.encode("f", text)

    assert len(raw) == 80
    assert records.decode("f", raw) == text


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", ["zoned", "packed"])
@given(number=st.integers(-(10**9) + 1, 10**9 - 1))
def test_numbers_are_read_back(charset: RecordCharset, kind: FieldKind, number: int) -> None:
    records = one(charset, kind, 9)

    assert records.decode("f", records.encode("f", str(number))) == str(number)


@pytest.mark.parametrize("charset", CHARSETS)
@given(text=st.text("0123456789", min_size=10, max_size=10), day=st.dates())
def test_identifiers_keep_their_zeros_and_dates_their_days(
    charset: RecordCharset, text: str, day: object
) -> None:
    digits, date = one(charset, "digits", 10), one(charset, "date", 8)

    assert digits.decode("f", digits.encode("f", text)) == text
    assert date.decode("f", date.encode("f", str(day))) == str(day)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", ["text", "wide", "digits", "zoned", "packed", "date"])
def test_nothing_stays_nothing(charset: RecordCharset, kind: FieldKind) -> None:
    records = one(charset, kind, 8)

    assert records.decode("f", records.encode("f", "")) == ""


@pytest.mark.parametrize("charset", ["ibm930", "ibm939"])
@given(raw=st.binary(max_size=12))
def test_any_bytes_are_read_or_refused(charset: RecordCharset, raw: bytes) -> None:
    for kind in ("text", "wide", "digits", "zoned", "packed", "date"):
        records = one(charset, kind, max(len(raw), 1))
        try:
            text = records.decode("f", raw or b"\x40")
        except NotInCharset:
            continue
        assert "\ufffd" not in text


@pytest.mark.parametrize(
    ("charset", "kind", "text"),
    [
        ("cp932", "text", "𠮷"),
        ("cp932", "text", "〜"),  # written by Python without an error, read as another
        ("cp932", "wide", "ｱ"),
        ("ibm930", "text", "𠮷"),
        ("ibm939", "wide", "A"),
    ],
)
def test_characters_that_the_charset_lacks_are_refused(
    charset: RecordCharset, kind: FieldKind, text: str
) -> None:
    with pytest.raises(NotInCharset) as refused:
        one(charset, kind, 10).encode("f", f"千{text}")

    assert (refused.value.got, refused.value.position) == (text, 1)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("text", "千葉千葉千葉", "length"),
        ("packed", "1234567890123456", "length"),
        ("zoned", "12a", "digits"),
        ("digits", "-1", "digits"),
        ("packed", "-", "digits"),
        ("date", "2026-4-1", "digits"),
    ],
)
def test_values_without_a_place_are_refused(kind: FieldKind, text: str, reason: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        one("ibm930", kind, 8).encode("f", text)

    assert refused.value.reason == reason


# -- files -----------------------------------------------------------------------------------------

PEOPLE = (
    RecordField("no", 0, 10, "digits"),
    RecordField("name", 10, 20, "text"),
    RecordField("amount", 30, 5, "packed"),
)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("ends_with", ["none", "lf", "crlf"])
@given(
    rows=st.lists(
        st.tuples(
            st.text("0123456789", min_size=10, max_size=10),
            st.text(HELD, max_size=4).map(lambda text: text.rstrip(" ")),
            st.integers(-99999, 99999).map(str) | st.just(""),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_file_is_read_back(
    charset: RecordCharset,
    ends_with: str,
    rows: list[tuple[str, str, str]],
    shared: duckdb.DuckDBPyConnection,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    records = Records(charset=charset, length=36, fields=PEOPLE, ends_with=ends_with)  # type: ignore[arg-type]
    path = tmp_path_factory.mktemp("host") / "file"
    shared.execute("create or replace table t (no varchar, name varchar, amount varchar)")
    shared.execute("drop table if exists back")
    shared.executemany("insert into t values (?, ?, ?)", rows)

    written = write_records(shared, "t", records, path)
    read, broken, left_out = read_records(path, records, shared, "back")

    assert (written, read, broken, left_out) == (len(rows), len(rows), [], 0)
    assert path.stat().st_size == len(rows) * records.stride
    assert shared.execute('from back order by "·line"').fetchall() == [
        (line, *row) for line, row in enumerate(rows, 1)
    ]


def test_bytes_that_mean_nothing_are_findings_with_the_number_of_the_record(tmp_path: Path) -> None:
    records = Records(charset="ibm930", length=36, fields=PEOPLE)
    path = tmp_path / "HOST.DAT"
    with duckdb.connect() as work:
        work.execute("create table t as select '0000000001' as no, '千葉' as name, '1' as amount")
        write_records(work, "t", records, path)
        good = path.read_bytes()
        broken_name = good[:10] + b"\x0e\xff\xff\x0f" + good[14:]
        broken_sign = good[:34] + b"\x10" + good[35:]
        path.write_bytes(good + broken_name + good + broken_sign)

        read, broken, left_out = read_records(path, records, work, "back")

        assert (read, left_out) == (2, 2)
        assert [(f.code, f.line, f.item) for f in broken] == [
            ("finding.undecodable", 2, "name"),
            ("finding.undecodable", 4, "amount"),
        ]
        assert work.execute('select "·line" from back').fetchall() == [(1,), (3,)]


def test_a_file_that_is_not_of_whole_records_is_refused(tmp_path: Path) -> None:
    records = Records(charset="cp932", length=36, fields=PEOPLE, ends_with="crlf")
    path = tmp_path / "HOST.DAT"
    with duckdb.connect() as work:
        path.write_bytes(b"")
        with pytest.raises(FileEmpty):
            read_records(path, records, work, "a")
        path.write_bytes(b" " * 38 * 2 + b"x")
        with pytest.raises(RecordsUneven) as uneven:
            read_records(path, records, work, "b")
        assert uneven.value.line == 3
        path.write_bytes((b" " * 36 + b"\r\n") * 2 + b" " * 38)
        with pytest.raises(RecordsUneven) as unended:
            read_records(path, records, work, "c")
        assert unended.value.line == 3


def test_a_value_without_a_place_stops_the_writing_and_shows_no_value(tmp_path: Path) -> None:
    records = Records(charset="ibm930", length=36, fields=PEOPLE)
    with duckdb.connect() as work:
        work.execute(
            "create table t as select '1' as no, '𠮷田' as name, '1' as amount from range(3)"
        )
        with pytest.raises(RecordsUnwritable) as refused:
            write_records(work, "t", records, tmp_path / "f")

    assert (refused.value.item, refused.value.rows, refused.value.got) == ("name", 3, "U+20BB7")
    assert "田" not in refused.value.say("ja") + refused.value.say("en")
