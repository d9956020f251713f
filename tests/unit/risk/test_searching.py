"""The search against looking at every node, and against the definitions in plain Python."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.risk.counting import read_base
from kumobashi.risk.distributions import Spread
from kumobashi.risk.errors import PopulationMissing, PopulationSmaller, ThresholdUnclear
from kumobashi.risk.lattice import Base, Ladder, Ranked, Steps
from kumobashi.risk.losses import Objective
from kumobashi.risk.measuring import Population, Sensitive, measure
from kumobashi.risk.nodes import Lattice
from kumobashi.risk.searching import Found, NothingFound, search
from kumobashi.risk.thresholds import Thresholds
from tests.unit.risk.oracle import sensitive_of

# Each level as SQL, and once more in Python.
CLIMBS: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {
    "age": [
        ("age", lambda v: v),
        ("age // 2", lambda v: v // 2),
        ("age // 4", lambda v: v // 4),
        ("'*'", lambda _v: "*"),
    ],
    "town": [
        ("town", lambda v: v),
        ("left(town, 1)", lambda v: v and v[0]),
        ("null", lambda _v: None),
    ],
    "sex": [("sex", lambda v: v), ("'*'", lambda _v: "*")],
}
LADDERS = [
    Ladder(column=column, levels=tuple(sql for sql, _ in climbs))
    for column, climbs in CLIMBS.items()
]
ROW = st.tuples(
    st.integers(0, 7),
    st.sampled_from(["a1", "a2", "b1", None]),
    st.sampled_from(["f", "m"]),
    st.sampled_from(["x", "y", "z"]),
    st.integers(0, 4),
)
ROWS = st.lists(ROW, min_size=1, max_size=30)
SHARE = st.sampled_from([0.0, 0.1, 0.3, 0.7])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


THRESHOLDS = st.builds(
    Thresholds,
    k=maybe(st.integers(1, 6)),
    k_map=maybe(st.integers(1, 8)),
    l=st.just({}) | st.builds(lambda n: {"tax": n}, st.integers(1, 3)),
    entropy_l=st.just({}) | st.builds(lambda n: {"tax": n}, st.sampled_from([1.2, 1.9, 2.5])),
    t=st.just({}) | st.builds(lambda a, b: {"tax": a, "income": b}, SHARE, SHARE),
    max_prosecutor=maybe(st.sampled_from([0.1, 0.25, 0.5])),
    max_journalist=maybe(st.sampled_from([0.1, 0.25, 0.5])),
    max_marketer=maybe(st.sampled_from([0.1, 0.3, 0.6])),
    max_unique_share=maybe(SHARE),
    max_suppressed=SHARE,
)
OBJECTIVES: list[Objective] = [
    "discernibility",
    "average_class_size",
    "precomputed_entropy",
    "loss",
]


def given_rows(work: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    work.execute(
        f"create or replace table {name}"
        " (age integer, town varchar, sex varchar, tax varchar, income integer)"
    )
    if rows:
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        work.execute(f"insert into {name} values {marks}", list(itertools.chain(*rows)))


def base_of(
    work: duckdb.DuckDBPyConnection,
    rows: Sequence[tuple[Any, ...]],
    others: Sequence[tuple[Any, ...]] = (),
) -> Base:
    given_rows(work, "r", rows)
    given_rows(work, "everybody", [*rows, *others])
    sensitive = [Sensitive(column="tax"), Sensitive(column="income")]
    return read_base(work, "r", LADDERS, sensitive, population=Population(relation="everybody"))


def built(rows: Sequence[tuple[Any, ...]], others: Sequence[tuple[Any, ...]] = ()) -> Base:
    """Make the base without a database, so that many examples can be tried."""
    everybody = [*rows, *others]
    steps, codes, people = [], [], []
    for place, (column, climbs) in enumerate(CLIMBS.items()):
        leaves = sorted({row[place] for row in everybody}, key=str)
        ids, sizes = [], []
        for _, climb in climbs:
            values = sorted({climb(leaf) for leaf in leaves}, key=str)
            ids.append(np.array([values.index(climb(leaf)) for leaf in leaves], dtype=np.int32))
            sizes.append(len(values))
        codes.append(np.array([leaves.index(row[place]) for row in rows], dtype=np.int32))
        people.append(np.array([leaves.index(row[place]) for row in everybody], dtype=np.int32))
        steps.append(
            Steps(
                column=column,
                ids=tuple(ids),
                sizes=tuple(sizes),
                leaf_rows=np.bincount(codes[-1], minlength=len(leaves)),
                is_nested=True,
            )
        )
    sensitive = {}
    for place, name in ((3, "tax"), (4, "income")):
        values = sorted({row[place] for row in rows})
        ranks = np.array([values.index(row[place]) for row in rows], dtype=np.int32)
        spread = Spread(rows=np.bincount(ranks), is_ordered=name == "income")
        sensitive[name] = Ranked(ranks=ranks, spread=spread)
    return Base(
        steps=tuple(steps),
        codes=tuple(codes),
        rows=np.ones(len(rows), dtype=np.int64),
        sensitive=sensitive,
        people_codes=tuple(people),
        people=np.ones(len(everybody), dtype=np.int64),
    )


def climbed(rows: Sequence[tuple[Any, ...]], levels: Sequence[int]) -> list[tuple[Any, ...]]:
    climbs = [each[level][1] for each, level in zip(CLIMBS.values(), levels, strict=True)]
    return [(*(f(v) for f, v in zip(climbs, row[:3], strict=True)), *row[3:]) for row in rows]


@settings(max_examples=60)
@given(
    rows=ROWS,
    others=st.lists(ROW, max_size=20),
    thresholds=THRESHOLDS,
    objective=st.sampled_from(OBJECTIVES),
)
def test_the_search_finds_what_looking_at_every_node_finds(
    rows: list[tuple[Any, ...]],
    others: list[tuple[Any, ...]],
    thresholds: Thresholds,
    objective: Objective,
) -> None:
    base = built(rows, others)
    lattice = Lattice(base, thresholds)
    every = [lattice.look(levels) for levels in itertools.product(*map(range, base.shape))]
    good = [node for node in every if node.keeps]

    found = search(base, thresholds, objective=objective)

    if not good:
        assert isinstance(found, NothingFound)
        return
    best = min(good, key=lambda n: (n.losses.worth(objective), sum(n.levels), n.levels))
    assert isinstance(found, Found)
    assert tuple(found.levels.values()) == best.levels
    assert (found.losses, found.suppressed) == (best.losses, best.suppressed)
    assert found.looked_at <= found.nodes == len(every)
    assert thresholds.broken(found.measures) == ()


@settings(max_examples=30)
@given(rows=ROWS, k=st.integers(1, 6), share=SHARE)
def test_nodes_are_counted_as_the_definitions_say(
    rows: list[tuple[Any, ...]], k: int, share: float
) -> None:
    base = built(rows)
    lattice = Lattice(base, Thresholds(k=k, max_suppressed=share))

    for levels in itertools.product(*map(range, base.shape)):
        node = lattice.look(levels)

        sizes = Counter(row[:3] for row in climbed(rows, levels))
        lost = sum(n for n in sizes.values() if n < k)
        left = [n for n in sizes.values() if n >= k]
        assert node.suppressed == lost
        assert node.keeps == (bool(left) and lost / len(rows) <= share)
        assert node.losses.discernibility == sum(n * n for n in left) + lost * len(rows)
        assert node.losses.average_class_size == len(rows) / (len(left) + (lost > 0))


@settings(max_examples=15)
@given(rows=ROWS, others=st.lists(ROW, max_size=20), thresholds=THRESHOLDS)
def test_a_node_measures_what_its_rows_measure_once_they_are_written(
    shared: duckdb.DuckDBPyConnection,
    rows: list[tuple[Any, ...]],
    others: list[tuple[Any, ...]],
    thresholds: Thresholds,
) -> None:
    base = base_of(shared, rows, others)
    found = search(base, thresholds)
    if isinstance(found, NothingFound):
        return
    levels = list(found.levels.values())
    # Which classes are left is told once more from the limits that single classes keep or break.
    written = climbed(rows, levels)
    people = Counter(row[:3] for row in climbed([*rows, *others], levels))
    sizes = Counter(row[:3] for row in written)
    kept = [row for row in written if _is_large(sizes[row[:3]], people[row[:3]], thresholds)]
    while True:
        good = [row for row in kept if _keeps(row, kept, sizes, thresholds)]
        if len(good) == len(kept):
            break
        kept = good

    assert len(rows) - len(kept) == found.suppressed == found.measures.suppressed
    assert found.measures.classes == len({row[:3] for row in kept})
    assert found.measures.k_map == min(people[row[:3]] for row in kept)
    for place, name in ((3, "tax"), (4, "income")):
        for measured, value in sensitive_of(kept, 3, place, is_ordered=name == "income").items():
            assert getattr(found.measures.sensitive[name], measured) == pytest.approx(
                value, abs=1e-9
            )


def _is_large(size: int, there: int, limits: Thresholds) -> bool:
    return (
        (limits.k is None or size >= limits.k)
        and (limits.k_map is None or there >= limits.k_map)
        and (limits.max_prosecutor is None or 1 / size <= limits.max_prosecutor)
        and (limits.max_journalist is None or 1 / there <= limits.max_journalist)
    )


def _keeps(
    row: tuple[Any, ...],
    kept: Sequence[tuple[Any, ...]],
    sizes: Counter[Any],
    limits: Thresholds,
) -> bool:
    group = [one for one in kept if one[:3] == row[:3]]
    alone = sum(sizes[one[:3]] == 1 for one in kept) / len(kept)
    if limits.max_unique_share is not None and len(group) == 1 and alone > limits.max_unique_share:
        return False
    for place, name in ((3, "tax"), (4, "income")):
        said = _beside(kept, group, place, is_ordered=name == "income")
        if said["l"] < limits.l.get(name, 0):
            return False
        if said["entropy_l"] < limits.entropy_l.get(name, 0) - 1e-9:
            return False
        if said["t"] > limits.t.get(name, 1) + 1e-12:
            return False
    return True


def _beside(
    rows: Sequence[tuple[Any, ...]],
    group: Sequence[tuple[Any, ...]],
    place: int,
    *,
    is_ordered: bool,
) -> dict[str, float]:
    """Tell of one class beside all rows."""
    values = sorted({row[place] for row in rows})
    share, here = Counter(row[place] for row in rows), Counter(row[place] for row in group)
    q = [here[value] / len(group) for value in values]
    p = [share[value] / len(rows) for value in values]
    if is_ordered:
        steps = [abs(sum(q[: i + 1]) - sum(p[: i + 1])) for i in range(len(values))]
        t = sum(steps) / (len(values) - 1) if len(values) > 1 else 0.0
    else:
        t = sum(abs(a - b) for a, b in zip(q, p, strict=True)) / 2
    said = sensitive_of([(0, *row) for row in group], 1, place + 1, is_ordered=is_ordered)
    return {**said, "t": t}


def test_a_ladder_whose_steps_do_not_nest_is_searched_in_full(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    # Born on 1 April belongs to the school year before: months and school years do not nest.
    shared.execute(
        "create or replace table born as select date '2020-03-20' + (i % 30)::integer as d"
        " from range(200) as t(i)"
    )
    ladder = Ladder(
        column="d", levels=("date_trunc('month', d)", "year(d - interval 3 month - interval 1 day)")
    )
    base = read_base(shared, "born", [ladder])

    found = search(base, Thresholds(k=30))

    assert not base.is_nested
    assert isinstance(found, Found)
    assert (found.levels, found.looked_at) == ({"d": 1}, 2)
    shared.execute(f"create or replace view years as select {ladder.levels[1]} as y from born")
    assert measure(shared, "years", ["y"]).k == found.measures.k


def test_a_population_that_lacks_a_released_class_is_refused_before_anything_is_searched(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    given_rows(shared, "r", [(1, "a1", "f", "x", 1), (1, "a1", "f", "x", 1)])
    given_rows(shared, "everybody", [(1, "a1", "f", "x", 1), *[(2, "a1", "f", "x", 1)] * 5])
    base = read_base(shared, "r", LADDERS, population=Population(relation="everybody"))

    with pytest.raises(PopulationSmaller) as refused:
        search(base, Thresholds(k_map=2))
    assert (refused.value.rows, refused.value.classes, refused.value.population) == (2, 1, 6)


def test_limits_that_speak_of_what_is_not_there_are_refused(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    given_rows(shared, "r", [(1, "a1", "f", "x", 1)])
    base = read_base(shared, "r", LADDERS)

    for limits in (Thresholds(k_map=2), Thresholds(max_journalist=0.5)):
        with pytest.raises(PopulationMissing):
            search(base, limits)
    with pytest.raises(ThresholdUnclear):
        search(base, Thresholds(l={"tax": 2}))
    for wrong in ({"k": 0}, {"max_suppressed": 1.5}, {"t": {"tax": -0.1}}, {"max_marketer": -1}):
        with pytest.raises(ThresholdUnclear):
            Thresholds(**wrong)


def test_numbers_too_many_for_64_bits_are_grouped_all_the_same(
    shared: duckdb.DuckDBPyConnection,
) -> None:
    # 20 columns of 100 values: 10**40 combinations.
    columns = [f"c{n}" for n in range(20)]
    told = ", ".join(f"(i * {n + 3} + i // 7) % 100 as c{n}" for n in range(20))
    shared.execute(f"create or replace table wide as select {told} from range(500) as t(i)")
    ladders = [Ladder(column=c, levels=(c,)) for c in columns]

    found = search(read_base(shared, "wide", ladders), Thresholds(k=1))

    assert isinstance(found, Found)
    assert found.measures.classes == measure(shared, "wide", columns).classes
