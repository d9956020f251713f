"""Whatever the residents are: what the gate lets through keeps every limit, or nothing leaves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.release.errors import GateRefused
from kumobashi.release.gate import Passed, pass_gate
from tests.unit.release.staged import ON, Row, Staged, person, rule, staged

BIRTH = {"name": "born", "op": "truncate", "of": "birth_date", "to": "month"}
TOWN = {"name": "town", "op": "prefix", "of": "town_code", "length": 13}
ADULTS = {"from": 20, "to": 150}
SUBJECT = {"dataset": "residents", "key": "resident_no", "household": "household_no"}


def gated(held: Staged) -> Passed:
    return pass_gate(held.rule, held.work, lambda rule: _made(held, rule), on=ON)


def _made(held: Staged, rule: Any) -> Any:
    return Staged.release(_At(held, rule))  # type: ignore[arg-type]


class _At:
    """What ``Staged.release`` reads, with another rule."""

    def __init__(self, held: Staged, rule: Any) -> None:
        self.rule, self.work, self.residents = rule, held.work, held.residents


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
        assert passed.suppressed <= suppressed * (left + passed.suppressed)
        if not climbs:
            assert not passed.levels


def some(years: Sequence[int], town: str = "9999970012003") -> list[Row]:
    return [
        person(n, birth_date=date(year, 1 + n % 12, 1), town_code=town)
        for n, year in enumerate(years)
    ]


def test_it_climbs_no_further_than_it_must() -> None:
    with staged(the_rule({"k": 5, "on_fail": "climb"}), some([1980] * 6 + [1990] * 6)) as held:
        passed = gated(held)

        assert passed.levels == {"born": 1}
        assert passed.before is not None
        assert passed.after is not None
        assert (passed.before.k, passed.after.k) == (1, 6)
        assert classes(held, "released", ["born"]) == {(1980,): 6, (1990,): 6}


def test_what_is_not_allowed_to_climb_is_refused_and_says_why() -> None:
    with staged(the_rule({"k": 5}), some([1980] * 6)) as held, pytest.raises(GateRefused) as raised:
        gated(held)

    assert raised.value.facts == {"threshold": "k", "limit": 5, "got": 1}


def test_a_few_rows_are_left_out_where_that_is_allowed() -> None:
    residents = [*some([1980] * 19), person("alone", birth_date=date(1931, 1, 1))]
    gate = {"k": 2, "max_suppressed": 0.05, "on_fail": "climb"}
    with staged(the_rule(gate), residents) as held:
        passed = gated(held)

        assert passed.suppressed <= 1
        assert passed.released.rows == 20 - passed.suppressed
        assert passed.told()["suppressed"] == passed.suppressed


def test_everybody_counts_who_lives_there_and_not_only_who_is_sent() -> None:
    children = [person(f"c{n}", birth_date=date(2015, 1, 1)) for n in range(9)]
    gate = {"k_map": 5, "population": "residents"}
    with staged(the_rule(gate), [*children, *some([1980] * 4)]) as held, pytest.raises(GateRefused):
        gated(held)
