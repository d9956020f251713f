"""A folder as a store: bad files have defined ends, and what is written opens without damage."""

import csv
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.conversion.errors import ConversionFailed, RecordsUnwritable
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.folder_tables import FolderTables
from kumobashi.conversion.records import Records
from kumobashi.conversion.taking import DropFolder
from kumobashi.conversion.written_files import WrittenCharset
from kumobashi.kernel import new_id
from kumobashi.storage.errors import CharactersUnheld, ColumnMissing, FolderUnreachable
from kumobashi.storage.tables import HeldBack, Load, Query, Removal, TableReader
from kumobashi.testing.partners.host_files import records_for

DAY = date(2026, 11, 21)
LAYOUT = load_layouts().get("insured-residents", "1")
NAMES = LAYOUT.names
HEADER = ",".join(field.ja for field in LAYOUT.fields)


def store(
    folder: Path,
    *,
    pattern: str = "t_{date}.csv",
    charset: WrittenCharset = "utf-8-bom",
    records: Records | None = None,
) -> FolderTables:
    (folder / "drop").mkdir(exist_ok=True)
    return FolderTables(
        DropFolder(
            system="desk",
            name="窓口",
            folder=folder / "drop",
            kept=folder / "private/taken",
            quiet_seconds=0.2,
        ),
        {"t": FileTable(layout=LAYOUT, pattern=pattern, records=records)},
        private=folder / "private",
        charset=charset,
    )


def drop(folder: Path, body: bytes, name: str = "t_20261121.csv") -> None:
    path = folder / "drop" / name
    path.write_bytes(body)
    then = time.time() - 60
    os.utime(path, (then, then))


@contextmanager
def opened(tables: FolderTables) -> Iterator[TableReader]:
    with tables.reading(DAY) as reader:
        yield reader


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "conversion.file_empty"),
        (HEADER.encode() + b"\n1\x002\n", "conversion.nul"),
        (
            HEADER.encode() + "\n髙\n".encode() + "髙\n".encode("cp932"),
            "conversion.charset_unclear",
        ),
        (HEADER.encode() + b'\n"' + b"x" * 10_000_000, "conversion.field_too_large"),
        (b"a,b\n1,2\n", "conversion.header_unclear"),
    ],
    ids=["empty", "nul", "mixed", "10 MB in one field", "no header"],
)
def test_a_bad_file_ends_with_its_code_and_nothing_is_read(
    tmp_path: Path, body: bytes, code: str
) -> None:
    tables = store(tmp_path)
    drop(tmp_path, body)

    for _ in range(2):  # the same file, kept, gives the same again
        with pytest.raises(ConversionFailed) as failed, opened(tables) as reader:
            reader.hold_back("t", leave_out=True)
        assert failed.value.code == code


def row(**values: str) -> str:
    made = {field.name: "" for field in LAYOUT.fields} | values
    return ",".join(made[name] for name in NAMES)


def required_values() -> dict[str, str]:
    """Return a row that has no findings."""
    found = {}
    for field in LAYOUT.fields:
        if field.code_list:
            found[field.name] = load_code_lists()[field.code_list].values[0]
        elif column_spec(field).kind == "date":
            found[field.name] = "2026-04-01"
        elif field.sensitivity == "identifier":
            found[field.name] = "0" * ((field.digits or 10) - 1) + "1"
        elif field.required:
            found[field.name] = "1"
    return found


def held(tables: FolderTables) -> HeldBack:
    with opened(tables) as reader:
        return reader.hold_back("t", leave_out=True)


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_another_delimiter_is_found_by_the_header(tmp_path: Path, delimiter: str) -> None:
    tables = store(tmp_path)
    text = f"{HEADER}\n{row(**required_values())}\n".replace(",", delimiter)
    drop(tmp_path, text.encode("utf-16"))

    with opened(tables) as reader:
        assert reader.hold_back("t", leave_out=True) == HeldBack()
        assert reader.count(Query("t", ("resident_no",))) == 1


def test_a_required_column_that_is_missing_stops_whatever_the_link_says(tmp_path: Path) -> None:
    tables = store(tmp_path)
    drop(tmp_path, HEADER.partition(",")[2].encode() + b"\n" + b"," * (len(NAMES) - 2) + b"\n")

    with pytest.raises(ColumnMissing):
        held(tables)


# -- writing ---------------------------------------------------------------------------------------


def load(work: duckdb.DuckDBPyConnection, rows: list[dict[str, str]], sequence: int = 1) -> Load:
    columns = tuple(column_spec(field) for field in LAYOUT.fields)
    typed = ", ".join(f"{column.name} {column.sql_type}" for column in columns)
    work.execute(f"create or replace table rows ({typed})")
    marks = ", ".join("?" for _ in columns)
    for one in rows:
        work.execute(f"insert into rows values ({marks})", [one.get(n) or None for n in NAMES])
    return Load(
        tenant="999997",
        transfer=new_id(),
        link="a-link",
        business_date=DAY,
        sequence=sequence,
        mode="full",
        base_transfer=None,
        table="t",
        columns=columns,
        key=LAYOUT.key,
        rows=len(rows),
        deleted=0,
        connection=work,
        relation="rows",
        deleted_relation=None,
        before_commit=lambda: None,
    )


def text_item() -> str:
    return next(f.name for f in LAYOUT.fields if f.type == "N" and not f.code_list)


def test_texts_that_a_spreadsheet_would_run_are_made_harmless_in_csv(tmp_path: Path) -> None:
    tables = store(tmp_path, charset="cp932")
    good = required_values()
    number = good["resident_no"]
    texts = ["=1+1", "+A1", "@x", "-x", '="007"', "1,2", 'a"b', "a\nb"]
    with duckdb.connect() as work:
        rows = [
            {**good, "resident_no": f"{n:010}", text_item(): text} for n, text in enumerate(texts)
        ]
        tables.apply(load(work, rows))

    with (tmp_path / "drop/t_20261121.csv").open(encoding="cp932", newline="") as lines:
        header, *found = list(csv.reader(lines))
    place = NAMES.index(text_item())
    assert header == HEADER.split(",")
    assert [one[place] for one in found] == [f"'{t}" if t[0] in "=+@-" else t for t in texts]
    assert {one[NAMES.index("resident_no")] for one in found} == {f"{n:010}" for n in range(8)}
    assert len(number) == 10


@pytest.mark.parametrize("text", ["𠮷田", "〜"])
def test_a_character_that_cp932_lacks_or_changes_stops_the_file_before_the_commit(
    tmp_path: Path, text: str
) -> None:
    tables = store(tmp_path, charset="cp932")
    with duckdb.connect() as work:
        good = required_values()
        bad = {**good, "resident_no": "0000000002", text_item(): f"山{text}"}
        with pytest.raises(CharactersUnheld) as refused:
            tables.apply(load(work, [good, bad]))
        assert (refused.value.line, refused.value.position) == (2, 2)
        assert "山" not in refused.value.say("ja") + refused.value.say("en")
        assert list((tmp_path / "drop").iterdir()) == []

        assert tables.apply(load(work, [good], sequence=2)).total == 1
    assert (tmp_path / "drop/t_20261121.csv").exists()


@pytest.mark.parametrize("charset", ["cp932", "ibm930", "ibm939"])
def test_a_host_reads_what_was_applied_and_its_file_is_read_back(
    tmp_path: Path, charset: str
) -> None:
    records = records_for(LAYOUT, charset)  # type: ignore[arg-type]
    tables = store(tmp_path, pattern="HOST.D{date}.DAT", records=records)
    good = {**required_values(), text_item(): "髙橋"}
    with duckdb.connect() as work:
        tables.apply(load(work, [good]))
        file = tmp_path / "drop/HOST.D20261121.DAT"
        assert file.stat().st_size == records.length
        with pytest.raises(RecordsUnwritable):
            tables.apply(load(work, [{**good, text_item(): "𠮷"}], sequence=2))

    with opened(tables) as reader:
        assert reader.hold_back("t", leave_out=True) == HeldBack()
        with reader.stream(Query("t", ("resident_no", text_item()))) as rows:
            assert rows.read_all().to_pylist() == [
                {"resident_no": good["resident_no"], text_item(): "髙橋"}
            ]


def removal(made: Load) -> Removal:
    return Removal(tenant=made.tenant, transfer=made.transfer, link=made.link, table=made.table)


def lying(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("has_been_fetched", [False, True])
def test_what_is_deleted_takes_its_file_with_it_unless_the_partner_has_it(
    tmp_path: Path, *, has_been_fetched: bool
) -> None:
    tables = store(tmp_path, pattern="t_{date}_{sequence}.csv")
    drop = tmp_path / "drop"
    with duckdb.connect() as work:
        made = load(work, [required_values()])
        tables.apply(made)
        (file,) = lying(drop)
        if has_been_fetched:
            (drop / file).unlink()

        removed = tables.remove(removal(made))

        assert (removed.rows, removed.taken_over_by, removed.already) == (1, None, False)
        assert lying(drop) == set()
        assert tables.remove(removal(made)).already
        tables.apply(made)
        assert lying(drop) == set(), "what was deleted is not written again"
        tables.apply(load(work, [required_values()], sequence=2))
    assert lying(drop) == {"t_20261121_2.csv"}


def test_deleting_an_older_transfer_spares_the_file_of_a_newer_one(tmp_path: Path) -> None:
    tables = store(tmp_path)  # both have the same name
    with duckdb.connect() as work:
        first = load(work, [required_values()])
        tables.apply(first)
        other = {**required_values(), "resident_no": "0000000002"}
        second = load(work, [other], sequence=2)
        tables.apply(second)

        removed = tables.remove(removal(first))

    assert (removed.rows, removed.taken_over_by) == (0, second.transfer)
    assert "0000000002" in (tmp_path / "drop/t_20261121.csv").read_text("utf-8-sig")


def test_a_folder_that_is_away_keeps_the_deletion_open(tmp_path: Path) -> None:
    tables = store(tmp_path)
    with duckdb.connect() as work:
        made = load(work, [required_values()])
        tables.apply(made)
    (tmp_path / "drop").rename(tmp_path / "away")
    with pytest.raises(FolderUnreachable):
        tables.remove(removal(made))

    (tmp_path / "away").rename(tmp_path / "drop")
    tables.remove(removal(made))

    assert lying(tmp_path / "drop") == set()
