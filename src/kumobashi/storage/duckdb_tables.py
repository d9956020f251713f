"""A system's tables in one DuckDB file: the embedded store, for small towns, demos and tests."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from kumobashi.storage import marks
from kumobashi.storage.applying import check_order
from kumobashi.storage.counting import count
from kumobashi.storage.errors import (
    LoadIncomplete,
    RowsRemain,
    StoreBusy,
    TableMissing,
    is_disk_full,
    unreachable,
)
from kumobashi.storage.tables import (
    Applied,
    HeldBack,
    Load,
    Query,
    Removal,
    Removed,
    create_table_sql,
    quoted,
)

BATCH_ROWS = 65_536


class DuckDBTables:
    """Meets ``TableStore``; the file is opened for as long as a snapshot or a load needs it."""

    def __init__(self, system: str, path: Path, *, name: str | None = None) -> None:
        self.system = system
        self.name = name or system  # what people call it
        self.path = path

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator["DuckDBSnapshot"]:  # noqa: ARG002 - a database has one state
        """Open one snapshot: a DuckDB file has one writer, so an open reader is a snapshot."""
        if not self.path.exists():
            raise unreachable(self.system, self.name, FileNotFoundError())
        with self._open(read_only=True) as connection:
            yield DuckDBSnapshot(self.system, connection)

    def apply(self, load: Load) -> Applied:
        """Write the rows and the bundle's identity in one transaction."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._open(read_only=False) as target:
            marks.prepare(target)
            target.execute("begin")
            try:
                applied = self._apply(target, load)
                load.before_commit()
                self._commit(target)
            except BaseException:
                _roll_back(target)
                raise
            return applied

    def _commit(self, target: duckdb.DuckDBPyConnection) -> None:
        """Commit; what fails now is the disk's fault or the file's, and no verdict on the rows."""
        try:
            target.execute("commit")
        except duckdb.Error as error:
            if is_disk_full(error):
                raise
            raise unreachable(self.system, self.name, error) from None

    def _apply(self, target: duckdb.DuckDBPyConnection, load: Load) -> Applied:
        if done := marks.applied_before(target, load):
            return done
        check_order(load, marks.newest(target, load.tenant, load.link))
        target.execute(create_table_sql(load))
        table, columns = quoted(load.table), ", ".join(quoted(c.name) for c in load.columns)
        deleted = 0
        if load.mode == "full":
            target.execute(f"delete from {table}")
        else:
            key = ", ".join(map(quoted, load.key))
            for relation in (load.deleted_relation, load.relation):
                if relation is None:
                    continue
                statement = f"delete from {table} where ({key}) in (select ({key}) from incoming)"
                gone = _with_incoming(target, load, f"select {key} from {relation}", statement)
                deleted = gone if relation == load.deleted_relation else deleted
        written = _with_incoming(
            target,
            load,
            f"select {columns} from {load.relation}",
            f"insert into {table} ({columns}) select {columns} from incoming",
        )
        if written != load.rows:
            raise LoadIncomplete(expected=load.rows, got=written)
        total = count(target, f"select count(*) from {table}")
        applied = Applied(rows=written, deleted=deleted, total=total, already=False)
        marks.note_applied(target, load, applied)
        return applied

    def remove(self, removal: Removal) -> Removed:
        """Delete the rows and note it in one transaction; a second time returns what is noted."""
        with self._open(read_only=False) as target:
            marks.prepare(target)
            target.execute("begin")
            try:
                removed = self._remove(target, removal)
                self._commit(target)
            except BaseException:
                _roll_back(target)
                raise
            target.execute("checkpoint")
            return removed

    def _remove(self, target: duckdb.DuckDBPyConnection, removal: Removal) -> Removed:
        if noted := marks.removed_before(target, removal):
            return noted
        decided = marks.decide_removal(target, removal)
        rows = 0
        if decided.takes_rows:
            table = quoted(removal.table)
            rows = count(target, f"delete from {table}")
            if left := count(target, f"select count(*) from {table}"):
                raise RowsRemain(rows=left)
        removed = Removed(rows=rows, taken_over_by=decided.taken_over_by, already=False)
        marks.note_removed(target, removal, removed)
        return removed

    @contextmanager
    def _open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise StoreBusy(system=self.system) from None
            raise unreachable(self.system, self.name, error) from None
        try:
            connection.execute("set memory_limit = '256MB'; set threads = 2")
            connection.execute("set preserve_insertion_order = false")
            yield connection
        finally:
            connection.close()


def _with_incoming(
    target: duckdb.DuckDBPyConnection, load: Load, select: str, statement: str
) -> int:
    """Run a statement over rows of the working database, bridged as Arrow; return its count."""
    target.register("incoming", load.connection.sql(select).to_arrow_reader(BATCH_ROWS))
    try:
        return count(target, statement)
    finally:
        target.unregister("incoming")


class DuckDBSnapshot:
    """Meets ``TableReader``."""

    def __init__(self, system: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.system = system
        self.connection = connection

    def columns(self, table: str) -> dict[str, str]:
        """Return column names and types."""
        rows = self.connection.execute(
            "select column_name, data_type from information_schema.columns where table_name = ?"
            " order by ordinal_position",
            [table],
        ).fetchall()
        if not rows:
            raise TableMissing(system=self.system, table=table)
        return dict(rows)

    def count(self, query: Query) -> int:
        """Return how many rows the query gives."""
        return count(self.connection, query.count_sql())

    def hold_back(self, table: str, *, leave_out: bool) -> HeldBack:  # noqa: ARG002 - the port
        """Find nothing: the columns' types have been checked by whoever wrote them."""
        return HeldBack()

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the rows in batches."""
        # A cursor of its own: a connection that still streams refuses another query.
        with self.connection.cursor() as streaming:
            yield streaming.sql(query.sql()).to_arrow_reader(BATCH_ROWS)


def _roll_back(target: duckdb.DuckDBPyConnection) -> None:
    """Take it back; a commit that failed has done so, and then there is nothing to take back."""
    with suppress(duckdb.TransactionException):
        target.execute("rollback")
