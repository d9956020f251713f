"""The report's comparison: REST with CSV, SOAP, and SOAP with an attachment, with the same rows.

千葉の実証の検討項目 (5) compares them for an asynchronous linkage of 400,000 rows. Each method
brings the rows over real HTTP to a cloud that judges and keeps them alike, row by row, in a file of
SQLite that is flushed at each commit; then what lies there is held against what was sent.
"""

import http.client
import json
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
from pyarrow import csv

from kumobashi.conversion.jobs.cloud import Answer, Session
from kumobashi.conversion.jobs.ingest import IngestJobs, State
from kumobashi.conversion.jobs.keys import Key
from kumobashi.testing.bench import usage
from kumobashi.testing.bench.errors import PipelineFailed, RowsDiffer
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.bench.methods_rows import KEY, TABLE, make_rows, settings_for
from kumobashi.testing.bench.methods_service import ROWS_A_CALL
from kumobashi.testing.bench.processes import free_port, serving_module
from kumobashi.testing.bench.soap import ENVELOPE, OURS, envelope
from kumobashi.testing.jobs_cloud.running import jobs_cloud

Method = Literal["rest_csv", "soap", "swa"]
METHODS: Final[tuple[Method, ...]] = ("rest_csv", "soap", "swa")
ROUND_TRIP_SECONDS: Final = 0.02  # of a line to a cloud; here there is none, so it is added
_PATIENCE_SECONDS: Final = 1_800.0
_SAVED: Final = re.compile(rb'saved="(\d+)" failed="(\d+)"')
_XML: Final = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
_BOUNDARY: Final = "kumobashi-attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one method took."""

    requests: int
    body_bytes: int  # of requests
    largest_bytes: int  # of one request


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsWish:
    """How much to measure."""

    rows: int = 400_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _There:
    """The cloud of one method."""

    pid: int
    send: Callable[[], Sent]


def bench_methods(
    wish: MethodsWish, tell: Callable[[str], None] = lambda _what: None
) -> dict[str, Any]:
    """Let each method bring the rows; say which one is at work.

    Raises:
        PipelineFailed, RowsDiffer: not all of them are there.
    """
    rows = make_rows(wish.rows, wish.seed)
    with tempfile.TemporaryDirectory(prefix="kumo-bench-") as name:
        folder = Path(name)
        found: dict[str, Any] = {**asdict(wish), "columns": rows.num_columns, "load_before": load()}
        found["fsync_per_second"] = round(fsync_per_second(folder))
        for method in METHODS:
            tell(method)
            found[method] = _measured(method, rows, folder / method)
        least = found["rest_csv"]["seconds"]
        for method in METHODS:
            one = found[method]
            one["of_rest_csv"] = round(one["seconds"] / least, 2)
            one["seconds_far"] = round(one["seconds"] + one["requests"] * ROUND_TRIP_SECONDS, 1)
        found["load_after"] = load()
        found["machine"] = asdict(describe(""))
        return found


def _measured(method: Method, rows: pa.Table, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    with _cloud(method, rows, folder) as there:
        pids = {"client": os.getpid(), "cloud": there.pid}
        usage.reset_peaks(pids.values())
        here, away = time.process_time(), usage.cpu_seconds(there.pid)
        began = time.perf_counter()
        sent = there.send()
        seconds = time.perf_counter() - began
        cpu = {
            "client": time.process_time() - here,
            "cloud": usage.cpu_seconds(there.pid) - away,
        }
        peaks = {who: round(usage.peak_mib(pid)) for who, pid in pids.items()}
    _compare(method, rows, folder)
    return {
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows.num_rows / seconds),
        **asdict(sent),
        "cpu_seconds": {who: round(used, 2) for who, used in cpu.items()},
        "peak_mib": peaks,
    }


@contextmanager
def _cloud(method: Method, rows: pa.Table, folder: Path) -> Iterator[_There]:
    settings = settings_for(rows)
    if method == "rest_csv":
        with jobs_cloud(folder, settings) as cloud:
            session = _Counting(cloud.cloud(patience_seconds=_PATIENCE_SECONDS))
            yield _There(cloud.process.pid, lambda: _by_jobs(session, rows, folder / "rows.csv"))
        return
    settings.write(folder / "settings.json")
    port = free_port()
    send = _in_messages if method == "soap" else _attached
    with serving_module("kumobashi.testing.bench.methods_service", port, str(folder)) as pid:
        yield _There(pid, lambda: send(port, rows))


class _Counting(Session):
    """Counts what it asks, its token not."""

    requests = 0

    def ask(self, method: str, path: str, said: Any = None) -> Answer:  # noqa: ANN401 - JSON
        self.requests += 1
        return super().ask(method, path, said)

    def upload(self, path: str, file: Path) -> Answer:
        self.requests += 1
        return super().upload(path, file)

    def fetch(self, path: str, target: Path) -> Answer:
        self.requests += 1
        return super().fetch(path, target)


def _by_jobs(session: _Counting, rows: pa.Table, path: Path) -> Sent:
    """Bring all rows by one job: create, upload, close, poll, fetch what failed."""
    csv.write_csv(rows, path)
    jobs = IngestJobs(session, TABLE, Key((KEY,)))
    job = jobs.create("upsert")
    jobs.upload(job.id, path)
    jobs.close(job.id)
    done = jobs.wait(job.id)
    if done is None or done.state is not State.COMPLETE or done.failed:
        raise PipelineFailed(way="rest_csv", says=str(done))
    jobs.fetch(job.id, "failedResults", path.with_suffix(".failed"))
    size = path.stat().st_size
    return Sent(requests=session.requests, body_bytes=size, largest_bytes=size)


def _in_messages(port: int, rows: pa.Table) -> Sent:
    """Bring the rows in messages, as many in each as one call may hold, one after the other."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    requests = size = largest = 0
    for batch in rows.to_batches(max_chunksize=ROWS_A_CALL):
        columns = [column.to_pylist() for column in batch.columns]
        body = envelope(rows.column_names, list(zip(*columns, strict=True)))
        _post(line, body, _XML, batch.num_rows)
        requests, size, largest = requests + 1, size + len(body), max(largest, len(body))
    line.close()
    return Sent(requests=requests, body_bytes=size, largest_bytes=largest)


def _attached(port: int, rows: pa.Table) -> Sent:
    """Bring all rows as one attachment of CSV."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink)
    put = f'<put xmlns="{OURS}" file="cid:rows"/>'
    start = (
        f"--{_BOUNDARY}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <root>\r\n\r\n"
        f'<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>{put}</soap:Body></soap:Envelope>'
        f"\r\n--{_BOUNDARY}\r\nContent-Type: text/csv; charset=utf-8\r\nContent-ID: <rows>\r\n\r\n"
    )
    body = start.encode() + sink.getvalue().to_pybytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f'multipart/related; boundary={_BOUNDARY}; type="text/xml"; start="<root>"'
    _post(line, body, {"content-type": kind, "soapaction": '""'}, rows.num_rows)
    line.close()
    return Sent(requests=1, body_bytes=len(body), largest_bytes=len(body))


def _post(
    line: http.client.HTTPConnection, body: bytes, headers: dict[str, str], rows: int
) -> None:
    line.request("POST", "/", body=body, headers=headers)
    answer = line.getresponse()
    said = answer.read()
    found = _SAVED.search(said)
    if answer.status != http.client.OK or not found or (int(found[1]), int(found[2])) != (rows, 0):
        raise PipelineFailed(way="soap", says=said[:300].decode("utf-8", "replace"))


def _compare(method: Method, rows: pa.Table, folder: Path) -> None:
    """Hold what lies there against what was sent; raise ``RowsDiffer``."""
    held = sqlite3.connect(folder / "cloud.sqlite")
    there = (json.loads(row) for (row,) in held.execute("select row from rows order by key"))
    sent = rows.sort_by(KEY).to_pylist()
    same = (
        {name: value or None for name, value in row.items()} == next(there, None) for row in sent
    )
    if not all(same) or next(there, None) is not None:
        raise RowsDiffer(what=method)
    held.close()
