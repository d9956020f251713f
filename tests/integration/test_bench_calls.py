"""The benchmark of calls runs as the documents say: both ways, every call answered and recorded."""

import pytest

from kumobashi.testing.bench.calls import CallsWish, bench_calls
from kumobashi.testing.bench.calls_stage import BODY

pytestmark = pytest.mark.slow


def test_both_ways_are_measured_with_bodies_of_a_kibibyte() -> None:
    ways: list[str] = []

    wish = CallsWish(calls=60, at_once=4, per_second=10, seconds=1, large_mib=8)
    found = bench_calls(wish, ways.append)

    assert ways == ["direct", "relay"]
    assert len(BODY) == found["body_bytes"] == 1024
    for way in ways:
        assert found[way]["burst"]["per_second"] > 0, found[way]
        assert found[way]["large"]["came_mib"] > 1, found[way]
        assert min(found[way]["records"].values()) >= 2 * 60, found[way]
