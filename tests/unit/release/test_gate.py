"""Whatever the residents are: what the gate lets through keeps every limit, or nothing leaves."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.release.errors import GateRefused
from kumobashi.release.gate import Passed, pass_gate
from kumobashi.release.gate_report import GateReport, Outcome, report_of
from kumobashi.risk.errors import PopulationSmaller
from tests.unit.release.staged import ON, Row, Staged, person, rule, staged

BIRTH = {"name": "born", "op": "truncate", "of": "birth_date", "to": "month"}
TOWN = {"name": "town", "op": "prefix", "of": "town_code", "length": 13}
ADULTS = {"from": 20, "to": 150}
SUBJECT = {"dataset": "residents", "key": "resident_no", "household": "household_no"}


def gated(held: Staged, earlier: GateReport | None = None) -> Passed:
    made = partial(_made, held)
    return pass_gate(held.rule, held.work, made, on=ON, earlier=earlier)


def _made(held: Staged, rule: Any) -> Any:
    return Staged.release(_At(held, rule))  # type: ignore[arg-type]


class _At:
    """What ``Staged.release`` reads, with another rule."""

    def __init__(self, held: Staged, rule: Any) -> None:
        self.rule, self.work, self.residents = rule, held.work, held.residents


def reported(passed: Passed) -> GateReport:
    assert passed.report is not None
    return passed.report


def levels_in(passed: Passed) -> dict[str, int]:
    """Return the levels of the columns that climbed."""
    return {climb.column: climb.level for climb in reported(passed).climbs if climb.level}


def classes(held: Staged, relation: str, names: Sequence[str]) -> Counter[tuple[Any, ...]]:
    rows = held.work.execute(f"select {', '.join(names)} from {relation}").fetchall()
    return Counter(rows)


def the_rule(gate: Mapping[str, Any], *, ladders: bool = True, **more: Any) -> Any:
    birth = BIRTH | ({"ladder": ["year", "five_years", "drop"]} if ladders else {})
    town = TOWN | ({"ladder": [10, 6, "drop"]} if ladders else {})
    return rule(birth, town, subject=SUBJECT | {"age": ADULTS}, gate=dict(gate), **more)


people = st.lists(
    st.tuples(
        st.sampled_from([1961, 1962, 1980, 2001, 2015]),
        st.integers(1, 3),
        st.sampled_from(["9999970012003", "9999970012004", "9999970099001", "9999980000001"]),
    ),
    min_size=1,
    max_size=40,
).map(
    lambda said: [
        person(number, birth_date=date(year, month, 1), town_code=town)
        for number, (year, month, town) in enumerate(said)
    ]
)


@settings(max_examples=30)
@given(
    people,
    st.integers(2, 4),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.booleans(),
)
def test_what_passes_keeps_every_limit(
    residents: list[Row], k: int, k_map: int, suppressed: float, climbs: bool
) -> None:
    gate = {
        "k": k,
        "k_map": k_map,
        "population": "residents",
        "max_suppressed": suppressed,
        "on_fail": "climb" if climbs else "refuse",
    }
    with staged(the_rule(gate), residents) as held:
        try:
            passed = gated(held)
        except GateRefused:
            return
        if passed.released.rows == 0:
            return  # nobody is sent
        names = [column.name for column in passed.rule.having("quasi")]
        released = classes(held, "released", names) if names else Counter()
        if names:
            everybody = classes(held, "everybody", names)
            assert all(n >= k for n in released.values())
            assert all(everybody[one] >= k_map for one in released)
            assert sum(everybody.values()) == len(residents)
        left = held.work.execute("select count(*) from released").fetchall()[0][0]
        assert passed.released.rows == left
        report = reported(passed)
        assert report.suppressed <= suppressed * (left + report.suppressed)
        assert passed.released.smallest_class == (min(released.values()) if names else left)
        assert report_of(json.loads(json.dumps(report.facts()))) == report
        if not climbs:
            assert not levels_in(passed)


def some(years: Sequence[int], town: str = "9999970012003") -> list[Row]:
    return [
        person(n, birth_date=date(year, 1 + n % 12, 1), town_code=town)
        for n, year in enumerate(years)
    ]


def same_month(years: Sequence[int]) -> list[Row]:
    return [person(n, birth_date=date(year, 4, 1)) for n, year in enumerate(years)]


def test_it_climbs_no_further_than_it_must() -> None:
    with staged(the_rule({"k": 5, "on_fail": "climb"}), some([1980] * 6 + [1990] * 6)) as held:
        passed = gated(held)

        report = reported(passed)
        assert levels_in(passed) == {"born": 1}
        assert report.outcome is Outcome.CLIMBED
        assert report.after is not None
        assert (report.before.k, report.after.k) == (1, 6)
        assert [(one.name, one.limit, one.before, one.after) for one in report.limits] == [
            ("k", 5, 1, 6),
            ("max_suppressed", 0.0, 0.0, 0.0),
        ]
        assert [step.ja for step in report.climbs[0].steps] == [
            "年月まで", "年まで", "5年ごとに", "出さない",
        ]  # fmt: skip
        assert classes(held, "released", ["born"]) == {(1980,): 6, (1990,): 6}


def test_what_is_not_allowed_to_climb_is_refused_and_says_why() -> None:
    with staged(the_rule({"k": 5}), some([1980] * 6)) as held, pytest.raises(GateRefused) as raised:
        gated(held)

    facts = raised.value.facts
    assert (facts["threshold"], facts["limit"], facts["got"]) == ("k", "5", "1")
    assert raised.value.report.outcome is Outcome.REFUSED
    assert raised.value.report.after is None
    assert raised.value.report.before.below_five == 6


def test_a_few_rows_are_left_out_where_that_is_allowed() -> None:
    residents = [*some([1980] * 19), person("alone", birth_date=date(1931, 1, 1))]
    gate = {"k": 2, "max_suppressed": 0.05, "on_fail": "climb"}
    with staged(the_rule(gate), residents) as held:
        passed = gated(held)

        suppressed = reported(passed).suppressed
        assert suppressed <= 1
        assert passed.released.rows == 20 - suppressed


def test_everybody_counts_who_lives_there_and_not_only_who_is_sent() -> None:
    children = [person(f"c{n}", birth_date=date(2015, 1, 1)) for n in range(9)]
    gate = {"k_map": 5, "population": "residents"}
    with staged(the_rule(gate), [*children, *some([1980] * 4)]) as held, pytest.raises(GateRefused):
        gated(held)


def test_everybody_may_be_a_dataset_of_their_own() -> None:
    gate = {"k_map": 5, "population": "core"}
    datasets = {"residents": "db.residents", "core": "core.residents"}
    sent = some([1980] * 2)
    with staged(the_rule(gate, datasets=datasets), sent, core=[*sent, *some([1980] * 4)]) as held:
        with pytest.raises(GateRefused) as raised:
            gated(held)
        assert raised.value.threshold == "k_map"
    same = [{**one, "birth_date": date(1980, 1, 1)} for one in some([1980] * 6)]
    with staged(the_rule(gate, datasets=datasets), same[:2], core=same) as held:
        assert reported(gated(held)).before.k_map == 6


def test_a_population_that_lacks_those_who_are_sent_is_no_population() -> None:
    gate = {"k_map": 2, "population": "core"}
    datasets = {"residents": "db.residents", "core": "core.residents"}
    sent = some([1980] * 12)
    with (
        staged(the_rule(gate, datasets=datasets), sent, core=sent[:3]) as held,
        pytest.raises(PopulationSmaller),
    ):
        gated(held)


def test_where_nothing_tells_people_apart_they_may_still_all_have_the_same_secret() -> None:
    tax = {
        "name": "exempt", "op": "flag", "dataset": "tax", "of": "kind", "one": ["1"], "zero": ["0"],
    }  # fmt: skip
    gate = {"l_diversity": {"exempt": 2}}
    all_exempt = [{"resident_no": str(n), "kind": "1"} for n in range(6)]
    with staged(rule(tax, gate=gate), some([1980] * 6), tax=all_exempt) as held:
        with pytest.raises(GateRefused) as raised:
            gated(held)
        assert raised.value.threshold == "l: exempt"
    with staged(rule(tax, gate=gate), some([1980] * 6), tax=all_exempt[:3]) as held:
        passed = gated(held)
        assert passed.released.rows == 6
        assert reported(passed).columns == ()


def test_too_few_people_are_too_few_although_nothing_tells_them_apart() -> None:
    with staged(rule(gate={"k": 5}), some([1980] * 4)) as held, pytest.raises(GateRefused):
        gated(held)


def test_what_was_enough_before_is_kept_until_it_is_not() -> None:
    gate = {"k": 5, "on_fail": "climb"}
    with staged(the_rule(gate), some([1980] * 6 + [1990] * 6)) as held:
        first = reported(gated(held))
    with staged(the_rule(gate), same_month([1980] * 6 + [1990] * 7)) as held:
        assert not levels_in(gated(held))  # months would do today
        kept = gated(held, earlier=first)
        assert levels_in(kept) == {"born": 1}
        assert reported(kept).before == first.before
        assert classes(held, "released", ["born"]) == {(1980,): 6, (1990,): 7}
    with staged(the_rule(gate), some([1980] * 6 + [1981] * 3 + [1990] * 6)) as held:
        assert levels_in(gated(held, earlier=first)) == {"born": 2}  # years are too fine by now


def test_another_ladder_is_another_decision() -> None:
    gate = {"k": 5, "on_fail": "climb"}
    with staged(the_rule(gate), some([1980] * 6 + [1990] * 6)) as held:
        first = reported(gated(held))
    other = rule(
        BIRTH | {"ladder": ["five_years"]},
        TOWN | {"ladder": [10, 6, "drop"]},
        subject=SUBJECT | {"age": ADULTS},
        gate=gate,
    )
    with staged(other, some([1980] * 6 + [1990] * 6)) as held:
        passed = gated(held, earlier=first)
        assert reported(passed).climbs[0].steps[1].ja == "5年ごとに"
        assert levels_in(passed) == {"born": 1}
