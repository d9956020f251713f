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

from kumobashi.evidence.log import waiting_in
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import Out
from kumobashi.kernel import SystemClock
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore

_TENANT = "999997"
_THERE_AND_BACK = (Out.HELD, Out.EXTRACTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to do; ``dsn`` is a PostgreSQL, else a file in ``folder``."""

    folder: str
    dsn: str | None
    submitters: int
    changes: int  # of each submitter
    rounds: int
    evidence: bool = False  # each change moves the state too, and is written into the log

    def arguments(self) -> str:
        """Return it as this process takes it."""
        return json.dumps(asdict(self))


Taken = tuple[float, float]  # seconds of the wall, and of this process's processor


def measure(load: Load) -> dict[str, list[Taken]]:
    """Return what all changes took, by round: grouped, and one commit (or connection) each."""
    found: dict[str, list[Taken]] = {"grouped": [], "one_each": []}
    for turn in range(load.rounds + 1):  # the first warms up
        for way, rounds in found.items():
            taken = _taken(load, f"{way}-{turn}", is_grouped=way == "grouped")
            if turn:
                rounds.append(taken)
    return found


def _taken(load: Load, name: str, *, is_grouped: bool) -> Taken:
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
        noted = store.read(lambda held: waiting_in(held, _TENANT))
        go = threading.Barrier(load.submitters + 1)

        def change(transfer: str) -> None:
            go.wait()
            for number in range(load.changes):
                then = _THERE_AND_BACK[number % 2] if load.evidence else None
                ledger.move_out(transfer, then, facts={"stages": {"extract": {"rows": number}}})

        threads = [threading.Thread(target=change, args=(row.transfer,)) for row in rows]
        for thread in threads:
            thread.start()
        go.wait()
        began, used = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.join()
        taken = (time.perf_counter() - began, time.process_time() - used)
        last = ledger.outgoing(rows[0].transfer).facts["stages"]["extract"]["rows"]
        if last != load.changes - 1:
            raise AssertionError(last)
        moved = store.read(lambda held: waiting_in(held, _TENANT)) - noted
        if moved != load.evidence * load.submitters * load.changes:
            raise AssertionError(moved)
        return taken
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
