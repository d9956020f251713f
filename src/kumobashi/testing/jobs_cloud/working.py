"""What the cloud does with a closed job: reads the CSV, judges every row, keeps or refuses it.

A batch of rows is one transaction, as in real ones; a cloud that is killed in a job goes on with
it from the beginning when it starts again, and since rows are put by their key nothing is doubled.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kumobashi.testing.jobs_cloud.database import Database, KeptJob, number_of, row_id
from kumobashi.testing.jobs_cloud.settings import CloudSettings, Column, Table

_EMPTY: Final = "#N/A"
_QUERY: Final = re.compile(r"SELECT ([A-Za-z0-9_, ]+) FROM ([A-Za-z0-9_]+)")


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
        fault = database.take_fault(
            "close", ("fail", "fail_passing", "lose_row", "miscount", "lock_row")
        )
        how = fault[0] if fault else ""
        path = self.upload_of(job.id)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        rows = csv.reader(io.StringIO(text, newline=""))
        header = next(rows, [])
        if wrong := self._wrong_header(job, table, header):
            database.move(job.id, "Failed", error=wrong)
            return
        processed = failed = number = 0
        seen: set[str] = set()
        while batch := list(islice(rows, self._settings.batch_rows)):
            with database.changing() as connection:
                for values in batch:
                    number += 1
                    if how == "lose_row" and number == 1:
                        connection.execute(
                            "insert into results values (?, ?, 'successful', ?, ?, '', 1)",
                            [job.id, number, json.dumps(values), row_id(0)],
                        )
                        processed += 1
                        continue
                    error, id_, is_new = self._put(connection, job, table, header, values, seen)
                    if how == "lock_row" and number == 1:
                        error = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--"
                    which = "failed" if error else "successful"
                    connection.execute(
                        "insert into results values (?, ?, ?, ?, ?, ?, ?)",
                        [job.id, number, which, json.dumps(values), id_, error, is_new],
                    )
                    processed, failed = processed + 1, failed + bool(error)
                connection.execute(
                    "update jobs set processed = ?, failed = ? where id = ?",
                    [processed, failed, job.id],
                )
            if how in {"fail", "fail_passing"}:
                left = [*rows]
                with database.changing() as connection:
                    connection.executemany(
                        "insert into results values (?, ?, 'unprocessed', ?, '', '', 0)",
                        [(job.id, number + n, json.dumps(one)) for n, one in enumerate(left, 1)],
                    )
                code = "InternalServerError" if how == "fail_passing" else "ApiBatchItems"
                database.move(job.id, "Failed", error=f"{code} : the job was given up")
                return
        told = processed - 1 if how == "miscount" else processed
        database.move(job.id, "JobComplete", processed=told, failed=failed)

    def _wrong_header(self, job: KeptJob, table: Table, header: list[str]) -> str:
        known = {"Id"} if job.operation == "delete" else set(table.columns)
        if not header:
            return "InvalidBatch : The file has no header"
        if unknown := next((name for name in header if name not in known), None):
            return f"InvalidBatch : Field name not found : {unknown}"
        if job.operation == "upsert" and table.key not in header:
            return f"InvalidBatch : Missing external id : {table.key}"
        return ""

    def _put(
        self,
        connection: Any,  # noqa: ANN401 - of SQLite
        job: KeptJob,
        table: Table,
        header: list[str],
        values: list[str],
        seen: set[str],
    ) -> tuple[str, str, int]:
        """Keep one row or delete it; return error, name and whether it is new."""
        if len(values) != len(header):
            return "INVALID_FIELD:wrong number of columns:--", "", 0
        said = dict(zip(header, values, strict=True))
        if job.operation == "delete":
            gone = connection.execute(
                "delete from rows where object = ? and number = ?",
                [job.object, number_of(said["Id"])],
            ).rowcount
            return ("" if gone else "ENTITY_IS_DELETED:entity is deleted:--"), said["Id"], 0
        key = said[table.key]
        if key in {"", _EMPTY}:
            return f"MISSING_ARGUMENT:{table.key} not specified:--", "", 0
        if key in seen:
            return f"DUPLICATE_VALUE:Duplicate external id specified: {key}:{table.key}--", "", 0
        seen.add(key)
        held = connection.execute(
            "select number, row from rows where object = ? and key = ?", [job.object, key]
        ).fetchone()
        row = json.loads(held[1]) if held else dict.fromkeys(table.columns)
        for name, text in said.items():
            if text == "":  # as it is
                continue
            if text == _EMPTY:
                row[name] = None
                continue
            if wrong := self._wrong(name, table.columns[name], text):
                return wrong, "", 0
            row[name] = text
        for name, column in table.columns.items():
            if column.required and row[name] is None:
                return (
                    f"REQUIRED_FIELD_MISSING:Required fields are missing: [{name}]:{name} --",
                    "",
                    0,
                )
        if held:
            connection.execute(
                "update rows set row = ? where number = ?", [json.dumps(row), held[0]]
            )
            return "", row_id(held[0]), 0
        added = connection.execute(
            "insert into rows (object, key, row) values (?, ?, ?)",
            [job.object, key, json.dumps(row)],
        ).lastrowid
        return "", row_id(added), 1

    def _wrong(self, name: str, column: Column, text: str) -> str:
        longest = min(column.longest, self._settings.limits.field_characters)
        if len(text) > longest:
            return f"STRING_TOO_LONG:{name}: data value too large: {text[:20]}:{name} --"
        try:
            match column.kind:
                case "number":
                    int(text)
                case "date":
                    date.fromisoformat(text)
                case "moment":
                    datetime.fromisoformat(text)
                case "text":
                    pass
        except ValueError:
            return f"INVALID_TYPE_ON_FIELD_IN_RECORD:{name}: value not of required type: {text}:--"
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
