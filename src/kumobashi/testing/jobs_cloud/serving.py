"""The cloud's door: HTTP, tokens, limits, and the faults that were asked for."""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kumobashi.testing.jobs_cloud.database import Database, KeptJob
from kumobashi.testing.jobs_cloud.settings import CLIENT_ID, CLIENT_SECRET, CloudSettings
from kumobashi.testing.jobs_cloud.working import Worker, as_csv, columns_of

ROOT: Final = "/api/v1"
_USER: Final = "005000000000001AAA"
_DAY: Final = 86_400.0
_ENDED: Final = ("JobComplete", "Failed", "Aborted")
_RESULTS: Final = {
    "successfulResults": "successful",
    "failedResults": "failed",
    "unprocessedrecords": "unprocessed",
}


@dataclass
class Said:
    """An answer."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, words: str, **headers: str) -> Said:
    """Return an error as such clouds say it."""
    body = json.dumps([{"errorCode": code, "message": words}]).encode()
    return Said(status, body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def told(said: Any, status: int = 200) -> Said:  # noqa: ANN401 - JSON
    """Return an answer in JSON."""
    return Said(status, json.dumps(said, ensure_ascii=False).encode())


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
        for job in self.database.jobs("state in (?, ?, ?) and moved < ?", *_ENDED, old):
            self.database.forget_job(job.id)

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
        limits, tables = self.settings.limits, self.settings.tables
        today = self.database.jobs("created > ?", time.time() - _DAY)
        if len(today) >= limits.jobs_a_day:
            words = "TotalRequests Limit exceeded."
            return error(403, "REQUEST_LIMIT_EXCEEDED", words)
        if kind == "ingest":
            if said.get("object") not in tables:
                return error(400, "INVALIDENTITY", "no such object")
            if said.get("operation") not in {"upsert", "delete"}:
                return error(400, "INVALIDJOB", "no such operation")
            key = said.get("externalIdFieldName")
            if said["operation"] == "upsert" and key != tables[said["object"]].key:
                return error(400, "INVALIDJOB", "not an external id")
            if said.get("contentType", "CSV") != "CSV":
                return error(400, "INVALIDJOB", "only CSV")
            if len(self.database.jobs("state = 'Open'")) >= limits.open_jobs:
                return error(400, "LIMIT_EXCEEDED", "too many open jobs")
        elif said.get("operation") != "query" or not said.get("query"):
            return error(400, "INVALIDJOB", "no query")
        return told(_shown(self.database.add_job(kind, said, _USER)))

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
        elif state != "Aborted" or job.state in _ENDED:
            return error(409, "INVALIDJOBSTATE", f"not from {job.state}")
        self.database.move(job.id, state)
        return told(_shown(self.database.job(job.id) or job))

    def listed(self, kind: str, locator: str) -> Said:
        """Return jobs, the newest first, page by page."""
        most = self.settings.limits.listed_jobs
        before = int(locator) if locator.isdigit() else 1 << 60
        found = self.database.jobs("kind = ? and number < ?", kind, before)
        more = str(found[most - 1].number) if len(found) > most else None
        records = [_shown(job) for job in found[:most]]
        return told({"done": more is None, "records": records, "nextLocator": more})

    def results(self, job: KeptJob, which: str) -> Said:
        """Return what became of the rows of a job; in no order that anybody may count on."""
        if job.state not in _ENDED:
            return error(400, "INVALIDJOBSTATE", "the job has not ended")
        path = self.worker.upload_of(job.id)
        text = path.read_text("utf-8") if path.exists() else ""
        header = [name.strip('"') for name in text.split("\n", 1)[0].split(",")] if text else []
        found = self.database.ask(
            "select row, id, error, created from results where job = ? and which = ?"
            " order by number desc",
            job.id,
            _RESULTS[which],
        )
        front = {
            "successful": ["sky__Id", "sky__Created"],
            "failed": ["sky__Id", "sky__Error"],
            "unprocessed": [],
        }[_RESULTS[which]]
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


def _shown(job: KeptJob) -> dict[str, Any]:
    shown: dict[str, Any] = {
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
        shown |= {"contentUrl": f"{ROOT[1:]}/jobs/ingest/{job.id}/batches", "lineEnding": "LF"}
        shown |= {"columnDelimiter": "COMMA", "externalIdFieldName": job.key or None}
    if job.error:
        shown["errorMessage"] = job.error
    return shown


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


Do = Callable[[], Said]


class Door(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cloud: JobsCloud

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of the library

    def log_message(self, *_said: object) -> None:
        """Write nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(ROOT).strip("/").split("/")
        if path[0] == "-":
            return self._give(self._controlled(path[1:], asked, body))
        if path[0] != "token":
            bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            if not self.cloud.is_let_in(bearer):
                return self._give(error(401, "INVALID_SESSION_ID", "Session expired or invalid"))
            if self.cloud.is_asked_too_often():
                return self._give(error(429, "REQUEST_LIMIT_EXCEEDED", "slow", Retry_After="1"))
        at, do = self._found(path, asked, body)
        return self._with_fault(at, path, do)

    def _found(self, path: list[str], asked: dict[str, str], body: bytes) -> tuple[str, Do]:
        cloud, method = self.cloud, self.command
        if path == ["token"]:
            form = {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
            return "token", lambda: cloud.token(form)
        if path[:1] != ["jobs"] or path[1:2] not in (["ingest"], ["query"]):
            return "look", lambda: error(404, "NOT_FOUND", "no such place")
        kind, rest = path[1], path[2:]
        if not rest:
            if method == "POST":
                return "create", lambda: cloud.create(kind, json.loads(body))
            return "list", lambda: cloud.listed(kind, asked.get("locator", ""))
        job = cloud.database.job(rest[0])
        if job is None or job.kind != kind:
            return "look", lambda: error(404, "NOT_FOUND", "no such job")
        match method, rest[1:]:
            case "PUT", ["batches"] if kind == "ingest":
                return "upload", lambda: cloud.upload(job, body)
            case "PATCH", []:
                return "close", lambda: cloud.change(job, json.loads(body)["state"])
            case "DELETE", []:
                return "look", lambda: self._deleted(job)
            case "GET", []:
                return "look", lambda: told(_shown(cloud.database.job(job.id) or job))
            case "GET", ["results"] if kind == "query":
                locator, most = asked.get("locator", ""), asked.get("maxRecords", "")
                return "results", lambda: cloud.pages(job, locator, most)
            case "GET", [which] if kind == "ingest" and which in _RESULTS:
                return "results", lambda: cloud.results(job, which)
        return "look", lambda: error(405, "METHOD_NOT_ALLOWED", "not here")

    def _deleted(self, job: KeptJob) -> Said:
        if job.state not in _ENDED:
            return error(409, "INVALIDJOBSTATE", "the job has not ended")
        self.cloud.database.forget_job(job.id)
        return Said(204)

    def _with_fault(self, at: str, path: list[str], do: Do) -> None:
        hows = ("drop_before", "drop_after", "error_before", "error_after", "busy", "too_many")
        hows += ("slow", "end_token", "cut", "short", "forget")
        how, seconds = self.cloud.database.take_fault(at, hows) or ("", 0.0)
        match how:
            case "drop_before":
                self.close_connection = True
                return None
            case "error_before":
                return self._give(error(500, "UNKNOWN_EXCEPTION", "something went wrong"))
            case "busy":
                wait = str(max(int(seconds), 1))
                return self._give(error(503, "SERVER_UNAVAILABLE", "busy", Retry_After=wait))
            case "too_many":
                wait = str(max(int(seconds), 1))
                return self._give(error(429, "REQUEST_LIMIT_EXCEEDED", "slow", Retry_After=wait))
            case "end_token":
                self.cloud.end_token(self.headers["Authorization"].removeprefix("Bearer "))
                return self._give(error(401, "INVALID_SESSION_ID", "Session expired or invalid"))
            case "forget":
                self.cloud.database.forget_job(path[2])
                return self._give(error(404, "NOT_FOUND", "no such job"))
        said = do()
        match how:
            case "drop_after":
                self.close_connection = True
                return None
            case "error_after":
                said = error(500, "UNKNOWN_EXCEPTION", "something went wrong")
            case "slow":
                time.sleep(seconds)
            case "short":
                lines = said.body.splitlines(keepends=True)
                said.body = b"".join(lines[: 1 + len(lines) // 2])
            case "cut":
                return self._give(said, of=len(said.body) // 2)
        return self._give(said)

    def _give(self, said: Said, of: int | None = None) -> None:
        try:
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", said.kind)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body if of is None else said.body[:of])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        if of is not None:
            self.close_connection = True

    def _controlled(self, path: list[str], asked: dict[str, str], body: bytes) -> Said:
        """Do what tests ask for; a real cloud has nothing like it."""
        database = self.cloud.database
        match self.command, path:
            case "POST", ["faults"]:
                with database.changing() as connection:
                    connection.execute("delete from faults")
                    connection.executemany(
                        "insert into faults (place, how, times, after, seconds)"
                        " values (:at, :how, :times, :after, :seconds)",
                        json.loads(body),
                    )
                return Said(204)
            case "GET", ["rows"]:
                return told(database.rows(asked["table"]))
            case "POST", ["rows"]:
                key = self.cloud.settings.tables[asked["table"]].key
                names = self.cloud.settings.tables[asked["table"]].columns
                with database.changing() as connection:
                    connection.execute("delete from rows where object = ?", [asked["table"]])
                    connection.executemany(
                        "insert into rows (object, key, row) values (?, ?, ?)",
                        [
                            (asked["table"], row[key], json.dumps(dict.fromkeys(names) | row))
                            for row in json.loads(body)
                        ],
                    )
                return Said(204)
            case "GET", ["jobs"]:
                return told([_shown(job) | {"kind": job.kind} for job in database.jobs("true")])
        return Said(404)


class Server(ThreadingHTTPServer):
    """A thread for each line."""

    daemon_threads = True
    request_queue_size = 64


def serve(settings: CloudSettings, folder: Path, port: int) -> Server:
    """Return a cloud that listens; it begins with ``serve_forever``."""
    cloud = JobsCloud(settings, folder)
    return Server(("127.0.0.1", port), type("Here", (Door,), {"cloud": cloud}))
