"""Signed, recorded calls through two real gateways, directly or through a relay, and how fast.

A system that answers 1 KiB, its gateway, the asking gateway and, when asked for, a relay run as
processes of their own; the one that measures is the asking system. The floor is the same client
asking the system itself. Each part of the run ends with a look at what was recorded: every call has
its records at both ends, or the benchmark fails.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from kumobashi.testing.bench.calls_stage import ANSWERING, ASKING, BODY, Stage, staged
from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.bench.large_answer import large_answer
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.bench.nginx import nginx_before
from kumobashi.testing.gateways import until

_WARM_UP = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsWish:
    """How much to measure."""

    calls: int = 8_000
    at_once: int = 48
    per_second: int = 20  # for the latency of a quiet line
    seconds: int = 15
    large_mib: int = 100  # of one large answer


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
    with staged(folder, through_relay=through_relay) as stage:
        url, headers = stage.url, stage.headers
        asyncio.run(_burst(url, headers, _WARM_UP, wish.at_once))
        before = stage.used()
        fast = asyncio.run(_burst(url, headers, wish.calls, wish.at_once))
        after = stage.used()
        quiet = asyncio.run(_paced(url, headers, wish.per_second, wish.seconds))
        floor = asyncio.run(_burst(stage.system, headers, wish.calls, wish.at_once))
        nginx = None if through_relay else _nginx(stage, wish)
        calls = _WARM_UP + wish.calls + wish.per_second * wish.seconds
        recorded = {
            site: until("the journal", partial(_enough, folder, site, calls), 20)
            for site in (ASKING, ANSWERING)
        }
        large = asyncio.run(large_answer(stage, wish.large_mib))
    return {
        "burst": fast,
        "paced": quiet,
        "floor": floor,
        "nginx": nginx,
        "of_nginx": nginx and round(fast["per_second"] / nginx["per_second"], 3),
        "processor_ms_per_call": {
            site: round((after[site][0] - before[site][0]) * 1000 / wish.calls, 3)
            for site in stage.gateways
        },
        "memory_mib": {site: size >> 20 for site, (_, size) in after.items()},
        "records": recorded,
        "large": large,
    }


def _nginx(stage: Stage, wish: CallsWish) -> dict[str, Any] | None:
    with nginx_before(stage.system, stage.folder / "nginx") as address:
        if address is None:
            return None
        return asyncio.run(_burst(address, stage.headers, wish.calls, wish.at_once))


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


def _enough(folder: Path, site: str, calls: int) -> int | None:
    """Return how many records a site has once every call has two; more are of the first try."""
    journals = (folder / "var" / site / "calls").glob("*.jsonl")
    count = sum(path.read_bytes().count(b"\n") for path in journals)
    return count if count >= calls * 2 else None
