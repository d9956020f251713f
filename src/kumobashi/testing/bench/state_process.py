"""Many submitters change the state at once: how many changes a second are durable.

Run as a process of its own, so that ``strace`` can slow its disk and nothing else:
``python -m kumobashi.testing.bench.state_process '{"submitters": 200, …}'``; see :class:`Load`.
"""

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import SystemClock
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore

_TENANT = "999997"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to do; ``dsn`` is a PostgreSQL, else a file in ``folder``."""

    folder: str
    dsn: str | None
    submitters: int
    changes: int  # of each submitter
    rounds: int

    def arguments(self) -> str:
        """Return it as this process takes it."""
        return json.dumps(asdict(self))


def measure(load: Load) -> dict[str, list[float]]:
    """Return durable changes a second, by round: grouped, and one commit (or connection) each."""
    found: dict[str, list[float]] = {"grouped": [], "one_each": []}
    for turn in range(load.rounds + 1):  # the first warms up
        for way, rates in found.items():
            rate = _changes_per_second(load, f"{way}-{turn}", is_grouped=way == "grouped")
            if turn:
                rates.append(rate)
    return found


def _changes_per_second(load: Load, name: str, *, is_grouped: bool) -> float:
    store = _open(load, name, is_grouped=is_grouped)
    try:
        migrate(store)
        ledger = Ledger(store, _TENANT, SystemClock())
        rows = [
            ledger.start(
                f"{name}-{number}", "2026-11-22", mode="full", plan_hash="sha256:0", again=False
            )[0]
            for number in range(load.submitters)
        ]
        go = threading.Barrier(load.submitters + 1)

        def change(transfer: str) -> None:
            go.wait()
            for number in range(load.changes):
                ledger.move_out(transfer, None, facts={"stages": {"extract": {"rows": number}}})

        threads = [threading.Thread(target=change, args=(row.transfer,)) for row in rows]
        for thread in threads:
            thread.start()
        go.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        last = ledger.outgoing(rows[0].transfer).facts["stages"]["extract"]["rows"]
        if last != load.changes - 1:
            raise AssertionError(last)
        return load.submitters * load.changes / seconds
    finally:
        store.close()


def _open(load: Load, name: str, *, is_grouped: bool) -> StateStore:
    if load.dsn:
        if is_grouped:
            return PostgreSQLState(load.dsn, tenant=_TENANT)
        return PostgreSQLState(load.dsn, tenant=_TENANT, writers=1, most=1)
    path = Path(load.folder) / name / "state.db"
    return SQLiteState(path, owner=name) if is_grouped else SQLiteState(path, owner=name, most=1)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Load(**json.loads(sys.argv[1])))))
