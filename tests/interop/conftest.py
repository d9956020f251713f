"""A real browser for what only a browser can tell; `make interop` has one, `make test` does not."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumobashi.identity import Role
from kumobashi.testing import scenes
from kumobashi.testing.office import GATED, PEOPLE, Office, code_of, served
from tests.interop.looking import Looker, sign_in
from tools import axe_core, browsing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    try:
        with browsing.browser() as opened:
            yield opened
    except browsing.BrowserMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def axe() -> str:
    try:
        return axe_core.script()
    except axe_core.AxeMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a console that asks nobody who they are."""
    office = Office(tmp_path_factory.mktemp("open"), scenes.every_light, signs_in=False)
    office.propose(GATED)  # so that a plan is drawn with what its gate measured
    with served(office.application) as address:
        yield address


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"), scenes.every_light, signs_in=True)
    yield made
    made.close()


@pytest.fixture(scope="session")
def hall(office: Office) -> Iterator[str]:
    """Give the address of a console with an account for each role."""
    with served(office.application) as address:
        yield address


@pytest.fixture(scope="session")
def entered(
    browser: "Browser", office: Office, hall: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[Role, Path]:
    """Sign in once as each role, by the form; give the file of each one's cookies."""
    kept = {}
    for role in Role:
        with Looker(browser, hall) as looker:
            sign_in(looker, office.credentials(role))
            kept[role] = tmp_path_factory.mktemp("cookies") / f"{role}.json"
            looker.context.storage_state(path=kept[role])
    return kept


@dataclass(frozen=True, slots=True)
class RealHall:
    """The console of the demo's own gateway, and the people who may sign in there."""

    address: str
    secrets: Mapping[Role, Mapping[str, str]]

    def credentials(self, role: Role) -> dict[str, str]:
        held = self.secrets[role]
        code = code_of(held["secret"], datetime.now(UTC))
        return {"name": held["name"], "password": held["password"], "code": code}


@pytest.fixture(scope="session")
def real_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHall]:
    """Run ``kumobashi demo``: a small city, four gateways, a night with a link that goes red."""
    folder = tmp_path_factory.mktemp("demo")
    kumobashi = [sys.executable, "-m", "kumobashi"]
    command = [*kumobashi, "demo", "--residents", "1000", "--no-browser", "--folder", str(folder)]
    with (folder.parent / "demo.txt").open("w+", encoding="utf-8") as said:
        running = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            address = _address(running, Path(said.name))
            secrets = {}
            for role, (name, shown) in PEOPLE.items():
                add = ["account", "add", name, "--role", role.value, "--shown", shown]
                add = ["--json", "--workspace", str(folder / "city"), *add, "--site", "hall-core"]
                done = subprocess.run([*kumobashi, *add], capture_output=True, check=True)
                secrets[role] = {**json.loads(done.stdout), "name": name}
            yield RealHall(address, secrets)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def _address(running: "subprocess.Popen[bytes]", said: Path) -> str:
    until = time.monotonic() + 240
    while time.monotonic() < until and running.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+(?=/\s)", said.read_text("utf-8")):
            return found[0]
        time.sleep(0.5)
    raise AssertionError(f"no console: {said.read_text('utf-8')[-2000:]}")
