"""A fault at each detection point, with real gateways and a real watch: point and side."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.commands import command
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL, RELAY, CLOUD = "hall-core", "asp-relay", "public-cloud"
NOTICES = "notice-attributes"
ALERT_SECONDS = 60.0  # from the fault to its alert


class RunningWatch:
    """``kumobashi watch`` as a process of its own, and the alerts that it prints."""

    def __init__(self, folder: Path) -> None:
        words = ["watch", "--site", HALL, "--every", "1", "--json"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kumobashi", *words],
            cwd=folder,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.alerts: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        text = ""
        for line in self._process.stdout:
            text += line
            if line == "}\n":
                self.alerts.append(json.loads(text))
                text = ""

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(20) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def next(self, moment: str, *, after: int = 0, seconds: float = ALERT_SECONDS) -> Any:
        def look() -> dict[str, Any] | None:
            found = (a for a in self.alerts[after:] if a["moment"] == moment)
            return next((a for a in found if a["code"] != "monitor.overdue"), None)

        return until(f"an alert: {moment}", look, seconds)


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("points") / "w", city) as made:
        made.start(HALL, environment={"KUMO_PULSE_SECONDS": "10"})
        made.start_all(but=[HALL])
        yield made


@pytest.fixture
def watch(town: Town) -> Iterator[RunningWatch]:
    running = RunningWatch(town.folder)
    yield running
    running.stop()


def faults(town: Town) -> list[dict[str, Any]]:
    ended = command("fault", "list", "--site", HALL, "--json", folder=town.folder)
    assert ended.exit_code in {0, 1}, (ended.exit_code, ended.output)
    found: list[dict[str, Any]] = json.loads(ended.output)
    return found


def located(watch: RunningWatch, town: Town, *, after: int = 0) -> tuple[str, str]:
    alert = watch.next("opened", after=after)
    fault = next(one for one in faults(town) if one["fault"] == alert["fault"])
    return fault["point"], fault["side"]


def test_point_1_a_relay_that_does_not_answer(town: Town, watch: RunningWatch) -> None:
    town.running[RELAY].kill()
    try:
        assert located(watch, town) == ("relay", RELAY)
    finally:
        town.start(RELAY)
    ended = watch.next("ended", seconds=90)
    assert ended["fault"] == watch.alerts[0]["fault"]
    assert len(watch.alerts) == 2, "one cause gives one alert, and one when it is over"


def test_point_2_an_interface_of_the_cloud_that_has_stopped(
    town: Town, watch: RunningWatch
) -> None:
    town.running[CLOUD].kill()
    try:
        assert located(watch, town) == ("interface", CLOUD)
        assert watch.next("opened")["links"], "the links that it stops are named"
    finally:
        town.start(CLOUD)


def test_point_3_rows_that_cannot_be_taken_in(town: Town, watch: RunningWatch) -> None:
    town.run(NOTICES)
    table, column = "notice_attributes", _some_column(town)
    town.change("notice-cloud", f"alter table {table} rename column {column} to elsewhere")
    try:
        town.submit(NOTICES, date.fromisoformat("2026-11-22"), again=True, full=True)
        assert located(watch, town) == ("import", CLOUD)
    finally:
        town.change("notice-cloud", f"alter table {table} rename column elsewhere to {column}")


def test_point_4_a_program_of_the_cloud_that_failed(town: Town, watch: RunningWatch) -> None:
    time.sleep(1)
    town.call("/api/v1/systems/notice-cloud/failures", {"code": "push_refused"}, site=CLOUD)

    def look() -> dict[str, Any] | None:
        return next((f for f in faults(town) if f["point"] == "program"), None)

    fault = until("a fault at point 4", look, ALERT_SECONDS)
    assert (fault["side"], fault["code"]) == (CLOUD, "notice_cloud.push_refused")


def test_a_gateway_that_died_is_told_although_it_cannot_tell(
    town: Town, watch: RunningWatch
) -> None:
    time.sleep(3)  # the watch has seen it
    town.running[HALL].kill()
    try:
        found = until(
            "the gateway is missed",
            lambda: next((a for a in watch.alerts if a["side"] == HALL), None),
            ALERT_SECONDS,
        )
        assert found["code"] == "monitor.gateway_silent"
    finally:
        town.start(HALL, environment={"KUMO_PULSE_SECONDS": "10"})


def _some_column(town: Town) -> str:
    query = "select column_name from information_schema.columns where table_name = "
    return str(town.sql("notice-cloud", query + "'notice_attributes' order by 1 desc")[0][0])
