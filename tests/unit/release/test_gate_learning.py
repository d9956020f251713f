"""What a neighbour learns, in words: it follows from the figures and from nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.release.gate_bars import pairs, width
from kumobashi.release.gate_learning import (
    WAYS_OUT,
    Learning,
    lessons,
    looked_at,
    remedy,
    town,
)
from kumobashi.release.gate_report import FEW, Figures, GateReport, figures_of
from kumobashi.risk.measures import Sizes, tell
from kumobashi.testing import gates

groups = st.lists(
    st.tuples(st.integers(1, 3_000), st.integers(0, 50), st.integers(1, 400)),
    min_size=1,
    max_size=12,
)


def figures(held: list[tuple[int, int, int]]) -> Figures:
    return figures_of(
        tell(Sizes(rows=rows, population=rows + more, classes=n) for rows, more, n in held)
    )


def with_values(values: dict[str, int], t: dict[str, float]) -> GateReport:
    report = gates.climbed()
    assert report.after is not None
    return replace(report, after=replace(report.after, l=values, t=t))


@given(groups, st.none() | groups)
def test_bars_hold_everybody_and_the_smallest_groups_come_first(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]] | None
) -> None:
    first, then = figures(before), figures(after) if after else None
    found = pairs(replace(gates.refused(), before=first, after=then))

    assert sum(pair.before for pair in found) == first.rows
    assert [pair.least for pair in found] == sorted({pair.least for pair in found})
    if then is None:
        assert all(pair.after is None for pair in found)
    else:
        assert sum(pair.after or 0 for pair in found) == then.rows
    assert sum(pair.before for pair in found if pair.is_few) == first.below_five
    lengths = [width(rows, found) for pair in found for rows in (pair.before, pair.after)]
    assert max(lengths) == 1000
    assert all((length > 0) == bool(rows) for pair in found
               for rows, length in ((pair.before, width(pair.before, found)),))  # fmt: skip


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 4), min_size=1),
    st.floats(0, 1),
)
def test_every_sensitive_column_is_told_of_once_and_one_value_gives_it_away(
    values: dict[str, int], t: float
) -> None:
    found = lessons(with_values(values, dict.fromkeys(values, t)))

    assert sorted(column for one in found for column in one.columns) == sorted(values)
    for one in found:
        assert (one.learning is Learning.GIVEN_AWAY) == all(values[c] == 1 for c in one.columns)
        assert all(column in one.said[1] for column in one.columns)
    asked = remedy(found)
    assert (asked is not None) == (1 in values.values())
    if asked:
        assert all((f"{column}: 2" in asked[1]) == (values[column] == 1) for column in values)


def test_shares_that_differ_much_are_told_beside_what_nobody_can_say() -> None:
    even, uneven = lessons(with_values({"a": 2, "b": 2}, {"a": 0.05, "b": 0.6}))[::-1]

    assert (even.learning, even.columns) == (Learning.OPEN, ("a",))
    assert (uneven.learning, uneven.columns) == (Learning.LEANS, ("b",))
    assert "あて推量" in uneven.said[0]
    assert "あて推量" not in even.said[0]


def test_of_what_is_refused_we_tell_what_would_have_left() -> None:
    report = gates.refused()

    assert looked_at(report) is report.before
    assert {one.learning for one in lessons(report)} == {Learning.GIVEN_AWAY}
    said = town(report)
    assert said is not None
    assert "1人に絞れる" in said[0]


def test_where_nothing_tells_people_apart_there_is_nothing_to_learn() -> None:
    report = replace(gates.climbed(), after=None)

    assert lessons(report) == ()
    assert town(report) is None


def test_without_a_population_nothing_is_said_of_the_town() -> None:
    report = gates.climbed()
    assert report.after is not None

    assert town(replace(report, after=replace(report.after, k_map=None))) is None
    said = town(report)
    assert said is not None
    assert "14 人" in said[0]


@pytest.mark.parametrize("place", [0, 1])
def test_there_are_three_ways_out_in_both_languages(place: int) -> None:
    assert len({title[place] for title, _ in WAYS_OUT}) == 3
    assert "predicate_only" in WAYS_OUT[-1][1][place]


def test_invented_reports_agree_with_the_rule_and_with_themselves() -> None:
    report = gates.climbed(left_out=7)
    rule = gates.sample_rule("notice-attributes")
    assert report.after is not None

    assert report.columns == tuple(column.name for column in rule.having("quasi"))
    assert report.after.k >= FEW
    assert all(limit.after is not None for limit in report.limits)
    assert report.before.rows == sum(bar.rows for bar in report.before.bars)
