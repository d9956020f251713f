"""A program of another organisation follows the directory while people change it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kumobashi.cli.gateways import free_ports
from kumobashi.directory.document import write_durably
from kumobashi.directory.subscribing import mark_of
from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
from kumobashi.testing.gateways import GatewayProcess, until

pytestmark = [pytest.mark.slow, pytest.mark.scenario]


@dataclass
class Served:
    folder: Path
    port: int

    def get(self, query: str, headers: dict[str, str] | None = None) -> tuple[int, Any, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            line.request("GET", f"/directory/v1{query}", headers=headers or {})
            answer = line.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else None, answer.getheader("ETag", "")
        finally:
            line.close()

    def run(self, *words: str) -> tuple[int, str]:
        environment = dict(os.environ)
        done = subprocess.run(
            [sys.executable, "-m", "kumobashi", "directory", *words,
             "--workspace", str(self.folder)],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def phone(self, number: str) -> None:
        code, said = self.run("change", "contact", "tax-office", f"phone={number}", "--write")
        assert code == 0, said

    @contextmanager
    def follower(self, log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        asked = [
            sys.executable, "-m", "kumobashi", "directory", "follow", "--json", "--url",
            f"http://127.0.0.1:{self.port}", "--workspace", str(self.folder),
            "--state", str(log.with_suffix(".jws")), *words,
        ]  # fmt: skip
        with log.open("ab") as out, subprocess.Popen(asked, stdout=out) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    ports = free_ports(tuple(SAMPLE_PORTS))
    folder = write_sample(tmp_path / "city", ports=ports)
    hall = GatewayProcess(folder, "hall-core", f"http://127.0.0.1:{ports['hall-core']}")
    try:
        hall.wait_ready()
        yield Served(folder, ports["hall-core"])
    finally:
        hall.stop()


def _told(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_changes_come_as_they_are_made_and_nothing_is_missed_over_a_restart(
    served: Served, tmp_path: Path
) -> None:
    log = tmp_path / "seen"
    with served.follower(log):
        until("the first version", lambda: log.read_text("utf-8") or None)
        served.phone("000-000-0101")
        until("the change", lambda: _told(log)[1:] or None, 40)
        second_version = (served.folder / "directories/2.jws").read_bytes()
        seen = log.with_suffix(".jws")  # is written after the line: else it is told once more
        until("it is remembered", lambda: seen.read_bytes() == second_version or None, 20)
    served.phone("000-000-0102")
    served.phone("000-000-0103")
    until("the gateway follows", lambda: served.get("")[1]["version"] == 4 or None, 20)
    with served.follower(log):
        until("what came meanwhile", lambda: _told(log)[2:] or None, 40)

    first, second, third = _told(log)
    assert (first["since"], first["version"]) == (0, 1)
    assert (second["since"], second["version"], second["skipped"]) == (1, 2, [])
    assert second["differences"][0]["facts"]["phone"]["after"] == "000-000-0101"
    assert (third["since"], third["version"], third["skipped"]) == (2, 4, [3])
    assert third["differences"][0]["facts"]["phone"] == {
        "before": "000-000-0101", "after": "000-000-0103",
    }  # fmt: skip


def test_a_wait_ends_with_the_change_that_concerns_it(served: Served) -> None:
    assert served.get("?since=1")[0] == 304
    status, body, etag = served.get("")
    assert (status, body["version"]) == (200, 1)
    assert etag == mark_of(1, body["document"])
    assert served.get("", {"If-None-Match": etag})[0] == 304
    found: dict[str, tuple[int, Any, str]] = {}
    waits = [
        threading.Thread(
            target=lambda of=of: found.update({of: served.get(f"?since=1&wait=20{of}")})
        )
        for of in ("", "&of=tax-office", "&of=finance")
    ]
    for wait in waits:
        wait.start()
    served.phone("000-000-0101")
    for wait in waits:
        wait.join(40)

    assert {of: one[0] for of, one in found.items()} == {
        "": 200, "&of=tax-office": 200, "&of=finance": 304,
    }  # fmt: skip
    (told,) = found["&of=tax-office"][1]["differences"]
    assert (told["kind"], told["name"], told["what"]) == ("contact", "tax-office", "changed")


def test_a_directory_that_was_rolled_back_rings_the_alarm(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "seen"
    state = ("--url", f"http://127.0.0.1:{served.port}", "--state", str(log))
    assert served.run("follow", "--once", *state)[0] == 0
    served.phone("000-000-0101")
    until("the gateway follows", lambda: served.get("")[1]["version"] == 2 or None, 20)
    assert served.run("follow", "--once", *state)[0] == 0
    places = ("var/hall-core/directory.jws", "directory.jws")
    seen = log.read_bytes()

    for place in places:
        write_durably(served.folder / place, (served.folder / "directories/1.jws").read_bytes())
    code, said = served.run("follow", "--once", *state)

    assert code == 2, said
    assert "directory.old" in said
    assert log.read_bytes() == seen  # what is known stays known
    assert served.get("?since=2")[0] == 409


def test_no_more_wait_than_may(served: Served) -> None:
    found: list[int] = []
    waits = [
        threading.Thread(target=lambda: found.append(served.get("?since=1&wait=4")[0]))
        for _ in range(70)
    ]
    for wait in waits:
        wait.start()
    for wait in waits:
        wait.join(40)

    assert found.count(304) == 64
    assert found.count(503) == 6
    assert served.get("?since=1&wait=1")[0] == 304  # places are given back
