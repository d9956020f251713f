"""The doctor asks real gateways: one that is right, one whose clock is not, one that stands."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.cli.checkup import Check, State, examine
from kumobashi.cli.gateways import free_ports
from kumobashi.kernel import SystemClock
from kumobashi.planning.sampling import SAMPLE_PORTS, write_sample
from kumobashi.testing.gateways import GatewayProcess, until

pytestmark = [pytest.mark.slow]
# A gateway as `serve` makes it, with a clock that is ten seconds ahead.
_AHEAD = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
import uvicorn
from kumobashi.kernel import SystemClock
from kumobashi.service.app import application
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings

class Ahead(SystemClock):
    def now(self):
        return super().now() + timedelta(seconds=10)

async def main():
    gateway = Gateway(read_settings(Path(sys.argv[1]), "asp-relay"), Ahead())
    app = application(gateway)
    await uvicorn.Server(uvicorn.Config(app, port=int(sys.argv[2]), log_level="error")).serve()

asyncio.run(main())
"""


@pytest.fixture
def city(tmp_path: Path) -> Iterator[tuple[Path, GatewayProcess]]:
    ports = free_ports(tuple(SAMPLE_PORTS))
    folder = write_sample(tmp_path / "city", ports=ports)
    hall = GatewayProcess(folder, "hall-core", f"http://127.0.0.1:{ports['hall-core']}")
    command = [sys.executable, "-c", _AHEAD, str(folder), str(ports["asp-relay"])]
    with subprocess.Popen(command) as ahead:
        try:
            hall.wait_ready()
            yield folder, hall
        finally:
            hall.stop()
            ahead.terminate()


def _found(folder: Path) -> dict[str, Check]:
    return {
        check.code.removeprefix("doctor.") + " " + check.name.en.rpartition(" ")[2]: check
        for check in examine(folder, SystemClock())
    }


def test_each_gateway_is_told_apart(city: tuple[Path, GatewayProcess]) -> None:
    folder, hall = city

    def both() -> dict[str, Check] | None:
        found = _found(folder)
        return found if "peer asp-relay" in found else None

    found = until("the relay answers", both)

    assert found["peer hall-core"].state is State.GOOD
    assert found["clock hall-core"].state is State.GOOD
    assert found["clock asp-relay"].state is State.WRONG
    assert "10.0 s or more ahead" in found["clock asp-relay"].said.en or (
        "9.9 s or more ahead" in found["clock asp-relay"].said.en
    )
    assert found["peer_refused public-cloud"].state is State.WRONG

    hall.send(signal.SIGSTOP)
    stopped = _found(folder)
    hall.send(signal.SIGCONT)

    assert stopped["peer_silent hall-core"].state is State.WRONG
    assert "port hall-core" not in stopped  # it is ours that has the port
