"""Judge an ended job: whether every row is in, by the cloud's counts and by its own results.

Of what was refused only numbers leave: how many rows, the cloud's codes, and which rows of the
load. The cloud's sentences and the rows that it sends back may hold a person's data; they are read
in a private room and go with it.
"""

# ruff: noqa: S608 - names pass `quoted`, the files are our own

import re
from pathlib import Path
from typing import Final

import duckdb

from kumobashi.conversion.jobs.asking import header_of, rows_of_csv
from kumobashi.conversion.jobs.errors import JobEnded, ResultsTorn, RowsFailed, RowsUncounted
from kumobashi.conversion.jobs.ingest import (
    PASSING_ENDS,
    IngestJobs,
    Job,
    Operation,
    Results,
    State,
)
from kumobashi.conversion.jobs.keys import Key
from kumobashi.storage.counting import count
from kumobashi.storage.tables import Load, quoted

_GONE: Final = "ENTITY_IS_DELETED"  # of a row that is to be deleted: so it is
_PASSING: Final = frozenset(
    {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "INTERNAL_ERROR", "UNKNOWN_EXCEPTION"}
)
_ROW_CODE: Final = re.compile(r"[A-Z]+(_[A-Z]+)+(?=\s*(:|$))")
_LINES: Final = 20
_TRIES: Final = 3


_QUOTA: Final = "ExceededQuota"


class SendAgain(Exception):
    """The piece is to be sent again: at once, or where a limit of the day was reached, later."""

    def __init__(self, *, later: bool) -> None:
        self.later = later


def judge(
    jobs: IngestJobs, job: Job, *, operation: Operation, rows: int, load: Load | None, room: Path
) -> None:
    """Return when all ``rows`` of a job are in.

    Raises:
        SendAgain: send the piece again.
        JobEnded, RowsUncounted, RowsFailed: it does not count as arrived.
        ResultsTorn: the results could not be read whole; try again later.
    """
    cloud = jobs.session.cloud
    about = {"system": cloud.system, "name": cloud.name, "job": job.id}
    if job.state is not State.COMPLETE:
        if job.state is State.FAILED and job.reason in {*PASSING_ENDS, _QUOTA}:
            raise SendAgain(later=job.reason == _QUOTA)
        raise JobEnded(
            **about, state=job.state.value, reason=job.reason, rows=rows, processed=job.processed
        )
    if job.processed != rows:
        raise RowsUncounted(
            **about, what="処理した件数", what_en="the count", sent=rows, got=job.processed
        )
    refused = _read(jobs, job, "failedResults", job.failed, room) if job.failed else None
    if refused is not None:
        _judge_refused(jobs, operation, refused, load)
    taken = _read(jobs, job, "successfulResults", rows - job.failed, room)
    if taken is None:
        return  # the cloud keeps results for some days only; its counts stand
    left = room / "unprocessedrecords.csv"
    if jobs.fetch(job.id, "unprocessedrecords", left) and (got := _count(left)) > 0:
        raise RowsUncounted(
            **about, what="未処理の件数", what_en="the count of unprocessed rows", sent=0, got=got
        )


def _read(jobs: IngestJobs, job: Job, which: Results, expected: int, room: Path) -> Path | None:
    """Return a file with as many results as told; nothing when the cloud has forgotten them."""
    cloud, got = jobs.session.cloud, 0
    path = room / f"{which}.csv"
    for _ in range(_TRIES):
        if not jobs.fetch(job.id, which, path):
            return None
        got = _count(path)
        if got == expected:
            return path
        if got > expected:
            break
    about = {"system": cloud.system, "name": cloud.name}
    if got < 0:
        raise ResultsTorn(**about, expected=expected, got=0)
    what = {"successfulResults": "成功した件数", "failedResults": "失敗した件数"}.get(which, which)
    raise RowsUncounted(
        **about, job=job.id, what=what, what_en=f"the count of {which}", sent=expected, got=got
    )


def _count(path: Path) -> int:
    if not header_of(path):
        return 0
    with duckdb.connect() as work:
        try:
            return count(work, f"select count(*) from {rows_of_csv(path)}")
        except duckdb.Error:
            return -1


def row_code_of(said: object) -> str:
    """Return the code of a row's error; a bare word might be a name and is not told.

    >>> row_code_of("STRING_TOO_LONG:name: data value too large: 髙橋:name --")
    'STRING_TOO_LONG'
    >>> row_code_of("TAKAHASHI")
    '-'
    """
    found = _ROW_CODE.match(said) if isinstance(said, str) else None
    return found[0] if found else "-"


def _judge_refused(jobs: IngestJobs, operation: Operation, path: Path, load: Load | None) -> None:
    names = header_of(path)
    said = next((name for name in names if name.lower().endswith("__error")), names[0])
    with duckdb.connect() as work:
        work.create_function("code_of", row_code_of, ["VARCHAR"], "VARCHAR")
        reasons = dict(
            work.execute(
                f"select code_of({quoted(said)}) as code, count(*) from {rows_of_csv(path)}"
                " group by all order by 2 desc, 1"
            ).fetchall()
        )
    if operation == "delete":
        reasons.pop(_GONE, None)
    if not reasons:
        return
    if reasons.keys() <= _PASSING:
        raise SendAgain(later=False)
    cloud = jobs.session.cloud
    raise RowsFailed(
        system=cloud.system,
        name=cloud.name,
        rows=sum(reasons.values()),
        reasons="、".join(f"{code} {rows}" for code, rows in reasons.items()),
        lines=_lines(path, jobs.key, load) if operation == "upsert" else "-",
    )


def _lines(path: Path, key: Key, load: Load | None) -> str:
    """Return which rows of the load were refused, the first ones."""
    if load is None:
        return "-"
    with load.connection.cursor() as work:
        found = work.execute(
            f"select line from (select row_number() over () as line, {key.sql()} as key"
            f" from {load.relation})"
            f" where key in (select {quoted(key.name)} from {rows_of_csv(path)})"
            f" order by line limit {_LINES + 1}"
        ).fetchall()
    shown = ", ".join(str(row[0]) for row in found[:_LINES])
    return shown + (" …" if len(found) > _LINES else "")
