"""Ten thousand transfers wait for a peer that is down; it comes back: how it is drained.

``python -m kumobashi.testing.backlog --transfers 10000`` fills a sender's ledger and spool with
sealed transfers of several links, lets the real dispatcher meet a peer that does not listen, then
starts the peer: a process with the real peer API over HTTP that signs the receiver's receipts at
once. It prints how long draining took, the calls as the peer counted them, whether a link that
keeps its order kept it, and the sender's memory. It fails when something is missing, came too fast
or out of order.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.ranks import RANKS
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import Out
from kumobashi.storage.spool import Spool
from kumobashi.testing.outboxes import HOP, found_workspace, outbox, sealed_row
from kumobashi.testing.signing_peer import peer_app

STREAM, URGENT = "stream-00", "urgent-01"
LINKS = 20
_BODY_BYTES = 2_000
Figures = dict[str, Any]


def fill(ledger: Ledger, spool: Spool, here: Identity, transfers: int) -> None:
    """Write sealed transfers of several links, as a night of many small ones leaves them."""
    now = datetime.now(UTC)
    rows: list[Mapping[str, object]] = []
    for number in range(transfers):
        kind = number % LINKS
        link = {0: STREAM, 1: URGENT}.get(kind, f"free-{kind:02}")
        body = random.Random(number).randbytes(_BODY_BYTES)  # sealed bytes look like noise
        row = sealed_row(here, spool, link, number // LINKS, body=body, now=now)
        rank = RANKS["high" if link == URGENT else "normal"]
        rows.append({**row, "rank": rank, "in_order": link == STREAM})
    ledger.store.write(lambda held: held.execute(sa.insert(outgoing), rows))


class _Counting:
    """Counts the calls that come, second by second, and how many are open at once."""

    def __init__(self, app: ASGIApp, file: Path) -> None:
        self._app, self._file = app, file
        self._calls: Counter[int] = Counter()
        self._open = self._most = 0
        self._written = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._calls[int(time.monotonic())] += 1
        self._open += 1
        self._most = max(self._most, self._open)
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            if time.monotonic() - self._written > 0.5:  # noqa: PLR2004 - seconds
                self._written = time.monotonic()
                said = {"calls": dict(self._calls), "at_once": self._most}
                fresh = self._file.with_suffix(".tmp")
                fresh.write_text(json.dumps(said), encoding="ascii")
                fresh.replace(self._file)  # it may be killed in the middle


def peer(folder: Path, port: int) -> None:
    """Serve the peer API of the next hop until killed."""
    asyncio.run(_peer(folder, port))


async def _peer(folder: Path, port: int) -> None:
    app = _Counting(peer_app(folder)[0], folder / "calls.json")
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    await uvicorn.Server(config).serve()


async def measure(folder: Path, *, transfers: int, per_minute: int, down_seconds: float) -> Figures:
    """Return the figures of one outage and what follows it."""
    ports = found_workspace(folder, f"requests_per_minute: {per_minute}, at_once: 16")
    out = outbox(folder)
    ledger, dispatcher = out.ledger, out.dispatcher
    await asyncio.to_thread(fill, ledger, out.spool, out.here, transfers)
    process = multiprocessing.get_context("spawn").Process(
        target=peer, args=(folder, ports[HOP]), daemon=True
    )
    tasks_before = len(asyncio.all_tasks())
    dispatcher.start()
    try:
        await asyncio.sleep(down_seconds)
        line = out.lines.to(HOP)
        probes = line.pace.last_minute(asyncio.get_running_loop().time())
        written = _changed(ledger)
        waiting = dispatcher.waiting_for(HOP)
        tasks = len(asyncio.all_tasks()) - tasks_before
        process.start()
        begun = time.monotonic()
        left = transfers
        while left and time.monotonic() - begun < 3600:  # noqa: PLR2004 - seconds
            await asyncio.sleep(0.5)
            left = len(await asyncio.to_thread(ledger.under_way))
        seconds = time.monotonic() - begun
    finally:
        await out.aclose()
        if process.pid:
            process.kill()
            process.join()
    said = json.loads((folder / "calls.json").read_text("ascii"))
    return {
        "transfers": transfers,
        "left": left,
        "waiting_while_down": waiting,
        "down_seconds": down_seconds,
        "calls_while_down": probes,
        "rows_written_while_down": written,
        "tasks_while_down": tasks,
        "drained_seconds": round(seconds, 1),
        **_calls({int(second): count for second, count in said["calls"].items()}),
        "per_minute_permitted": per_minute,
        "calls_at_once": said["at_once"],
        **_order((folder / "order.txt").read_text("ascii").splitlines()),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": round(os.getloadavg()[0], 1),
    }


def _changed(ledger: Ledger) -> int:
    """Return how many waiting rows were written to, for a cause or a next try."""
    query = sa.select(sa.func.count()).where(
        sa.or_(outgoing.c.next_try_at.is_not(None), outgoing.c.state != Out.SEALED.value)
    )
    return int(ledger.store.read(lambda held: held.execute(query).scalar_one()))


def _calls(calls: Mapping[int, int]) -> Figures:
    first, last = min(calls), max(calls)
    minute = max(
        sum(calls.get(second, 0) for second in range(at, at + 60)) for at in range(first, last + 1)
    )
    opening = [calls.get(second, 0) for second in range(first, first + 5)]
    return {
        "calls": sum(calls.values()),
        "most_calls_in_a_second": max(calls.values()),
        "most_calls_in_a_minute": minute,
        "calls_of_the_first_seconds": opening,
    }


def _order(closed: list[str]) -> Figures:
    links = [line.split()[0] for line in closed]
    stream = [line.split()[1] for line in closed if line.startswith(STREAM)]
    urgent = [at for at, link in enumerate(links) if link == URGENT]
    return {
        "closed": len(closed),
        "closed_twice": len(closed) - len(set(closed)),
        "stream": len(stream),
        "stream_out_of_order": sum(a > b for a, b in pairwise(stream)),
        "last_urgent_at": max(urgent, default=0),
        "links_in_the_middle": len(set(links[len(links) // 2 : len(links) // 2 + 200])),
    }


def check(figures: Figures) -> list[str]:
    """Return what is wrong with the figures; nothing: it was drained as it should be."""
    wanted = {
        "everything was applied": figures["left"] == 0,
        "each was closed once": figures["closed"] == figures["transfers"]
        and not figures["closed_twice"],
        "the stream kept its order": figures["stream_out_of_order"] == 0 and figures["stream"] > 0,
        "no more calls in a minute than the profile permits": figures["most_calls_in_a_minute"]
        <= figures["per_minute_permitted"],
        "no more at once than the profile permits": figures["calls_at_once"] <= 16,  # noqa: PLR2004
        # Those that were under way when it was noticed, then one probe after the other.
        "while down only probes called": figures["calls_while_down"]
        <= 8 + 3 + figures["down_seconds"],
        "while down no transfer was written to": figures["rows_written_while_down"] == 0,
    }
    return [what for what, is_so in wanted.items() if not is_so]


def main() -> None:
    """Measure, print, and fail when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=10_000)
    parser.add_argument("--per-minute", type=int, default=12_000)
    parser.add_argument("--down-seconds", type=float, default=20.0)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(
            measure(
                Path(folder) / "w",
                transfers=wish.transfers,
                per_minute=wish.per_minute,
                down_seconds=wish.down_seconds,
            )
        )
    print(json.dumps(figures, ensure_ascii=False, indent=1))  # noqa: T201 - what it is for
    if wrong := check(figures):
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
