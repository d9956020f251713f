"""Figures that others have published, to the last digit that they give.

ARX: ``TestRiskMetrics`` (A1, A3), ``TestAnonymizationKAnonymity`` (A4) and
``TestRiskQuasiIdentifiers`` (A8); anonbench: ``TestAnonBench`` (A6).
"""

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from kumobashi.risk.counting import read_base
from kumobashi.risk.hierarchies import read_hierarchy
from kumobashi.risk.identifying import identifying
from kumobashi.risk.lattice import Base, Ladder
from kumobashi.risk.losses import Objective
from kumobashi.risk.measuring import measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from kumobashi.storage.tables import quoted
from tests.unit.risk.adult import ADULT, COLUMNS, needs_adult


@pytest.fixture(scope="module")
def adult() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as work:
        work.execute(
            f"create table adult as from read_csv('{ADULT}/adult.csv', delim = ';',"
            " header = true, all_varchar = true)"
        )
        yield work


def base_of(work: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> Base:
    assert ADULT is not None
    ladders = []
    for column in columns:
        file = ADULT / f"adult_hierarchy_{column}.csv"
        hierarchy = read_hierarchy(file.read_text(encoding="utf-8"), file=file.name)
        ladders.append(Ladder(column=column, levels=(quoted(column),), hierarchy=hierarchy))
    return read_base(work, "adult", ladders)


@pytest.fixture(scope="module")
def base(adult: duckdb.DuckDBPyConnection) -> Base:
    return base_of(adult, COLUMNS)


@needs_adult
def test_a1_the_average_risk_of_the_raw_rows(adult: duckdb.DuckDBPyConnection) -> None:
    found = measure(adult, "adult", COLUMNS)

    assert found.rows == 30_162
    assert found.prosecutor_average == 0.6465751607983555


@needs_adult
@pytest.mark.parametrize(
    ("k", "share", "levels", "entropy"),
    [
        (5, 0.04, [1, 0, 1, 1, 3, 2, 2, 0, 1], 255559.85455731067),
        (100, 0.04, [1, 1, 1, 1, 3, 2, 2, 1, 1], 379417.3460570988),
        (5, 0.0, [1, 2, 1, 1, 3, 2, 2, 1, 1], 407289.5388925293),
        (100, 0.0, [0, 4, 1, 1, 3, 2, 2, 1, 1], 453196.8932458743),
    ],
)
def test_a4_the_optimum_for_k_with_suppression(
    base: Base, k: int, share: float, levels: list[int], entropy: float
) -> None:
    found = search(base, Thresholds(k=k, max_suppressed=share), objective="precomputed_entropy")

    assert isinstance(found, Found)
    assert found.nodes == 12_960
    assert list(found.levels.values()) == levels
    assert found.losses.precomputed_entropy == pytest.approx(entropy, rel=1e-14)
    assert found.measures.k >= k
    assert found.suppressed <= share * 30_162


@needs_adult
def test_a6_the_optimum_by_discernibility(adult: duckdb.DuckDBPyConnection) -> None:
    columns = [column for column in COLUMNS if column != "occupation"]

    found = search(base_of(adult, columns), Thresholds(k=5), objective="discernibility")

    assert isinstance(found, Found)
    assert found.nodes == 4_320
    assert list(found.levels.values()) == [1, 1, 1, 1, 3, 2, 2, 1]
    assert found.losses.discernibility == 55_170_356


@needs_adult
def test_a3_the_average_risk_at_the_least_loss_for_k_2(base: Base) -> None:
    found = search(base, Thresholds(k=2), objective="loss")

    assert isinstance(found, Found)
    assert found.measures.prosecutor_average == 0.001922949406538028


def test_a8_what_columns_tell_apart() -> None:
    with duckdb.connect() as work:
        work.execute(
            "create table r as select * from (values (20, 'F', 'CA'), (30, 'F', 'CA'),"
            " (40, 'F', 'TX'), (20, 'M', 'NY'), (40, 'M', 'CA')) as t(age, sex, state)"
        )
        combinations: list[list[str]] = [["sex"], ["state"], ["age"], ["sex", "state"]]

        found = identifying(work, "r", combinations)

    assert [(one.distinction, one.separation) for one in found] == [
        (0.4, 0.6),
        (0.6, 0.7),
        (0.6, 0.8),
        (0.8, 0.9),
    ]


@needs_adult
@pytest.mark.parametrize("objective", ["discernibility", "average_class_size"])
def test_most_nodes_need_not_be_looked_at(base: Base, objective: Objective) -> None:
    limits = Thresholds(k=50, max_suppressed=0.01)

    found = search(base, limits, objective=objective)

    assert isinstance(found, Found)
    assert found.looked_at < found.nodes / 2
    assert limits.broken(found.measures) == ()
