"""The sample city's workspace with PostgreSQL at both ends, and its four gateways as processes."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from kumobashi.crypto.keys import TokenKey
from kumobashi.crypto.private_files import write_private
from kumobashi.exchange.tokens import destination_pads
from kumobashi.planning.approval import approve
from kumobashi.planning.plan import plan
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import HALL, SAMPLE_PORTS, write_sample
from kumobashi.planning.workspace import load
from kumobashi.testing.bench.databases import Databases
from kumobashi.testing.bench.errors import GatewaySilent, PlanNotPermitted
from kumobashi.testing.bench.processes import end
from kumobashi.testing.open_gates import open_gates

LINK = "notice-attributes"
RECEIVER = "public-cloud"
TO_SYSTEM = "notice-cloud"
_SYSTEMS = {"integrated-db": HALL, "consent-desk": HALL, TO_SYSTEM: RECEIVER}
_STORE = re.compile(r"^store: \{kind: duckdb\}", re.MULTILINE)
_START_SECONDS = 60


def write_workspace(folder: Path, databases: Databases, on: date) -> Mapping[str, int]:
    """Write the sample with PostgreSQL stores and an approved link; return the ports by site.

    Raises:
        PlanNotPermitted: the plan refuses the link.
    """
    ports = sample_ports()
    write_sample(folder, ports=ports)
    open_gates(folder)  # measured, and nobody left out: the floor releases the same rows
    for system, site in _SYSTEMS.items():
        dsn = databases.source if site == HALL else databases.target
        reference = f"private/{site}/{system}.dsn"
        write_private(folder / reference, f"{dsn}\n".encode("ascii"))
        file = folder / "systems" / f"{system}.yaml"
        text, changed = _STORE.subn(
            f"store: {{kind: postgresql, dsn: file:{reference}, schema: public}}",
            file.read_text(encoding="utf-8"),
        )
        if changed != 1:
            raise PlanNotPermitted(reasons=f"{file.name}: no embedded store to replace")
        file.write_text(text, encoding="utf-8")
    approve_link(folder, on)
    return ports


def approve_link(folder: Path, on: date) -> None:
    """Approve the link of the benchmark; raise ``PlanNotPermitted``."""
    workspace = load(folder)
    directory = load_directory(folder, now=datetime.now(UTC))
    found = plan(workspace, directory, LINK, on=on)
    if not found.is_permitted:
        raise PlanNotPermitted(reasons=" ".join(reason.en for reason in found.reasons))
    approve(folder, found, by="bench", at=datetime.now(UTC), measured=None)


def token_pads(folder: Path) -> tuple[bytes, bytes]:
    """Return what the hall makes this receiver's tokens with, for the floor that makes the same."""
    workspace = load(folder)
    key = TokenKey.load(folder / "private" / HALL / "token.key")
    pads = destination_pads(key.secret, workspace.municipality.municipality.code, TO_SYSTEM)
    assert pads is not None
    return pads


@contextmanager
def gateways(
    folder: Path,
    ports: Mapping[str, int],
    program: Sequence[str] = ("-m", "kumobashi"),
) -> Iterator[dict[str, int]]:
    """Run a gateway for each site of ``ports``; give their process ids by site.

    Raises:
        GatewaySilent: one ended or does not answer; its log is named.
    """
    logs = folder.parent / "logs"
    logs.mkdir(exist_ok=True)
    with ExitStack() as stack:
        started = {}
        for site in ports:
            output = stack.enter_context((logs / f"{site}.out").open("wb"))
            command = [sys.executable, *program, "--workspace", str(folder), "serve"]
            command += ["--site", site, "--log-file", str(logs / f"{site}.log")]
            process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 - ours
            stack.callback(end, process)
            started[site] = process
        for site, process in started.items():
            _await(site, process, f"http://127.0.0.1:{ports[site]}/health", logs)
        yield {site: process.pid for site, process in started.items()}


def _await(site: str, process: subprocess.Popen[bytes], health: str, logs: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=2):  # noqa: S310 - http on loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise GatewaySilent(site=site, log=str(logs / f"{site}.out"))


def sample_ports() -> dict[str, int]:
    """Return a free port for each site of the sample."""
    with ExitStack() as stack:
        found = {}
        for site in SAMPLE_PORTS:  # all are held until all are chosen
            held = stack.enter_context(socket.socket())
            held.bind(("127.0.0.1", 0))
            found[site] = held.getsockname()[1]
        return found
