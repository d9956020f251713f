"""What watching costs, and how often it cries wolf.

Two things are measured: a quiet month, look by look, through the real judging with a simulated
clock; and ``kumobashi watch`` itself as a process, on so many links, against answers of the size
that a gateway gives.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from kumobashi.kernel import SystemClock
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.following import Following, Turn
from kumobashi.monitoring.judging import judge
from kumobashi.monitoring.picture import Picture, read_said, read_settled
from kumobashi.planning.sampling import write_sample
from kumobashi.testing.bench.machine import describe, load
from kumobashi.testing.quiet_month import HERE, QuietMonth
from kumobashi.testing.town import free_ports

LOOK = timedelta(seconds=5)
_SETTLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchWish:
    """What to measure."""

    links: int = 5_000
    seconds: int = 60
    days: int = 30
    seed: int = 1


def bench_watch(wish: WatchWish, tell: Callable[[float], None]) -> dict[str, Any]:
    """Return the figures; ``tell`` hears how much of the month has gone by, 0 to 1."""
    before = load()
    return {
        "load_before": before,
        "machine": asdict(describe("")),
        "month": quiet_month(wish, tell),
        "process": watching(wish),
        "load_after": load(),
    }


def quiet_month(wish: WatchWish, tell: Callable[[float], None]) -> dict[str, Any]:
    """Go through a quiet month and count what people would have been told."""
    month = QuietMonth(seed=wish.seed)
    following, settled, rules = Following(), read_settled("1", month.settled()), month.rules()
    looks = wish.days * 86_400 // int(LOOK.total_seconds())
    silent: datetime | None = None
    alerts: list[str] = []
    began = time.perf_counter()
    for number, (now, answer) in enumerate(month.answers(looks, LOOK)):
        said = read_said(answer) if answer else None
        silent = None if said else silent or now
        picture = Picture(site=HERE, now=now, said=said, silent_since=silent, settled=settled)
        seen = judge(picture, rules)
        turned = following.follow(number * LOOK.total_seconds(), seen, blind=said is None)
        alerts += [one.suspicion.key for one in turned if one.turn is not Turn.CHANGED]
        if number % 10_000 == 0:
            tell(number / looks)
    return {
        "days": wish.days,
        "looks": looks,
        "links": month.links,
        "false_alerts": len(alerts),
        "keys": alerts[:20],
        "lost_pulses": month.lost,
        "restarts": month.restarts,
        "retries": month.retries,
        "seconds": round(time.perf_counter() - began, 1),
    }


def watching(wish: WatchWish) -> dict[str, Any]:
    """Run the command on many links, and return what it takes of processor and memory."""
    with tempfile.TemporaryDirectory(prefix="kumo-watch-") as place, _gateway(wish) as port:
        folder = write_sample(Path(place) / "w", ports={HERE: port})
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "kumobashi", "watch", "--site", HERE],
            cwd=folder,
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(_SETTLE_SECONDS)
            seen = psutil.Process(process.pid)
            first, begin = sum(seen.cpu_times()[:2]), time.monotonic()
            peak = 0
            while time.monotonic() - begin < wish.seconds:
                time.sleep(1)
                peak = max(peak, seen.memory_info().rss)
            spent = sum(seen.cpu_times()[:2]) - first
            return {
                "links": _seen_by(folder),
                "seconds": wish.seconds,
                "core_share": round(spent / (time.monotonic() - begin), 4),
                "peak_mib": round(peak / 2**20, 1),
            }
        finally:
            process.terminate()
            process.wait(20)


def _seen_by(folder: Path) -> int:
    """Return how many links the watch has really been told of."""
    file = watch_file(folder / "var" / HERE)
    book = FaultBook(file, tenant="999997", site=HERE, clock=SystemClock())
    last = book.last_look()
    book.close()
    return len(last[2]["links"]) if last and last[2] else 0


@contextmanager
def _gateway(wish: WatchWish) -> Iterator[int]:
    """Serve the answers of a gateway with many links, on real time."""
    month = QuietMonth(links=wish.links, seed=wish.seed)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = parse_qs(urlsplit(self.path).query).get("known", [""])[0]
            answer = None
            while answer is None:  # a restart is not what is measured here
                answer = month.answer(datetime.now(UTC), known)
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    (port,) = free_ports(1)
    server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
