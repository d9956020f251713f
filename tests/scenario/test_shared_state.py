"""Several processes of a site on one PostgreSQL: killed, frozen, restarted; applied once."""

import http.client
import json
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kumobashi.calls.binary_http import Request
from kumobashi.calls.header import CallHeader
from kumobashi.calls.signing import PATH, sign_call
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import new_id
from kumobashi.testing.city import City
from kumobashi.testing.gateways import GatewayProcess, Timeout, until
from kumobashi.testing.postgresql import application_database, running
from kumobashi.testing.town import Town, free_ports, run_postgresql
from tests.scenario.expecting import NOTICES, change_some, check_settled, unquiet

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.slow,
    pytest.mark.postgres,
]
LEASE = {"KUMO_LEASE_SECONDS": "1.5"}
HALL, CLOUD = "hall-core", "public-cloud"


class Shared:
    """A town whose hall and cloud keep their state in one server, which can be restarted."""

    def __init__(self, town: Town, data: Path, stack: ExitStack) -> None:
        self.town = town
        self._data = data
        self._server = stack
        self.more: list[GatewayProcess] = []

    def stop_server(self) -> None:
        self._server.close()

    def start_server(self) -> None:
        self._server.enter_context(running(self._data, {"max_connections": "200"}))

    def begin(self, site: str, *, crash: str = "") -> GatewayProcess:
        """Start the process that has the site's own address."""
        return self.town.start(site, crash=crash, environment=LEASE)

    def another(
        self,
        site: str,
        *,
        crash: str = "",
        serves: bool = False,
        environment: Mapping[str, str] = LEASE,
    ) -> GatewayProcess:
        """Start one more process of a site: a worker, or a gateway at another port."""
        port = free_ports(1)[0]
        wish = {**environment, "KUMO_PORT": str(port), "KUMO_CRASH": crash}
        url = f"http://127.0.0.1:{port}" if serves else ""
        name = f"{site}-{len(self.more) + 2}"
        process = GatewayProcess(self.town.folder, site, url, environment=wish, name=name)
        self.more.append(process)
        return process.wait_ready() if serves else process

    def end(self) -> None:
        """End the processes of hall and cloud; the relays between them go on."""
        for process in [*self.more, *(self.town.running[site] for site in self._begun())]:
            process.send(signal.SIGCONT)
            process.kill()
        self.more.clear()

    def _begun(self) -> list[str]:
        return [site for site in (HALL, CLOUD) if site in self.town.running]


@pytest.fixture(scope="module")
def shared(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    data = Path(tempfile.mkdtemp(prefix="kumo-pg-"))
    stack = ExitStack()
    try:
        server = stack.enter_context(running(data, {"max_connections": "200"}))
        states = {
            site: application_database(server, site.replace("-", "_")) for site in (HALL, CLOUD)
        }
        with Town.found(folder / "w", city, part_bytes=65_536, states=states) as town:
            yield Shared(town, data, stack)
    finally:
        stack.close()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def town(shared: Shared) -> Iterator[Town]:
    shared.town.start_all(but=(HALL, CLOUD))
    yield shared.town
    shared.end()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


def settles(town: Town, transfer: str, *, seconds: float = 90) -> dict[str, Any]:
    seen = town.wait(transfer, seconds=seconds)
    assert (seen["state"], seen["cause"]) == ("applied", None), str(seen["cause"])
    with suppress(Timeout):
        until("quiet", lambda: unquiet(town) == [] or None, 15)
    check_settled(town, transfer, NOTICES)
    return seen


def frozen(process: GatewayProcess) -> None:
    """Wait until the process stands still."""

    def stands() -> bool | None:
        state = Path(f"/proc/{process.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        return state == "T" or None

    until("it stands still", stands, 60)


@contextmanager
def taken_over(town: Town, site: str, transfer: str, before: int) -> Iterator[None]:
    yield
    until("somebody takes over", lambda: tokens(town, site, transfer) > before or None, 30)


def tokens(town: Town, site: str, transfer: str) -> int:
    query = "select coalesce(max(token), 0) from leases where transfer = ?"
    return int(town.ledger(site)._ask(query, transfer)[0][0])


def said(process: GatewayProcess, *words: str) -> bool:
    """Whether one line of a process's log has all these words."""
    log = process.log.read_text("utf-8", errors="replace") if process.log.exists() else ""
    return any(all(word in line for word in words) for line in log.splitlines())


def taken_over_while_frozen(
    shared: Shared, town: Town, chance: random.Random, site: str, point: str
) -> GatewayProcess:
    """Freeze a worker beyond its lease and wake it when another has taken over: it is refused."""
    change_some(town, chance, NOTICES)
    shared.begin(HALL if site == CLOUD else CLOUD)
    town.start(site, environment={**LEASE, "KUMO_WORK": "off"})
    old = shared.another(site, crash=f"{point}:1:SIGSTOP")
    transfer = town.submit(NOTICES, again=True)["transfer"]
    frozen(old)
    before = tokens(town, site, transfer)

    with taken_over(town, site, transfer, before):
        shared.another(site)
    time.sleep(1.0)
    old.send(signal.SIGCONT)

    settles(town, transfer)
    until("the old fence is refused", lambda: said(old, "exchange.fenced", transfer) or None, 20)
    return old


def test_a_worker_apart_sends_and_another_takes_in(
    shared: Shared, town: Town, chance: random.Random
) -> None:
    change_some(town, chance, NOTICES)
    town.start(HALL, environment={**LEASE, "KUMO_WORK": "off"})
    town.start(CLOUD, environment={**LEASE, "KUMO_WORK": "off"})
    transfer = town.submit(NOTICES, again=True)["transfer"]
    time.sleep(1.5)
    assert town.transfer(transfer)["state"] == "extracting", "nobody works yet"

    shared.another(HALL)
    shared.another(CLOUD)

    settles(town, transfer)


@pytest.mark.parametrize(
    "point",
    [
        "receiving.opened",
        "receiving.validated_before_commit",
        "receiving.applied_before_commit",
        "receiving.applied_unrecorded",
    ],
)
def test_a_receiver_frozen_beyond_its_lease_is_refused_and_the_rows_are_applied_once(
    shared: Shared, town: Town, chance: random.Random, point: str
) -> None:
    old = taken_over_while_frozen(shared, town, chance, CLOUD, point)

    assert old.exit_code is None, "it lives on, and may work on something else"


@pytest.mark.parametrize(
    "point", ["sending.sealed_before_commit", "sending.sealed", "sending.sent_before_commit"]
)
def test_a_sender_frozen_beyond_its_lease_is_refused_too(
    shared: Shared, town: Town, chance: random.Random, point: str
) -> None:
    taken_over_while_frozen(shared, town, chance, HALL, point)


def test_a_killed_worker_is_replaced_by_the_one_beside_it(
    shared: Shared, town: Town, chance: random.Random
) -> None:
    change_some(town, chance, NOTICES)
    shared.begin(HALL)
    town.start(CLOUD, environment={**LEASE, "KUMO_WORK": "off"})
    dying = shared.another(CLOUD, crash="receiving.applied_unrecorded:1")
    transfer = town.submit(NOTICES, again=True)["transfer"]
    assert dying.wait_end(60) == -9

    shared.another(CLOUD)

    settles(town, transfer)


def test_the_database_restarts_while_transfers_run_and_nobody_has_to_help(
    shared: Shared, town: Town, chance: random.Random
) -> None:
    shared.begin(HALL)
    shared.begin(CLOUD)
    shared.another(CLOUD)
    for pause in (0.2, 0.9, 2.0):
        change_some(town, chance, NOTICES)
        transfer = town.submit(NOTICES, again=True)["transfer"]
        time.sleep(pause)
        shared.stop_server()
        time.sleep(chance.uniform(0.2, 2.0))
        shared.start_server()
        settles(town, transfer)
    ended = [
        (process.exit_code, process.tail())
        for process in [*shared.more, *town.running.values()]
        if process.exit_code is not None
    ]
    assert not ended


def test_a_worker_that_begins_while_the_database_is_away_waits_for_it(
    shared: Shared, town: Town, chance: random.Random
) -> None:
    change_some(town, chance, NOTICES)
    town.start(HALL, environment={**LEASE, "KUMO_WORK": "off"})
    shared.begin(CLOUD)
    transfer = town.submit(NOTICES, again=True)["transfer"]
    shared.stop_server()
    worker = shared.another(HALL)
    until("it says so", lambda: said(worker, "state is away") or None, 30)
    shared.start_server()

    settles(town, transfer)

    assert worker.exit_code is None


def test_a_rolling_restart_loses_nothing(shared: Shared, town: Town, chance: random.Random) -> None:
    for site in (HALL, CLOUD):
        shared.begin(site)
        shared.another(site, serves=True)
    for site, how in ((CLOUD, "stop"), (HALL, "stop"), (CLOUD, "kill"), (HALL, "kill")):
        change_some(town, chance, NOTICES)
        transfer = town.submit(NOTICES, again=True)["transfer"]
        time.sleep(chance.uniform(0.0, 1.0))
        getattr(town.running[site], how)()
        shared.begin(site)
        settles(town, transfer)


def test_sessions_that_are_cut_are_made_anew(
    shared: Shared, town: Town, chance: random.Random
) -> None:
    shared.begin(HALL)
    shared.begin(CLOUD)
    for _ in range(3):
        change_some(town, chance, NOTICES)
        transfer = town.submit(NOTICES, again=True)["transfer"]
        for _ in range(6):
            time.sleep(chance.uniform(0.0, 0.4))
            for state in town.states.values():
                run_postgresql(
                    state,
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'kumobashi' and usename = current_user",
                )
        settles(town, transfer)


def test_a_call_that_one_process_took_no_other_takes(town: Town, shared: Shared) -> None:
    """Whoever recorded a call hands it to the other process; both are asked at once too."""
    first = shared.begin(CLOUD)
    other = shared.another(CLOUD, serves=True)
    doors = [first.url, other.url] * 3

    for _ in range(5):
        fields, body = _signed_call(town.folder, CLOUD, "asp-relay")
        with ThreadPoolExecutor(len(doors)) as pool:
            came = list(pool.map(lambda door: _handed_over(door, fields, body), doors))  # noqa: B023
        # The relay has no systems, so whoever takes the call refuses it, signed, for that.
        assert sorted(came) == ["call.foreign"] + ["crypto.signature_replayed"] * (len(doors) - 1)


def _signed_call(folder: Path, to_site: str, asking_site: str) -> tuple[dict[str, str], bytes]:
    key = SigningKey.load(folder / "private" / asking_site / "sign.key")
    now = datetime.now(UTC)
    header = CallHeader(
        call=new_id(),
        tenant="999997",
        link="arrears-payments",
        asker="arrears",
        asking_site=asking_site,
        answerer="collection",
        answering_site=to_site,
        service="payments",
        version="v1",
        unit="",
        kind="",
        purpose="arrears",
        agreement="",
        plan="sha256:" + "0" * 64,
        correlation=new_id(),
        sent=now,
        budget_ms=5000,
        is_test=False,
    )
    body = Request(method="GET", path="/payments/17").encode()
    return sign_call(header, digest(body), "message/bhttp", key, now).fields, body


def _handed_over(door: str, fields: dict[str, str], body: bytes) -> str:
    line = http.client.HTTPConnection(urlsplit(door).netloc, timeout=20)
    with closing(line):
        line.request("POST", PATH, body=body, headers=fields)
        return str(json.loads(line.getresponse().read())["code"])
