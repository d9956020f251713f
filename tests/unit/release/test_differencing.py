"""Two rules that each pass their gate: what they tell together is refused, left out, or said."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.release.differencing import NOW, Release, is_compared, lay_beside
from kumobashi.release.errors import DifferencingRefused, GateRefused
from kumobashi.release.gate import Passed, pass_gate
from kumobashi.release.gate_report import Beside, Outcome, report_of
from kumobashi.release.gate_words import headline
from kumobashi.release.rules import ReleaseRule
from kumobashi.risk.differencing import follow
from tests.unit.release.staged import ON, Row, Staged, person, rule, staged
from tests.unit.release.test_gate import gated, reported

BORN = {"name": "born", "op": "truncate", "of": "birth_date", "to": "year"}
TOWN = {"name": "town", "op": "prefix", "of": "town_code", "length": 13}
RICH = {"name": "rich", "op": "keep", "of": "income", "role": "sensitive"}
TOWNS = [f"99999700{n:05d}" for n in range(10, 20)]
COLUMNS = "key ubigint, history ubigint, class ubigint, here boolean"
YESTERDAY = ON - timedelta(days=1)


def resident(number: int, year: int, town: int, **more: Any) -> Row:
    return person(number, birth_date=date(year, 6, 1), town_code=TOWNS[town], **more)


def by_birth(**gate: Any) -> ReleaseRule:
    return rule(BORN, gate={"k": 5} | gate)


def by_town(**gate: Any) -> ReleaseRule:
    return rule(TOWN, gate={"k": 5} | gate)


def told_by(made: ReleaseRule, residents: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Return what a link tells that has told nothing before, as rows of its history."""
    with staged(made, residents) as held:
        lay_beside(gated(held), held.work, [], link="first", on=ON)
        return held.work.execute(follow(NOW, None, step="t1")).fetchall()


def beside_in(passed: Passed) -> Beside:
    """Return what was found, as it is read back from the facts of a transfer."""
    read = report_of(json.loads(json.dumps(reported(passed).facts()))).differencing
    assert read is not None
    return read


def beside(
    held: Staged, told: Sequence[tuple[Any, ...]], *, on: date = ON, link: str = "first"
) -> tuple[Passed, Beside]:
    """Let a second link pass its gate, and lay what it releases beside the first."""
    held.work.execute(f"create table e ({COLUMNS})")
    if told:
        held.work.executemany("insert into e values (?, ?, ?, ?)", told)
    earlier = [Release(link=link, on=on, relation="e")]
    passed = lay_beside(gated(held), held.work, earlier, link="second", on=ON)
    return passed, beside_in(passed)


def rows(held: Staged) -> int:
    return len(held.work.execute("from released").fetchall())


SQUARE = [resident(n, 1980 + n // 5, n % 5) for n in range(25)]


def test_two_releases_that_each_pass_are_refused_where_together_everybody_is_alone() -> None:
    told = told_by(by_birth(), SQUARE)
    with staged(by_town(), SQUARE) as held:
        assert reported(gated(held)).suppressed == 0, "alone it passes"
        with pytest.raises(DifferencingRefused) as raised:
            beside(held, told, on=YESTERDAY)

        said: dict[str, Any] = dict(raised.value.facts)
        assert said.pop("report").outcome is Outcome.PASSED, "alone it would"
        assert said == {
            "against": f"first {YESTERDAY.isoformat()}",
            "rows": 25,
            "k": 5,
            "limit": "0",
        }
        assert rows(held) == 0


def test_where_it_is_only_to_be_said_everything_leaves_and_the_numbers_are_there() -> None:
    told = told_by(by_birth(), SQUARE)
    with staged(by_town(differencing="report"), SQUARE) as held:
        passed, compared = beside(held, told, on=YESTERDAY)

        assert (passed.released.rows, rows(held)) == (25, 25)
        assert compared == Beside(
            against=("first",), k=5, smallest=1, too_small=25, left_out=0, appeared=0, gone=0
        )


@pytest.mark.parametrize(("on_fail", "levels"), [("climb", {"town": 1}), ("refuse", None)])
def test_it_climbs_where_the_gate_may(on_fail: str, levels: dict[str, int] | None) -> None:
    told = told_by(by_birth(), SQUARE)
    made = rule(TOWN | {"ladder": [6]}, gate={"k": 5, "on_fail": on_fail})
    with staged(made, SQUARE) as held:
        held.work.execute(f"create table e ({COLUMNS})")
        held.work.executemany("insert into e values (?, ?, ?, ?)", told)
        earlier = [Release(link="first", on=YESTERDAY, relation="e")]
        climb = partial(gated, held)
        if levels is None:
            with pytest.raises(DifferencingRefused):
                lay_beside(gated(held), held.work, earlier, link="second", on=ON, climb=climb)
            return
        passed = lay_beside(gated(held), held.work, earlier, link="second", on=ON, climb=climb)

        assert reported(passed).levels == levels
        assert (passed.released.rows, beside_in(passed).left_out) == (25, 0)
        assert beside_in(passed).smallest == 5
        assert {town for _, town in held.work.execute("from released").fetchall()} == {"999997"}


def crossed(strays: int) -> list[Row]:
    """Return 100 residents in two towns by age, of whom a few live among the others."""
    return [resident(n, 1970 if n < 50 else 2000, int((n < 50) ^ (n < strays))) for n in range(100)]


def test_a_few_that_stand_out_are_left_out_and_the_others_leave() -> None:
    told = told_by(by_birth(), crossed(3))
    with staged(by_town(max_suppressed=0.05), crossed(3)) as held:
        passed, compared = beside(held, told, on=YESTERDAY)

        assert (passed.released.rows, rows(held), reported(passed).suppressed) == (97, 97, 3)
        assert (compared.left_out, compared.smallest) == (3, 47)
        report = reported(passed)
        assert "うち 3 行は、前に送ったものと重ねると目立つため" in headline(report)[0]
        assert "3 rows left out, 3 of them" in headline(report)[1]
        assert report.outcome is Outcome.LEFT_OUT
        assert report.after is not None
        assert (report.after.rows, report.after.k) == (97, 47)
        (_, share) = report.limits
        assert (share.name, share.after) == ("max_suppressed", 0.03)


def test_one_more_than_may_be_left_out_is_refused() -> None:
    told = told_by(by_birth(), crossed(3))
    with (
        staged(by_town(max_suppressed=0.02), crossed(3)) as held,
        pytest.raises(DifferencingRefused),
    ):
        beside(held, told, on=YESTERDAY)


def test_a_class_that_becomes_small_by_what_is_left_out_goes_too() -> None:
    """Five in the third town, two of whom the first link tells apart from the other three."""
    residents = [
        *(resident(n, 1970, 0) for n in range(90)),
        *(resident(100 + n, 1970 if n < 2 else 2000, 2) for n in range(5)),
        *(resident(200 + n, 2000, 1) for n in range(20)),
    ]
    told = told_by(by_birth(), residents)
    with staged(by_town(max_suppressed=0.05), residents) as held:
        passed, compared = beside(held, told, on=YESTERDAY)

        assert compared.left_out == 5, "2 of 92 and 3 of 23: all are fewer than five"
        towns = Counter(town for _, town in held.work.execute("from released").fetchall())
        assert dict(towns) == {TOWNS[0]: 90, TOWNS[1]: 20}
        assert reported(passed).suppressed == 5


def test_a_gates_own_limit_holds_for_what_is_left() -> None:
    """Six in a town, of whom two stand out: four are left, too few for the gate itself."""
    residents = [
        *(resident(n, 1970, 0) for n in range(90)),
        *(resident(100 + n, 1970, 2) for n in range(2)),
        *(resident(200 + n, 2000, 2) for n in range(5)),
    ]
    told = told_by(by_birth(), residents)
    made = by_town(k=6, max_suppressed=0.1)
    with staged(made, residents) as held:
        passed, compared = beside(held, told, on=YESTERDAY)

        assert passed.released.rows == 90
        assert reported(passed).suppressed == 7
        assert compared.smallest == 90


def test_on_one_day_one_person_less_gives_that_person_away() -> None:
    town = [resident(n, 1980, 0) for n in range(20)]
    told = told_by(by_birth(), town)
    with staged(by_birth(), town[1:]) as held, pytest.raises(DifferencingRefused):
        beside(held, told)
    with staged(by_birth(), town[1:]) as held:
        _, compared = beside(held, told, on=YESTERDAY, link="second")
        assert (compared.gone, compared.left_out) == (1, 0)


def test_on_one_day_one_person_more_is_left_out() -> None:
    town = [resident(n, 1980, 0) for n in range(40)]
    told = told_by(by_birth(), town[1:])
    with staged(by_birth(max_suppressed=0.05), town) as held:
        passed, compared = beside(held, told)

        assert (passed.released.rows, compared.left_out) == (39, 1)
    with staged(by_birth(), town) as held:
        _, compared = beside(held, told, on=YESTERDAY)
        assert (compared.appeared, compared.left_out) == (1, 0)


def test_null_and_empty_are_two_classes() -> None:
    residents = [resident(n, 1980, 0, family_name=None if n % 2 else "") for n in range(20)]
    told = told_by(
        rule({"name": "name", "op": "keep", "of": "family_name"}, gate={"k": 5}), residents
    )

    assert len({one for _, _, one, _ in told}) == 2


def test_rows_of_one_household_token_are_one_class_together() -> None:
    """Twelve couples: of six both were born in one year, of six in two."""
    residents = [
        resident(
            2 * home + n,
            1980 + (n if home < 6 else 0),
            0,
            household_no=f"h{home}",
            relationship="12" if n else "02",
        )
        for home in range(12)
        for n in range(2)
    ]
    of_head = {"name": "household_token", "op": "token", "of": "household_head"}
    made = rule(gate={"k": 5}, columns=[of_head, BORN])
    told = told_by(made, residents)

    assert len(told) == 12
    assert sorted(Counter(one for _, _, one, _ in told).values()) == [6, 6]


def test_a_list_that_nobody_knows_who_is_on_is_compared_with_those_who_are_not() -> None:
    """One of each year of birth is on the list."""
    told = told_by(by_birth(), SQUARE)
    listed = [one for n, one in enumerate(SQUARE) if n % 5 == 0]
    of_everybody = {"k": None, "k_map": 5, "population": "residents"}
    elsewhere = [resident(100 + n, 1990, n % 2) for n in range(10)]
    with (
        staged(by_town(), [*listed, *elsewhere]) as held,
        pytest.raises(DifferencingRefused),
    ):
        beside(held, told, on=YESTERDAY)
    with staged(by_town(**of_everybody), [*listed, *elsewhere]) as held:
        passed, compared = beside(held, told, on=YESTERDAY)

        assert passed.released.rows == 15
        assert (compared.left_out, compared.smallest) == (0, 5)


def test_a_rule_without_token_gate_or_quasi_identifier_has_nothing_to_be_laid_beside() -> None:
    without_token = by_birth().model_copy(update={"columns": by_birth().columns[1:]})

    assert is_compared(by_birth())
    assert not is_compared(without_token)
    assert not is_compared(rule(BORN, gate={"none": "庁内の事務のため"}))
    assert not is_compared(rule(RICH, gate={"k": 5}))


towns = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=40
)


@settings(max_examples=30)
@given(towns, st.integers(2, 3), st.sampled_from([0.1, 0.5, 1.0]), st.booleans())
def test_whatever_leaves_is_no_rarer_together_than_alone(
    said: list[tuple[int, int, int]], k: int, share: float, is_same_day: bool
) -> None:
    """Joined, every pair of classes has k rows; one day less the other leaves none or k."""
    residents = [resident(n, 1980 + year, town) for n, (year, town, _) in enumerate(said)]
    others = [one for one, (*_, chance) in zip(residents, said, strict=True) if chance]
    with staged(by_birth(k=k, max_suppressed=share), residents) as held:
        try:
            passed = lay_beside(gated(held), held.work, [], link="first", on=ON)
        except GateRefused:
            return
        if passed.released.rows == 0:
            return
        told = held.work.execute(follow(NOW, None, step="t1")).fetchall()
        first = dict(held.work.execute("select token, born from released").fetchall())
    with staged(by_town(k=k, max_suppressed=share), others) as held:
        try:
            passed, compared = beside(held, told, on=ON if is_same_day else YESTERDAY)
        except (GateRefused, DifferencingRefused):
            return
        second = dict(held.work.execute("select token, town from released").fetchall())
    assert len(second) == passed.released.rows
    assert reported(passed).suppressed <= share * (reported(passed).suppressed + len(second))
    together = Counter((first[token], town) for token, town in second.items() if token in first)
    assert all(n >= k for n in together.values())
    assert compared.smallest == min(together.values(), default=None)
    assert all(n >= k for n in Counter(second.values()).values())
    if is_same_day:
        less = Counter(born for token, born in first.items() if token not in second)
        more = Counter(town for token, town in second.items() if token not in first)
        assert all(n >= k or born not in _still(first, second) for born, n in less.items())
        assert all(n >= k for n in more.values())


def _still(first: dict[str, Any], second: dict[str, Any]) -> set[Any]:
    return {born for token, born in first.items() if token in second}


def test_passing_twice_is_passing_once() -> None:
    """The rows of a second run on the same day, told before, are the first's and no fewer."""
    told = told_by(by_birth(), SQUARE)
    with staged(by_birth(), SQUARE) as held:
        passed = pass_gate(held.rule, held.work, lambda _: Staged.release(held), on=ON)
        held.work.execute("create table e (key ubigint, history ubigint, class ubigint, here bool)")
        held.work.executemany("insert into e values (?, ?, ?, ?)", told)
        again = lay_beside(
            passed,
            held.work,
            [Release(link="first", on=ON, relation="e")],
            link="first",
            on=ON,
        )

    assert again.released == passed.released
    assert beside_in(again).too_small == 0
