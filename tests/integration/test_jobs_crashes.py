"""Whoever dies when, and whatever the cloud does: in the end every row is there, once.

A process brings loads to a cloud of jobs. It is killed at any moment, and so is the cloud, which
fails in every way that it knows; then both are left alone. The moments follow from a number.
"""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kumobashi.conversion.jobs.jobs_tables import JobsTables
from kumobashi.kernel import new_id
from kumobashi.storage.tables import Load
from kumobashi.testing.jobs_cloud.running import RunningCloud, jobs_cloud
from kumobashi.testing.jobs_cloud.settings import At, Fault, How
from tests.integration.test_jobs_tables import ROWS, SETTINGS, Row, applied, held, load, tables

pytestmark = pytest.mark.slow
WAYS: dict[At, tuple[How, ...]] = {
    "token": ("drop_after", "error_before", "busy"),
    "create": ("drop_before", "drop_after", "error_after", "too_many", "end_token"),
    "upload": ("drop_before", "drop_after", "error_after", "end_token", "slow"),
    "close": ("drop_before", "drop_after", "error_after", "fail_passing", "lock_row"),
    "look": ("drop_after", "error_before", "forget", "end_token"),
    "results": ("cut", "short", "drop_after", "busy"),
    "list": ("error_before",),
}
PASSING = [
    Fault(at=at, how=how, after=after)
    for at, hows in WAYS.items()
    for how in hows
    for after in (0, 1, 3)
]
PROGRAM = """
import sys, time
from pathlib import Path
from kumobashi.kernel import KumobashiError
from tests.integration.test_jobs_crashes import wanted, store_at

url, private, sequence, transfer, base = sys.argv[1:]
store = store_at(url, Path(private))
while True:
    try:
        store.apply(wanted(int(sequence), transfer, base))
        break
    except KumobashiError as error:
        if not error.retryable:
            print(error.code, file=sys.stderr)
            sys.exit(3)
        time.sleep(0.05)
"""


def rows_of(sequence: int) -> list[Row]:
    """Return the whole table as it is to be after a load."""
    return [(key, f"{name} の {sequence}", born) for key, name, born in ROWS[sequence * 7 :]]


def wanted(sequence: int, transfer: str, base: str) -> Load:
    """Return a load: the first is full, every other one is the difference to the one before."""
    if not base:
        return load(rows_of(sequence), sequence=sequence, transfer=transfer)
    made = load(
        rows_of(sequence), sequence=sequence, transfer=transfer, mode="difference",
        base_transfer=base, deleted=7, deleted_relation="incoming_gone",
    )  # fmt: skip
    gone = [(key,) for key, _, _ in ROWS[(sequence - 1) * 7 : sequence * 7]]
    made.connection.executemany("insert into incoming_gone values (?)", gone)
    return made


def store_at(url: str, private: Path) -> JobsTables:
    """Return the tables of a cloud that runs elsewhere."""
    port = int(url.split(":")[2].split("/", maxsplit=1)[0])
    there = RunningCloud(private.parent / "cloud", SETTINGS, None, port)  # type: ignore[arg-type]
    return tables(there, patience_seconds=2.0, upload_bytes=1_000)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment_under_any_fault_every_row_is_there_once(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    with jobs_cloud(tmp_path / "cloud", replace(SETTINGS, work_seconds=0.2)) as cloud:
        base = ""
        for sequence in (1, 2, 3):
            transfer = new_id()
            command = [sys.executable, "-c", PROGRAM, cloud.url, str(tmp_path / "private")]
            command += [str(sequence), transfer, base]
            for kills in range(chance.randint(2, 4), -1, -1):
                cloud.fail(*chance.sample(PASSING, 3 if kills else 0))
                with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE) as process:
                    if kills:
                        time.sleep(chance.uniform(0.6, 2.2))
                        if chance.random() < 0.3:
                            cloud.kill()
                            cloud.start()
                        process.send_signal(signal.SIGKILL)
                    code = process.wait(60)
                    assert process.stderr is not None
                    assert code in {0, -9}, process.stderr.read()
            base = transfer

            assert held(cloud) == rows_of(sequence)
        again = applied(tables(cloud), load([], sequence=3, transfer=base))
        assert (again.already, again.rows, again.deleted, again.total) == (True, 79, 7, 79)
        assert not [job for job in cloud.jobs() if job["state"] in {"UploadComplete", "InProgress"}]
