"""A file as people have it, as a table of texts: CSV, tab, and the first sheet of a workbook.

Each row keeps the line it began on, so that whatever is found later can be shown in the file.
A row with too few or too many columns is a finding, not a failure; it is left out of the table.
"""

import csv
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pyarrow as pa

from kumobashi.catalogue.faults import LINE
from kumobashi.conversion.errors import (
    FieldTooLarge,
    FileAbsent,
    FileChanged,
    FileEmpty,
    HeaderUnclear,
    WorkbookUnreadable,
)
from kumobashi.conversion.regular_files import read_regular
from kumobashi.conversion.text_form import TextForm, form_of
from kumobashi.kernel import Finding

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
LONGEST_FIELD = 1 << 20  # characters
_ROWS_AT_ONCE = 20_000
_MOST_BROKEN = 1000
_MOST_ABOVE = 30  # rows of a sheet among which the header is looked for
Known = Callable[[list[str]], int]  # how many names of a header are known
_Row = tuple[int, list[str]]  # the line it begins on, its texts


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """What was read into the table; ``form`` is ``None`` for a workbook."""

    header: tuple[str, ...]
    rows: int
    form: TextForm | None
    broken: tuple[Finding, ...] = field(default=())  # rows that are not in the table, the first
    broken_rows: int = 0  # and how many there are


def read_file(
    path: Path,
    work: duckdb.DuckDBPyConnection,
    table: str,
    *,
    layout: str,
    known: Known,
    delimiter: str | None = None,
) -> FileRead:
    """Read ``path`` into a new table of texts with the header's names and ``LINE``.

    ``delimiter`` is for files whose own is not among those that are looked for.

    Raises:
        FileAbsent, FileEmpty, FileChanged, NulInFile, CharsetUnclear, FieldTooLarge,
        HeaderUnclear, WorkbookUnreadable
    """
    if not path.is_file():
        raise FileAbsent(file=path.name)
    before = _state(path)
    if path.suffix.lower() in WORKBOOKS:
        form, rows = None, _headed(_workbook_rows(path), known)
    else:
        form = form_of(path, known, delimiter)
        if form is None:
            raise HeaderUnclear(file=path.name, layout=layout, example="宛名番号,氏名")
        rows = _text_rows(path, form)
    first = next(rows, None)
    if first is None:
        raise FileEmpty(file=path.name)
    header = _unique([name.strip() for name in first[1]])
    if not known(list(header)):
        raise HeaderUnclear(file=path.name, layout=layout, example="宛名番号,氏名")
    broken, written = _Broken(), None
    if form is not None:
        written = read_regular(path, form, work, table, header, longest_field=LONGEST_FIELD)
    if written is None:
        written = _write(work, table, header, _whole(rows, len(header), broken))
    if _state(path) != before:
        raise FileChanged(file=path.name)
    return FileRead(
        header=header,
        rows=written,
        form=form,
        broken=tuple(broken.findings),
        broken_rows=broken.rows,
    )


@dataclass(slots=True)
class _Broken:
    """Rows that have another number of columns than the header."""

    findings: list[Finding] = field(default_factory=list)  # the first
    rows: int = 0


def _state(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 - what is the same thing for both kinds of files
    return found.st_size, found.st_mtime_ns, found.st_ino


def _text_rows(path: Path, form: TextForm) -> Iterator[_Row]:
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding=form.codec, newline="") as lines:
        reader = csv.reader(lines, delimiter=form.delimiter, strict=False)
        begins = 1
        try:
            for row in reader:
                if row:  # an empty line is no row
                    yield begins, row
                begins = reader.line_num + 1
        except csv.Error:
            raise FieldTooLarge(file=path.name, line=begins, limit=LONGEST_FIELD) from None


def _headed(rows: Iterator[_Row], known: Known) -> Iterator[_Row]:
    """Give the rows from the header on: sheets have titles above it, and headers of two rows.

    A cell that is merged over others stands in the first of them; what stands below it counts.
    """
    above = list(itertools.islice(rows, _MOST_ABOVE))
    best = (0, 0, list[str](), 0)
    for place, (_, upper) in enumerate(above):
        lower = above[place + 1][1] if place + 1 < len(above) else []
        for height, names in ((1, upper), (2, _joined(upper, lower))):
            if (found := known(names)) > best[0]:
                best = (found, place, names, height)
    _, place, names, height = best
    if not height:
        yield from itertools.chain(above, rows)
        return
    yield above[place][0], names
    yield from itertools.chain(above[place + height :], rows)


def _joined(upper: list[str], lower: list[str]) -> list[str]:
    pairs = itertools.zip_longest(upper, lower, fillvalue="")
    return [below or over for over, below in pairs]


def _workbook_rows(path: Path) -> Iterator[_Row]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - seldom needed

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            for number, row in enumerate(book.get_sheet_by_index(0).iter_rows(), 1):
                texts = [_text(value) for value in row]
                if any(texts):
                    yield number, texts
    except CalamineError:
        raise WorkbookUnreadable(file=path.name) from None


def _text(value: object) -> str:
    """Return a cell as people see it.

    >>> _text(12.0), _text(0.5), _text(date(2026, 4, 1)), _text(None)
    ('12', '0.5', '2026-04-01', '')
    """
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _unique(names: list[str]) -> tuple[str, ...]:
    """Return names of columns, each once; an empty one is called by its place.

    To DuckDB, names that differ only by capitals are one.

    >>> _unique(["a", "A", "", "a"])
    ('a', 'A (2列目)', '(3列目)', 'a (4列目)')
    """
    found: list[str] = []
    taken: set[str] = set()
    for place, name in enumerate(names, 1):
        wish = name or f"({place}列目)"
        found.append(wish if wish.casefold() not in taken else f"{wish} ({place}列目)")
        taken.add(found[-1].casefold())
    return tuple(found)


def _whole(rows: Iterable[_Row], width: int, broken: _Broken) -> Iterator[_Row]:
    """Give the rows that have as many columns as the header; note the others."""
    for line, row in rows:
        while len(row) > width and not row[-1]:  # delimiters behind the last column
            row.pop()
        if len(row) == width:
            yield line, row
            continue
        broken.rows += 1
        if len(broken.findings) < _MOST_BROKEN:
            broken.findings.append(
                Finding(
                    code="finding.column_count",
                    line=line,
                    item="-",
                    expected=str(width),
                    got=str(len(row)),
                )
            )


def _write(
    work: duckdb.DuckDBPyConnection, table: str, header: tuple[str, ...], rows: Iterator[_Row]
) -> int:
    names = [LINE, *header]
    typed = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" varchar' for name in header)
    work.execute(f'create table {table} ("{LINE}" bigint, {typed})')
    written = 0
    while group := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        lines = pa.array([line for line, _ in group], pa.int64())
        columns = [
            pa.array(texts, pa.string()) for texts in zip(*(r for _, r in group), strict=True)
        ]
        batch = pa.Table.from_arrays([lines, *columns], names=names)
        work.register("incoming", batch)
        work.execute(f"insert into {table} from incoming")
        work.unregister("incoming")
        written += len(group)
    return written
