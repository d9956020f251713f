"""Days pass, and the tables hang together afterwards as they did before."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.catalogue.code_lists import load_code_lists
from kumobashi.testing.city import TABLES, City, build
from kumobashi.testing.city.succession import Member, succeed
from kumobashi.testing.city.totals import totals

LIVING = "(from resident_registry where resident_status = '1')"
DAYS = 40


@pytest.fixture(scope="module")
def before() -> Iterator[City]:
    with build(6_000, seed=12, on=date(2027, 5, 12)) as town:
        yield town


@pytest.fixture(scope="module")
def after() -> Iterator[City]:
    """The same city, forty days and a new tax year later."""
    with build(6_000, seed=12, on=date(2027, 5, 12)) as town:
        town.advance(DAYS)
        yield town


def ask(city: City, sql: str) -> list[tuple[Any, ...]]:
    return city.connection.execute(sql).fetchall()


def test_the_day_of_the_city_moves_on(after: City) -> None:
    assert after.on == date(2027, 6, 21)


def test_every_household_with_a_resident_has_one_head(after: City) -> None:
    heads = f"select count(*) filter (relationship = '02') from {LIVING} group by household_no"
    assert set(ask(after, heads)) == {(1,)}


def test_members_are_numbered_without_gaps_and_the_head_is_first(after: City) -> None:
    wrong = f"""select count(*) from (
        select household_no, max(display_order) as highest, count(*) as members,
            count(distinct display_order) as places,
            max(display_order) filter (relationship = '02') as head
        from {LIVING} join resident_details using (resident_no) group by 1)
        where highest <> members or places <> members or head <> 1"""
    assert ask(after, wrong) == [(0,)]


def test_nothing_happens_to_who_has_died_or_left(after: City) -> None:
    later = """select count(*) from resident_events gone join resident_events later
        using (resident_no)
        where gone.event_reason in ('04', '05', '16') and later.event_no > gone.event_no"""
    assert ask(after, later) == [(0,)]
    statuses = """select count(*) from resident_events join resident_registry r using (resident_no)
        where event_reason in ('04', '05', '16')
            and r.resident_status <> if(event_reason = '05', '3', '2')"""
    assert ask(after, statuses) == [(0,)]


def test_events_of_one_person_are_numbered_in_the_order_of_their_dates(after: City) -> None:
    wrong = """select count(*) from (
        select event_no, event_date,
            lag(event_no, 1, 0) over (partition by resident_no order by event_no) as last,
            lag(event_date) over (partition by resident_no order by event_no) as before
        from resident_events)
        where event_no <> last + 1 or event_date < before"""
    assert ask(after, wrong) == [(0,)]


def test_who_is_new_who_left_and_who_moved_has_an_event_that_says_so(
    before: City, after: City
) -> None:
    states = "select resident_no, resident_status, town_code from resident_registry"
    old = {no: (status, town) for no, status, town in ask(before, states)}
    new = {no: (status, town) for no, status, town in ask(after, states)}
    happened: dict[str, set[str]] = {}
    for no, reason in ask(
        after,
        "select resident_no, event_reason from resident_events where processed_on > '2027-05-12'",
    ):
        happened.setdefault(no, set()).add(reason)

    assert all(happened[no] & {"01", "02", "15"} for no in new.keys() - old.keys())
    left = [no for no in old if old[no][0] == "1" != new[no][0]]
    assert left
    assert all(happened[no] & {"04", "05", "16"} for no in left)
    moved = [no for no in old if old[no][1] != new[no][1]]
    assert moved
    assert all("03" in happened[no] for no in moved)
    assert old.keys() <= new.keys()


def test_a_homes_members_stay_at_one_address(after: City) -> None:
    address = "(town_code, address_number, address_building, postal_code)"
    addresses = f"select count(distinct {address}) from {LIVING} group by household_no"
    assert set(ask(after, addresses)) == {(1,)}


@pytest.mark.parametrize("name", list(TABLES))
def test_keys_stay_unique(after: City, name: str) -> None:
    table = TABLES[name]
    if table.is_received:
        return
    key = ", ".join(table.key)
    assert ask(after, f"select count(*) from (from {name} select {key} group by all having count(*) > 1)") == [(0,)]  # fmt: skip  # noqa: E501


def test_insurance_ends_with_residence(after: City) -> None:
    for name in ("national_health_insurance", "long_term_care", "latter_stage_medical"):
        special = "and is_special_address = '0'" if name != "national_health_insurance" else ""
        open_rows = f"""select count(*) from {name} anti join {LIVING} using (resident_no)
            where lost_on is null {special}"""
        assert ask(after, open_rows) == [(0,)], name


def test_nobody_of_75_stays_in_the_national_health_insurance(after: City) -> None:
    old = f"""select count(*) from national_health_insurance
        join {LIVING} using (resident_no)
        where lost_on is null and birth_date + interval 75 year <= date '{after.on}'"""
    assert ask(after, old) == [(0,)]


def test_families_with_children_have_one_recipient(after: City) -> None:
    wrong = f"""with young as (
            select household_no, count(*) as children from {LIVING}
            where birth_date > date '{after.on}' - interval 19 year
                and relationship in ('20', '20,20') group by 1),
        paid as (select household_no, count(*) as recipients, sum(children) as children
            from child_allowance join {LIVING} using (resident_no) group by 1)
        select count(*) from young full join paid using (household_no)
        where recipients is distinct from 1 or abs(young.children - paid.children) > 1"""
    assert ask(after, wrong) == [(0,)]


def test_the_tax_year_changes_on_the_first_of_june(before: City, after: City) -> None:
    assert ask(before, "select distinct tax_year from resident_tax") == [(2026,)]
    assert ask(after, "select distinct tax_year from resident_tax") == [(2027,)]
    newcomers = """select count(*) from resident_tax join resident_registry using (resident_no)
        where resident_since > '2027-01-01'"""
    assert ask(after, newcomers) == [(0,)]


def test_newborns_have_a_mother_of_the_family_tree(after: City) -> None:
    orphans = """select count(*) from resident_events e left join family_tree f using (resident_no)
        where e.event_reason = '01' and e.processed_on > '2027-05-12' and f.mother_no is null"""
    born = "select count(*) from resident_events where event_reason = '01' and processed_on > '2027-05-12'"  # noqa: E501
    assert ask(after, orphans) == [(0,)]
    assert ask(after, born)[0][0] >= 2


def test_as_many_events_happen_as_published(after: City) -> None:
    """Forty days of 6,000 residents: 4 births, 6 deaths, 30 in, 27 out, 18 moves within."""
    count = dict(
        ask(
            after,
            """select event_reason, count(*) from resident_events
            where processed_on > '2027-05-12' group by 1""",
        )
    )
    assert count["01"] == pytest.approx(4, abs=2)
    assert count["05"] == pytest.approx(7, abs=2)  # one of them has a story
    assert count.get("02", 0) + count.get("15", 0) == pytest.approx(30, abs=5)
    assert count.get("04", 0) + count.get("16", 0) == pytest.approx(27, abs=5)


def test_the_totals_still_hold_the_year_that_ended_today(after: City) -> None:
    events = [total for total in totals(after) if total.group == "events"]
    assert all(abs(total.difference) < 0.12 for total in events)


def test_the_same_days_are_the_same_twice() -> None:
    found = []
    for _ in range(2):
        with build(1_000, seed=3) as town:
            town.advance(3)
            found.append({name: town.arrow(name) for name in town.tables})
    assert all(found[0][name].equals(found[1][name]) for name in found[0])


def test_no_days_is_a_mistake() -> None:
    with build(1_000) as town, pytest.raises(ValueError, match="at least one"):
        town.advance(0)


# -- who follows the head ------------------------------------------------------------------------

CODES = ("12", "20", "20,12", "20,20", "51", "52", "71", "74", "81", "84", "96", "99", "11,52")
MEMBER = st.tuples(st.sampled_from(CODES), st.sampled_from("12"), st.floats(0, 100))
MEMBERS = st.lists(MEMBER, min_size=1, max_size=8)


@given(drawn=MEMBERS, late=st.sampled_from("12"))
def test_exactly_one_member_follows_the_head_and_all_codes_can_be_read(
    drawn: list[tuple[str, str, float]], late: str
) -> None:
    members = [Member(f"{n}", code, sex, age) for n, (code, sex, age) in enumerate(drawn)]

    followed = list(succeed(members, late_sex=late))

    assert [m for m, _ in followed] == members
    assert [code for _, code in followed].count("02") == 1
    known = load_code_lists()["relationship"]
    for _, code in followed:
        assert len(code.split(",")) <= known.chain
        assert set(code.split(",")) <= set(known.values)


def test_the_eldest_child_follows_and_the_others_become_brothers_and_sisters() -> None:
    members = [
        Member("a", "20", "1", 50.0),
        Member("b", "20,12", "2", 48.0),
        Member("c", "20,20", "2", 12.0),
        Member("d", "20", "2", 47.0),
    ]
    assert [code for _, code in succeed(members, late_sex="1")] == ["02", "12", "20", "84"]
