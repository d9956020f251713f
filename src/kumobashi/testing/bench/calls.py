"""Signed, recorded calls through two real gateways, directly or through a relay, and how fast.

A system that answers 1 KiB, its gateway, the asking gateway and, when asked for, a relay run as
processes of their own; the one that measures is the asking system. The floor is the same client
asking the system itself. Each part of the run ends with a look at what was recorded: every call has
its records at both ends, or the benchmark fails.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from kumobashi.planning.approval import approve
from kumobashi.planning.deciding import plan_of
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import make_keys, write_sample
from kumobashi.planning.workspace import load as load_workspace
from kumobashi.service.call_tokens import make_token
from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.gateways import GatewayProcess, until
from kumobashi.testing.town import SITES, free_ports

ASKING, ANSWERING, RELAY = "hall-core", "vendor-hall", "vendor-relay"
# Only declared items may be given, and there are two: what is missing to 1 KiB is white space.
BODY = json.dumps({"resident_no": "0000000001", "fiscal_year": "2026"}).ljust(1024).encode()
_PATH = "/call/collection/payments/v1/payments/search"
_WARM_UP = 300
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsWish:
    """How much to measure."""

    calls: int = 8_000
    at_once: int = 48
    per_second: int = 20  # for the latency of a quiet line
    seconds: int = 15


def bench_calls(
    wish: CallsWish, tell: Callable[[str], None] = lambda _what: None
) -> dict[str, Any]:
    """Measure both ways; say which one is being measured."""
    with tempfile.TemporaryDirectory(prefix="kumo-bench-") as name:
        folder = Path(name)
        found: dict[str, Any] = {**asdict(wish), "body_bytes": len(BODY), "load_before": load()}
        found["fsync_per_second"] = round(fsync_per_second(folder))
        for way in ("direct", "relay"):
            tell(way)
            found[way] = _measured(folder / way, wish, through_relay=way == "relay")
        found["load_after"] = load()
        found["machine"] = asdict(describe(""))
        return found


def _measured(folder: Path, wish: CallsWish, *, through_relay: bool) -> dict[str, Any]:
    ports = free_ports(len(SITES) + 3)
    system_port, relay_port, answering_port = ports[-3:]
    sites = dict(zip(SITES, ports, strict=False))
    _workspace(folder, sites, system_port, relay_port, answering_port, through_relay=through_relay)
    token = make_token(folder, ASKING, "arrears").read_text("ascii").strip()
    with ExitStack() as running:
        system = running.enter_context(_system(system_port))
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
        headers = {
            "authorization": f"Bearer {token}",
            "kumobashi-system": "arrears",
            "content-type": "application/json",
        }
        url = f"http://127.0.0.1:{sites[ASKING]}{_PATH}"
        direct = f"http://127.0.0.1:{system_port}/api/v1/payments/search"
        asyncio.run(_until_open(url, headers))
        asyncio.run(_burst(url, headers, _WARM_UP, wish.at_once))
        before = {site: _used(gateway.pid) for site, gateway in gateways.items()}
        fast = asyncio.run(_burst(url, headers, wish.calls, wish.at_once))
        after = {site: _used(gateway.pid) for site, gateway in gateways.items()}
        quiet = asyncio.run(_paced(url, headers, wish.per_second, wish.seconds))
        floor = asyncio.run(_burst(direct, headers, wish.calls, wish.at_once))
        del system
        calls = _WARM_UP + wish.calls + wish.per_second * wish.seconds
        recorded = {
            site: until("the journal", partial(_enough, folder, site, calls), 20)
            for site in (ASKING, ANSWERING)
        }
    return {
        "burst": fast,
        "paced": quiet,
        "floor": floor,
        "processor_ms_per_call": {
            site: round((after[site][0] - before[site][0]) * 1000 / wish.calls, 3)
            for site in gateways
        },
        "memory_mib": {site: after[site][1] for site in gateways},
        "records": recorded,
    }


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
    publish_directory(folder, now=datetime.now(UTC))
    workspace = load_workspace(folder)
    directory = load_directory(folder, now=datetime.now(UTC))
    decided = plan_of(workspace, directory, "arrears-payments", on=date.today())  # noqa: DTZ011
    if not decided.is_permitted:
        raise PipelineFailed(way="calls", says=decided.reasons[0].en)
    approve(folder, decided, by="bench", at=datetime.now(UTC), measured=None)


_SYSTEM = """
import sys, uvicorn
ROW = b'{"payment_no": "17", "resident_no": "0000000001", "tax_item": "\\u5e02\\u6c11\\u7a0e", '
ROW += b'"fiscal_year": "2026", "term": 1, "due_on": "2026-06-30", "levied": 5000, "paid": 0}'
BODY = b'{"result": [' + b", ".join([ROW] * 6) + b"]}"
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
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


async def _burst(url: str, headers: dict[str, str], calls: int, at_once: int) -> dict[str, Any]:
    """Ask as fast as answers come."""
    times: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(count: int) -> None:
            for _ in range(count):
                times.append(await _asked(session, url, headers))  # noqa: PERF401 - one by one

        began = time.perf_counter()
        await asyncio.gather(*(ask(len(range(n, calls, at_once))) for n in range(at_once)))
        passed = time.perf_counter() - began
    return {"per_second": round(calls / passed, 1), **_spread(times)}


async def _paced(
    url: str, headers: dict[str, str], per_second: int, seconds: int
) -> dict[str, Any]:
    """Ask at a steady pace, whether or not answers came."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = []
        began = time.perf_counter()
        for number in range(per_second * seconds):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            tasks.append(asyncio.create_task(_asked(session, url, headers)))
        times = await asyncio.gather(*tasks)
    return _spread(list(times))


async def _asked(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    async with session.post(url, data=BODY, headers=headers) as answer:
        text = await answer.read()
    if answer.status != 200 or b"payment_no" not in text:  # noqa: PLR2004 - HTTP
        raise PipelineFailed(way="calls", says=text[:300].decode("utf-8", "replace"))
    return time.perf_counter() - began


def _spread(times: list[float]) -> dict[str, float]:
    held = sorted(times)
    return {
        "p50_ms": round(held[len(held) // 2] * 1000, 2),
        "p99_ms": round(held[min(len(held) - 1, len(held) * 99 // 100)] * 1000, 2),
        "longest_ms": round(held[-1] * 1000, 2),
    }


def _used(pid: int | None) -> tuple[float, int]:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss >> 20


def _enough(folder: Path, site: str, calls: int) -> int | None:
    """Return how many records a site has once every call has two; more are of the first try."""
    journals = (folder / "var" / site / "calls").glob("*.jsonl")
    count = sum(path.read_bytes().count(b"\n") for path in journals)
    return count if count >= calls * 2 else None
