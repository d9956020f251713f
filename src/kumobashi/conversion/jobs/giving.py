"""Bring a load into a cloud's table by jobs, from wherever an earlier attempt stopped.

1. What is noted as under way is settled: closed jobs are waited for, the others ended.
2. Each piece is one job that puts rows by their key; a piece that is in is not sent again.
3. The keys of the table are asked for; what is there and should not be is deleted by jobs.
4. Every key of the load must be there.

A job sent twice puts the same rows under the same keys, so it counts once.
"""

# ruff: noqa: S608 - names pass `quoted`, the relations are our own

from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from kumobashi.conversion.jobs.asking import ask_rows, rows_of_csv
from kumobashi.conversion.jobs.cloud import Session
from kumobashi.conversion.jobs.errors import (
    CloudAway,
    CloudLimit,
    JobsFailed,
    JobUnderWay,
    RowsAbsent,
)
from kumobashi.conversion.jobs.ingest import IngestJobs, Job, Operation, State
from kumobashi.conversion.jobs.judging import SendAgain, judge
from kumobashi.conversion.jobs.keys import Key
from kumobashi.conversion.jobs.pieces import Limits, Piece, pieces, texts_of
from kumobashi.conversion.jobs.remembering import Remembered
from kumobashi.conversion.jobs.sql import Book, Noted, Step
from kumobashi.kernel import crashpoint
from kumobashi.storage.counting import count
from kumobashi.storage.tables import Applied, Load, quoted

ID: Final = "Id"  # the cloud's own name of a row
_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5
_AN_HOUR: Final = 3_600
_MEMORY: Final = "256MB"


class Giving:
    """One load on its way."""

    def __init__(
        self, load: Load, *, key: Key, session: Session, book: Book, limits: Limits, room: Path
    ) -> None:
        self._load, self._key, self._session = load, key, session
        self._book, self._limits, self._room = book, limits, room
        self._jobs = IngestJobs(session, load.table, key)
        self._has_strays = False
        self._may_begin = _once(load.before_commit)

    def give(self) -> Applied:
        """Bring all of it there; raises what the modules below say."""
        load = self._load
        self._settle()
        for piece in pieces(
            load.connection, texts_of(load, self._key), self._key.name, self._limits, self._room
        ):
            self._send("upsert", piece)
        with duckdb.connect(str(self._room / "keys.duckdb")) as work:
            work.execute(f"set memory_limit = '{_MEMORY}'; set threads = 2")
            self._ask_keys(work)
            self._hold_rows_against(work)
            for piece in pieces(work, _GOING, ID, self._limits, self._room):
                self._send("delete", piece)
            total = count(work, "select count(*) from there where id not in (from going)")
        deleted = self._book.deleted_rows(load.transfer) if load.mode == "difference" else 0
        return Applied(rows=load.rows, deleted=deleted, total=total, already=False)

    def _send(self, operation: Operation, piece: Piece) -> None:
        pause = _PAUSE_SECONDS
        for attempt in range(_TRIES):
            try:
                if self._book.is_done(self._load.transfer, piece.digest):
                    return
                self._send_once(operation, piece)
            except (CloudLimit, JobUnderWay):
                raise
            except SendAgain as error:
                if error.later:
                    raise self._session.limit("ExceededQuota", _AN_HOUR) from None
                if attempt + 1 == _TRIES or not self._session.wait(pause):
                    raise self._session.away(
                        "行がほかの処理に使われています", "rows are locked"
                    ) from None
            except CloudAway:  # it may have happened all the same: look
                if attempt + 1 == _TRIES or not self._session.wait(pause):
                    raise
                self._settle()
            else:
                return
            pause *= 4

    def _send_once(self, operation: Operation, piece: Piece) -> None:
        book, jobs = self._book, self._jobs
        number = book.begin(self._load, operation, piece.digest, piece.rows)
        made = jobs.create(operation)
        crashpoint("jobs.made")
        book.made(number, made.id, made.created_by)
        if self._has_strays:
            self._end_strays(made.created_by, but=made.id)
        jobs.upload(made.id, piece.path)
        crashpoint("jobs.uploaded")
        self._may_begin()
        book.step(number, Step.CLOSING)
        crashpoint("jobs.closing")
        jobs.close(made.id)
        crashpoint("jobs.closed")
        self._finish(number, made.id, operation, piece.rows)

    def _finish(self, number: int, job: str, operation: Operation, rows: int) -> None:
        ended = self._jobs.wait(job)
        if ended is None:  # the cloud has forgotten it: the rows are put once more
            self._book.step(number, Step.ENDED)
            raise SendAgain(later=False)
        try:
            judge(
                self._jobs, ended, operation=operation, rows=rows, load=self._load, room=self._room
            )
        except (JobsFailed, SendAgain) as error:
            if isinstance(error, SendAgain) or not error.retryable:
                self._book.step(number, Step.ENDED)
            raise
        crashpoint("jobs.judged")
        self._book.step(number, Step.DONE)
        self._jobs.clear_away(job)
        self._session.renew()

    def _settle(self) -> None:
        """Leave no job of this table under way: what is older must not come after what is newer."""
        noted = self._book.unsettled(self._load.table)
        for one in noted:
            self._settle_one(one)
        self._has_strays |= any(one.step is Step.MAKING for one in noted)
        if self._has_strays and (us := self._book.created_by()):
            self._end_strays(us)

    def _end_strays(self, us: str, but: str = "") -> None:
        """End jobs that were made and whose number never came here: they have no rows."""
        for job in self._jobs.forgotten_ones(us):
            if job != but:
                self._jobs.abort(job)
        self._has_strays = False

    def _settle_one(self, noted: Noted) -> None:
        if noted.step is not Step.CLOSING:
            if noted.job:
                self._jobs.abort(noted.job)
            self._book.step(noted.number, Step.DROPPED)
            return
        found = self._jobs.look(noted.job)
        if noted.transfer != self._load.transfer:
            self._let_end(found)
            self._book.step(noted.number, Step.ENDED)
            return
        if found is not None and found.state is State.OPEN:
            self._may_begin()
            self._jobs.close(noted.job)
        try:
            self._finish(noted.number, noted.job, noted.operation, noted.rows)
        except SendAgain:  # it is sent again
            return

    def _let_end(self, found: Job | None) -> None:
        if found is None:
            return
        if found.state is State.OPEN:
            self._jobs.abort(found.id)
        else:
            self._jobs.wait(found.id)

    def _ask_keys(self, work: duckdb.DuckDBPyConnection) -> None:
        path = self._room / "keys.csv"
        wish = f"{self._load.transfer} {self._book.newest()}"
        note = Remembered(self._room.parent / "keys.asked", wish)
        ask_rows(self._session, self._load.table, (ID, self._key.name), path, note)
        names = f"{quoted(ID)} as id, {quoted(self._key.name)} as key"
        work.execute(f"create table there as select {names} from {rows_of_csv(path)}")
        path.unlink()
        load, key = self._load, self._key.sql()
        _copy(work, load, "ours", f"select {key} as key from {load.relation}")
        wanted = "select key from there anti join ours using (key)"
        if load.mode == "difference":
            gone = f"select {key} as key from {load.deleted_relation or load.relation}"
            if load.deleted_relation is None:
                gone += " where false"
            _copy(work, load, "gone", gone)
            wanted = "select key from gone anti join ours using (key)"
        work.execute(f"create table going as select id from there where key in ({wanted})")

    def _hold_rows_against(self, work: duckdb.DuckDBPyConnection) -> None:
        missing = count(work, "select count(*) from ours anti join there using (key)")
        if missing:
            cloud = self._session.cloud
            raise RowsAbsent(
                system=cloud.system, name=cloud.name, table=self._load.table, rows=missing
            )


_GOING: Final = f"select id as {quoted(ID)} from going"


def _once(last_word: Callable[[], None]) -> Callable[[], None]:
    """Ask only before the first job that may begin: what it forbids has left no row anywhere."""
    asked = False

    def ask() -> None:
        nonlocal asked
        if not asked:
            last_word()
            asked = True

    return ask


def _copy(work: duckdb.DuckDBPyConnection, load: Load, table: str, query: str) -> None:
    with load.connection.cursor() as reading:
        work.register("incoming", reading.sql(query).to_arrow_reader(65_536))
        work.execute(f"create table {table} as from incoming")
        work.unregister("incoming")
