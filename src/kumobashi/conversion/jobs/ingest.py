"""The life of one ingest job: Open → UploadComplete → InProgress → JobComplete, Failed, Aborted."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from kumobashi.conversion.jobs.cloud import Answer, Json, Session, code_of
from kumobashi.conversion.jobs.errors import CloudAway, CloudRefuses, JobUnderWay
from kumobashi.conversion.jobs.keys import Key

Operation = Literal["upsert", "delete"]
Results = Literal["successfulResults", "failedResults", "unprocessedrecords"]
_FIRST_LOOK, _LONGEST_PAUSE = 0.1, 15.0


class State(StrEnum):
    """What the cloud says of a job."""

    OPEN = "Open"
    UPLOADED = "UploadComplete"
    AT_WORK = "InProgress"
    COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


PASSING_ENDS: Final = frozenset({"InternalServerError", "TooManyRetries", "ServerUnavailable"})
ENDED: Final = frozenset({State.COMPLETE, State.FAILED, State.ABORTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the cloud tells it."""

    id: str
    state: State
    processed: int
    failed: int
    created_by: str
    table: str
    reason: str  # the first word of the cloud's sentence; "-" for none


class IngestJobs:
    """The ingest jobs of one table."""

    def __init__(self, session: Session, table: str, key: Key) -> None:
        self.session = session
        self.table = table
        self.key = key

    def create(self, operation: Operation) -> Job:
        """Make a job."""
        wish = {
            "object": self.table,
            "operation": operation,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if operation == "upsert":
            wish["externalIdFieldName"] = self.key.name
        return self._job(self.session.ask("POST", "jobs/ingest", wish))

    def upload(self, job: str, file: Path) -> None:
        """Give a job its rows; a job takes them once."""
        found = self.session.upload(f"{_path(job)}/batches", file)
        if found.status == HTTPStatus.NOT_FOUND:
            raise self._refused("upload", found)

    def close(self, job: str) -> None:
        """Let the cloud begin; from now on it works."""
        self._move(job, State.UPLOADED)

    def abort(self, job: str) -> None:
        """End a job that is not to begin; one that is gone is ended."""
        self._move(job, State.ABORTED)

    def look(self, job: str) -> Job | None:
        """Return what the cloud says; nothing when it has forgotten the job."""
        answer = self.session.ask("GET", _path(job))
        return None if answer.status == HTTPStatus.NOT_FOUND else self._job(answer)

    def wait(self, job: str) -> Job | None:
        """Return a job when it has ended, or nothing when the cloud forgot it.

        Raises:
            JobUnderWay: it has not within the session's patience.
        """
        return wait(self.session, job, self.look)

    def fetch(self, job: str, which: Results, target: Path) -> bool:
        """Write results; false when the cloud has none any more."""
        return self.session.fetch(f"{_path(job)}/{which}", target).status == HTTPStatus.OK

    def clear_away(self, job: str) -> None:
        """Let the cloud forget an ended job and its rows; one that keeps them keeps them."""
        with suppress(CloudAway, CloudRefuses):
            self.session.ask("DELETE", _path(job))

    def forgotten_ones(self, created_by: str) -> list[str]:
        """Return the jobs of this table that were made with our key and never closed."""
        found: list[str] = []
        path = "jobs/ingest"
        while path:
            said = self.session.ask("GET", path).said
            records = said.get("records", []) if isinstance(said, dict) else []
            jobs = [job_of(record) for record in records if isinstance(record, dict)]
            found += [
                job.id
                for job in jobs
                if (job.state, job.table, job.created_by) == (State.OPEN, self.table, created_by)
            ]
            locator = str(said.get("nextLocator") or "") if isinstance(said, dict) else ""
            path = f"jobs/ingest?locator={quote(locator)}" if locator else ""
        return found

    def _job(self, answer: Answer) -> Job:
        job = job_of(answer.said)
        if not job.id:
            raise self._refused("job", answer)
        return job

    def _refused(self, step: str, answer: Answer) -> CloudRefuses:
        """Return that an answer is none."""
        cloud = self.session.cloud
        return CloudRefuses(
            system=cloud.system,
            name=cloud.name,
            step=step,
            status_code=answer.status,
            reason="-",
        )

    def _move(self, job: str, state: State) -> None:
        """Move a job; where the cloud says no, what counts is whether it is there already."""
        try:
            self.session.ask("PATCH", _path(job), {"state": state.value})
        except CloudRefuses:
            found = self.look(job)
            if found is None or found.state in {state, *ENDED}:
                return
            if state is State.UPLOADED and found.state is State.AT_WORK:
                return
            raise


def wait(session: Session, job: str, look: Callable[[str], Job | None]) -> Job | None:
    """Ask until a job has ended, less and less often."""
    pause = _FIRST_LOOK
    while True:
        found = look(job)
        if found is None or found.state in ENDED:
            return found
        if not session.wait(pause):
            cloud = session.cloud
            raise JobUnderWay(
                system=cloud.system,
                name=cloud.name,
                job=job,
                state=found.state.value,
                processed=found.processed,
            )
        pause = min(1.6 * pause, _LONGEST_PAUSE)


def job_of(said: Json) -> Job:
    """Return a job as the cloud tells it; what is not told counts as nothing done."""
    said = said if isinstance(said, dict) else {}
    state = str(said.get("state", ""))
    return Job(
        id=str(said.get("id", "")),
        state=State(state) if state in list(State) else State.AT_WORK,
        processed=_number(said.get("numberRecordsProcessed")),
        failed=_number(said.get("numberRecordsFailed")),
        created_by=str(said.get("createdById", "")),
        table=str(said.get("object", "")),
        reason=code_of(said.get("errorMessage")),
    )


def _number(said: Json) -> int:
    return int(said) if isinstance(said, int | str) and str(said).isdigit() else 0


def _path(job: str) -> str:
    return f"jobs/ingest/{quote(job, safe='')}"
