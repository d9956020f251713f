"""A disk that fails under the state: what was acknowledged is there, nothing else is but one.

System calls are made to fail by strace, which is not everywhere: then these are skipped, visibly.
Power loss cannot be produced here; killing at every flush stands in for it, and tells nothing about
what a disk does with what it was given.
"""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kumobashi.testing.faults.facilities import has, missing

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.slow,
    pytest.mark.skipif(not has("strace"), reason=missing()["strace"] or "strace"),
]
COMMITS = 20
SWEEP = range(1, 31)
PROGRAM = """
import sys
from pathlib import Path
import sqlalchemy as sa
from kumobashi.storage.sqlite import SQLiteState

store = SQLiteState(Path(sys.argv[1]), owner="here")
store.write(lambda c: c.exec_driver_sql("create table if not exists t (n integer primary key)"))
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    try:
        store.write(lambda c, n=n: c.exec_driver_sql(f"insert into t values ({n})"))
    except Exception as error:
        print("failed", n, type(error).__name__, flush=True)
    else:
        print("ack", n, flush=True)
"""


def commit_under(tmp_path: Path, inject: str) -> tuple[set[int], set[int], str]:
    """Return what was acknowledged, what stands in the file, and all that was said."""
    file = tmp_path / "state.db"
    call = inject.partition(":")[0]
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e"]
    done = subprocess.run(
        [*strace, f"inject={inject}", sys.executable, "-c", PROGRAM, str(file), str(COMMITS)],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ},
    )  # fmt: skip
    assert "ImportError" not in done.stderr, done.stderr  # nothing would be tried
    acked = {int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("ack")}
    if not file.exists():
        return acked, set(), done.stdout
    with closing(sqlite3.connect(file)) as held:
        assert held.execute("pragma integrity_check").fetchall() == [("ok",)]
        try:
            rows = {row[0] for row in held.execute("select n from t")}
        except sqlite3.OperationalError:  # it failed before there was a table
            rows = set()
    return acked, rows, done.stdout


def holds(acked: set[int], rows: set[int]) -> None:
    assert acked <= rows, "acknowledged and gone"
    assert len(rows - acked) <= 1, "more than one outcome is unknown"


@pytest.mark.parametrize("nth", [10, 13])
def test_killed_at_a_flush_all_that_was_acknowledged_is_there(tmp_path: Path, nth: int) -> None:
    acked, rows, said = commit_under(tmp_path, f"fdatasync:signal=KILL:when={nth}")

    assert "ready" in said
    assert len(acked) < COMMITS, "it died"
    holds(acked, rows)


def test_a_flush_that_fails_is_never_acknowledged(tmp_path: Path) -> None:
    acked, rows, said = commit_under(tmp_path, "fdatasync:error=EIO:when=12+")

    assert "failed" in said
    holds(acked, rows)


def test_a_full_disk_refuses_and_then_goes_on(tmp_path: Path) -> None:
    acked, rows, said = commit_under(tmp_path, "pwrite64:error=ENOSPC:when=30..33")

    assert "failed" in said
    assert COMMITS - 1 in acked, "it goes on without a restart"
    holds(acked, rows)


@pytest.mark.faults
@pytest.mark.parametrize("nth", SWEEP)
@pytest.mark.parametrize(
    "inject",
    [
        "fdatasync:signal=KILL:when={}",
        "fdatasync:error=EIO:when={}",
        "fdatasync:error=EIO:when={}+",
        "pwrite64:error=ENOSPC:when={}+",
        "pwrite64:error=EIO:when={}",
    ],
)
def test_at_every_call(tmp_path: Path, inject: str, nth: int) -> None:
    acked, rows, _ = commit_under(tmp_path, inject.format(nth))

    holds(acked, rows)
