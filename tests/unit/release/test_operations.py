"""Each operation of a release rule, at its edges."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kumobashi.release.bands import read_bands
from kumobashi.release.errors import FindingsRefused, MappingAmbiguous
from tests.unit.release.staged import ON, person, rule, staged, values_of


def truncate(to: str, *born: date | None) -> list[Any]:
    column = {"name": "born", "op": "truncate", "of": "birth_date", "to": to}
    return values_of(column, "birth_date", born)


@pytest.mark.parametrize(
    ("born", "school_year"),
    [
        (date(2017, 4, 1), 2016),  # 早生まれ: the earlier one
        (date(2017, 4, 2), 2017),
        (date(2017, 3, 31), 2016),
        (date(2016, 4, 2), 2016),
        (date(2016, 4, 1), 2015),
        (date(2020, 2, 29), 2019),
        (date(2019, 12, 31), 2019),
        (date(2020, 1, 1), 2019),
        (date(1, 4, 1), 0),
    ],
)
def test_a_school_year_runs_from_2_april_to_1_april(born: date, school_year: int) -> None:
    assert truncate("school_year", born) == [school_year]


def test_children_who_enter_school_together_are_of_one_school_year() -> None:
    first = date(2019, 4, 2)
    days = [first + timedelta(days=n) for n in range(366)]  # to 1 April 2020, a leap year

    assert set(truncate("school_year", *days)) == {2019}
    assert truncate("school_year", first - timedelta(days=1), days[-1] + timedelta(days=1)) == [
        2018,
        2020,
    ]


def test_five_years_begin_with_those_that_five_divides() -> None:
    born = [date(2014, 12, 31), date(2015, 1, 1), date(2019, 12, 31), date(2020, 1, 1), None]

    assert truncate("five_years", *born) == [2010, 2015, 2015, 2020, None]
    assert truncate("year", date(2020, 2, 29)) == [2020]
    assert truncate("month", date(2020, 2, 29), None) == [202002, None]


@pytest.mark.parametrize(
    ("to", "code", "area"),
    [
        ("chome", "9999970012003", "9999970012003"),
        ("oaza", "9999970012003", "9999970012"),
        ("city", "9999970012003", "999997"),
        ("city", "99999700120030001", "999997"),  # finer than the town block
    ],
)
def test_an_area_is_a_prefix_of_the_code(to: str, code: str, area: str) -> None:
    column = {"name": "area", "op": "area", "of": "town_code", "to": to}

    assert values_of(column, "town_code", [code]) == [area]


def test_digits_of_an_area_can_be_those_of_another_register() -> None:
    lengths = {"chome": 12, "oaza": 9, "city": 5}
    column = {"name": "area", "op": "area", "of": "town_code", "to": "oaza", "lengths": lengths}

    assert values_of(column, "town_code", ["999990012003"]) == ["999990012"]


@pytest.mark.parametrize("code", ["999997001200", "", None])
def test_a_code_that_is_too_short_is_a_finding_and_never_a_wider_area(code: str | None) -> None:
    column = {"name": "area", "op": "area", "of": "town_code", "to": "city"}
    people = [person(1), person(2, town_code=code)]

    with staged(rule(column), people) as held:
        assert held.values("area") == {"1": "999997", "2": None}
        (finding,) = held.release().findings
        assert (finding.code, finding.item, finding.rows) == (
            "finding.area_unknown",
            "residents.town_code",
            1,
        )
        assert held.values("area", on_findings="quarantine") == {"1": "999997"}
        with pytest.raises(FindingsRefused):
            held.release(on_findings="refuse")


MAPPED: dict[str, Any] = {
    "name": "area",
    "op": "area",
    "of": "town_code",
    "to": "oaza",
    "lengths": {"chome": 13, "oaza": 10},
    "mapping": {
        "dataset": "areas",
        "key": "oaza_code",
        "length": 10,
        "to": {"ward": "ward", "city": "city"},
    },
    "ladder": ["ward", "city", "drop"],
}
AREAS = [
    {"oaza_code": "9999970012", "ward": "A", "city": "999997"},
    {"oaza_code": "9999970013", "ward": "A", "city": "999997"},
    {"oaza_code": "9999970014", "ward": "B", "city": "999997"},
]


def test_wards_come_from_a_mapping_and_an_address_without_one_is_a_finding() -> None:
    towns = ["9999970012003", "9999970013001", "9999970014001", "9999970099001"]
    people = [person(n, town_code=town) for n, town in enumerate(towns)]

    with staged(rule(MAPPED), people, areas=[*AREAS, *AREAS]) as held:  # twice is no harm
        assert list(held.values("area", {"area": 1}).values()) == ["A", "A", "B", None]
        assert list(held.values("area", {"area": 2}).values()) == ["999997"] * 3 + [None]
        assert list(held.values("area").values()) == [*(t[:10] for t in towns[:3]), None]
        findings = held.release({"area": 1}).findings
        assert [(f.code, f.got) for f in findings] == [("finding.area_unknown", towns[3])]
        assert "area" not in held.release({"area": 3}).columns


@pytest.mark.parametrize(
    ("wrong", "level", "above"),
    [
        ({"oaza_code": "9999970012", "ward": "B", "city": "999997"}, "oaza_code", "ward"),
        ({"oaza_code": "9999970015", "ward": "B", "city": "999989"}, "ward", "city"),
    ],
)
def test_an_area_with_two_parents_stops_everything(
    wrong: dict[str, str], level: str, above: str
) -> None:
    with (
        staged(rule(MAPPED), [person(1)], areas=[*AREAS, wrong]) as held,
        pytest.raises(MappingAmbiguous) as failure,
    ):
        held.release()
    assert (failure.value.level, failure.value.above, failure.value.areas) == (level, above, 1)
    assert held.work is not None


def test_a_row_of_a_mapping_without_its_ward_places_nobody() -> None:
    areas = [{"oaza_code": "9999970012", "ward": None, "city": "999997"}]

    with staged(rule(MAPPED), [person(1)], areas=areas) as held:
        assert held.values("area", {"area": 2}) == {"1": None}


@pytest.mark.parametrize(
    ("end", "name", "shown"),
    [
        ({"first": 1}, "髙橋", "髙＊"),
        ({"first": 1}, "辻󠄀本", "辻󠄀＊"),  # an ideographic variation is one character
        ({"first": 2}, "ｶﾞｷﾞｸﾞ", "ｶﾞｷﾞ＊"),  # half-width kana with its voicing mark too
        ({"first": 2}, "林", "＊"),  # never the whole name
        ({"first": 2}, "山本", "山＊"),
        ({"last": 1}, "長宗我部", "＊部"),
        ({"last": 1}, "𠮷", "＊"),
        ({"first": 1}, "", "＊"),
        ({"first": 1}, None, None),
        ({"first": 1, "mark": "(非公開)"}, "佐藤", "佐(非公開)"),
    ],
)
def test_a_mask_hides_at_least_one_character(
    end: dict[str, Any], name: str | None, shown: str | None
) -> None:
    column = {"name": "who", "op": "mask", "of": "family_name", **end}

    assert values_of(column, "family_name", [name]) == [shown]


def test_numbers_are_coded_at_both_ends_and_unknown_ones_stay_unknown() -> None:
    column = {"name": "income", "op": "top_bottom", "of": "income", "bottom": 0, "top": 9_000}
    given = [-5, 0, 1, 8_999, 9_000, 10_000, None]

    assert values_of(column, "income", given) == [0, 0, 1, 8_999, 9_000, 9_000, None]


def test_what_is_no_number_is_a_finding_that_does_not_repeat_it() -> None:
    column = {"name": "income", "op": "top_bottom", "of": "family_name", "top": 9}
    people = [person(1, family_name="12"), person(2, family_name="架空")]

    with staged(rule(column), people) as held:
        assert held.values("income") == {"1": 9, "2": None}
        (finding,) = held.release().findings
    assert (finding.code, finding.got) == ("finding.not_a_number", "(数ではない値)")


def test_suppressed_is_the_same_for_everybody_and_dropped_does_not_leave() -> None:
    hidden = {"name": "who", "op": "suppress", "of": "family_name"}
    dropped = {"name": "income", "op": "drop", "of": "income"}

    with staged(rule(hidden, dropped), [person(1), person(2, family_name=None)]) as held:
        assert held.values("who") == {"1": "＊", "2": "＊"}
        assert held.release().columns == ("token", "who")


def household(*ages: int) -> list[dict[str, Any]]:
    return [
        person(n, household_no="h", birth_date=ON.replace(year=ON.year - age))
        for n, age in enumerate(ages)
    ]


def test_members_are_counted_by_bands_of_ages() -> None:
    column = {"name": "hh", "op": "household_counts", "of": "birth_date"}
    unknown = person("x", household_no="h", birth_date=None)
    unborn = person("y", household_no="h", birth_date=ON + timedelta(days=400))  # an earlier day

    people = [*household(0, 1, 2, 5, 17, 18, 64, 65, 74, 75, 110), unknown, unborn]
    with staged(rule(column), people) as held:
        counts = held.values("hh")

    assert set(map(tuple, counts.values())) == {(2, 2, 1, 0, 0, 1, 2, 2, 2)}


def test_who_is_born_after_the_base_date_counts_as_nought() -> None:
    column = {"name": "hh", "op": "household_ages", "of": "birth_date"}
    born = [ON + timedelta(days=1), ON + timedelta(days=900), None]

    assert values_of(column, "birth_date", born) == [[0], [0], []]


def test_an_age_changes_its_band_on_the_birthday_and_leap_days_wait_for_march() -> None:
    column = {"name": "hh", "op": "household_counts", "of": "birth_date", "bands": ["0-17", "18+"]}
    born = [date(2008, 11, 22), date(2008, 11, 23)]

    assert values_of(column, "birth_date", born) == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("span", "ages", "has"),
    [
        ({"from": 0, "to": 17}, (41, 17), 1),
        ({"from": 0, "to": 17}, (41, 18), 0),
        ({"from": 75}, (41, 75), 1),
        ({"from": 75}, (41, 74), 0),
        ({"to": 2}, (3, 41), 0),
    ],
)
def test_whether_a_member_is_of_some_ages(
    span: dict[str, int], ages: tuple[int, ...], has: int
) -> None:
    column = {"name": "has", "op": "has_member", "of": "birth_date", **span}

    with staged(rule(column), household(*ages)) as held:
        assert set(held.values("has").values()) == {has}


@pytest.mark.parametrize(
    ("bands", "number", "word"),
    [
        (["1-17", "18+"], 0, "隙間"),
        (["0-16", "18+"], 1, "隙間"),
        (["0-17", "17+"], 1, "重なって"),
        (["0-17", "18-64"], 1, "65 歳以上"),
        (["0-17", "18+", "65+"], 2, "最後に1つだけ"),
        (["0-17", "adult"], 1, "読めません"),
        (["17-0", "18+"], 0, "読めません"),
        (["0-17", "18-999"], 1, "読めません"),
        ([-1, "0+"], 0, "読めません"),
    ],
)
def test_bands_leave_no_gap_and_do_not_overlap(
    bands: list[str | int], number: int, word: str
) -> None:
    column = {"name": "hh", "op": "household_counts", "of": "birth_date", "bands": bands}

    with pytest.raises(ValidationError) as failure:
        rule(column)

    (error,) = failure.value.errors()
    said = error["ctx"]["error"]
    assert word in said.ja
    assert said.at == ("bands", number)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 110), unique=True, max_size=8))
def test_every_age_is_in_exactly_one_band(starts: list[int]) -> None:
    edges = [0, *sorted(starts)]
    written = [f"{low}-{high - 1}" for low, high in pairwise(edges)]
    bands = read_bands([*written, f"{edges[-1]}+"])

    for age in range(111):
        inside = [b for b in bands if b.first <= age and (b.last is None or age <= b.last)]
        assert len(inside) == 1


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ({"op": "mask", "of": "family_name"}, "どちらか1つ"),
        ({"op": "mask", "of": "family_name", "first": 1, "last": 1}, "どちらか1つ"),
        ({"op": "top_bottom", "of": "income"}, "bottom"),
        ({"op": "top_bottom", "of": "income", "bottom": 9, "top": 9}, "小さく"),
        ({"op": "has_member", "of": "birth_date", "from": 5, "to": 4}, "以上"),
        ({"op": "area", "of": "town_code", "to": "ward"}, "対応表"),
        (
            {"op": "area", "of": "town_code", "to": "city", "lengths": {"oaza": 5, "city": 9}},
            "短い桁数",
        ),
        (
            {**MAPPED, "mapping": {**MAPPED["mapping"], "length": 5, "to": {"ward": "ward"}},
             "lengths": {"oaza": 10, "city": 6}, "ladder": ["ward", "city"]},
            "決まりません",
        ),
    ],
)  # fmt: skip
def test_an_operation_that_makes_no_sense_is_refused(column: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as failure:
        rule({"name": "x", **column})

    assert word in failure.value.errors()[0]["ctx"]["error"].ja
