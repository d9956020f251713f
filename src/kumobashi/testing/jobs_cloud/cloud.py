"""The cloud behind its door: tokens, jobs and their states, limits, results."""

import json
import secrets
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

from kumobashi.testing.jobs_cloud.answers import Said, error, told
from kumobashi.testing.jobs_cloud.database import Database, KeptJob
from kumobashi.testing.jobs_cloud.settings import CLIENT_ID, CLIENT_SECRET, CloudSettings
from kumobashi.testing.jobs_cloud.working import Worker, as_csv, columns_of

ROOT: Final = "/api/v1"
ENDED: Final = ("JobComplete", "Failed", "Aborted")
RESULTS: Final = {
    "successfulResults": "successful",
    "failedResults": "failed",
    "unprocessedrecords": "unprocessed",
}
_USER: Final = "005000000000001AAA"
_DAY: Final = 86_400.0


class JobsCloud:
    """Everything behind the door."""

    def __init__(self, settings: CloudSettings, folder: Path) -> None:
        self.settings = settings
        self.database = Database(folder / "cloud.sqlite")
        self.worker = Worker(settings, self.database, folder)
        self._asked: deque[float] = deque()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        for job in self.database.jobs("state = 'InProgress'"):
            self.database.move(job.id, "UploadComplete")
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._ends.set()
        self._thread.join()
        self.database.close()

    def _work(self) -> None:
        while not self._ends.wait(0.01):
            waiting = self.database.jobs("state = 'UploadComplete'")
            due = time.time() - self.settings.work_seconds
            for job in reversed(waiting):
                if job.moved <= due:
                    self.worker.work(job)
            self._age()

    def _age(self) -> None:
        limits, now = self.settings.limits, time.time()
        for job in self.database.jobs("state = 'Open' and created < ?", now - limits.open_seconds):
            self.database.move(job.id, "Aborted", error="Expired : open for too long")
        old = now - limits.results_seconds
        for job in self.database.jobs("state in (?, ?, ?) and moved < ? and gone = 0", *ENDED, old):
            self.forget(job.id)

    def forget(self, job: str) -> None:
        """Forget a job, its rows and its results."""
        self.database.forget_job(job)
        self.worker.upload_of(job).unlink(missing_ok=True)

    # -- who asks ----------------------------------------------------------------------------------

    def token(self, form: dict[str, str]) -> Said:
        """Give a token to whoever has the secret."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return told({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "client_credentials":
            return told({"error": "unsupported_grant_type"}, 400)
        made, lasts = secrets.token_urlsafe(24), self.settings.limits.token_seconds
        with self.database.changing() as connection:
            connection.execute("insert into tokens values (?, ?)", [made, time.time() + lasts])
        return told({"access_token": made, "token_type": "Bearer", "expires_in": lasts})

    def is_let_in(self, bearer: str) -> bool:
        """Whether a token is one of ours, and has not ended."""
        found = self.database.ask("select ends from tokens where token = ?", bearer)
        return bool(found) and found[0][0] > time.time()

    def end_token(self, bearer: str) -> None:
        """Let a token end."""
        with self.database.changing() as connection:
            connection.execute("delete from tokens where token = ?", [bearer])

    def is_asked_too_often(self) -> bool:
        """Whether more come in a second than are let in."""
        most, now = self.settings.limits.asks_a_second, time.monotonic()
        while self._asked and self._asked[0] <= now - 1:
            self._asked.popleft()
        if most and len(self._asked) >= most:
            return True
        self._asked.append(now)
        return False

    # -- jobs --------------------------------------------------------------------------------------

    def create(self, kind: str, said: dict[str, str]) -> Said:
        """Make a job."""
        limits = self.settings.limits
        today = self.database.jobs("created > ?", time.time() - _DAY)
        if len(today) >= limits.jobs_a_day:
            words = "TotalRequests Limit exceeded."
            return error(403, "REQUEST_LIMIT_EXCEEDED", words)
        wrong = self._wrong_ingest(said) if kind == "ingest" else ""
        if kind == "query" and (said.get("operation") != "query" or not said.get("query")):
            wrong = "INVALIDJOB"
        if wrong:
            return error(400, wrong, "this cannot be made")
        return told(shown(self.database.add_job(kind, said, _USER)))

    def _wrong_ingest(self, said: dict[str, str]) -> str:
        table = self.settings.tables.get(said.get("object", ""))
        if table is None:
            return "INVALIDENTITY"
        is_known = said.get("operation") in {"upsert", "delete"}
        has_key = said.get("operation") == "delete" or said.get("externalIdFieldName") == table.key
        if not is_known or not has_key or said.get("contentType", "CSV") != "CSV":
            return "INVALIDJOB"
        is_full = len(self.database.jobs("state = 'Open'")) >= self.settings.limits.open_jobs
        return "LIMIT_EXCEEDED" if is_full else ""

    def upload(self, job: KeptJob, body: bytes) -> Said:
        """Take the rows of a job, once."""
        limits = self.settings.limits
        if job.state != "Open":
            return error(409, "INVALIDJOBSTATE", "the job is not open")
        if job.uploaded:
            words = "Found multiple contents for job, close or abort it; PUT only once"
            return error(400, "INVALIDJOBSTATE", words)
        if len(body) > limits.upload_bytes:
            return error(413, "ClientInputError", "the upload is too large")
        if self._is_over(body):
            return error(400, "ClientInputError", "more than a row may hold")
        rows = sum(
            int(found[0]) for found in self.database.ask(
                "select processed from jobs where kind = 'ingest' and created > ?",
                time.time() - _DAY,
            )
        )  # fmt: skip
        if rows + body.count(b"\n") - 1 > limits.rows_a_day:
            self.database.move(
                job.id, "Failed", error="ExceededQuota : rows of the day", uploaded=1
            )
            return Said(201)
        self.worker.upload_of(job.id).write_bytes(body)
        self.database.move(job.id, "Open", uploaded=1)
        return Said(201)

    def _is_over(self, body: bytes) -> bool:
        limits = self.settings.limits
        header = body.split(b"\n", 1)[0]
        longest = max(
            (len(line.decode("utf-8", "replace")) for line in body.splitlines()), default=0
        )
        return header.count(b",") + 1 > limits.columns or longest > limits.row_characters

    def change(self, job: KeptJob, state: str) -> Said:
        """Close a job or stop it."""
        if state == "UploadComplete" and job.kind == "ingest":
            if job.state != "Open":
                return error(409, "INVALIDJOBSTATE", "the job is not open")
        elif state != "Aborted" or job.state in ENDED:
            return error(409, "INVALIDJOBSTATE", f"not from {job.state}")
        self.database.move(job.id, state)
        return told(shown(self.database.job(job.id) or job))

    def listed(self, kind: str, locator: str) -> Said:
        """Return jobs, the newest first, page by page."""
        most = self.settings.limits.listed_jobs
        before = int(locator) if locator.isdigit() else 1 << 60
        found = self.database.jobs("kind = ? and number < ? and gone = 0", kind, before)
        more = str(found[most - 1].number) if len(found) > most else None
        records = [shown(job) for job in found[:most]]
        return told({"done": more is None, "records": records, "nextLocator": more})

    def results(self, job: KeptJob, which: str) -> Said:
        """Return what became of the rows of a job; in no order that anybody may count on."""
        if job.state not in ENDED:
            return error(400, "INVALIDJOBSTATE", "the job has not ended")
        path = self.worker.upload_of(job.id)
        text = path.read_bytes().decode() if path.exists() else ""
        header = [name.strip('"') for name in text.split("\n", 1)[0].split(",")] if text else []
        found = self.database.ask(
            "select row, id, error, created from results where job = ? and which = ?"
            " order by number desc",
            job.id,
            RESULTS[which],
        )
        front = {
            "successful": ["sky__Id", "sky__Created"],
            "failed": ["sky__Id", "sky__Error"],
            "unprocessed": [],
        }[RESULTS[which]]
        rows = []
        for row, id_, wrong, created in found:
            more = {
                "sky__Id": id_,
                "sky__Error": wrong,
                "sky__Created": "true" if created else "false",
            }
            rows.append([*(more[name] for name in front), *json.loads(row)])
        return Said(200, as_csv([*front, *header], iter(rows)).encode(), "text/csv")

    def pages(self, job: KeptJob, locator: str, wished: str) -> Said:
        """Return one page of what a query found."""
        if job.state != "JobComplete":
            return error(400, "INVALIDJOBSTATE", "the job is not complete")
        limits = self.settings.limits
        most = min(int(wished) if wished.isdigit() else limits.page_rows, limits.page_rows)
        start = int(locator, 36) if locator else 0
        found = self.database.ask(
            "select row from results where job = ? order by number limit ? offset ?",
            job.id,
            most + 1,
            start,
        )
        rows = [json.loads(row) for (row,) in found[:most]]
        has_header = self.settings.names_on_every_page or not locator
        text = as_csv(columns_of(job.query), iter(rows), has_header=has_header)
        more = _base36(start + most) if len(found) > most else "null"
        headers = {"Sky-Locator": more, "Sky-NumberOfRecords": str(len(rows))}
        return Said(200, text.encode(), "text/csv", headers)


def shown(job: KeptJob) -> dict[str, Any]:
    """Return a job as it is told."""
    said: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by,
        "createdDate": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(job.created)),
        "state": job.state,
        "contentType": "CSV",
        "apiVersion": 1.0,
        "numberRecordsProcessed": job.processed,
        "numberRecordsFailed": job.failed,
    }
    if job.kind == "ingest":
        said |= {"contentUrl": f"{ROOT[1:]}/jobs/ingest/{job.id}/batches", "lineEnding": "LF"}
        said |= {"columnDelimiter": "COMMA", "externalIdFieldName": job.key or None}
    if job.error:
        said["errorMessage"] = job.error
    return said


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"
