"""What the cloud does with a closed job: reads the CSV, judges every row, keeps or refuses it.

A batch of rows is one transaction, as in real ones; a cloud that is killed in a job goes on with
it from the beginning when it starts again, and since rows are put by their key nothing is doubled.
"""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from kumobashi.testing.jobs_cloud.database import Database, KeptJob, row_id
from kumobashi.testing.jobs_cloud.putting import Putting, RowRefused
from kumobashi.testing.jobs_cloud.settings import CloudSettings, Table

_QUERY: Final = re.compile(r"SELECT ([A-Za-z0-9_, ]+) FROM ([A-Za-z0-9_]+)")


_GIVEN_UP: Final = {"fail": "ApiBatchItems", "fail_passing": "InternalServerError"}
_AT_WORK: Final = (*_GIVEN_UP, "lose_row", "miscount", "lock_row")


class _Fate(NamedTuple):
    """What became of a row."""

    id: str
    error: str
    new: int


def _fate(putting: Putting, connection: sqlite3.Connection, values: list[str], how: str) -> _Fate:
    if how == "lose_row":
        return _Fate(row_id(0), "", 1)  # so it says
    if how == "lock_row":
        return _Fate("", "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--", 0)
    try:
        name, is_new = putting.put(connection, values)
    except RowRefused as refused:
        return _Fate("", str(refused), 0)
    return _Fate(name, "", int(is_new))


class Worker:
    """Works on one job at a time."""

    def __init__(self, settings: CloudSettings, database: Database, folder: Path) -> None:
        self._settings, self._database, self._folder = settings, database, folder

    def work(self, job: KeptJob) -> None:
        """Bring a job to its end."""
        self._database.move(job.id, "InProgress", processed=0, failed=0)
        if job.kind == "query":
            self._answer(job)
        else:
            self._take(job)

    def upload_of(self, job: str) -> Path:
        """Return where a job's upload lies."""
        return self._folder / f"{job}.csv"

    # -- ingest ------------------------------------------------------------------------------------

    def _take(self, job: KeptJob) -> None:
        database, table = self._database, self._settings.tables[job.object]
        with database.changing() as connection:
            connection.execute("delete from results where job = ?", [job.id])
        how, _ = database.take_fault("close", _AT_WORK) or ("", 0.0)
        path = self.upload_of(job.id)
        text = path.read_bytes().decode() if path.exists() else ""
        rows = csv.reader(io.StringIO(text, newline=""))
        header = next(rows, [])
        if wrong := self._wrong_header(job, table, header):
            database.move(job.id, "Failed", error=wrong)
            return
        putting = Putting(job, table, header, self._settings.limits.field_characters)
        number = failed = 0
        while batch := list(islice(rows, self._settings.batch_rows)):
            with database.changing() as connection:
                for number, values in enumerate(batch, number + 1):  # noqa: B020 - it goes on
                    fate = _fate(putting, connection, values, how if number == 1 else "")
                    which = "failed" if fate.error else "successful"
                    failed += bool(fate.error)
                    connection.execute(
                        "insert into results values (?, ?, ?, ?, ?, ?, ?)",
                        [job.id, number, which, json.dumps(values), fate.id, fate.error, fate.new],
                    )
                connection.execute(
                    "update jobs set processed = ?, failed = ? where id = ?",
                    [number, failed, job.id],
                )
            if how in _GIVEN_UP:
                self._give_up(job, number, [*rows], _GIVEN_UP[how])
                return
        told = number - 1 if how == "miscount" else number
        database.move(job.id, "JobComplete", processed=told, failed=failed)

    def _give_up(self, job: KeptJob, number: int, left: list[list[str]], code: str) -> None:
        with self._database.changing() as connection:
            connection.executemany(
                "insert into results values (?, ?, 'unprocessed', ?, '', '', 0)",
                [(job.id, number + n, json.dumps(one)) for n, one in enumerate(left, 1)],
            )
        self._database.move(job.id, "Failed", error=f"{code} : the job was given up")

    def _wrong_header(self, job: KeptJob, table: Table, header: list[str]) -> str:
        known = {"Id"} if job.operation == "delete" else set(table.columns)
        if not header:
            return "InvalidBatch : The file has no header"
        if unknown := next((name for name in header if name not in known), None):
            return f"InvalidBatch : Field name not found : {unknown}"
        if job.operation == "upsert" and table.key not in header:
            return f"InvalidBatch : Missing external id : {table.key}"
        return ""

    # -- query -------------------------------------------------------------------------------------

    def _answer(self, job: KeptJob) -> None:
        read = _QUERY.fullmatch(job.query)
        if read is None or read[2] not in self._settings.tables:
            self._database.move(job.id, "Failed", error="MALFORMED_QUERY : not understood")
            return
        names, table = [name.strip() for name in read[1].split(",")], read[2]
        known = {"Id", *self._settings.tables[table].columns}
        if unknown := next((name for name in names if name not in known), None):
            self._database.move(job.id, "Failed", error=f"INVALID_FIELD : No such column {unknown}")
            return
        with self._database.changing() as connection:
            connection.execute("delete from results where job = ?", [job.id])
            rows = self._database.rows(table)
            connection.executemany(
                "insert into results values (?, ?, 'query', ?, '', '', 0)",
                [
                    (job.id, n, json.dumps([row[name] for name in names]))
                    for n, row in enumerate(rows, 1)
                ],
            )
        fault = self._database.take_fault("close", ("miscount",))
        told = len(rows) + 1 if fault else len(rows)
        self._database.move(job.id, "JobComplete", processed=told, object=table)


def columns_of(query: str) -> list[str]:
    """Return the names that a query asks for."""
    read = _QUERY.fullmatch(query)
    return [name.strip() for name in read[1].split(",")] if read else []


def as_csv(header: list[str], rows: Iterator[list[Any]], *, has_header: bool = True) -> str:
    """Return rows as CSV, every value in quotes, the empty ones as two."""
    held = io.StringIO(newline="")
    writing = csv.writer(held, quoting=csv.QUOTE_ALL, lineterminator="\n")
    if has_header:
        writing.writerow(header)
    for row in rows:
        writing.writerow(["" if value is None else value for value in row])
    return held.getvalue()
