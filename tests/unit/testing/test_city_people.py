"""Households hang together, and the people in them look like those of a city."""

from typing import Any

import pytest

from kumobashi.testing.city import City, build
from kumobashi.testing.city.names import SPECIAL_CHARACTERS


def ask(city: City, sql: str) -> list[tuple[Any, ...]]:
    return city.connection.execute(sql).fetchall()


def one(city: City, sql: str) -> Any:
    return ask(city, sql)[0][0]


LIVING = "(from resident_registry where resident_status = '1')"


def test_so_many_live_in_the_city_and_some_have_left(city: City) -> None:
    assert one(city, f"select count(*) from {LIVING}") == city.residents
    left = dict(
        ask(
            city,
            "select resident_status, count(*) from resident_registry"
            " where resident_status <> '1' group by 1",
        )
    )
    assert left.keys() == {"2", "3"}
    assert sum(left.values()) < city.residents * 0.03


def test_every_household_of_residents_has_one_head(city: City) -> None:
    heads = f"select count(*) filter (relationship = '02') from {LIVING} group by household_no"
    assert set(ask(city, heads)) == {(1,)}


def test_members_of_a_household_live_at_one_address(city: City) -> None:
    address = "(town_code, address_number, address_building, postal_code)"
    addresses = f"select count(distinct {address}) from {LIVING} group by household_no"
    assert set(ask(city, addresses)) == {(1,)}


def test_parents_were_18_to_45_years_old_at_each_birth(city: City) -> None:
    youngest, eldest = ask(
        city,
        f"""select min(years), max(years) from (
            select date_diff('day', parent.birth_date, child.birth_date) / 365.2425 as years
            from {LIVING} child join {LIVING} parent using (household_no)
            where child.relationship = '20' and parent.relationship in ('02', '11', '12', '14')
                and not exists (from {LIVING} x where x.household_no = child.household_no
                    and x.relationship in ('20,12', '20,20')))""",
    )[0]
    assert youngest > 17.99
    assert eldest < 45.01


def test_grandparents_are_older_than_their_children(city: City) -> None:
    years = one(
        city,
        f"""select min(date_diff('day', elder.birth_date, head.birth_date) / 365.2425)
        from {LIVING} elder join {LIVING} head using (household_no)
        where elder.relationship in ('51', '52') and head.relationship = '02'""",
    )
    assert years is None or years > 17.99


def test_couples_are_of_plausible_ages(city: City) -> None:
    apart = one(
        city,
        f"""select max(abs(date_diff('day', wife.birth_date, head.birth_date))) / 365.2425
        from {LIVING} wife join {LIVING} head using (household_no)
        where wife.relationship = '12' and head.relationship = '02'""",
    )
    assert apart < 27


def test_nobody_is_born_tomorrow_or_lives_here_before_birth(city: City) -> None:
    assert one(city, f"select count(*) from {LIVING} where birth_date > date '{city.on}'") == 0
    assert (
        one(city, "select count(*) from resident_registry where resident_since < birth_date") == 0
    )
    assert one(city, f"select max(updated_at) < date '{city.on}' from resident_registry")


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        ("years < 15", 0.11, 0.15),
        ("years >= 65", 0.21, 0.27),
        ("years >= 75", 0.09, 0.13),
        ("sex = '1'", 0.46, 0.53),
        ("resident_kind = '2'", 0.01, 0.045),
        ("relationship = '02'", 0.40, 0.47),  # households of 2.1 to 2.5 persons
    ],
)
def test_shares_of_the_population_are_those_of_a_large_city(
    city: City, share: str, low: float, high: float
) -> None:
    found = one(
        city,
        f"""select avg(({share})::integer) from (
            select *, date_diff('day', birth_date, date '{city.on}') / 365.2425 as years
            from {LIVING})""",
    )
    assert low < found < high


def test_numbers_are_ten_digits_unique_and_tell_no_order(city: City) -> None:
    assert one(city, "select bool_and(regexp_full_match(resident_no, '[0-9]{10}'))"
               " and count(distinct resident_no) = count(*) from resident_registry")  # fmt: skip
    neighbours = one(
        city,
        """select corr(rank_no, rank_home) from (
            select rank() over (order by resident_no) as rank_no,
                rank() over (order by household_no) as rank_home from resident_registry)""",
    )
    assert abs(neighbours) < 0.1


def test_town_codes_begin_with_the_municipality_and_name_one_town(city: City) -> None:
    assert one(city, "select bool_and(regexp_full_match(town_code, '999997[0-9]{7}'))"
               " from resident_registry")  # fmt: skip
    names = (
        "select count(distinct (town_name, postal_code)) from resident_registry group by town_code"
    )
    assert set(ask(city, names)) == {(1,)}


def test_the_smallest_city_holds_every_special_character() -> None:
    with build(1_000, seed=11) as small:
        for character in SPECIAL_CHARACTERS:
            found = small.connection.execute(
                f"select count(*) from {LIVING} where contains(family_name, ?)", [character]
            ).fetchall()
            assert found[0][0] > 0, f"U+{ord(character[0]):X}"


def test_names_are_read_in_katakana(city: City) -> None:
    assert one(city, "select bool_and(regexp_full_match(family_name_kana || given_name_kana,"
               " '[ァ-ヶー]+')) from resident_registry")  # fmt: skip
