"""Deletion with the states of two sites in PostgreSQL: processes killed and frozen, proved once.

``make test`` kills at a few points; ``make faults`` at every point on the way to ``deleted``.
"""

import contextlib
import http.client
import signal
import time
from collections.abc import Iterator
from typing import Self

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.crash_points import RECEIVER, names_of_deletion, sides
from kumobashi.testing.gateways import until
from kumobashi.testing.postgresql import application_database, running
from kumobashi.testing.town import Refused, Town
from tests.scenario.test_deletion import Deleting, declare
from tests.scenario.test_shared_state import Shared, frozen, taken_over, tokens

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.xdist_group("shared-deletion"),
]
HALL, CLOUD = "hall-core", "public-cloud"
WISH = {"KUMO_LEASE_SECONDS": "1.5", "KUMO_DUTY_SECONDS": "0.3"}
FRONT = {**WISH, "KUMO_WORK": "off"}
FEW = ("deleting.rows_gone", "deleting.before_commit", "requesting.receipt_kept")


class Ground:
    """The town, its gateways that only answer, and workers beside them."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.deleting = Deleting(town)
        self.processes = Shared(town, town.folder, contextlib.ExitStack())

    def fronts(self) -> None:
        for site in (HALL, CLOUD):
            self.town.start(site, environment=FRONT)

    def worker(self, site: str, crash: str = "") -> "Worker":
        return Worker(self, site, crash)

    def sent(self) -> str:
        """Send with workers that end afterwards."""
        with self.worker(HALL), self.worker(CLOUD):
            done = self.town.run("notice-attributes", again=True)
            assert done["state"] == "applied", done
            transfer = str(done["transfer"])
            until("noted", lambda: self.held(transfer), 30)
        return transfer

    def held(self, transfer: str) -> bool | None:
        return self.deleting.holding(transfer, CLOUD, "in")["state"] == "held" or None

    def check_proved_once(self, transfer: str, rows: int) -> None:
        after = self.deleting.wait_deleted(transfer)
        assert (after["rows_deleted"], self.deleting.rows()) == (rows, 0)
        for site, side in ((CLOUD, "in"), (HALL, "out")):
            stages = self.town.ledger(site).stages(transfer, side)
            assert stages.count("deleted") == 1, site
        noted = f"select count(*) from kumobashi_deleted where transfer = '{transfer}'"
        assert self.town.sql("notice-cloud", noted) == [(1,)]


class Worker:
    """A process that works for a site, in a block."""

    def __init__(self, ground: Ground, site: str, crash: str) -> None:
        self._ground = ground
        self.process = ground.processes.another(site, crash=crash, environment=WISH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send(signal.SIGCONT)
        self.process.kill()


@pytest.fixture(scope="module")
def founded(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("town")
    with running(settings={"max_connections": "200"}) as server:
        states = {
            site: application_database(server, site.replace("-", "_")) for site in (HALL, CLOUD)
        }
        with Town.found(
            folder / "w", city, part_bytes=65_536, states=states, change=declare
        ) as town:
            yield Ground(town)


@pytest.fixture
def ground(founded: Ground) -> Iterator[Ground]:
    founded.town.start_all(but=(HALL, CLOUD))
    founded.fronts()
    yield founded
    founded.processes.end()


def points() -> list[object]:
    return [
        name if name in FEW else pytest.param(name, marks=pytest.mark.faults)
        for name in names_of_deletion()
        if name not in {"deleting.asked", "requesting.signed"}  # where nobody works, but answers
    ]


@pytest.mark.parametrize("name", points())
def test_killed_anywhere_another_process_ends_it(ground: Ground, name: str) -> None:
    transfer = ground.sent()
    rows = ground.deleting.rows()
    at = CLOUD if RECEIVER in sides(name) else HALL
    other = HALL if at == CLOUD else CLOUD
    with ground.worker(other), ground.worker(at, f"{name}:1") as dying:
        ground.deleting.ask(transfer)
        assert dying.process.wait_end(60) == -9, f"{name} was not reached"

        with ground.worker(at):
            ground.check_proved_once(transfer, rows)


@pytest.mark.faults
@pytest.mark.parametrize("name", ["deleting.asked", "requesting.signed"])
def test_killed_while_it_is_asked_for_asking_again_is_enough(ground: Ground, name: str) -> None:
    transfer = ground.sent()
    rows = ground.deleting.rows()
    at = CLOUD if RECEIVER in sides(name) else HALL
    ground.town.running[at].kill()
    ground.town.start(at, crash=name, environment=FRONT)
    with ground.worker(HALL), ground.worker(CLOUD):
        with contextlib.suppress(OSError, http.client.HTTPException):
            ground.deleting.ask(transfer)
        assert ground.town.running[at].wait_end(60) == -9, f"{name} was not reached"
        ground.town.start(at, environment=FRONT)
        with contextlib.suppress(Refused):
            ground.deleting.ask(transfer)

        ground.check_proved_once(transfer, rows)


@pytest.mark.parametrize("name", ["deleting.before_commit"])
def test_frozen_beyond_its_lease_it_is_refused_and_the_proof_is_one(
    ground: Ground, name: str
) -> None:
    transfer = ground.sent()
    rows = ground.deleting.rows()
    with ground.worker(HALL), ground.worker(CLOUD, f"{name}:1:SIGSTOP") as old:
        ground.deleting.ask(transfer)
        frozen(old.process)
        before = tokens(ground.town, CLOUD, transfer)
        with ground.worker(CLOUD):
            with taken_over(ground.town, CLOUD, transfer, before):
                pass
            ground.check_proved_once(transfer, rows)
            old.process.send(signal.SIGCONT)
            time.sleep(2.0)

        assert old.process.exit_code is None
        ground.check_proved_once(transfer, rows)
