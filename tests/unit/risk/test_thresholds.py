"""Limits and the measures that break them; sizes and what is told of them. No database."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.risk.errors import PopulationMissing, ThresholdUnclear
from kumobashi.risk.explaining import explain, percent
from kumobashi.risk.measures import BUCKETS, Measures, SensitiveMeasures, Sizes, tell
from kumobashi.risk.thresholds import Thresholds

SENSITIVE = SensitiveMeasures(l=2, entropy_l=1.8, t=0.4, delta=1.5, is_ordered=False, values=3)


@pytest.fixture
def measured() -> Measures:
    found = tell([Sizes(rows=1, population=4, classes=2), Sizes(rows=8, population=10, classes=1)])
    return replace(found, population=20, suppressed=10, sensitive={"給付": SENSITIVE})


def test_every_limit_that_is_kept_exactly_is_kept(measured: Measures) -> None:
    limits = Thresholds(
        k=1,
        k_map=4,
        l={"給付": 2},
        entropy_l={"給付": 1.8},
        t={"給付": 0.4},
        max_prosecutor=1.0,
        max_journalist=0.25,
        max_marketer=measured.marketer,
        max_unique_share=0.2,
        max_suppressed=0.5,
    )

    assert limits.broken(measured) == ()


def test_every_limit_that_is_missed_by_a_little_is_named(measured: Measures) -> None:
    limits = Thresholds(
        k=2,
        k_map=5,
        l={"給付": 3},
        entropy_l={"給付": 1.81},
        t={"給付": 0.39},
        max_prosecutor=0.99,
        max_journalist=0.24,
        max_marketer=0.1,
        max_unique_share=0.19,
        max_suppressed=0.49,
    )

    broken = {one.name: (one.limit, one.got) for one in limits.broken(measured)}

    assert list(broken) == [
        *("k", "k_map", "l: 給付", "entropy_l: 給付", "t: 給付", "max_prosecutor"),
        *("max_journalist", "max_marketer", "max_unique_share", "max_suppressed"),
    ]
    assert [broken[name] for name in ("k_map", "max_suppressed")] == [(5, 4), (0.49, 0.5)]


def test_no_limit_is_a_limit_kept(measured: Measures) -> None:
    assert Thresholds(max_suppressed=1).broken(measured) == ()


def test_a_limit_on_what_was_not_measured_is_refused_and_not_kept() -> None:
    alone = tell([Sizes(rows=9, population=None, classes=1)])

    with pytest.raises(PopulationMissing):
        Thresholds(k_map=1).broken(alone)
    with pytest.raises(ThresholdUnclear) as refused:
        Thresholds(t={"給付": 1}).broken(alone)
    assert refused.value.value == "給付"


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0, 1.01])
def test_limits_beyond_their_bounds_are_refused(wrong: float) -> None:
    for limits in ({"max_journalist": wrong}, {"t": {"x": wrong}}, {"max_suppressed": wrong}):
        with pytest.raises(ThresholdUnclear):
            Thresholds(**limits)
    with pytest.raises(ThresholdUnclear):
        Thresholds(entropy_l={"x": min(wrong, 0.5)})


@given(
    sizes=st.lists(
        st.builds(
            Sizes,
            rows=st.integers(1, 5000),
            population=st.none(),
            classes=st.integers(1, 5),
        ),
        min_size=1,
    )
)
def test_the_histogram_holds_every_row_once(sizes: list[Sizes]) -> None:
    found = tell(sizes)

    bars = found.histogram()

    assert [bar.least for bar in bars] == list(BUCKETS)
    assert sum(bar.rows for bar in bars) == found.rows
    assert sum(bar.classes for bar in bars) == found.classes
    for bar in bars[:-1]:
        assert bar.most is not None
        assert found.rows_below(bar.most + 1) - found.rows_below(bar.least) == bar.rows


def test_rows_are_counted_by_people_where_there_is_a_population(measured: Measures) -> None:
    assert measured.population_rows_below(5) == 2
    assert measured.population_rows_below(11) == 10
    assert replace(measured, population=None).population_rows_below(5) is None


def test_every_measure_has_a_sentence_in_both_languages(measured: Measures) -> None:
    said = explain(measured)

    numbers = {"classes", "k", "k_map", "l", "entropy_l", "t", "delta_disclosure", "marketer"}
    numbers |= {"unique_share", "population_unique_share", "prosecutor_max", "prosecutor_average"}
    numbers |= {"journalist_max", "journalist_average"}
    assert {one.name for one in said} == numbers
    for one in said:
        assert one.ja.endswith("。")
        assert "{" not in f"{one.ja}{one.en}{one.value}"
    without = explain(tell([Sizes(rows=2, population=None, classes=1)]))
    assert not {"k_map", "l", "journalist_max"} & {one.name for one in without}


@given(share=st.floats(0, 1))
def test_what_is_something_never_reads_as_nothing_nor_as_all(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)
