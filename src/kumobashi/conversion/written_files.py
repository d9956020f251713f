"""Write rows of a layout as a file that a partner's program or a person's Excel takes in.

CSV has the layout's Japanese names above the columns, as links have. A text that a spreadsheet
would run gets an apostrophe in front; zeros in front, dates, delimiters, quotes and line ends stay
as they are. A workbook holds texts only, so nothing needs an apostrophe. What the charset cannot
hold, or would give back as another character, stops the writing: never a silent substitute.
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

import codecs
import os
from pathlib import Path
from typing import Literal

import duckdb

from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.fields import Field, Layout
from kumobashi.conversion.charsets import losses
from kumobashi.conversion.copies import MOST_ROWS, write_copy
from kumobashi.conversion.errors import SheetTooLong
from kumobashi.conversion.inspecting import FORMULA
from kumobashi.conversion.record_files import write_records
from kumobashi.conversion.records import Records
from kumobashi.storage.counting import count
from kumobashi.storage.errors import CharactersUnheld
from kumobashi.storage.tables import literal, quoted

WrittenCharset = Literal["utf-8-bom", "utf-8", "cp932"]
_BLOCK = 1 << 20
_ROWS = '"·rows to write"'  # a name that no table of a system has; cursors see it too
_DELIMITERS = {".tsv": "\t", ".tab": "\t"}


def write_file(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    layout: Layout,
    path: Path,
    *,
    charset: WrittenCharset,
    records: Records | None = None,
) -> int:
    """Write ``relation`` in the form that the name's ending says; return the rows.

    ``.xlsx`` is a workbook, ``.tsv`` parted by tabs, others by commas; ``records`` makes fixed
    lengths of any. The caller flushes the file and gives it its name.

    Raises:
        CharactersUnheld, RecordsUnwritable, SheetTooLong: the file cannot hold the rows.
    """
    _name_texts(work, relation, layout)
    if records is not None:
        return write_records(work, _ROWS, records, path)
    headers = {field.name: field.ja for field in layout.fields}
    if path.suffix.lower() == ".xlsx":
        return write_copy(work, _ROWS, headers, path)
    if charset == "cp932":
        _require_held(work, layout)
    plain = path.with_name(f"{path.name}.plain")
    columns = ", ".join(f"{_unrun(field)} as {quoted(field.ja)}" for field in layout.fields)
    delimiter = literal(_DELIMITERS.get(path.suffix.lower(), ","))
    try:
        rows = count(
            work,
            f"copy (select {columns} from {_ROWS}) to {literal(str(plain))}"
            f" (format csv, header, delimiter {delimiter})",
        )
        _recode(plain, path, charset)
    finally:
        plain.unlink(missing_ok=True)
    return rows


def require_writable(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    layout: Layout,
    path: Path,
    *,
    charset: WrittenCharset,
    records: Records | None = None,
) -> None:
    """Raise what :func:`write_file` would raise for these rows; write nothing."""
    _name_texts(work, relation, layout)
    if records is not None:
        write_records(work, _ROWS, records, Path(os.devnull))
    elif path.suffix.lower() == ".xlsx":
        rows = count(work, f"select count(*) from {_ROWS}")
        if rows > MOST_ROWS:
            raise SheetTooLong(rows=rows, limit=MOST_ROWS)
    elif charset == "cp932":
        _require_held(work, layout)


def _name_texts(work: duckdb.DuckDBPyConnection, relation: str, layout: Layout) -> None:
    texts = ", ".join(f"{_as_text(field)} as {quoted(field.name)}" for field in layout.fields)
    work.execute(f"create or replace view {_ROWS} as select {texts} from {relation}")


def _as_text(field: Field) -> str:
    name = quoted(field.name)
    match column_spec(field).kind:
        case "integers":
            return f"array_to_string({name}, ' ')"
        case "timestamp":
            return f"strftime({name}, '%Y-%m-%d %H:%M:%S')"
        case _:
            return f"{name}::varchar"


def _unrun(field: Field) -> str:
    """Return the SQL of a text that no spreadsheet runs."""
    name = quoted(field.name)
    if column_spec(field).kind != "text":
        return name
    return f"case when regexp_matches({name}, '{FORMULA}') then '''' || {name} else {name} end"


def _require_held(work: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Raise :class:`CharactersUnheld` for the first item with a character that cp932 lacks."""
    for field in layout.fields:
        if column_spec(field).kind != "text":
            continue
        name = quoted(field.name)
        values = work.sql(
            f"select distinct {name} from {_ROWS} where strlen({name}) <> length({name})"
        ).to_arrow_table()
        for loss in losses(values.column(0), "cp932", {}):
            char = literal(loss.text)
            numbered = f"select row_number() over () as line, {name} as text from {_ROWS}"
            ((rows, line, position),) = work.execute(
                f"select count(*), min(line), arg_min(strpos(text, {char}), line)"
                f" from ({numbered}) where contains(text, {char})"
            ).fetchall()
            raise CharactersUnheld(
                item=field.name,
                rows=rows,
                charset="cp932",
                code_point=loss.code_point,
                line=line,
                position=position,
            )


def _recode(source: Path, target: Path, charset: WrittenCharset) -> None:
    codec = "cp932" if charset == "cp932" else "utf-8"
    with source.open(encoding="utf-8", newline="") as reading, target.open("wb") as writing:
        if charset == "utf-8-bom":
            writing.write(codecs.BOM_UTF8)
        while text := reading.read(_BLOCK):
            writing.write(text.encode(codec))
