"""The benchmark of risk, small: the ways that it compares agree, or it fails."""

import pytest

from kumobashi.testing.bench import risk
from kumobashi.testing.bench.errors import ValuesDiffer
from kumobashi.testing.bench.risk import RiskWish, bench_risk

pytestmark = [pytest.mark.slow]


def test_ours_and_plain_duckdb_agree() -> None:
    told: list[str] = []

    found = bench_risk(RiskWish(rows=2_000, rounds=1, pycanon_rows=200), told.append)

    assert {"rows", "fine", "coarse", "search", "every_node"} <= set(told)
    assert found["tables"]["fine"]["classes"] > found["tables"]["coarse"]["classes"] > 100
    assert found["search"]["nodes"] == 576
    assert found["search"]["looked_at"] < 576


def test_it_fails_when_the_other_way_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk, "_floor", lambda *_: (1, 1, 1.0, 0.5))

    with pytest.raises(ValuesDiffer):
        bench_risk(RiskWish(rows=1_000, rounds=1))
