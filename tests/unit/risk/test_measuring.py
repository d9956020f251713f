"""Measures against the definitions, written once more in plain Python."""

from collections.abc import Sequence
from itertools import chain
from typing import Any
from unittest import mock

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.risk import spreads
from kumobashi.risk.counting import read_base
from kumobashi.risk.errors import (
    ColumnTwice,
    ColumnUnknown,
    NoColumns,
    NoRows,
    NotOrdered,
    PopulationSmaller,
)
from kumobashi.risk.identifying import identifying
from kumobashi.risk.lattice import Ladder
from kumobashi.risk.measures import Measures
from kumobashi.risk.measuring import Population, Sensitive, measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from kumobashi.storage.tables import quoted
from tests.unit.risk.oracle import sensitive_of, sizes_of

ROW = st.tuples(
    st.sampled_from(["男", "女", "", None]),
    st.integers(0, 3),
    st.sampled_from(["課税", "非課税", "", None]),
    st.integers(-5, 40),
)
ROWS = st.lists(ROW, min_size=1, max_size=40)


def given_rows(
    work: duckdb.DuckDBPyConnection, rows: Sequence[tuple[Any, ...]], name: str = "r"
) -> None:
    work.execute(
        f"create or replace table {name} (sex varchar, area integer, tax varchar, income integer)"
    )
    if rows:
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        work.execute(f"insert into {name} values {marks}", list(chain(*rows)))


def both(work: duckdb.DuckDBPyConnection, **more: Any) -> Measures:
    sensitive = [Sensitive(column="tax"), Sensitive(column="income")]
    return measure(work, "r", ["sex", "area"], sensitive, **more)


@pytest.mark.parametrize("few", [0, 2, spreads.FEW])
@given(rows=ROWS)
def test_all_measures_are_those_of_the_definitions(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], few: int
) -> None:
    given_rows(shared, rows)

    with mock.patch.object(spreads, "FEW", few):  # counted side by side, or class by class
        found = both(shared)

    for name, value in sizes_of(rows, 2).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
    assert found.k_map is found.journalist_max is found.journalist_average is None
    for column, place in (("tax", 2), ("income", 3)):
        wanted = sensitive_of(rows, 2, place, is_ordered=column == "income")
        for name, value in wanted.items():
            assert getattr(found.sensitive[column], name) == pytest.approx(value, abs=1e-9), name


@given(rows=ROWS, others=st.lists(ROW, max_size=40))
def test_with_a_population_every_released_class_is_looked_up_there(
    shared: duckdb.DuckDBPyConnection,
    rows: list[tuple[Any, ...]],
    others: list[tuple[Any, ...]],
) -> None:
    given_rows(shared, rows)
    given_rows(shared, [*others, *rows], "everybody")

    found = both(shared, population=Population(relation="everybody"))

    for name, value in sizes_of(rows, 2, [*rows, *others]).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
    assert found.population == len(rows) + len(others)


@given(rows=ROWS)
def test_the_order_of_the_rows_and_a_second_run_change_no_digit(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]
) -> None:
    given_rows(shared, rows)
    first = both(shared)
    given_rows(shared, rows[::-1])

    assert both(shared) == first


@given(rows=ROWS, gone=st.integers(0, 3))
def test_suppressed_rows_are_in_no_class_and_in_no_distribution(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], gone: int
) -> None:
    kept = [row for row in rows if row[1] != gone]
    given_rows(shared, rows)
    if not kept:
        with pytest.raises(NoRows):
            both(shared, suppressed=f"area = {gone}")
        return

    found = both(shared, suppressed=f"area = {gone}")

    assert found.suppressed == len(rows) - len(kept)
    given_rows(shared, kept)
    alone = both(shared)
    assert (found.rows, found.classes, found.sensitive) == (
        alone.rows,
        alone.classes,
        alone.sensitive,
    )


def test_null_and_the_empty_text_are_values_of_their_own(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    given_rows(shared, [(None, 1, "a", 1), (None, 1, "a", 1), ("", 1, "a", 1), ("女", 1, "a", 1)])

    found = both(shared)

    assert (found.classes, found.k) == (3, 1)
    assert (found.rows_with_null, found.rows_with_empty) == (2, 1)


def test_a_null_is_found_in_the_population(shared: duckdb.DuckDBPyConnection) -> None:
    given_rows(shared, [(None, 1, "a", 1)])
    given_rows(shared, [(None, 1, "a", 1), (None, 1, "b", 2), ("", 1, "a", 1)], "everybody")

    assert both(shared, population=Population(relation="everybody")).k_map == 2


@pytest.mark.parametrize(
    ("everybody", "rows", "classes"),
    [
        ([("男", 1, "a", 1)], 2, 1),  # smaller than the rows
        ([("女", 1, "a", 1)] * 9, 2, 1),  # more people, none of them the released ones
        ([("男", 1, "a", 1), *[("女", 1, "a", 1)] * 9], 2, 1),  # one where two were released
    ],
)
def test_a_population_that_lacks_released_rows_is_refused(
    shared: duckdb.DuckDBPyConnection,
    everybody: list[tuple[Any, ...]],
    rows: int,
    classes: int,
) -> None:
    given_rows(shared, [("男", 1, "a", 1), ("男", 1, "b", 1)])
    given_rows(shared, everybody, "everybody")

    with pytest.raises(PopulationSmaller) as refused:
        both(shared, population=Population(relation="everybody"))

    assert (refused.value.rows, refused.value.classes) == (rows, classes)
    assert "男" not in refused.value.say()


def test_a_population_in_other_types_is_compared_as_text(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    given_rows(shared, [("男", 1, "a", 1)])
    shared.execute("create or replace table texts as select '男' as sex, '1' as area from range(3)")

    found = measure(shared, "r", ["sex", "area"], population=Population(relation="texts"))

    assert found.k_map == 3


def test_an_ordered_distance_needs_numbers_throughout(shared: duckdb.DuckDBPyConnection) -> None:
    given_rows(shared, [("男", 1, "1", 1), ("男", 1, None, 1)])

    with pytest.raises(NotOrdered) as refused:
        measure(shared, "r", ["sex"], [Sensitive(column="tax", is_ordered=True)])
    assert refused.value.rows == 2

    shared.execute(
        "create or replace table f as select 'x' as q, unnest([1.0, 'nan'::double]) as v"
    )
    with pytest.raises(NotOrdered) as refused:
        measure(shared, "f", ["q"], [Sensitive(column="v", is_ordered=True)])
    assert refused.value.rows == 1
    assert not measure(shared, "f", ["q"], [Sensitive(column="v")]).sensitive["v"].is_ordered


def test_what_is_named_wrongly_is_refused(shared: duckdb.DuckDBPyConnection) -> None:
    given_rows(shared, [("男", 1, "a", 1)])

    with pytest.raises(NoColumns):
        measure(shared, "r", [])
    with pytest.raises(ColumnUnknown) as unknown:
        measure(shared, "r", ["sex", "年齢"])
    assert (unknown.value.column, unknown.value.known) == ("年齢", "sex, area, tax, income")
    with pytest.raises(ColumnTwice):
        measure(shared, "r", ["sex"], [Sensitive(column="sex")])
    given_rows(shared, [])
    with pytest.raises(NoRows):
        measure(shared, "r", ["sex"])


ODD = ["n", "value", "rank", "class", "s", "p", "c", "code", "v0", "c0", 'a"b', "select", "Σ 列"]


@pytest.mark.parametrize("name", ODD)
def test_no_name_of_a_column_is_taken_for_one_of_ours(
    shared: duckdb.DuckDBPyConnection, name: str
) -> None:
    shared.execute(f"create or replace table plain as {ODD_ROWS} as t(x, y)")
    others = quoted(ODD[(ODD.index(name) + 1) % len(ODD)])
    for first, second in ((quoted(name), others), (others, quoted(name))):
        shared.execute(f"create or replace table odd as {ODD_ROWS} as t({first}, {second})")
        columns = [row[0] for row in shared.execute("describe odd").fetchall()]

        found = measure(
            shared,
            "odd",
            columns[:1],
            [Sensitive(column=columns[1])],
            population=Population(relation="odd"),
        )

        wanted = measure(
            shared, "plain", ["x"], [Sensitive(column="y")], population=Population(relation="plain")
        )
        assert list(found.sensitive.values()) == list(wanted.sensitive.values())
        assert (found.sizes, found.journalist_average) == (wanted.sizes, wanted.journalist_average)
        ladder = Ladder(column=columns[0], levels=(quoted(columns[0]), "'*'"))
        base = read_base(shared, "odd", [ladder], [Sensitive(column=columns[1])])
        best = search(base, Thresholds(k=1))
        assert isinstance(best, Found)
        assert best.measures.sensitive[columns[1]] == wanted.sensitive["y"]
        told = identifying(shared, "odd", [columns])
        assert (told[0].distinction, told[0].separation) == (0.8, 0.9)


ODD_ROWS = "select * from (values (1, 7), (1, 8), (2, 7), (2, 7), (null, 9))"


def test_classes_by_the_hundred_thousand_come_out_as_the_few_do(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    # More classes than one batch holds. Every 21 rows look like all: the first 21 tell of them all.
    shared.execute(
        "create or replace table many as select i // 3 as q, i % 7 as v, i % 3 as s"
        " from range(210_000) as t(i)"
    )

    found = measure(shared, "many", ["q"], [Sensitive(column="v"), Sensitive(column="s")])

    assert (found.classes, found.k) == (70_000, 3)
    assert (found.sensitive["s"].l, found.sensitive["s"].t) == (3, 0)
    head = shared.execute("select q, v from many where q < 7").fetchall()
    wanted = sensitive_of(head, 1, 1, is_ordered=True)
    for name, value in wanted.items():
        assert getattr(found.sensitive["v"], name) == pytest.approx(value, abs=1e-9), name
