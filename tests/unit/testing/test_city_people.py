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
    assert sum(left.values()) < city.residents * 0.07  # those of one year


def test_every_household_of_residents_has_one_head(city: City) -> None:
    heads = f"select count(*) filter (relationship = '02') from {LIVING} group by household_no"
    assert set(ask(city, heads)) == {(1,)}


def test_members_of_a_household_live_at_one_address(city: City) -> None:
    address = "(town_code, address_number, address_building, postal_code)"
    addresses = f"select count(distinct {address}) from {LIVING} group by household_no"
    assert set(ask(city, addresses)) == {(1,)}


@pytest.mark.parametrize(("parent", "sex"), [("father", "1"), ("mother", "2")])
def test_parents_are_15_to_50_years_older_and_of_their_sex(
    city: City, parent: str, sex: str
) -> None:
    count, youngest, eldest, others = ask(
        city,
        f"""select count(*), min(years), max(years), count(*) filter (sex <> '{sex}') from (
            select date_diff('day', p.birth_date, c.birth_date) / 365.2425 as years, p.sex
            from family_tree f join resident_registry c using (resident_no)
                join resident_registry p on p.resident_no = f.{parent}_no)""",
    )[0]
    assert count > city.residents * 0.2
    assert 15 < youngest < eldest < 50
    assert others == 0


def test_couples_name_each_other_and_are_no_brother_and_sister(city: City) -> None:
    wrong = one(
        city,
        """select count(*) from family_tree a left join family_tree b on a.spouse_no = b.resident_no
        where a.spouse_no is not null and (b.spouse_no is distinct from a.resident_no
            or (a.mother_no = b.mother_no))""",
    )
    assert wrong == 0
    assert one(city, "select count(*) from family_tree where spouse_no is not null") > 1_000


def test_one_mother_has_no_two_births_within_nine_months(city: City) -> None:
    soonest = one(
        city,
        """select min(born - before) from (
            select birth_date as born,
                lag(birth_date) over (partition by mother_no order by birth_date) as before
            from family_tree join resident_registry using (resident_no)
            where mother_no is not null)""",
    )
    assert soonest > 270


def test_there_are_grandparents_in_the_home_and_down_the_street(city: City) -> None:
    homes = ask(
        city,
        """select (child.household_no = granny.household_no) as together, count(*)
        from family_tree c join family_tree m on m.resident_no = c.mother_no
            join resident_registry child on child.resident_no = c.resident_no
            join resident_registry granny on granny.resident_no = m.mother_no
        group by 1 order by 1""",
    )
    assert [together for together, _ in homes] == [False, True] or len(homes) == 1


def test_a_son_bears_the_name_of_his_father(city: City) -> None:
    wrong = one(
        city,
        """select count(*) from family_tree f
            join resident_registry c using (resident_no)
            join resident_registry p on p.resident_no = f.father_no
        where c.sex = '1' and c.relationship = '02' and c.family_name <> p.family_name
            and c.resident_kind = '1'""",
    )
    assert wrong == 0


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
