"""Read files of a drop folder as the tables of a system: meets ``TableReader``.

Each table is one file, taken once and read from its kept copy, so that all that is read belongs to
one moment. Rows are held against the layout, line by line; ``hold_back`` says what was found, lays
a list of it and a corrected copy into ``returned/`` of the drop folder, and leaves the rows out
where the link puts them into quarantine.
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from kumobashi.catalogue.checking import fault_condition
from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.faults import LINE
from kumobashi.catalogue.fields import Layout
from kumobashi.conversion.copies import MOST_ROWS, write_copy
from kumobashi.conversion.inspecting import (
    CORRECTED,
    NAMED,
    FileChecked,
    check_file,
    every_finding,
    formula_condition,
)
from kumobashi.conversion.records import Records
from kumobashi.kernel import Finding
from kumobashi.storage.counting import count
from kumobashi.storage.errors import ColumnMissing, TableMissing
from kumobashi.storage.tables import HeldBack, Query, quoted

BATCH_ROWS = 65_536
RETURNED = "returned"  # the folder beside the files where findings and corrected copies lie
_MEMORY = "256MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """One table of files: its layout, and for fixed lengths how its records are cut."""

    layout: Layout
    pattern: str
    records: Records | None = None


@dataclass(frozen=True, slots=True)
class _Opened:
    work: duckdb.DuckDBPyConnection
    checked: FileChecked
    path: Path


class FolderSnapshot:
    """Meets ``TableReader``; ``find`` gives the file of a table."""

    def __init__(
        self,
        system: str,
        tables: Mapping[str, FileTable],
        *,
        find: Callable[[str], Path],
        room: Path,
        returned: Path | None,
        is_corrected: bool = False,
    ) -> None:
        self.system = system
        self._tables = tables
        self._find = find
        self._room = room  # private, and gone afterwards
        self._returned = returned
        self._rows = CORRECTED if is_corrected else NAMED
        self._stack = ExitStack()
        self._opened: dict[str, _Opened] = {}

    def close(self) -> None:
        """Forget the rows."""
        self._stack.close()

    def columns(self, table: str) -> dict[str, str]:
        """Return column names and types, as the layout has them."""
        rows = self._open(table).work.execute(f"describe {quoted(table)}").fetchall()
        return {str(row[0]): str(row[1]) for row in rows}

    def count(self, query: Query) -> int:
        """Return how many rows the query gives."""
        return count(self._open(query.table).work, query.count_sql())

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the rows in batches."""
        with self._open(query.table).work.cursor() as streaming:
            yield streaming.sql(query.sql()).to_arrow_reader(BATCH_ROWS)

    def hold_back(self, table: str, *, leave_out: bool) -> HeldBack:
        """Say what is wrong with the file's rows; leave them out, if wished."""
        opened, layout = self._open(table), self._tables[table].layout
        found = opened.checked.findings
        if self._rows == CORRECTED:
            found = tuple(f for f in found if f.code == "finding.formula") + opened.checked.left
        if not found:
            return HeldBack()
        if self._returned is not None:
            self._give_back(opened, layout, self._returned)
        for finding in found:
            if finding.code == "finding.column_missing" and layout.field(finding.item).required:
                raise ColumnMissing(system=self.system, table=table, column=finding.item)
        rows = 0
        if leave_out:
            faulty = f"({fault_condition(opened.work, self._rows, layout)})"
            faulty += f" or ({formula_condition(opened.work, self._rows, layout)})"
            rows = count(opened.work, f"select count(*) from {self._rows} where {faulty}")
            line = quoted(LINE)
            opened.work.execute(
                f"create table kept_back as select {line} from {self._rows} where {faulty}"
            )
            self._view(opened.work, table, f"where {line} not in (from kept_back)")
            rows += opened.checked.read.broken_rows
        return HeldBack(findings=_on_lines_first(found), rows=rows)

    def _open(self, table: str) -> _Opened:
        if table not in self._tables:
            raise TableMissing(system=self.system, table=table)
        if table not in self._opened:
            held, path = self._tables[table], self._find(table)
            work = self._stack.enter_context(duckdb.connect(str(self._room / f"{table}.duckdb")))
            work.execute(f"set memory_limit = '{_MEMORY}'; set threads = 2")
            work.execute("set enable_progress_bar = false")
            checked = check_file(path, held.layout, work, records=held.records)
            self._opened[table] = _Opened(work, checked, path)
            self._view(work, table, "")
        return self._opened[table]

    def _view(self, work: duckdb.DuckDBPyConnection, table: str, where: str) -> None:
        """Make the view that has the table's name and the layout's types."""
        layout = self._tables[table].layout
        there = {str(row[0]) for row in work.execute(f"describe {self._rows}").fetchall()}
        columns = ", ".join(
            f"{_typed(name, there, layout)} as {quoted(name)}" for name in layout.names
        )
        work.execute(
            f"create or replace view {quoted(table)} as select {columns} from {self._rows} {where}"
        )

    def _give_back(self, opened: _Opened, layout: Layout, folder: Path) -> None:
        """Write what was found and a corrected copy, unless the folder takes none."""
        work, checked, stem = opened.work, opened.checked, opened.path.stem
        suffix = ".xlsx" if checked.read.rows <= MOST_ROWS else ".csv"
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
            every = every_finding(work, layout, checked, self._room)
            titles = [str(row[0]) for row in work.execute(f"describe from {every}").fetchall()]
            listed = count(work, f"select count(*) from {every}")
            kind = ".xlsx" if listed <= MOST_ROWS else ".csv"
            write_copy(work, every, {t: t for t in titles}, folder / f"{stem}_findings{kind}")
            if not opened.checked.corrections:
                return
            there = [str(row[0]) for row in work.execute(f"describe {CORRECTED}").fetchall()]
            headers = {item.name: item.ja for item in layout.fields if item.name in there}
            headers |= {name: name for name in there if name not in {*headers, LINE}}
            write_copy(work, CORRECTED, headers, folder / f"{stem}_corrected{suffix}")


def _typed(name: str, there: set[str], layout: Layout) -> str:
    """Return the SQL of a text as the layout's type; what does not fit is null, and a finding."""
    spec = column_spec(layout.field(name))
    if name not in there:
        return f"null::{spec.sql_type}"
    text = f"nullif({quoted(name)}, '')"
    if spec.kind == "text":
        return text
    if spec.kind == "integers":  # numbers with spaces between
        numbers = f"try_cast(string_split(trim({quoted(name)}, '[]'), ' ') as {spec.sql_type})"
        return f"case when coalesce({quoted(name)}, '') = '' then [] else {numbers} end"
    return f"try_cast({text} as {spec.sql_type})"


def _on_lines_first(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Put what stands on a line before what is about the file, so that the first one helps most."""
    return tuple(sorted(found, key=lambda finding: (finding.line is None, finding.line or 0)))
