"""A folder of files as a system's tables: meets ``TableStore``.

What others drop is read against the layout (``taking``, ``folder_reading``). What is applied goes
into a private DuckDB file first, with the marker of every other target, and from there into one
file per transfer that always holds the whole: a difference is merged before it is written
(``delivering``, ``written_files``). So "applied" is only said when the file has its name, and a
file is written once whatever dies in between.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from kumobashi.conversion.delivering import (
    Delivery,
    deliver,
    delivered_as,
    digests_of,
    is_delivered,
    withdraw,
)
from kumobashi.conversion.dropping import FileName
from kumobashi.conversion.folder_reading import RETURNED, FileTable, FolderSnapshot
from kumobashi.conversion.taking import DropFolder, peek, take, usable
from kumobashi.conversion.written_files import WrittenCharset, require_writable, write_file
from kumobashi.kernel import KumobashiError
from kumobashi.storage import marks
from kumobashi.storage.duckdb_tables import DuckDBTables
from kumobashi.storage.errors import FolderUnreachable, StoreBusy, TableMissing
from kumobashi.storage.rooms import reading_room
from kumobashi.storage.tables import Applied, Load, Removal, Removed, TableReader, quoted

_MEMORY = "256MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A transfer that has been applied, and the run it belongs to."""

    tenant: str
    transfer: str
    business_date: date
    sequence: int


class FolderTables:
    """Meets ``TableStore``; the folder is shared with others, ``private`` is this site's own."""

    def __init__(
        self,
        drop: DropFolder,
        tables: Mapping[str, FileTable],
        *,
        private: Path,
        charset: WrittenCharset = "utf-8-bom",
        is_corrected: bool = False,
    ) -> None:
        """Hold the places; ``is_corrected``: what has one right reading is read as that."""
        self.system = drop.system
        self.name = drop.name
        self._drop = drop
        self._tables = tables
        self._private = private
        self._charset = charset
        self._is_corrected = is_corrected
        self._state = DuckDBTables(drop.system, private / "applied.duckdb", name=drop.name)

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator[TableReader]:
        """Open the folder: each table is one file, taken for ``on`` and kept, or only looked at.

        Raises (also later, when a table is first asked for):
            FileAwaited, FileUnsettled, FolderUnreachable: try again later.
            ConversionFailed: the file cannot be read as rows of its layout.
        """
        with usable(self._drop):
            next(self._drop.folder.iterdir(), None)  # there, and permitted
        with reading_room(self._private, self.system) as room:

            def find(table: str) -> Path:
                name = FileName(self._tables[table].pattern)
                if on is None:
                    return peek(self._drop, table, name, room).path
                return take(self._drop, table, name, on).path

            snapshot = FolderSnapshot(
                self.system,
                self._tables,
                find=find,
                room=room,
                is_corrected=self._is_corrected,
                returned=None if on is None else self._drop.folder / RETURNED,
            )
            try:
                yield snapshot
            finally:
                snapshot.close()

    def apply(self, load: Load) -> Applied:
        """Write the rows and the marker, then the file; what a crash left undone comes first.

        Raises:
            CharactersUnheld, RecordsUnwritable: a value has no place in the file.
            FolderUnreachable, SpoolFull: the rows are held, and the file follows when it can.
        """
        if load.table not in self._tables:
            raise TableMissing(system=self.system, table=load.table)
        self._require_folder()
        self._require_writable(load)  # before anything is committed
        newest = self._newest(load)
        if newest and newest.transfer != load.transfer:
            try:
                self._deliver(load.table, newest)
            except KumobashiError as error:
                if error.retryable:  # else no file can be made of it, and this load replaces it
                    raise
        applied = self._state.apply(load)
        newest = self._newest(load)
        if newest and newest.transfer == load.transfer:
            self._deliver(load.table, newest)
        return applied

    def remove(self, removal: Removal) -> Removed:
        """Delete the rows that are held for the next file, then the file, if it still lies there.

        Raises:
            FolderUnreachable: the rows are gone, and the file goes when the folder is back.
        """
        removed = self._state.remove(removal)
        self._require_folder()
        delivery = Delivery(
            tenant=removal.tenant,
            transfer=removal.transfer,
            file="",
            folder=self._drop.folder,
        )
        with self._opened() as state, usable(self._drop):
            withdraw(state, delivery)
        return removed

    def delivered_as(self, tenant: str, transfer: str) -> tuple[str, str] | None:
        """Return the name and the SHA-256 of a transfer's file; nothing when none was written."""
        if not self._state.path.exists():
            return None
        with self._opened() as state:
            return delivered_as(state, tenant, transfer)

    def digests_of(self, file: str) -> frozenset[str]:
        """Return the SHA-256 of all files that were written under a name."""
        with self._opened() as state:
            return digests_of(state, file)

    def _require_writable(self, load: Load) -> None:
        held = self._tables[load.table]
        with load.connection.cursor() as work:
            require_writable(
                work,
                load.relation,
                held.layout,
                Path(FileName(held.pattern).fill(load.business_date, load.sequence)),
                charset=self._charset,
                records=held.records,
            )

    def _require_folder(self) -> None:
        """Raise unless the folder is there: an unmounted share must not be made up by us."""
        if not self._drop.folder.is_dir() or not os.access(self._drop.folder, os.W_OK | os.X_OK):
            raise FolderUnreachable(
                system=self.system,
                name=self.name,
                folder=self._drop.folder.name,
                reason="not there, or not writable",
            )

    def _newest(self, load: Load) -> _Due | None:
        if not self._state.path.exists():
            return None
        with self._opened() as state:
            marks.prepare(state)  # a store of before those tables, or a first load taken back
            newest = marks.newest(state, load.tenant, load.link)
        if newest is None or newest.is_deleted:  # of what was deleted no file is written any more
            return None
        return _Due(
            tenant=load.tenant,
            transfer=newest.transfer,
            business_date=newest.business_date,
            sequence=newest.sequence,
        )

    def _deliver(self, table: str, due: _Due) -> None:
        held = self._tables[table]
        file = FileName(held.pattern).fill(due.business_date, due.sequence)
        delivery = Delivery(
            tenant=due.tenant,
            transfer=due.transfer,
            file=file,
            folder=self._drop.folder,
            done_mark=self._drop.complete == "done",
        )
        with self._opened() as state, usable(self._drop):
            if is_delivered(state, due.tenant, due.transfer):
                return

            def write(path: Path) -> None:
                keys = ", ".join(quoted(name) for name in held.layout.key)
                rows = f"(from {quoted(table)} order by {keys})" if keys else quoted(table)
                write_file(
                    state,
                    rows,
                    held.layout,
                    path,
                    charset=self._charset,
                    records=held.records,
                )

            deliver(state, delivery, write)

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            connection = duckdb.connect(str(self._state.path))
        except duckdb.IOException:
            raise StoreBusy(system=self.system) from None
        try:
            connection.execute(f"set memory_limit = '{_MEMORY}'; set threads = 2")
            yield connection
        finally:
            connection.close()
