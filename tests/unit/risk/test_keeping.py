"""Which classes are kept: what a search said of its node, once the rows are as coarse."""

import duckdb
import pytest
from hypothesis import given, settings

from kumobashi.risk.errors import PopulationSmaller
from kumobashi.risk.keeping import keep_classes
from kumobashi.risk.measuring import Population, Sensitive, measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from tests.unit.risk.test_searching import LADDERS, ROWS, THRESHOLDS, base_of, given_rows

NAMES = ("age", "town", "sex")
SENSITIVE = [Sensitive(column="tax"), Sensitive(column="income")]


@settings(max_examples=15)
@given(rows=ROWS, thresholds=THRESHOLDS)
def test_what_is_kept_is_what_the_search_measured_and_measures_the_same_again(
    shared: duckdb.DuckDBPyConnection,
    rows: list[tuple[object, ...]],
    thresholds: Thresholds,
) -> None:
    found = search(base_of(shared, rows), thresholds)
    if not isinstance(found, Found):
        return
    told = ", ".join(
        f"{ladder.levels[found.levels[ladder.column]]} as {ladder.column}" for ladder in LADDERS
    )
    for name, source in (("coarse", "r"), ("coarse_everybody", "everybody")):
        shared.execute(f"create or replace view {name} as select {told}, tax, income from {source}")
    everybody = Population(relation="coarse_everybody")
    shared.execute("drop table if exists kept")

    left = keep_classes(
        shared, "coarse", NAMES, thresholds, SENSITIVE, population=everybody, into="kept"
    )

    assert left == found.measures
    same = " and ".join(f"c.{name} is not distinct from k.{name}" for name in NAMES)
    shared.execute(
        "create or replace view written as select c.* from coarse as c"
        f" where exists (from kept as k where {same})"
    )
    again = measure(shared, "written", NAMES, SENSITIVE, population=everybody)
    assert thresholds.broken(left) == ()
    assert (again.rows, again.k, again.k_map, again.marketer) == (
        left.rows,
        left.k,
        left.k_map,
        left.marketer,
    )
    assert again.sensitive == left.sensitive


def test_nothing_is_kept_where_every_class_breaks_a_limit(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    given_rows(shared, "r", [(1, "a1", "f", "x", 1), (2, None, "f", "x", 1)])
    shared.execute("drop table if exists kept")

    assert keep_classes(shared, "r", NAMES, Thresholds(k=2), into="kept") is None
    assert shared.execute("from kept").fetchall() == []


def test_a_population_that_lacks_rows_is_refused(shared: duckdb.DuckDBPyConnection) -> None:
    given_rows(shared, "r", [(1, "a1", "f", "x", 1)])
    given_rows(shared, "everybody", [(1, None, "f", "x", 1)] * 3)

    with pytest.raises(PopulationSmaller):
        keep_classes(
            shared,
            "r",
            NAMES,
            Thresholds(k_map=1),
            population=Population(relation="everybody"),
            into="kept",
        )
