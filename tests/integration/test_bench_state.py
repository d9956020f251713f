"""The benchmark of the state, small: what it reports, and that grouping helps on a slow disk."""

import shutil

import pytest

from kumobashi.testing.bench.state import StateWish, bench_state

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_it_measures_every_store_and_a_slow_disk_gains_most() -> None:
    told: list[str] = []

    found = bench_state(StateWish(submitters=40, changes=3, rounds=1, evidence=True), told.append)

    assert told == list(found["stores"])
    assert {"sqlite", "postgresql"} <= set(told)
    for rates in found["stores"].values():
        assert rates["grouped_per_second"] > 0
        assert rates["one_each_per_second"] > 0
        assert rates["grouped_processor_us"] > 0
    assert found["machine"]["cores"] > 0
    assert found["fsync_per_second"] > 0
    if shutil.which("strace"):
        slow = found["stores"]["sqlite_slow"]
        assert slow["one_each_per_second"] < 200, "no more than a flush of 5 ms lets through"
        assert slow["ratio"] > 1.5
