"""Bad lines, stopped neighbours, full disks: all waits where people see it, and resumes."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing import postgresql
from kumobashi.testing.city import City
from kumobashi.testing.fault_proxy import Fault, FaultProxy, Kind, fault_proxy
from kumobashi.testing.gateways import Timeout, until
from kumobashi.testing.town import Town, free_ports, run_postgresql
from tests.scenario.expecting import NOTICES, change_some, check_settled, unquiet

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
PROXIED = "asp-relay"  # the proxy stands between hall-exchange and asp-relay
FIRST = "hall-exchange"  # and another one between hall-core and hall-exchange
FIRST_LINE: list[FaultProxy] = []


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("lines")
    with Town.found(folder / "w", city, part_bytes=65_536) as made:
        made.behind[PROXIED], made.behind[FIRST] = free_ports(2)
        yield made


@pytest.fixture(scope="module")
def line(town: Town) -> Iterator[FaultProxy]:
    with (
        fault_proxy(town.ports[PROXIED], town.behind[PROXIED]) as proxy,
        fault_proxy(town.ports[FIRST], town.behind[FIRST]) as first,
    ):
        town.start_all()
        FIRST_LINE.append(first)
        yield proxy


@pytest.fixture
def first_line(line: FaultProxy) -> FaultProxy:
    """The line between the sender and the first relay."""
    return FIRST_LINE[-1]


def settles(town: Town, transfer: str, seconds: float = 90) -> dict[str, Any]:
    seen = town.wait(transfer, seconds=seconds)
    assert (seen["state"], seen["cause"]) == ("applied", None)
    with contextlib.suppress(Timeout):
        until("quiet", lambda: unquiet(town) == [] or None, 10)
    check_settled(town, transfer, NOTICES)
    return seen


FAULTS = [
    *(Fault(Kind.RESET, at, 2) for at in (0, 100, 1024, 30_000, 66_000)),
    Fault(Kind.DROP_REPLIES, 0, 3),
    *(Fault(Kind.TRUNCATE, at, 2) for at in (0, 20, 150, 300)),
    *(Fault(Kind.FLIP, at, 2) for at in (5, 200, 700, 2_000)),
    *(Fault(Kind.FLIP_REPLY, at, 3) for at in (9, 160, 400, 900, 2_000)),
    *(Fault(Kind.DUPLICATE, copies, 6) for copies in (1, 2, 5)),
    *(Fault(Kind.LATE, late, 4) for late in (100, 900)),
    *(Fault(Kind.STATUS, status, 3) for status in (502, 504)),
    Fault(Kind.ERROR_AFTER, 500, 4),
    Fault(Kind.PAGE, 0, 3),
    Fault(Kind.DELAY, 60, 4),
    Fault(Kind.JITTER, 200, 8),
    Fault(Kind.TRICKLE, 82, 3),  # 64 kbit/s
    *(Fault(Kind.LOSSY, lost, 40) for lost in (1, 10, 30)),
    Fault(Kind.PARTITION, 0, 4),
]


@pytest.mark.faults  # each waits for time-outs of real connections
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.kind}-{f.at}-{f.times}")
def test_a_bad_line_applies_everything_once(town: Town, line: FaultProxy, fault: Fault) -> None:
    change_some(town, random.Random(str(fault)), NOTICES)
    line.set(fault)

    settles(town, town.submit(NOTICES, again=True)["transfer"])

    assert line.struck > 0, "the fault was met"


@pytest.mark.faults
@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(Kind.FLIP_REPLY, at, 6) for at in (400, 700, 1_100, 1_700)),
        Fault(Kind.PAGE, 0, 2),
        Fault(Kind.DROP_REPLIES, 0, 4),
    ],
    ids=lambda f: f"{f.kind}-{f.at}-{f.times}",
)
def test_a_falsified_answer_is_never_believed(
    town: Town, first_line: FaultProxy, fault: Fault
) -> None:
    """Answers are not signed, receipts are: what does not verify is asked for again."""
    change_some(town, random.Random(str(fault)), NOTICES)
    transfer = town.submit(NOTICES, again=True)["transfer"]
    for _ in range(3):
        first_line.set(fault)
        time.sleep(0.4)

    settles(town, transfer)


@pytest.mark.faults
@pytest.mark.parametrize("at", range(0, 80_000, 1024))
def test_cut_at_every_kibibyte(town: Town, line: FaultProxy, at: int) -> None:
    change_some(town, random.Random(at), NOTICES)
    line.set(Fault(Kind.RESET, at, 1))

    settles(town, town.submit(NOTICES, again=True)["transfer"])


@pytest.mark.faults
@pytest.mark.parametrize("at", range(0, 4_000, 61))
@pytest.mark.parametrize("kind", [Kind.FLIP, Kind.FLIP_REPLY])
def test_a_bit_flipped_anywhere(town: Town, line: FaultProxy, kind: Kind, at: int) -> None:
    change_some(town, random.Random(at), NOTICES)
    line.set(Fault(kind, at, 4))

    settles(town, town.submit(NOTICES, again=True)["transfer"])


def test_a_stopped_relay_shows_who_is_waited_for_and_goes_on(town: Town, line: FaultProxy) -> None:
    line.set(Fault(Kind.PASS))
    change_some(town, random.Random(1), NOTICES)
    town.running[PROXIED].kill()
    transfer = town.submit(NOTICES, again=True)["transfer"]

    seen = town.wait(transfer, lambda now: now["light"] in {"waiting", "stopped"})
    assert (seen["cause"]["code"], seen["cause"]["side"]) == ("exchange.peer_unreachable", PROXIED)
    assert seen["cause"]["contact"]["phone"]
    assert seen["cause"]["next_try"]

    town.start(PROXIED)
    settles(town, transfer)


def test_a_frozen_relay_is_only_slow(town: Town, line: FaultProxy) -> None:
    line.set(Fault(Kind.PASS))
    change_some(town, random.Random(2), NOTICES)
    town.running[PROXIED].send(signal.SIGSTOP)
    try:
        transfer = town.submit(NOTICES, again=True)["transfer"]
        time.sleep(3)
        assert town.transfer(transfer)["state"] in {"extracting", "sealed", "sent"}
    finally:
        town.running[PROXIED].send(signal.SIGCONT)

    settles(town, transfer)


def test_two_gateways_on_one_store(town: Town, line: FaultProxy) -> None:
    environment = {**os.environ, "KUMO_PORT": str(free_ports(1)[0])}
    done = subprocess.run(
        [sys.executable, "-m", "kumobashi", "--workspace", str(town.folder), "--json", "serve",
         "--site", "hall-exchange"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "storage.already_running" in done.stdout + done.stderr
    assert town.is_running("hall-exchange")


def test_a_real_process_ends_cleanly_when_asked(town: Town, line: FaultProxy) -> None:
    town.running["hall-exchange"].kill()
    process = town.start("hall-exchange", real=True)

    settles(town, town.submit(NOTICES, again=True)["transfer"])

    started = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - started < 10
    town.start("hall-exchange")


@pytest.mark.postgres
def test_a_database_that_is_down_is_waited_for(city: City, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        folder = tmp_path / "pg"
        server = contextlib.ExitStack()
        stack.callback(server.close)
        dsn = server.enter_context(postgresql.running(folder, {"shared_buffers": "32MB"}))
        town = stack.enter_context(Town.found(tmp_path / "w", city, dsn=dsn))
        town.start_all()
        first = town.submit(NOTICES)["transfer"]
        settles(town, first)
        server.close()  # PostgreSQL stops; its data stay
        change_some(town, random.Random(3), NOTICES)

        transfer = town.submit(NOTICES, again=True)["transfer"]
        seen = town.wait(transfer, lambda now: now["light"] in {"waiting", "stopped"})
        assert seen["state"] == "validated"
        assert seen["cause"]["code"] == "storage.unreachable"
        assert seen["cause"]["side"] == "public-cloud"
        assert "postgresql://" not in str(seen)

        again = server.enter_context(postgresql.running(folder, {"shared_buffers": "32MB"}))
        assert again == dsn
        settles(town, transfer)

        # Stopped in the middle of a load: what was not committed is not there, and comes later.
        run_postgresql(dsn, "create table holds (x int)")
        change_some(town, random.Random(4), NOTICES)
        town.restart("public-cloud", crash="receiving.applied_before_commit:1")
        transfer = town.submit(NOTICES, again=True)["transfer"]
        assert town.running["public-cloud"].wait_end() == -9
        town.start("public-cloud")
        settles(town, transfer)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root and mount")
@pytest.mark.parametrize("site", ["asp-relay", "public-cloud", "hall-core"])
@pytest.mark.parametrize("place", ["spool", "work"])
def test_a_full_disk_is_waited_for(city: City, tmp_path: Path, site: str, place: str) -> None:
    """A small tmpfs stands in for a disk that others have filled."""
    if site == "asp-relay" and place == "work":
        pytest.skip("a relay opens nothing")
    with Town.found(tmp_path / "w", city, part_bytes=65_536) as town:
        where = town.folder / "var" / site / place
        where.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(where)]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("no tmpfs here")
        try:
            filler = where / "filler"
            filler.write_bytes(b"x" * 240 * 1024)
            town.start_all()
            if not filler.exists():  # the work folder is cleared at a start
                where.mkdir(exist_ok=True)
                filler.write_bytes(b"x" * 240 * 1024)
            transfer = town.submit(NOTICES)["transfer"]
            seen = town.wait(
                transfer, lambda now: now["cause"] is not None or now["state"] == "refused"
            )
            assert seen["light"] in {"waiting", "stopped"}, seen["cause"]
            assert seen["cause"]["code"] in {"storage.full", "exchange.peer_refused"}
            assert seen["cause"]["side"] == site
            filler.unlink()
            seen = town.wait(transfer)
            assert (seen["state"], seen["cause"]) == ("applied", None)
        finally:
            for process in town.running.values():
                process.kill()
            subprocess.run(["umount", "-l", str(where)], check=False)
