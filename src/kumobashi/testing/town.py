"""A whole town for a test: the sample workspace, a small city, and its gateways as processes.

>>> # doctest: +SKIP
... with build(1_000) as city, Town.found(folder, city) as town:
...     town.start_all()
...     run = town.run("notice-attributes")
...     assert run["state"] == "applied"
"""

import http.client
import json
import os
import random
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import adbc_driver_postgresql.dbapi as postgresql
import duckdb

from kumobashi.crypto.private_files import write_private
from kumobashi.planning.approval import approve
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.testing.city import City, write_embedded
from kumobashi.testing.faults.tables import ask_duckdb, ask_postgresql
from kumobashi.testing.gateways import GatewayProcess, until
from kumobashi.testing.ledgers import LedgerReader
from kumobashi.testing.open_gates import open_gates

SITES = ("hall-core", "hall-exchange", "asp-relay", "public-cloud")
DAY = date(2026, 11, 21)
RESTING = frozenset({"applied", "refused", "held", "cancelled"})
_SYSTEMS = ("integrated-db", "vaccination", "consent-desk")
_NOTICES = "private/public-cloud/notices.dsn"
Json = dict[str, Any]


class Refused(AssertionError):
    """The local API answered no; ``problem`` is what it said."""

    def __init__(self, problem: Json) -> None:
        super().__init__(json.dumps(problem, ensure_ascii=False))
        self.problem = problem


_GIVEN: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return ports that are free, below those that the kernel gives to calling sockets.

    A gateway that is killed must find its port free again, and nobody may have called from it.
    No port is given twice in a process, nor by two test processes that run side by side.
    """
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    chosen: list[int] = []
    chance = random.SystemRandom()
    while len(chosen) < count:
        port = chance.randrange(12_000 + share, 32_000, shares)
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _GIVEN:
            _GIVEN.add(port)
            chosen.append(port)
    return chosen


class Town:
    """Use it in a block: at the end every process it started is gone."""

    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        self.folder = folder
        self.ports = dict(ports)
        self.behind: dict[str, int] = {}  # ports of gateways that stand behind a fault proxy
        self.running: dict[str, GatewayProcess] = {}
        self.states: dict[str, str] = {}  # sites whose state is in PostgreSQL, and where

    @classmethod
    def found(
        cls,
        folder: Path,
        city: City,
        *,
        part_bytes: int | None = None,
        dsn: str | None = None,
        states: Mapping[str, str] | None = None,
        change: Callable[[Path], None] | None = None,
        is_gated: bool = False,
    ) -> Self:
        """Write workspace, keys, tables and approvals; nothing is started yet.

        ``part_bytes`` makes all sites take small parts; ``dsn`` puts notice-cloud into PostgreSQL,
        ``states`` the state of a site's gateways, by site;
        ``change`` may edit the workspace before it is signed and approved. Gates let everything
        pass unless the town ``is_gated``.
        """
        town = cls(folder, dict(zip(SITES, free_ports(len(SITES)), strict=True)))
        write_sample(folder, ports=town.ports)
        if not is_gated:
            open_gates(folder)
        if part_bytes:
            for site in SITES:
                limit = f"largest_part_bytes: {part_bytes}"
                town.edit(f"sites/{site}.yaml", r"largest_part_bytes: \d+", limit)
        if dsn:
            write_private(folder / _NOTICES, dsn.encode("utf-8"))
            store = f'store: {{kind: postgresql, dsn: "file:{_NOTICES}"}}'
            town.edit("systems/notice-cloud.yaml", r"store: \{kind: duckdb\}", store)
        for site, state in (states or {}).items():
            town.states[site] = state
            place = f"private/{site}/state.dsn"
            write_private(folder / place, state.encode("utf-8"))
            town.edit(f"sites/{site}.yaml", r"\Z", f'state: "file:{place}"\n')
        if change:
            change(folder)
        if part_bytes or dsn or states or change:
            publish_directory(folder, now=datetime.now(UTC))
        write_embedded(city, {name: town.embedded(name) for name in _SYSTEMS})
        town.approve()
        return town

    def __enter__(self) -> Self:
        """Use the town."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill whatever runs."""
        for process in self.running.values():
            process.kill()
        self.running.clear()

    # -- the workspace --------------------------------------------------------------------------

    def edit(self, name: str, pattern: str, replacement: str) -> None:
        """Change one place of a file of the workspace."""
        path = self.folder / name
        text, count = re.subn(pattern, lambda _found: replacement, path.read_text("utf-8"))
        assert count == 1, f"{name}: {pattern} stands there {count} times"
        path.write_text(text, encoding="utf-8")

    def approve(self, bounds: Callable[[str], Any] | None = None) -> None:
        """Approve every link that the plan permits; ``bounds`` measures a link first."""
        workspace = load(self.folder)
        directory = load_directory(self.folder, now=datetime.now(UTC))
        for link in workspace.every_link:
            decided = plan_of(workspace, directory, link, on=DAY)
            if decided.is_permitted:
                measured = bounds(link) if bounds and link in workspace.links else None
                approve(self.folder, decided, by="試験", at=datetime.now(UTC), measured=measured)

    def url(self, site: str) -> str:
        """Return where a site's gateway listens."""
        return f"http://127.0.0.1:{self.ports[site]}"

    def door(self, site: str) -> str:
        """Return where a site's own people call its gateway: never over a proxied line."""
        return f"http://127.0.0.1:{self.behind.get(site, self.ports[site])}"

    # -- processes ------------------------------------------------------------------------------

    def start(
        self,
        site: str,
        *,
        crash: str = "",
        real: bool = False,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> GatewayProcess:
        """Start a site's gateway; ``crash`` is a point to die at, as in ``name:2``."""
        old = self.running.get(site)
        assert old is None or old.exit_code is not None, f"{site} runs"
        wish = {**(environment or {}), **({"KUMO_CRASH": crash} if crash else {})}
        if site in self.behind:
            wish["KUMO_PORT"] = str(self.behind[site])
        process = GatewayProcess(self.folder, site, self.door(site), environment=wish, real=real)
        self.running[site] = process
        return process.wait_ready() if wait else process

    def start_all(self, *, but: Sequence[str] = ()) -> None:
        """Start every gateway that does not run."""
        started = [
            self.start(site, wait=False)
            for site in SITES
            if site not in but and not self.is_running(site)
        ]
        for process in started:
            process.wait_ready()

    def is_running(self, site: str) -> bool:
        """Whether a site's process runs."""
        process = self.running.get(site)
        return process is not None and process.exit_code is None

    def restart(self, site: str, *, crash: str = "") -> GatewayProcess:
        """Kill a gateway if it runs, and start it."""
        if self.is_running(site):
            self.running[site].kill()
        return self.start(site, crash=crash)

    # -- asking the gateway ---------------------------------------------------------------------

    def call(
        self, path: str, body: Json | None = None, *, method: str = "", site: str = "hall-core"
    ) -> Json:
        """Ask the local API; raise :class:`Refused` with its problem document.

        An answer that was cut off, as by a kill in the middle of it, is a ``ConnectionError``.
        """
        token = (self.folder / "private" / site / "api.token").read_text("ascii").strip()
        request = urllib.request.Request(  # noqa: S310 - http, on this machine
            self.door(site) + path,
            method=method or ("GET" if body is None else "POST"),
            data=None if body is None else json.dumps(body).encode("utf-8"),
            headers={"authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - likewise
                found: Json = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(json.load(error)) from None
        except http.client.HTTPException as cut:
            raise ConnectionError(f"{site} did not finish its answer") from cut

    def submit(self, link: str, on: date = DAY, **wish: object) -> Json:
        """Start a run of a link; return its transfer as it is now."""
        found: Json = self.call(f"/api/v1/links/{link}/runs", {"date": on.isoformat(), **wish})
        return dict(found["transfer"])

    def transfer(self, transfer: str) -> Json:
        """Return a transfer as the sender's gateway shows it."""
        return dict(self.call(f"/api/v1/transfers/{transfer}")["transfer"])

    def wait(
        self,
        transfer: str,
        done: Callable[[Json], bool] = lambda seen: seen["state"] in RESTING,
        seconds: float = 60.0,
    ) -> Json:
        """Return the transfer once it is at rest, or once ``done`` says so."""
        seen: Json = {}

        def look() -> Json | None:
            nonlocal seen
            try:
                seen = self.transfer(transfer)
            except OSError:  # the gateway is being restarted
                return None
            except Refused as refused:
                if refused.problem.get("retryable") is not True:
                    raise
                return None  # its database is
            return seen if done(seen) else None

        try:
            return until("the transfer", look, seconds, every=0.05)
        except AssertionError as late:
            logs = "\n".join(process.tail(6) for process in self.running.values())
            state = {k: seen.get(k) for k in ("state", "light", "attempt", "cause", "hops")}
            raise AssertionError(f"{late}\n{state}\n{logs}") from None

    def run(self, link: str, on: date = DAY, *, seconds: float = 60.0, **wish: object) -> Json:
        """Run a link and wait until it rests."""
        return self.wait(self.submit(link, on, **wish)["transfer"], seconds=seconds)

    # -- looking behind its back ----------------------------------------------------------------

    def ledger(self, site: str) -> LedgerReader:
        """Return what a site's gateway has on its disk."""
        return LedgerReader(self.folder / "var" / site, dsn=self.states.get(site))

    def embedded(self, system: str) -> Path:
        """Return the file of an embedded system."""
        site = "public-cloud" if system in {"notice-cloud", "citizen-app"} else "hall-core"
        return self.folder / "var" / site / "data" / f"{system}.duckdb"

    def sql(self, system: str, query: str) -> list[tuple[Any, ...]]:
        """Ask the table of a system directly: its file, or its PostgreSQL."""
        dsn = self.folder / _NOTICES
        if system == "notice-cloud" and dsn.exists():
            return ask_postgresql(dsn.read_text("utf-8"), query)
        return ask_duckdb(self.embedded(system), query)

    def change(self, system: str, *statements: str) -> None:
        """Change the tables of an embedded system, as its own program would."""
        _change_file(self.embedded(system), statements)


def run_postgresql(dsn: str, *statements: str) -> None:
    """Run statements in a PostgreSQL database and commit."""
    with postgresql.connect(dsn) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def _change_file(path: Path, statements: Sequence[str]) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            connection = duckdb.connect(str(path))
            break
        except duckdb.IOException:  # the gateway has it open for a moment
            if not path.exists() or time.monotonic() > end:
                raise
            time.sleep(0.02)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()
