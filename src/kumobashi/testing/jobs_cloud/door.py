"""The cloud's door: HTTP, who is let in, and the faults that were asked for."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from kumobashi.testing.jobs_cloud.answers import Said, error, told
from kumobashi.testing.jobs_cloud.cloud import ENDED, RESULTS, ROOT, JobsCloud, shown
from kumobashi.testing.jobs_cloud.database import KeptJob
from kumobashi.testing.jobs_cloud.settings import CloudSettings

Do = Callable[[], Said]
_INSTEAD: Final = ("drop_before", "error_before", "busy", "too_many", "end_token", "forget")
_AT_THE_DOOR: Final = (*_INSTEAD, "drop_after", "error_after", "slow", "cut", "short")


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
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            return self._give(error(411, "LENGTH_REQUIRED", "say how long it is"))
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
        cloud = self.cloud
        if path == ["token"]:
            form = {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
            return "token", lambda: cloud.token(form)
        if path[:1] != ["jobs"] or path[1:2] not in (["ingest"], ["query"]):
            return "look", lambda: error(404, "NOT_FOUND", "no such place")
        kind, rest = path[1], path[2:]
        if not rest and self.command == "POST":
            return "create", lambda: cloud.create(kind, json.loads(body))
        if not rest:
            return "list", lambda: cloud.listed(kind, asked.get("locator", ""))
        job = cloud.database.job(rest[0])
        if job is None or job.kind != kind:
            return "look", lambda: error(404, "NOT_FOUND", "no such job")
        return self._of_job(job, rest[1:], asked, body)

    def _of_job(  # noqa: PLR0911 - one for each request
        self, job: KeptJob, rest: list[str], asked: dict[str, str], body: bytes
    ) -> tuple[str, Do]:
        cloud = self.cloud
        match self.command, rest, job.kind:
            case "PUT", ["batches"], "ingest":
                return "upload", lambda: cloud.upload(job, body)
            case "PATCH", [], _:
                return "close", lambda: cloud.change(job, json.loads(body)["state"])
            case "DELETE", [], _:
                return "look", lambda: self._deleted(job)
            case "GET", [], _:
                return "look", lambda: told(shown(cloud.database.job(job.id) or job))
            case "GET", ["results"], "query":
                locator, most = asked.get("locator", ""), asked.get("maxRecords", "")
                return "results", lambda: cloud.pages(job, locator, most)
            case "GET", [which], "ingest" if which in RESULTS:
                return "results", lambda: cloud.results(job, which)
            case _:
                return "look", lambda: error(405, "METHOD_NOT_ALLOWED", "not here")

    def _deleted(self, job: KeptJob) -> Said:
        if job.state not in ENDED:
            return error(409, "INVALIDJOBSTATE", "the job has not ended")
        self.cloud.forget(job.id)
        return Said(204)

    def _with_fault(self, at: str, path: list[str], do: Do) -> None:
        how, seconds = self.cloud.database.take_fault(at, _AT_THE_DOOR) or ("", 0.0)
        wait = str(max(int(seconds), 1))
        said = self._instead(how, path, wait) if how in _INSTEAD else do()
        if how == "slow":
            time.sleep(seconds)
        if how == "error_after":
            said = error(500, "UNKNOWN_EXCEPTION", "something went wrong")
        if how == "short":
            lines = said.body.splitlines(keepends=True)
            said.body = b"".join(lines[: 1 + len(lines) // 2])
        if how in {"drop_before", "drop_after"}:
            self.close_connection = True
            return
        self._give(said, of=len(said.body) // 2 if how == "cut" else None)

    def _instead(self, how: str, path: list[str], wait: str) -> Said:
        """Answer without doing anything."""
        match how:
            case "busy":
                return error(503, "SERVER_UNAVAILABLE", "busy", Retry_After=wait)
            case "too_many":
                return error(429, "REQUEST_LIMIT_EXCEEDED", "slow", Retry_After=wait)
            case "end_token":
                self.cloud.end_token(self.headers["Authorization"].removeprefix("Bearer "))
                return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
            case "forget":
                self.cloud.forget(path[2])
                return error(404, "NOT_FOUND", "no such job")
            case _:
                return error(500, "UNKNOWN_EXCEPTION", "something went wrong")

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
                database.set_faults(json.loads(body))
            case "GET", ["rows"]:
                return told(database.rows(asked["table"]))
            case "POST", ["rows"]:
                table = self.cloud.settings.tables[asked["table"]]
                empty = dict.fromkeys(table.columns)
                rows = [empty | row for row in json.loads(body)]
                database.set_rows(asked["table"], table.key, rows)
            case "GET", ["jobs"]:
                return told([shown(job) | {"kind": job.kind} for job in database.jobs("true")])
            case _:
                return Said(404)
        return Said(204)


class Server(ThreadingHTTPServer):
    """A thread for each line."""

    daemon_threads = True
    request_queue_size = 64


def serve(settings: CloudSettings, folder: Path, port: int) -> Server:
    """Return a cloud that listens; it begins with ``serve_forever``."""
    cloud = JobsCloud(settings, folder)
    return Server(("127.0.0.1", port), type("Here", (Door,), {"cloud": cloud}))
