"""Get a table's rows by a query job: make it, wait, and fetch page after page by locator.

Every page says how many rows it has, and the job how many there are. What comes shorter is fetched
again, never taken.
"""

# ruff: noqa: S608 - names of a layout, files of our own

import shutil
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

import duckdb

from kumobashi.conversion.jobs.cloud import Session
from kumobashi.conversion.jobs.errors import CloudAway, CloudRefuses, JobEnded, ResultsTorn
from kumobashi.conversion.jobs.ingest import PASSING_ENDS, Job, State, job_of, wait
from kumobashi.conversion.jobs.remembering import Remembered
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal

_TRIES: Final = 3
_PIECE: Final = 1 << 20
_PAGE_ROWS: Final = 50_000


def rows_of_csv(path: Path, names: list[str] | None = None) -> str:
    """Return the SQL of a file's rows, every value a text; ``names`` where none stand above."""
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in names or header_of(path))
    return (
        f"read_csv({literal(str(path))}, header = {names is None}, delim = ',', quote = '\"',"
        " escape = '\"', auto_detect = false, max_line_size = 8388608, parallel = false,"
        f" columns = {{{columns}}})"
    )


def header_of(path: Path) -> list[str]:
    """Return the names above the columns."""
    with path.open(encoding="utf-8-sig", newline="") as reading:
        line = reading.readline(_PIECE).rstrip("\r\n")
    return [name.strip('"') for name in line.split(",")] if line else []


def ask_rows(
    session: Session,
    table: str,
    columns: tuple[str, ...],
    target: Path,
    remembered: Remembered | None = None,
) -> int:
    """Write all rows of a table as one CSV file; return how many.

    Raises:
        ResultsTorn: they came shorter than told, three times.
        JobEnded: the cloud could not answer the query.
        JobUnderWay: it goes on with the job that is ``remembered``.
        CloudAway, CloudLimit, CloudRefuses: as :class:`Session` says.
    """
    torn: ResultsTorn | None = None
    for _ in range(_TRIES):
        job = _ended(session, table, columns, remembered)
        if remembered:
            remembered.forget()
        try:
            return _fetched(session, job, target)
        except ResultsTorn as error:
            torn = error
    raise torn or AssertionError


def _ended(
    session: Session, table: str, columns: tuple[str, ...], remembered: Remembered | None
) -> Job:
    """Return a query job that is complete."""

    def look(job: str) -> Job | None:
        answer = session.ask("GET", _path(job))
        return None if answer.status == HTTPStatus.NOT_FOUND else job_of(answer.said)

    if remembered and (before := remembered.job()):
        found = wait(session, before, look)
        if found is not None and found.state is State.COMPLETE:
            return found
    text = f"SELECT {', '.join(columns)} FROM {table}"
    made = session.ask("POST", "jobs/query", {"operation": "query", "query": text})
    job, cloud = job_of(made.said), session.cloud
    if not job.id:
        raise CloudRefuses(
            system=cloud.system, name=cloud.name, step="query", status_code=made.status, reason="-"
        )
    if remembered:
        remembered.note(job.id)
    found = wait(session, job.id, look) or job
    if found.state is State.FAILED and found.reason in PASSING_ENDS:
        raise session.away("問い合わせのジョブが失敗しました", "the query job failed")
    if found.state is not State.COMPLETE:
        raise JobEnded(
            system=cloud.system,
            name=cloud.name,
            job=job.id,
            state=found.state.value,
            reason=found.reason,
            rows="-",
            processed=found.processed,
        )
    return found


def _fetched(session: Session, job: Job, target: Path) -> int:
    page, total, locator = target.with_name(f"{target.name}.page"), 0, ""
    names: list[str] = []
    try:
        with target.open("wb") as writing:
            while True:
                more = f"&locator={quote(locator)}" if locator else ""
                answer = session.fetch(
                    f"{_path(job.id)}/results?maxRecords={_PAGE_ROWS}{more}", page
                )
                if answer.status != HTTPStatus.OK:  # forgotten in between
                    raise _torn(session, job.processed, total)
                # Some clouds write the names above every page, some above the first only.
                is_named = not names or header_of(page) == names
                names = names or header_of(page)
                rows = _count(page, None if is_named else names)
                told = answer.header("numberofrecords")
                if told.isdigit() and int(told) != rows:
                    raise _torn(session, int(told), rows)
                _append(page, writing, skips_first=is_named and bool(total or locator))
                total += rows
                locator = answer.header("locator")
                if not locator or locator == "null":
                    break
    finally:
        page.unlink(missing_ok=True)
    if total != job.processed:
        raise _torn(session, job.processed, total)
    with suppress(CloudAway, CloudRefuses):  # the rows are here; the cloud may forget them
        session.ask("DELETE", _path(job.id))
    return total


def _count(page: Path, names: list[str] | None) -> int:
    with duckdb.connect() as work:
        try:
            return count(work, f"select count(*) from {rows_of_csv(page, names)}")
        except duckdb.Error:  # cut in the middle of a row
            return -1


def _append(page: Path, writing: BinaryIO, *, skips_first: bool) -> None:
    with page.open("rb") as reading:
        if skips_first:
            reading.readline(_PIECE)
        shutil.copyfileobj(reading, writing, _PIECE)


def _torn(session: Session, expected: int, got: int) -> ResultsTorn:
    cloud = session.cloud
    return ResultsTorn(system=cloud.system, name=cloud.name, expected=expected, got=max(got, 0))


def _path(job: str) -> str:
    return f"jobs/query/{quote(job, safe='')}"
