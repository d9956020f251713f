"""Ladders only become coarser: refused when read where it is not certain, shown where it is."""

from datetime import date
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kumobashi.release.columns import Drop
from kumobashi.release.errors import NoSuchLevel
from kumobashi.release.ladders import steps
from tests.unit.release.staged import ON, TOKEN, person, rule, staged

AREA: dict[str, Any] = {
    "name": "area",
    "op": "area",
    "of": "town_code",
    "to": "chome",
    "lengths": {"chome": 6, "oaza": 4},
    "mapping": {
        "dataset": "areas",
        "key": "town_code",
        "length": 4,
        "to": {"ward": "ward", "city": "city"},
    },
    "ladder": ["oaza", "ward", "city", "drop"],
}
TALL: list[dict[str, Any]] = [
    {"name": "ym", "op": "truncate", "of": "birth_date", "to": "month",
     "ladder": ["year", "five_years", "drop"]},
    {"name": "grade", "op": "truncate", "of": "birth_date", "to": "school_year",
     "ladder": ["drop"]},
    {"name": "code", "op": "keep", "of": "town_code", "ladder": [6, 4, 1, "drop"]},
    {"name": "short", "op": "prefix", "of": "town_code", "length": 5, "ladder": [2]},
    AREA,
    {"name": "who", "op": "mask", "of": "family_name", "first": 3, "ladder": [2, 1, "drop"]},
    {"name": "end", "op": "mask", "of": "family_name", "last": 2, "ladder": [1]},
    {"name": "income", "op": "top_bottom", "of": "income", "top": 90,
     "ladder": [{"bottom": 10}, {"bottom": 20, "top": 80}, {"top": 30}, "drop"]},
    {"name": "spouse", "op": "has_spouse", "of": "relationship", "ladder": ["drop"]},
    {"name": "ages", "op": "household_ages", "of": "birth_date",
     "ladder": [90, "bands", {"bands": ["0-17", "18-64", "65+"]}, {"from": 0, "to": 17}, "drop"]},
    {"name": "counts", "op": "household_counts", "of": "birth_date",
     "ladder": [{"bands": ["0-5", "6-17", "18+"]}, {"from": 6, "to": 17}, "drop"]},
    {"name": "children", "op": "household_birth_months", "of": "birth_date", "under": 18,
     "ladder": ["year", {"from": 0, "to": 17}, "drop"]},
    {"name": "elders", "op": "has_member", "of": "birth_date", "from": 65, "ladder": ["drop"]},
]  # fmt: skip

days = st.one_of(
    st.dates(date(1915, 1, 1), date(2027, 3, 1)),  # also after the base date
    st.builds(date, st.integers(2005, 2026), st.just(4), st.integers(1, 2)),
    st.none(),
)
towns = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["1111", "1112", "1121", "1199"]),
              st.integers(10, 13), st.sampled_from(["", "0"])),
    st.sampled_from(["", "111", None]),
)  # fmt: skip


def said(**row: Any) -> dict[str, Any]:
    return row


def numbered(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [person(number, **row) for number, row in enumerate(said)]


people = st.lists(
    st.builds(
        said,
        household_no=st.sampled_from(["a", "b", "c", "d", "e"]),
        birth_date=days,
        relationship=st.sampled_from(["02", "12", "20", "20,12", "52"]),
        town_code=towns,
        family_name=st.one_of(
            st.text(st.sampled_from("髙橋辻󠄀ｶﾞ𠮷＊"), max_size=4),  # a mark, a variation
            st.none(),
        ),
        income=st.one_of(st.integers(-20, 120), st.none()),
    ),
    min_size=12,
    max_size=16,
).map(numbered)
AREAS = [
    {"town_code": "1111", "ward": "A", "city": "X"},
    {"town_code": "1112", "ward": "A", "city": "X"},
    {"town_code": "1121", "ward": "B", "city": "X"},
]


@settings(max_examples=10, deadline=None)
@given(residents=people)
def test_who_is_equal_at_one_level_is_equal_at_the_next(residents: list[dict[str, Any]]) -> None:
    whole = rule(*TALL)
    heights = {
        column.name: sum(not isinstance(step, Drop) for step in steps(column)) - 1
        for column in whole.columns
    }
    with staged(whole, residents, areas=AREAS) as held:
        levels = [
            held.rows({name: min(level, high) for name, high in heights.items()})
            for level in range(max(heights.values()) + 1)
        ]
    assert all(set(rows) == {r["resident_no"] for r in residents} for rows in levels)
    for finer, coarser in pairwise(levels):
        for one, other in combinations(finer, 2):
            for name in heights:
                if finer[one][name] == finer[other][name]:
                    assert coarser[one][name] == coarser[other][name], name


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(TALL), min_size=1, unique_by=lambda c: c["name"]), st.data())
def test_climbing_twice_is_climbing_by_the_sum(said: list[dict[str, Any]], data: Any) -> None:
    whole = rule(*said)
    heights = {column.name: len(steps(column)) - 1 for column in whole.columns}
    first = {name: data.draw(st.integers(0, high)) for name, high in heights.items()}
    then = {name: data.draw(st.integers(0, heights[name] - first[name])) for name in heights}

    at_once = whole.at_levels({name: first[name] + then[name] for name in heights})

    assert whole.at_levels(first).at_levels(then) == at_once
    assert whole.at_levels({}) == whole == whole.at_levels(dict.fromkeys(heights, 0))
    assert [c.name for c in at_once.columns] == [c.name for c in whole.columns]
    assert type(whole).model_validate_json(at_once.model_dump_json(by_alias=True)) == at_once


@pytest.mark.parametrize(
    ("column", "at", "word"),
    [
        ({"op": "truncate", "of": "b", "to": "year", "ladder": ["month"]}, 0, "粗い"),
        ({"op": "truncate", "of": "b", "to": "month", "ladder": ["month"]}, 0, "粗い"),
        # 1 and 2 April are of one month and of two school years
        ({"op": "truncate", "of": "b", "to": "month", "ladder": ["school_year"]}, 0, "4月1日"),
        ({"op": "truncate", "of": "b", "to": "year", "ladder": ["school_year"]}, 0, "4月1日"),
        ({"op": "truncate", "of": "b", "to": "school_year", "ladder": ["five_years"]}, 0, "粗い"),
        ({"op": "truncate", "of": "b", "to": "month", "ladder": ["drop", "year"]}, 1, "drop"),
        ({"op": "prefix", "of": "b", "length": 5, "ladder": [3, 4]}, 1, "粗い"),
        ({"op": "keep", "of": "b", "ladder": [5, 5]}, 1, "粗い"),
        ({"op": "mask", "of": "b", "last": 2, "ladder": [3]}, 0, "粗い"),
        ({"op": "top_bottom", "of": "b", "top": 5, "ladder": [{"top": 6}]}, 0, "粗い"),
        ({"op": "top_bottom", "of": "b", "top": 5, "ladder": [{"top": 5}]}, 0, "粗い"),
        ({"op": "top_bottom", "of": "b", "top": 5, "ladder": [{"bottom": 5}]}, 0, "粗い"),
        ({"op": "household_ages", "of": "b", "top": 70, "ladder": ["bands"]}, 0, "70 歳以上"),
        ({"op": "household_ages", "of": "b", "top": 70, "ladder": [{"from": 75}]}, 0, "70 歳以上"),
        ({"op": "household_ages", "of": "b", "ladder": [{"to": 17}, {"to": 5}]}, 1, "粗い"),
        ({"op": "household_ages", "of": "b", "ladder": ["bands", 80]}, 1, "粗い"),
        ({"op": "household_counts", "of": "b", "bands": ["0-17", "18+"],
          "ladder": [{"bands": ["0-19", "20+"]}]}, 0, "まとめるだけ"),
        ({"op": "household_counts", "of": "b", "bands": ["0-17", "18+"],
          "ladder": [{"from": 0, "to": 5}]}, 0, "まとめるだけ"),
        # a month does not tell whether its birthday has passed
        ({"op": "household_birth_months", "of": "b", "under": 18,
          "ladder": [{"from": 0, "to": 14}]}, 0, "0〜17 歳"),
        ({"op": "area", "of": "b", "to": "oaza", "ladder": ["chome"]}, 0, "粗い"),
    ],
)  # fmt: skip
def test_a_ladder_that_widens_itself_is_refused(column: dict[str, Any], at: int, word: str) -> None:
    with pytest.raises(ValidationError) as failure:
        rule({"name": "x", **column})

    said = failure.value.errors()[0]["ctx"]["error"]
    assert word in said.ja
    assert said.at == ("columns", 1, "ladder", at)
    assert said.example.startswith("ladder: [")


def test_the_refused_step_from_month_to_school_year_would_part_equals() -> None:
    born = {"1": date(2017, 4, 1), "2": date(2017, 4, 2)}
    columns = [
        {"name": name, "op": "truncate", "of": "birth_date", "to": to}
        for name, to in (("month", "month"), ("grade", "school_year"))
    ]
    with staged(rule(*columns), [person(n, birth_date=b) for n, b in born.items()]) as held:
        assert len(set(held.values("month").values())) == 1
        assert len(set(held.values("grade").values())) == 2


@pytest.mark.parametrize("levels", [{"ym": 4}, {"ym": -1}, {"nothing": 0}, {"token": 1}])
def test_a_level_that_is_not_there_is_named(levels: dict[str, int]) -> None:
    with pytest.raises(NoSuchLevel) as failure:
        rule(*TALL).at_levels(levels)
    assert failure.value.column == next(iter(levels))


def test_what_is_dropped_does_not_leave_and_not_everything_can_be_dropped() -> None:
    whole = rule(TALL[0], TALL[2])
    with staged(whole, [person(1)]) as held:
        assert held.release({"ym": 3}).columns == ("token", "code")
    only = rule(columns=[TALL[0]])
    with pytest.raises(NoSuchLevel):
        only.at_levels({"ym": 3})
    with pytest.raises(ValidationError):
        rule(columns=[{"name": "x", "op": "drop"}])


def test_roles_come_from_the_operation_unless_the_rule_says_them() -> None:
    flag = {"name": "tax", "op": "flag", "dataset": "tax", "of": "kind", "one": ["1"]}
    number = {"name": "resident_no", "op": "keep", "of": "resident_no"}
    today = {"name": "today", "op": "base_date"}
    said = {**TALL[7], "role": "sensitive"}
    whole = rule(flag, number, today, said, TALL[0])

    roles = {column.name: whole.role_of(column) for column in whole.columns}
    assert roles == {
        "token": "pseudonym",
        "tax": "sensitive",
        "resident_no": "pseudonym",
        "today": "plain",
        "income": "sensitive",
        "ym": "quasi",
    }
    assert [c.name for c in whole.having("sensitive")] == ["tax", "income"]
    climbed = whole.at_levels({"income": 2})
    assert [c.name for c in climbed.having("sensitive")] == ["tax", "income"]


@pytest.mark.parametrize(
    "column",
    [
        {**TALL[0], "role": "plain"},
        {**TALL[0], "role": "pseudonym"},
        {"name": "sex", "op": "keep", "of": "town_code", "role": "pseudonym"},
        {"name": "today", "op": "base_date", "role": "pseudonym"},
    ],
)
def test_a_role_cannot_hide_a_column_from_the_gate(column: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as failure:
        rule(column)

    said = failure.value.errors()[0]["ctx"]["error"]
    assert said.at == ("columns", 1, "role")


def test_a_role_that_the_operation_has_anyway_may_be_written() -> None:
    today = {"name": "today", "op": "base_date", "role": "plain"}
    number = {"name": "number", "op": "keep", "of": "resident_no", "role": "pseudonym"}

    assert rule(today, number).having("plain")


def test_what_a_rule_does_not_say_is_not_in_its_hash() -> None:
    plain = {"name": "ym", "op": "truncate", "of": "birth_date", "to": "month"}

    written = rule(columns=[TOKEN, plain]).model_dump(mode="json", by_alias=True)

    assert written["columns"] == [TOKEN, plain]
    assert not {"gate", "coding"} & written.keys()
    assert ON.year == 2026
