"""Run the cloud as a process, look into it, and let it fail, as tests and how-tos do."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from kumobashi.conversion.jobs.cloud import Cloud
from kumobashi.testing.jobs_cloud.cloud import ROOT
from kumobashi.testing.jobs_cloud.settings import CLIENT_ID, CLIENT_SECRET, CloudSettings, Fault

_START_SECONDS = 30.0


@dataclass
class RunningCloud:
    """A cloud that runs here."""

    folder: Path
    settings: CloudSettings
    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def url(self) -> str:
        """What a system's ``url`` is."""
        return f"http://127.0.0.1:{self.port}{ROOT}"

    def cloud(self, *, patience_seconds: float = 30.0) -> Cloud:
        """Return it as the client knows it."""
        return Cloud(
            system="there",
            name="あちら",
            url=self.url,
            token_url=f"{self.url}/token",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            patience_seconds=patience_seconds,
        )

    def fail(self, *faults: Fault) -> Self:
        """Let these things go wrong, and no others."""
        self._asked("POST", "faults", [asdict(fault) for fault in faults])
        return self

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table's rows as the cloud's own people see them."""
        return list(self._asked("GET", f"rows?table={table}"))

    def give(self, table: str, rows: list[dict[str, str | None]]) -> None:
        """Let a table hold these rows and no others."""
        self._asked("POST", f"rows?table={table}", rows)

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, the newest first."""
        return list(self._asked("GET", "jobs"))

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it again, at the same port."""
        self.process, self.port = _start(self.folder, self.port)

    def _asked(self, method: str, path: str, said: object = None) -> Any:  # noqa: ANN401 - JSON
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request(method, f"/-/{path}", None if said is None else json.dumps(said))
            answer = line.getresponse()
            body = answer.read()
            assert answer.status < http.client.BAD_REQUEST, (answer.status, body)
            return json.loads(body) if body else None
        finally:
            line.close()


@contextmanager
def jobs_cloud(folder: Path, settings: CloudSettings) -> Iterator[RunningCloud]:
    """Run a cloud that keeps its data in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    settings.write(folder / "settings.json")
    process, port = _start(folder, 0)
    running = RunningCloud(folder, settings, process, port)
    try:
        yield running
    finally:
        running.kill()


def _start(folder: Path, port: int) -> "tuple[subprocess.Popen[bytes], int]":
    place = folder / "port"
    place.unlink(missing_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "kumobashi.testing.jobs_cloud", str(folder), str(port)]
    )
    end = time.monotonic() + _START_SECONDS
    while not place.exists():
        assert process.poll() is None, "the cloud does not start"
        assert time.monotonic() < end, "the cloud does not start in time"
        time.sleep(0.02)
    return process, int(place.read_text("ascii"))
