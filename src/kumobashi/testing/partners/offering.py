"""Put what a partner would offer where the gateway looks for it: tables, or files in its folder."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import FileTable
from kumobashi.conversion.written_files import WrittenCharset, write_file
from kumobashi.storage.tables import literal, quoted
from kumobashi.testing.city import City
from kumobashi.testing.partners.rows import rows_sql
from kumobashi.testing.partners.spreadsheets import write_spreadsheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One dataset that is there now."""

    table: str
    place: Path
    rows: int


def offer(
    city: City,
    tables: Iterable[tuple[str, FileTable]],
    place: Path,
    *,
    on: date,
    charset: WrittenCharset,
    is_folder: bool,
    done_mark: bool = False,
) -> list[Offered]:
    """Write every table: into the DuckDB file ``place``, or as files of the folder ``place``.

    A workbook comes as people make it; a file appears whole, as a careful partner would do it.

    Raises:
        FileExistsError: a table there is not one that a fake partner has made.
    """
    offered = []
    for table, held in tables:
        query = rows_sql(held.layout, table)
        if is_folder:
            path = place / FileName(held.pattern.replace("*", "")).fill(on, 1)
            rows = _write(city, query, held, path, on=on, charset=charset)
            if done_mark:
                path.with_name(f"{path.name}.done").touch()
            offered.append(Offered(table=table, place=path, rows=rows))
        else:
            rows = _fill(city, query, place, table)
            offered.append(Offered(table=table, place=place, rows=rows))
    return offered


def _write(
    city: City, query: str, held: FileTable, path: Path, *, on: date, charset: WrittenCharset
) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        if path.suffix.lower() == ".xlsx" and held.records is None:
            rows = write_spreadsheet(city.connection, query, held.layout, part, on=on)
        else:
            rows = write_file(
                city.connection,
                f"({query})",
                held.layout,
                part,
                charset=charset,
                records=held.records,
            )
        os.replace(part, path)  # noqa: PTH105 - like rename, on every system
    finally:
        part.unlink(missing_ok=True)
    return rows


def _fill(city: City, query: str, path: Path, table: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    city.connection.execute(f"attach {literal(str(path))} as partner")
    try:
        city.connection.execute("create table if not exists partner.kumobashi_fake (made varchar)")
        ours = {row[0] for row in city.connection.execute("from partner.kumobashi_fake").fetchall()}
        there = city.connection.execute(
            "select 1 from duckdb_tables() where database_name = 'partner' and table_name = ?",
            [table],
        ).fetchall()
        if there and table not in ours:
            raise FileExistsError(path.name)
        city.connection.execute("insert into partner.kumobashi_fake values (?)", [table])
        city.connection.execute(f"create or replace table partner.{quoted(table)} as {query}")
        found = city.connection.execute(f"select count(*) from partner.{quoted(table)}")
        return int(found.fetchall()[0][0])
    finally:
        city.connection.execute("detach partner")
