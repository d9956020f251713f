"""A cloud that takes and gives rows by jobs, as a system's tables: meets ``TableStore``.

The cloud knows nothing of transfers, so what was applied is noted here, after every row was seen
there. No copy of the rows is kept: what is read lies in a private room for as long as it is read.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from kumobashi.conversion.folder_reading import FileTable, FolderSnapshot
from kumobashi.conversion.jobs.asking import ask_rows
from kumobashi.conversion.jobs.cloud import Cloud, Session
from kumobashi.conversion.jobs.giving import ID, Giving
from kumobashi.conversion.jobs.keys import Key
from kumobashi.conversion.jobs.pieces import Limits, check_load
from kumobashi.conversion.jobs.remembering import Remembered
from kumobashi.conversion.jobs.sql import Book, opened
from kumobashi.storage import marks
from kumobashi.storage.applying import check_order
from kumobashi.storage.errors import BaseMissing, RowsRemain, TableMissing
from kumobashi.storage.rooms import reading_room
from kumobashi.storage.sole_use import alone
from kumobashi.storage.tables import (
    Applied,
    ColumnSpec,
    Load,
    Removal,
    Removed,
    TableReader,
    quoted,
)

_GIVING: Final = "giving"
_LOCK: Final = "jobs.lock"


class JobsTables:
    """Meets ``TableStore``; ``private`` is this site's own folder."""

    def __init__(
        self,
        cloud: Cloud,
        tables: Mapping[str, FileTable],
        *,
        private: Path,
        limits: Limits | None = None,
    ) -> None:
        self.system = cloud.system
        self.name = cloud.name
        self._cloud = cloud
        self._tables = tables
        self._private = private
        self._limits = limits or Limits()

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator[TableReader]:
        """Ask for each table when it is first wanted, by one query job: one moment for each.

        Raises (also later, when a table is first asked for):
            CloudAway, JobUnderWay, ResultsTorn: try again later.
            CloudRefuses, JobEnded: the cloud will not give it.
        """
        Session(self._cloud).ask("GET", "jobs/query")  # there, and we are let in
        with reading_room(self._private, self.system) as room:

            def find(table: str) -> Path:
                path, names = room / f"{table}.csv", self._tables[table].layout.names
                note = Remembered(self._private / f"{table}.asked", f"{on} {names}")
                ask_rows(Session(self._cloud), table, names, path, note)
                return path

            snapshot = FolderSnapshot(
                self.system, self._tables, find=find, room=room, returned=None
            )
            try:
                yield snapshot
            finally:
                snapshot.close()

    def apply(self, load: Load) -> Applied:
        """Bring the rows there by jobs, then note it; what was begun before is taken up.

        Raises:
            CloudAway, CloudLimit, JobUnderWay, ResultsTorn: it goes on at the next try.
            RowsFailed, RowsUncounted, RowsAbsent, JobEnded, CloudRefuses: it is not applied.
            KeyUnfit, ValueUnfit, ValueTooLong: nothing was sent.
        """
        if load.table not in self._tables:
            raise TableMissing(system=self.system, table=load.table)
        with self._alone() as room, opened(self._private / "applied.duckdb", self.system) as book:
            if done := marks.applied_before(book.connection, load):
                return done
            check_order(load, marks.newest(book.connection, load.tenant, load.link))
            if load.mode == "difference" and book.is_torn(load):
                raise BaseMissing(link=load.link)
            key = Key(load.key)
            check_load(load, key, self._limits)
            session = Session(self._cloud)
            giving = Giving(
                load, key=key, session=session, book=book, limits=self._limits, room=room
            )
            applied = giving.give()
            load.before_commit()
            book.connection.execute("begin")
            marks.note_applied(book.connection, load, applied)
            book.forget(load.table)
            book.connection.execute("commit")
            return applied

    def remove(self, removal: Removal) -> Removed:
        """Delete all rows of the table by jobs, if they are still this transfer's; then note it."""
        with self._alone() as room, opened(self._private / "applied.duckdb", self.system) as book:
            if noted := marks.removed_before(book.connection, removal):
                return noted
            decided = marks.decide_removal(book.connection, removal)
            rows = 0
            if decided.takes_rows:
                rows = self._empty(removal, book, room)
            removed = Removed(rows=rows, taken_over_by=decided.taken_over_by, already=False)
            marks.note_removed(book.connection, removal, removed)
            return removed

    def _empty(self, removal: Removal, book: Book, room: Path) -> int:
        """Bring nothing at all: then every row goes; return how many went."""
        held = self._tables[removal.table].layout
        key = Key(held.key)
        with duckdb.connect() as work:
            columns = ", ".join(f"{quoted(column)} varchar" for column in held.key)
            work.execute(f"create table nothing ({columns})")
            nothing = Load(
                tenant=removal.tenant,
                transfer=f"{removal.transfer}-removal",
                link=removal.link,
                business_date=date.min,
                sequence=0,
                mode="full",
                base_transfer=None,
                table=removal.table,
                columns=tuple(ColumnSpec(column, "text") for column in held.key),
                key=held.key,
                rows=0,
                deleted=0,
                connection=work,
                relation="nothing",
                deleted_relation=None,
                before_commit=lambda: None,
            )
            session = Session(self._cloud)
            Giving(
                nothing, key=key, session=session, book=book, limits=self._limits, room=room
            ).give()
        if left := ask_rows(session, removal.table, (ID,), room / "left.csv"):
            raise RowsRemain(rows=left)
        rows = book.deleted_rows(nothing.transfer)
        book.forget(removal.table)
        return rows

    @contextmanager
    def _alone(self) -> Iterator[Path]:
        """Give a room of its own to one thread of one process at a time; nothing is left in it."""
        self._private.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(self._private / _LOCK, self.system):
            room = self._private / _GIVING
            shutil.rmtree(room, ignore_errors=True)  # of one that was killed
            room.mkdir(mode=0o700)
            try:
                yield room
            finally:
                shutil.rmtree(room, ignore_errors=True)
