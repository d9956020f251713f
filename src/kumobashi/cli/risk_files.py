"""Bring files into DuckDB for ``kumobashi risk``: rows, population, hierarchies."""

# ruff: noqa: S608 - names pass `quoted`, paths and texts `literal`

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion.errors import ConversionFailed, FileAbsent, FileEmpty
from kumobashi.conversion.files import read_file
from kumobashi.conversion.text_form import DELIMITERS, charset_of
from kumobashi.risk.errors import (
    ColumnUnknown,
    FileUnreadable,
    HierarchyEmpty,
    HierarchyMissing,
    NoRows,
    NotOrdered,
    RowsBroken,
    WorkroomFull,
)
from kumobashi.risk.hierarchies import Hierarchy, read_hierarchy
from kumobashi.risk.measuring import Sensitive
from kumobashi.storage.counting import count
from kumobashi.storage.errors import is_disk_full
from kumobashi.storage.tables import literal, quoted

if TYPE_CHECKING:
    import duckdb

    from kumobashi.conversion.text_form import Charset

MEMORY = "768MiB"  # of DuckDB; what is more goes into a spill folder
_LONGEST_HEADER = 1 << 16
_PARQUET = frozenset({".parquet", ".pq"})
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d{1,38}"
_CODECS: "dict[Charset, str]" = {
    "utf-8": "utf-8",
    "utf-8-bom": "utf-8-sig",
    "utf-16": "utf-16",
    "cp932": "cp932",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file as a relation: its columns with their types, and the expression of a row's line."""

    name: str
    relation: str
    types: dict[str, str]
    line: str


@contextmanager
def bounded_memory() -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open a DuckDB whose memory is bounded, with a folder for what does not fit.

    Raises:
        WorkroomFull: neither is enough for what is done there.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="kumobashi-") as folder, duckdb.connect() as work:
        work.execute(f"set memory_limit = '{MEMORY}'; set threads = 2")
        work.execute(f"set temp_directory = {literal(folder)}")
        work.execute("set preserve_insertion_order = false")
        try:
            yield work
        except (duckdb.Error, OSError, MemoryError) as error:
            is_memory = isinstance(error, duckdb.OutOfMemoryException | MemoryError)
            if is_memory or is_disk_full(error):
                raise WorkroomFull(memory=MEMORY) from None
            raise


def open_rows(
    work: "duckdb.DuckDBPyConnection",
    path: Path,
    relation: str,
    columns: Sequence[str],
    delimiter: str | None,
) -> Opened:
    """Copy a Parquet file's columns into a table, or any other file as texts.

    Raises:
        ConversionFailed: the file cannot be read as rows.
        FileUnreadable, RowsBroken, ColumnUnknown, NoRows
    """
    if not path.is_file():
        raise FileAbsent(file=path.name)
    if _is_parquet(path):
        types = _parquet_types(work, path, columns)
        line = _read_parquet(work, path, relation, columns)
    else:
        line = quoted(LINE)
        wanted = set(columns)
        delimiter = delimiter or _unusual_delimiter(path, wanted)
        # Names that were asked for decide on the delimiter; without one of them, most columns do.
        read = read_file(
            path,
            work,
            relation,
            layout="",
            known=lambda names: 1000 * len(wanted.intersection(names)) + len(names),
            delimiter=delimiter,
        )
        if read.broken:
            first = read.broken[0]
            raise RowsBroken(
                place=path.name,
                line=first.line,
                expected=first.expected,
                got=first.got,
                rows=read.broken_rows,
            )
        types = dict.fromkeys(read.header, "VARCHAR")
        _require(columns, types, path)
    if count(work, f"select count(*) from {relation}") == 0:
        raise NoRows(place=path.name)
    return Opened(name=path.name, relation=relation, types=types, line=line)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as source:
        return path.suffix.lower() in _PARQUET or source.read(4) == b"PAR1"


def _unusual_delimiter(path: Path, wanted: set[str]) -> str | None:
    """Return the character that parts the header into all wanted names, unless a usual one does.

    Workbooks have none; neither have files whose charset is unclear, which the reader refuses.
    """
    try:
        with path.open(encoding=_CODECS[charset_of(path)], newline="") as lines:
            header = lines.readline(_LONGEST_HEADER)
    except ConversionFailed:
        return None
    others = sorted({char for char in header if char.isascii() and not char.isalnum()})
    for one in [*DELIMITERS, *(char for char in others if char not in '"\r\n')]:
        names = {name.strip() for name in next(csv.reader([header], delimiter=one), [])}
        if wanted <= names:
            return None if one in DELIMITERS else one
    return None


def _require(columns: Sequence[str], types: dict[str, str], path: Path) -> None:
    for column in columns:
        if column not in types:
            raise ColumnUnknown(place=path.name, column=column, known=", ".join(types))


def _parquet_types(
    work: "duckdb.DuckDBPyConnection", path: Path, columns: Sequence[str]
) -> dict[str, str]:
    """Return the types of a Parquet file's columns, once all that are named are there."""
    import duckdb

    try:
        described = work.execute(f"describe from read_parquet({literal(str(path))})").fetchall()
    except (duckdb.InvalidInputException, duckdb.IOException):
        raise FileUnreadable(file=path.name) from None
    types = {row[0]: row[1] for row in described}
    _require(columns, types, path)
    return types


def _read_parquet(
    work: "duckdb.DuckDBPyConnection", path: Path, relation: str, columns: Sequence[str]
) -> str:
    """Copy the columns, with the number of each row; damage anywhere in them is met here."""
    import duckdb

    names = ", ".join(map(quoted, dict.fromkeys(columns)))
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    try:
        work.execute(
            f"create table {relation} as"
            f" select {names}, file_row_number + 1 as {quoted(LINE)} from {source}"
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if is_disk_full(error):
            raise
        raise FileUnreadable(file=path.name) from None
    return quoted(LINE)


def sensitive_columns(
    work: "duckdb.DuckDBPyConnection",
    opened: Opened,
    names: Sequence[str],
    *,
    ordered: Sequence[str],
    categorical: Sequence[str],
) -> tuple[str, list[Sensitive]]:
    """Decide which sensitive columns are ordered; return a relation in which those are numbers.

    A column of texts is ordered where every text is a number, unless it is said to be categorical.

    Raises:
        NotOrdered: a column was said to be ordered and holds something else.
    """
    replaced, found = [], []
    for name in names:
        if name in categorical:
            found.append(Sensitive(column=name, is_ordered=False))
            continue
        is_wished = True if name in ordered else None
        if opened.types[name] != "VARCHAR":
            found.append(Sensitive(column=name, is_ordered=is_wished))
            continue
        others, wholes = _numbers(work, opened.relation, name)
        if others and is_wished:
            raise NotOrdered(column=name, rows=others)
        found.append(Sensitive(column=name, is_ordered=not others))
        if not others:
            kind = "hugeint" if wholes else "double"
            replaced.append(f"trim({quoted(name)})::{kind} as {quoted(name)}")
    if not replaced:
        return opened.relation, found
    view = quoted(f"{opened.name} with numbers")
    work.execute(
        f"create or replace temp view {view} as"
        f" select * replace ({', '.join(replaced)}) from {opened.relation}"
    )
    return view, found


def _numbers(work: "duckdb.DuckDBPyConnection", relation: str, column: str) -> tuple[int, bool]:
    """Return how many rows hold no finite number, and whether all hold whole ones."""
    name = f"trim({quoted(column)})"
    is_number = f"regexp_full_match({name}, '{_NUMBER}') and isfinite(try_cast({name} as double))"
    is_whole = f"regexp_full_match({name}, '{_WHOLE}')"
    ((others, parts),) = work.execute(
        f"select count(*) filter (not coalesce({is_number}, false)),"
        f" count(*) filter (not coalesce({is_whole}, false)) from {relation}"
    ).fetchall()
    return int(others), not parts


def open_hierarchy(folder: Path, column: str, delimiter: str | None) -> Hierarchy:
    """Read the hierarchy of a column: ``<column>.csv`` or ``*_hierarchy_<column>.csv``.

    Raises:
        HierarchyMissing: there is none, or more than one.
        HierarchyFailed, ConversionFailed: it cannot be read or climbed.
    """
    names = (f"{column}.csv", f"hierarchy_{column}.csv")
    there = folder.iterdir() if folder.is_dir() else []
    found = sorted(
        path
        for path in there
        if path.name in names or path.name.endswith(f"_hierarchy_{column}.csv")
    )
    if len(found) != 1:
        raise HierarchyMissing(column=column, folder=folder.name)
    try:
        text = found[0].read_text(encoding=_CODECS[charset_of(found[0])])
    except FileEmpty:
        raise HierarchyEmpty(file=found[0].name) from None
    return read_hierarchy(text, file=found[0].name, delimiter=delimiter)
