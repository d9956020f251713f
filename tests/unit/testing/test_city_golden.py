"""The people with a story are in every table what their story says."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from kumobashi.testing.city import GOLDEN, TABLES, City, build, golden

ON = date(2026, 11, 1)


def rows(city: City, table: str, number: str | None, column: str = "resident_no") -> list[Any]:
    names = tuple(TABLES[table].columns)
    found = city.connection.execute(f"from {table} where {column} = ?", [number]).fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def one(city: City, table: str, number: str | None, column: str = "resident_no") -> dict[str, Any]:
    found = rows(city, table, number, column)
    assert len(found) == 1, f"{table}: {len(found)} rows of {number}"
    return dict(found[0])


def home(city: City, number: str | None) -> list[tuple[str, str, str]]:
    return city.connection.execute(
        """select resident_no, relationship, resident_status from resident_registry
        where household_no = (select household_no from resident_registry where resident_no = ?)
        order by resident_no""",
        [number],
    ).fetchall()


def reasons(city: City, number: str | None) -> list[str]:
    found = sorted(rows(city, "resident_events", number), key=lambda row: row["event_no"])
    return [row["event_reason"] for row in found]


@pytest.mark.parametrize("on", [ON, date(2026, 1, 2), date(2028, 2, 29), date(2025, 4, 1)])
def test_every_city_of_a_thousand_has_them_all_whatever_its_day(on: date) -> None:
    with build(1_000, seed=8, on=on) as town:
        for story in GOLDEN:
            if story.resident_no:
                one(town, "resident_registry", story.resident_no)
            if story.nonresident_no:
                one(town, "nonresidents", story.nonresident_no, "nonresident_no")
        living = "select count(*) from resident_registry where resident_status = '1'"
        assert town.connection.execute(living).fetchall() == [(1_000,)]
        latest = "select max(updated_at), max(birth_date) from resident_registry"
        updated, born = town.connection.execute(latest).fetchall()[0]
        assert updated < datetime.combine(on, datetime.min.time())
        assert born <= on


def test_a_smaller_city_has_none_of_them() -> None:
    with build(900) as town:
        assert rows(town, "resident_registry", golden("twins").number) == []


def test_their_numbers_are_the_same_in_every_city_and_nobody_elses(city: City) -> None:
    numbers = [story.number for story in GOLDEN]
    assert len(set(numbers)) == len(numbers) == 17
    low = "select count(*) from resident_registry where resident_no < '0010000000'"
    assert city.connection.execute(low).fetchall() == [(27,)]


def test_a_story_that_nobody_tells_is_an_error() -> None:
    with pytest.raises(KeyError):
        golden("nobody")


def test_who_dies_after_the_extraction_lives_in_every_table_until_then() -> None:
    number = golden("died-after-extraction").number
    with build(1_000) as town:
        assert one(town, "resident_registry", number)["resident_status"] == "1"
        assert rows(town, "consents", number)
        extracted = town.on

        town.advance(1)

        assert one(town, "resident_registry", number)["resident_status"] == "3"
        event = one(town, "resident_events", number)
        assert (event["event_reason"], event["event_date"]) == ("05", extracted)
        assert event["event_reported_on"] == extracted + timedelta(days=1)
        for table in ("long_term_care", "latter_stage_medical"):
            assert one(town, table, number)["lost_on"] is not None


def test_who_moved_out_is_taxed_on(city: City) -> None:
    number = golden("moved-out").number
    assert one(city, "resident_registry", number)["resident_status"] == "2"
    assert one(city, "resident_tax", number)["exemption_kind"] == "0"
    assert one(city, "national_health_insurance", number)["lost_on"] == ON - timedelta(days=40)
    assert reasons(city, number) == ["04"]
    assert rows(city, "consents", number) == []


def test_who_came_from_abroad_has_neither_origin_nor_tax(city: City) -> None:
    number = golden("arrived-from-abroad").number
    assert one(city, "resident_registry", number)["resident_since"] == ON - timedelta(days=20)
    assert rows(city, "resident_tax", number) == []
    event = one(city, "resident_events", number)
    assert (event["event_reason"], event["previous_municipality_code"]) == ("15", None)


def test_who_is_taxed_without_a_record_is_in_no_table_of_residents(city: City) -> None:
    number = golden("taxed-nonresident").number
    assert one(city, "nonresidents", number, "nonresident_no")["nonresident_kind"] == "1"
    assert one(city, "resident_tax", number)["exemption_kind"] == "0"
    assert rows(city, "resident_registry", number) == []


def test_the_widow_heads_the_home_beside_a_head_who_died(city: City) -> None:
    number = golden("head-died").number
    assert home(city, number) == [
        ("0000000131", "02", "1"),
        ("0000000132", "02", "3"),
        ("0000000133", "11,52", "1"),
    ]
    assert reasons(city, number) == ["08"]
    assert reasons(city, "0000000132") == ["05"]
    assert [one(city, "resident_details", no)["display_order"]
            for no in ("0000000131", "0000000132", "0000000133")] == [1, None, 2]  # fmt: skip


def test_the_protected_mother_and_her_daughter_have_one_measure(city: City) -> None:
    number = golden("protected").number
    mother, daughter = (
        one(city, "support_measures", number),
        one(city, "support_measures", "0000000142"),
    )
    assert mother["support_no"] == daughter["support_no"]
    assert (mother["support_role"], daughter["support_role"]) == ("1", "2")
    assert mother["support_from"] < ON < mother["support_to"]
    assert [row[0] for row in home(city, number)] == [number, "0000000142"]


def test_who_lives_in_an_institution_elsewhere_is_insured_here(city: City) -> None:
    story = golden("institution")
    assert one(city, "resident_registry", story.resident_no)["resident_status"] == "2"
    for table in ("long_term_care", "latter_stage_medical"):
        row = one(city, table, story.resident_no)
        assert (row["is_special_address"], row["lost_on"]) == ("1", None)
    elsewhere = one(city, "nonresidents", story.nonresident_no, "nonresident_no")
    assert (elsewhere["nonresident_kind"], elsewhere["merged_into_no"]) == ("2", story.resident_no)


def test_the_nominal_head_is_not_insured_but_the_family_is(city: City) -> None:
    number = golden("nominal-head").number
    assert one(city, "resident_registry", number)["relationship"] == "02"
    assert rows(city, "national_health_insurance", number) == []
    members = [no for no, _, _ in home(city, number)[1:]]
    assert len(members) == 2
    for member in members:
        assert one(city, "national_health_insurance", member)["lost_on"] is None


def test_an_unknown_birth_date_has_a_stand_in_a_flag_and_words(city: City) -> None:
    number = golden("unknown-birth-date").number
    assert one(city, "resident_registry", number)["birth_date"] == date(1947, 7, 1)
    details = one(city, "resident_details", number)
    assert (details["birth_date_unknown"], details["birth_date_label"]) == ("1", "昭和22年月日不詳")


@pytest.mark.parametrize(
    ("key", "column", "value"),
    [
        ("former-name", "former_family_name", "早乙女"),
        ("alias-name", "alias_name", "金田\u3000世蓮"),
        ("latin-only", "name_roman", "NGUYEN THI MAI"),
    ],
)
def test_other_names_stand_beside_the_record(city: City, key: str, column: str, value: str) -> None:
    assert one(city, "resident_details", golden(key).number)[column] == value


def test_a_latin_name_has_no_kana(city: City) -> None:
    row = one(city, "resident_registry", golden("latin-only").number)
    assert row["family_name"].isalpha()
    assert not row["family_name"].isascii()
    assert (row["family_name_kana"], row["given_name_kana"]) == (None, None)
    assert row["resident_kind"] == "2"


def test_the_twins_differ_in_their_numbers_only(city: City) -> None:
    one_of, other = (one(city, "resident_registry", no) for no in ("0000000183", "0000000184"))
    assert {name for name in one_of if one_of[name] != other[name]} == {"resident_no"}
    assert one(city, "child_allowance", "0000000181")["children"] == 2


@pytest.mark.parametrize(
    ("key", "born"),
    [
        ("born-on-1-april", date(2020, 4, 1)),
        ("born-on-29-february", date(1952, 2, 29)),
        ("centenarian", date(1926, 5, 15)),
    ],
)
def test_birthdays_are_those_of_the_story(city: City, key: str, born: date) -> None:
    assert one(city, "resident_registry", golden(key).number)["birth_date"] == born


def test_who_is_born_on_29_february_changes_insurance_at_75() -> None:
    number = golden("born-on-29-february").number
    with build(1_000, on=date(2027, 2, 26)) as town:
        assert one(town, "national_health_insurance", number)["lost_on"] is None

        town.advance(3)

        lost = one(town, "national_health_insurance", number)["lost_on"]
        assert lost == one(town, "latter_stage_medical", number)["gained_on"]
        assert date(2027, 2, 28) <= lost <= date(2027, 3, 1)


def test_the_old_number_points_to_the_new_one(city: City) -> None:
    story = golden("merged")
    row = one(city, "nonresidents", story.nonresident_no, "nonresident_no")
    assert (row["merged_into_no"], row["is_representative"]) == (story.resident_no, 0)
    resident = one(city, "resident_registry", story.resident_no)
    assert row["full_name"] == f"{resident['family_name']}\u3000{resident['given_name']}"
    assert row["birth_date"] == resident["birth_date"]
