"""The benchmark of calls runs as the documents say: both ways, every call answered and recorded."""

import pytest

from kumobashi.testing.bench.calls import BODY, CallsWish, bench_calls

pytestmark = pytest.mark.slow


def test_both_ways_are_measured_with_bodies_of_a_kibibyte() -> None:
    ways: list[str] = []

    found = bench_calls(CallsWish(calls=60, at_once=4, per_second=10, seconds=1), ways.append)

    assert ways == ["direct", "relay"]
    assert len(BODY) == found["body_bytes"] == 1024
    for way in ways:
        assert found[way]["burst"]["per_second"] > 0, found[way]
        assert min(found[way]["records"].values()) >= 2 * 60, found[way]
