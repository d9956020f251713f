"""What this site knows of its jobs: noted before each step that cannot be asked for afterwards.

``made`` is noted once the cloud has told the job's number, ``closing`` before the cloud is let
begin: whatever dies in between, what was noted says what must be looked at. A job of which we do
not even know the number has no rows and was never closed; the cloud lists it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from kumobashi.conversion.jobs.ingest import Operation
from kumobashi.storage import marks
from kumobashi.storage.errors import StoreBusy
from kumobashi.storage.tables import Load

_MEMORY = "64MB"
_CREATE = """
create table if not exists kumobashi_jobs (
  number bigint not null primary key, tenant text not null, transfer text not null,
  link text not null, object text not null, operation text not null, digest text not null,
  rows bigint not null, job text not null, state text not null);
create table if not exists kumobashi_us (created_by text not null)
"""


class Step(StrEnum):
    """How far a job is, as far as we know."""

    MAKING = "making"  # asked for; its number is not known
    MADE = "made"  # it may have rows; the cloud has not begun
    CLOSING = "closing"  # the cloud may have begun
    DONE = "done"  # every row is in
    ENDED = "ended"  # it counts for nothing; some rows may be in
    DROPPED = "dropped"  # it counts for nothing; no row is in


UNSETTLED = (Step.MAKING, Step.MADE, Step.CLOSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One job as it is noted."""

    number: int
    transfer: str
    operation: Operation
    rows: int
    job: str
    step: Step


class Book:
    """The notes, while they are open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def begin(self, load: Load, operation: Operation, digest: str, rows: int) -> int:
        """Note that a job is about to be made; return its number here."""
        number = self.newest() + 1
        self.connection.execute(
            "insert into kumobashi_jobs values (?, ?, ?, ?, ?, ?, ?, ?, '', ?)",
            [
                number,
                load.tenant,
                load.transfer,
                load.link,
                load.table,
                operation,
                digest,
                rows,
                Step.MAKING,
            ],
        )
        return number

    def made(self, number: int, job: str, created_by: str) -> None:
        """Note the cloud's number of a job."""
        self.connection.execute("begin")
        self.connection.execute("delete from kumobashi_us")
        self.connection.execute("insert into kumobashi_us values (?)", [created_by])
        self.connection.execute(
            "update kumobashi_jobs set job = ?, state = ? where number = ?",
            [job, Step.MADE, number],
        )
        self.connection.execute("commit")

    def step(self, number: int, step: Step) -> None:
        """Note how far a job is."""
        self.connection.execute(
            "update kumobashi_jobs set state = ? where number = ?", [step, number]
        )

    def is_done(self, transfer: str, digest: str) -> bool:
        """Whether every row of a piece is in."""
        found = self._rows(
            "select 1 from kumobashi_jobs where transfer = ? and digest = ? and state = ?",
            transfer,
            digest,
            Step.DONE,
        )
        return bool(found)

    def unsettled(self, table: str) -> list[Noted]:
        """Return the jobs of a table that may still be under way, the oldest first."""
        found = self._rows(
            "select number, transfer, operation, rows, job, state from kumobashi_jobs"
            " where object = ? and state in (?, ?, ?) order by number",
            table,
            *UNSETTLED,
        )
        return [
            Noted(
                number=int(str(row[0])),
                transfer=str(row[1]),
                operation="delete" if row[2] == "delete" else "upsert",
                rows=int(str(row[3])),
                job=str(row[4]),
                step=Step(str(row[5])),
            )
            for row in found
        ]

    def created_by(self) -> str:
        """Return under what name the cloud knows us; empty when it has not told yet."""
        found = self._rows("select created_by from kumobashi_us")
        return str(found[0][0]) if found else ""

    def newest(self) -> int:
        """Return the number of the job that was begun last."""
        return int(str(self._rows("select coalesce(max(number), 0) from kumobashi_jobs")[0][0]))

    def deleted_rows(self, transfer: str) -> int:
        """Return how many rows a transfer's jobs have deleted so far."""
        found = self._rows(
            "select coalesce(sum(rows), 0) from kumobashi_jobs"
            " where transfer = ? and operation = 'delete' and state = ?",
            transfer,
            Step.DONE,
        )
        return int(str(found[0][0]))

    def is_torn(self, load: Load) -> bool:
        """Whether another transfer, never applied, may have left rows in this table."""
        found = self._rows(
            "select 1 from kumobashi_jobs where object = ? and transfer <> ? and state in (?, ?, ?)"
            " limit 1",
            load.table,
            load.transfer,
            Step.CLOSING,
            Step.DONE,
            Step.ENDED,
        )
        return bool(found)

    def forget(self, table: str) -> None:
        """Forget a table's jobs: all that counts of them is in the list of applied transfers."""
        self.connection.execute("delete from kumobashi_jobs where object = ?", [table])

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return self.connection.execute(query, list(values)).fetchall()


@contextmanager
def opened(path: Path, system: str) -> Iterator[Book]:
    """Open the notes; every statement is on the disk when it returns.

    Raises:
        StoreBusy: another process has them open.
    """
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException:
        raise StoreBusy(system=system) from None
    try:
        connection.execute(f"set memory_limit = '{_MEMORY}'; set threads = 1")
        marks.prepare(connection)
        connection.execute(_CREATE)
        yield Book(connection)
    finally:
        connection.close()
