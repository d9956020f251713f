"""The comparison of the report's methods runs as the documents say, and all rows are there."""

import pytest

from kumobashi.testing.bench.methods import METHODS, MethodsWish, bench_methods
from kumobashi.testing.bench.methods_rows import KEY, make_rows

pytestmark = pytest.mark.slow


def test_every_method_brings_all_rows() -> None:
    told: list[str] = []

    found = bench_methods(MethodsWish(rows=1_050), told.append)

    assert tuple(told) == METHODS
    assert found["soap"]["requests"] == 6  # 200 rows in a message
    assert found["swa"]["requests"] == 1
    assert 5 <= found["rest_csv"]["requests"] < 50  # create, upload, close, look, what failed
    for method in METHODS:
        assert found[method]["rows_per_second"] > 0
        assert found[method]["body_bytes"] >= found[method]["largest_bytes"] > 0


def test_rows_are_the_same_for_a_seed_and_each_person_is_one() -> None:
    rows = make_rows(500, seed=7)

    assert rows.equals(make_rows(500, seed=7))
    assert not rows.equals(make_rows(500, seed=8))
    assert len(set(rows[KEY].to_pylist())) == 500
