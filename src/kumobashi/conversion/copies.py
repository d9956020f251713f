"""Write rows so that people can open them: CSV with a byte order mark, or a workbook of texts.

A workbook keeps what Excel takes out of a CSV when it opens one: zeros in front, long numbers and
texts that look like dates or formulas. Every cell is a text; nothing in it is run.
"""

import codecs
from collections.abc import Mapping
from pathlib import Path

import duckdb

from kumobashi.conversion.errors import SheetTooLong
from kumobashi.storage.tables import literal, quoted

_BLOCK = 1 << 20
_ROWS_AT_ONCE = 10_000
MOST_ROWS = 1_048_575  # of a sheet, below the header
_WIDEST = 40  # columns wider than this many characters are not made wider


def write_copy(
    work: duckdb.DuckDBPyConnection, relation: str, headers: Mapping[str, str], path: Path
) -> int:
    """Write ``relation`` to ``path``, ``.xlsx`` or CSV; return the rows.

    ``headers`` gives what stands over each column. The file appears whole or not at all.

    Raises:
        SheetTooLong: more rows than a sheet holds.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".xlsx":
            rows = _workbook(work, relation, headers, part)
        else:
            rows = _csv(work, relation, headers, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def _csv(
    work: duckdb.DuckDBPyConnection, relation: str, headers: Mapping[str, str], path: Path
) -> int:
    plain = path.with_name(f"{path.name}.plain")
    columns = ", ".join(f"{quoted(name)} as {quoted(ja)}" for name, ja in headers.items())
    selected = f"select {columns} from {relation}"  # noqa: S608 - quoted, and ours
    try:
        ((rows,),) = work.execute(
            f"copy ({selected}) to {literal(str(plain))} (format csv, header)"
        ).fetchall()
        with plain.open("rb") as source, path.open("wb") as target:
            target.write(codecs.BOM_UTF8)
            while block := source.read(_BLOCK):
                target.write(block)
    finally:
        plain.unlink(missing_ok=True)
    return int(rows)


def _workbook(
    work: duckdb.DuckDBPyConnection, relation: str, headers: Mapping[str, str], path: Path
) -> int:
    from xlsxwriter import Workbook  # noqa: PLC0415 - seldom needed

    ((rows,),) = work.execute(f"select count(*) from {relation}").fetchall()  # noqa: S608 - ours
    if rows > MOST_ROWS:
        raise SheetTooLong(rows=rows, limit=MOST_ROWS)
    columns = ", ".join(f"{quoted(name)}::varchar" for name in headers)
    with Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        as_text = book.add_format({"num_format": "@"})
        for place, ja in enumerate(headers.values()):
            sheet.set_column(place, place, min(_WIDEST, 4 + 2 * len(ja)), as_text)
            sheet.write_string(0, place, ja, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        found = work.execute(f"select {columns} from {relation}")  # noqa: S608 - ours
        number = 1
        while group := found.fetchmany(_ROWS_AT_ONCE):
            for row in group:
                for place, text in enumerate(row):
                    if text:
                        sheet.write_string(number, place, text, as_text)
                number += 1
    return int(rows)
