"""Where calls are measured: a system, its gateway, the asking gateway and, if wished, a relay.

Each runs as a process of its own, on the sample workspace with the answering system moved to a site
of its own.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
import psutil

from kumobashi.planning.approval import approve
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import make_keys, write_sample
from kumobashi.planning.workspace import load as load_workspace
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.gateways import GatewayProcess
from kumobashi.testing.town import SITES, free_ports

ASKING, ANSWERING, RELAY = "hall-core", "vendor-hall", "vendor-relay"
# Only declared items may be given, and there are two: what is missing to 1 KiB is white space.
BODY = json.dumps({"resident_no": "0000000001", "fiscal_year": "2026"}).ljust(1024).encode()
_LARGEST = 1 << 30  # bytes of an answer
_PATH = "/call/collection/payments/v1/payments/search"
_SITE = """\
kumobashi: 1
site: {site}
name: {name}
kind: on_premises
zone: mynumber
role: {role}
provider: 架空市
jurisdiction: JP
url: "http://127.0.0.1:{port}"
connects_to: {connects_to}
contact: it-desk
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What runs, and how it is asked."""

    folder: Path
    gateways: dict[str, GatewayProcess]
    url: str  # at the asking gateway
    system: str  # the system itself
    headers: dict[str, str]

    def used(self) -> dict[str, tuple[float, int]]:
        """Return of each gateway the seconds of processor and the bytes of memory."""
        return {site: _used(gateway.pid) for site, gateway in self.gateways.items()}


@contextmanager
def staged(folder: Path, *, through_relay: bool) -> Iterator[Stage]:
    """Run it all until a first call is answered, and until the block is left.

    Raises:
        PipelineFailed: the first call was not answered.
    """
    ports = free_ports(len(SITES) + 3)
    system_port, relay_port, answering_port = ports[-3:]
    sites = dict(zip(SITES, ports, strict=False))
    _workspace(folder, sites, system_port, relay_port, answering_port, through_relay=through_relay)
    token = make_token(folder, ASKING, "arrears").read_text("ascii").strip()
    with ExitStack() as running:
        running.enter_context(_system(system_port))
        gateways = {
            site: GatewayProcess(folder, site, f"http://127.0.0.1:{port}", real=True)
            for site, port in (
                (ANSWERING, answering_port),
                (ASKING, sites[ASKING]),
                *(((RELAY, relay_port),) if through_relay else ()),
            )
        }
        for gateway in gateways.values():
            running.callback(gateway.kill)
        for gateway in gateways.values():
            gateway.wait_ready()
        stage = Stage(
            folder=folder,
            gateways=gateways,
            url=f"http://127.0.0.1:{sites[ASKING]}{_PATH}",
            system=f"http://127.0.0.1:{system_port}/api/v1/payments/search",
            headers={
                "authorization": f"Bearer {token}",
                "kumobashi-system": "arrears",
                "content-type": "application/json",
            },
        )
        asyncio.run(_until_open(stage.url, stage.headers))
        yield stage


def _workspace(
    folder: Path,
    sites: dict[str, int],
    system_port: int,
    relay_port: int,
    answering_port: int,
    *,
    through_relay: bool,
) -> None:
    write_sample(folder, ports=sites)
    first = RELAY if through_relay else ANSWERING
    core = folder / "sites" / f"{ASKING}.yaml"
    line = f"connects_to:\n  - {{site: {first}, by: same_zone}}\n  - "
    core.write_text(re.sub(r"connects_to:[^\n]*\n  - ", line, core.read_text("utf-8")), "utf-8")
    for site, port, role, opens in (
        (ANSWERING, answering_port, "endpoint", "[]"),
        (RELAY, relay_port, "relay", f"[{{site: {ANSWERING}, by: same_zone}}]"),
    ):
        text = _SITE.format(site=site, name=site, role=role, port=port, connects_to=opens)
        (folder / "sites" / f"{site}.yaml").write_text(text, "utf-8")
        make_keys(folder, site)
    system = folder / "systems/collection.yaml"
    text = system.read_text("utf-8").replace(":8751/", f":{system_port}/")
    text = text.replace(f"site: {ASKING}", f"site: {ANSWERING}")
    system.write_text(text, "utf-8")
    link = folder / "calls/arrears-payments.yaml"
    largest = f"largest_answer_bytes: {_LARGEST}"
    written = re.sub(r"largest_answer_bytes: \d+", largest, link.read_text("utf-8"))
    link.write_text(written, "utf-8")
    publish_directory(folder, now=datetime.now(UTC))
    workspace = load_workspace(folder)
    directory = load_directory(folder, now=datetime.now(UTC))
    decided = plan_of(workspace, directory, "arrears-payments", on=date.today())  # noqa: DTZ011
    if not decided.is_permitted:
        raise PipelineFailed(way="calls", says=decided.reasons[0].en)
    approve(folder, decided, by="bench", at=datetime.now(UTC), measured=None)


_SYSTEM = """
import sys, uvicorn
LARGE_OF = b'"resident_no": "9'
ROW = b'{"payment_no": "17", "resident_no": "0000000001", "tax_item": "\\u5e02\\u6c11\\u7a0e", '
ROW += b'"fiscal_year": "2026", "term": 1, "due_on": "2026-06-30", "levied": 5000, "paid": 0}'
BODY = b'{"result": [' + b", ".join([ROW] * 6) + b"]}"
LARGE = b", ".join([ROW] * 512)
async def large(send, size):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS[:1]})
    piece = b'{"result": [' + LARGE
    while size > 0:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        size, piece = size - len(piece), b", " + LARGE
    await send({"type": "http.response.body", "body": b"]}"})
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    asked = await receive()
    while asked.get("more_body"):
        asked = await receive()
    if LARGE_OF in asked["body"]:
        await large(send, int(asked["body"].partition(LARGE_OF)[2].partition(b'"')[0]) << 20)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, timeout_keep_alive=75)
"""


def _system(port: int) -> "_Process":
    return _Process([sys.executable, "-c", _SYSTEM, str(port)])


class _Process:
    """A process for as long as a block."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __enter__(self) -> "subprocess.Popen[bytes]":
        self._process = subprocess.Popen(self._words)  # noqa: S603 - our own
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


async def _until_open(url: str, headers: dict[str, str]) -> None:
    """Wait until a first call is answered: gateways see the links once a second."""
    end, said = time.monotonic() + 30, ""
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end:
            async with session.post(url, data=BODY, headers=headers) as answer:
                if answer.status == 200:  # noqa: PLR2004 - HTTP
                    return
                said = (await answer.text())[:400]
            await asyncio.sleep(0.2)
    raise PipelineFailed(way="calls", says=said)


def _used(pid: int | None) -> tuple[float, int]:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss
