"""The tables agree with each other, with their layouts, and with themselves when built again."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kumobashi.catalogue.checking import findings
from kumobashi.catalogue.layouts import load_layouts
from kumobashi.kernel import KumobashiError
from kumobashi.testing.city import (
    PURPOSES,
    SYSTEMS,
    TABLES,
    City,
    build,
    change,
    date_anew,
    write_embedded,
)


def _has_layout(name: str) -> bool:
    try:
        load_layouts().get(name.replace("_", "-"), "1")
    except KumobashiError:
        return False
    return True


LIVING = "(from resident_registry where resident_status = '1')"
SOURCES = [name for name, table in TABLES.items() if not table.is_received]
DESCRIBED = [name for name in SOURCES if _has_layout(name)]
# Rows that outlive residence: tax of the year, insurance that follows someone into an institution.
RESIDENTS_ONLY = (
    "child_allowance",
    "child_support_allowance",
    "public_assistance",
    "vaccinations",
    "consents",
    "support_measures",
    "disability_certificates",
)


def ask(city: City, sql: str) -> list[tuple[Any, ...]]:
    return city.connection.execute(sql).fetchall()


def test_the_same_seed_and_size_give_the_same_city() -> None:
    with build(1_000, seed=5) as first, build(1_000, seed=5) as again:
        assert all(first.arrow(name).equals(again.arrow(name)) for name in SOURCES)


def test_another_seed_gives_another_city(city: City) -> None:
    with build(1_000, seed=5) as first, build(1_000, seed=6) as other:
        assert not first.arrow("resident_registry").equals(other.arrow("resident_registry"))


@pytest.mark.parametrize("name", SOURCES)
def test_columns_are_those_of_the_schema_and_keys_are_unique(city: City, name: str) -> None:
    table = TABLES[name]
    described = {row[0]: row[1] for row in ask(city, f"describe {name}")}
    assert described == table.columns
    key = ", ".join(table.key)
    assert ask(city, f"select count(*) from (from {name} select {key} group by all having count(*) > 1)") == [(0,)]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("name", DESCRIBED)
def test_rows_keep_to_their_layout_and_its_code_lists(city: City, name: str) -> None:
    layout = load_layouts().get(name.replace("_", "-"), "1")
    assert layout.names == tuple(TABLES[name].columns)
    assert layout.key == TABLES[name].key
    assert findings(city.connection, name, layout, 10) == []


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.is_received])
def test_receiving_tables_follow_their_layout(city: City, name: str) -> None:
    layout = load_layouts().get(name.replace("_", "-"), "1")
    assert layout.names == tuple(TABLES[name].columns)
    assert layout.key == TABLES[name].key


def test_no_column_could_hold_an_individual_number(city: City) -> None:
    columns = [column for table in TABLES.values() for column in table.columns]
    assert not [column for column in columns if "individual" in column or "my_number" in column]
    texts = [
        column for column, kind in TABLES["resident_registry"].columns.items() if kind == "VARCHAR"
    ]
    for column in texts:
        twelve = f"count(*) filter (regexp_full_match({column}, '[0-9]{{12}}'))"
        assert ask(city, f"select {twelve} from resident_registry") == [(0,)]


@pytest.mark.parametrize("name", RESIDENTS_ONLY)
def test_only_residents_have_rows(city: City, name: str) -> None:
    strangers = f"select count(*) from {name} anti join {LIVING} using (resident_no)"
    assert ask(city, strangers) == [(0,)]


TAXED_ELSEWHERE = (
    "resident_no in (select nonresident_no from nonresidents) or resident_no in"
    " (select resident_no from resident_registry where resident_status in ('2', '3'))"
)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("national_health_insurance", "lost_on is not null"),
        ("long_term_care", "lost_on is not null or is_special_address = '1'"),
        ("latter_stage_medical", "lost_on is not null or is_special_address = '1'"),
        ("resident_tax", TAXED_ELSEWHERE),
    ],
)
def test_who_is_no_resident_has_a_row_only_for_a_reason(city: City, name: str, ends: str) -> None:
    strangers = f"select * from {name} anti join {LIVING} using (resident_no)"
    assert ask(city, f"select count(*) from ({strangers}) where not ({ends})") == [(0,)]
    assert ask(city, f"select count(*) > 0 from ({strangers})") == [(True,)]


def test_tax_fits_age_and_income(city: City) -> None:
    rows = ask(
        city,
        f"""select min(date_diff('day', birth_date, date '{city.on}') / 365.2425),
            max(tax_base) filter (exemption_kind = '1'), min(total_income), max(total_income),
            avg((exemption_kind = '1')::integer)
                filter (birth_date < date '{city.on}' - interval 20 year)
        from resident_tax join resident_registry using (resident_no)""",
    )
    youngest, exempt_base, least, most, exempt = rows[0]
    assert youngest > 14.99
    assert exempt_base == 0
    assert 0 <= least < most < 100_000_000
    assert 0.20 < exempt < 0.32


def test_assisted_households_pay_no_tax_and_are_not_insured(city: City) -> None:
    assert ask(city, "select count(*) from public_assistance join resident_tax using (resident_no)"
               " where exemption_kind <> '1'") == [(0,)]  # fmt: skip
    assert ask(city, "select count(*) from public_assistance join national_health_insurance"
               " using (resident_no) where qualification_kind <> '0'") == [(0,)]  # fmt: skip
    partly = f"""select count(*) from (select household_no from {LIVING} r
        left join public_assistance p using (resident_no) group by r.household_no
        having count(p.resident_no) not in (0, count(*)))"""
    assert ask(city, partly.replace("select household_no", "select r.household_no")) == [(0,)]


def test_insurance_ends_at_75_and_lost_ones_have_a_date(city: City) -> None:
    eldest, wrong = ask(
        city,
        f"""select max(date_diff('day', birth_date, date '{city.on}') / 365.2425),
            count(*) filter ((qualification_kind = '0') <> (lost_on is not null)
                or lost_on < gained_on)
        from national_health_insurance join resident_registry using (resident_no)""",
    )[0]
    assert eldest < 75.01
    assert wrong == 0


def test_one_parent_receives_child_allowance_for_all_children(city: City) -> None:
    wrong = ask(
        city,
        f"""with young as (
            select household_no, count(*) as children from {LIVING}
            where birth_date > date '{city.on}' - interval 19 year
                and relationship in ('20', '20,20') group by 1),
        paid as (select household_no, count(*) as recipients, sum(children) as children
            from child_allowance join {LIVING} using (resident_no) group by 1)
        select count(*) from young full join paid using (household_no)
        where recipients is distinct from 1 or abs(young.children - paid.children) > 1""",
    )
    assert wrong == [(0,)]


def test_child_support_goes_to_lone_parents_with_children(city: City) -> None:
    rows = ask(
        city,
        f"""select count(*) filter (exists (from {LIVING} wife
                where wife.household_no = r.household_no and wife.relationship in ('12', '14', '11')
                    and r.relationship = '02')),
            count(*) filter (not exists (from {LIVING} child
                where child.household_no = r.household_no and child.relationship like '20%'
                    and child.birth_date > date '{city.on}' - interval 19 year - interval 2 day)),
            count(*)
        from child_support_allowance join {LIVING} r using (resident_no)""",
    )
    with_partner, without_children, count = rows[0]
    assert (with_partner, without_children) == (0, 0)
    assert count > 0


def test_nobody_is_vaccinated_before_the_age_for_it(city: City) -> None:
    ages = dict(
        ask(
            city,
            """select vaccine_code, min(date_diff('day', birth_date, vaccinated_on) / 365.2425)
            from vaccinations join resident_registry using (resident_no) group by 1""",
        )
    )
    assert ages["mr-1"] >= 1
    assert ages["je-2"] >= 9
    later = f"select count(*) from vaccinations where vaccinated_on > date '{city.on}'"
    assert ask(city, later) == [(0,)]


def test_some_children_of_nine_wait_for_their_vaccination() -> None:
    with build(20_000) as town:
        rows = town.connection.execute(
            f"""select count(*), count(v.resident_no) from {LIVING} r
            left join vaccinations v on v.resident_no = r.resident_no and vaccine_code = 'je-2'
            where birth_date between date '{town.on}' - interval 13 year
                and date '{town.on}' - interval 12 year"""
        ).fetchall()
    children, vaccinated = rows[0]
    assert 0.55 < vaccinated / children < 0.95


def test_full_consent_means_a_row_for_everyone_and_every_purpose() -> None:
    with build(1_000, consent=1.0) as town:
        assert town.counts()["consents"] == 1_000 * len(PURPOSES)
        assert town.table("consents").filter("withdrawn_on is not null").count("*").fetchall() == [
            (0,)
        ]


def test_consents_come_near_the_share_asked_for(city: City) -> None:
    share = city.counts()["consents"] / city.residents / len(PURPOSES)
    assert 0.38 < share < 0.46


def test_each_system_gets_a_file_with_its_tables_in_the_order_of_their_keys(
    city: City, tmp_path: Path
) -> None:
    paths = {system: tmp_path / system / "it's.duckdb" for system in SYSTEMS}

    written = write_embedded(city, paths)

    assert written == city.counts()
    for system, path in paths.items():
        with duckdb.connect(str(path), read_only=True) as store:
            beside = {"data_times"} if system == "integrated-db" else set()
            assert {row[0] for row in store.execute("show tables").fetchall()} == {
                table.name for table in SYSTEMS[system]
            } | beside
    with duckdb.connect(str(paths["integrated-db"]), read_only=True) as store:
        held = store.execute("select resident_no from resident_registry").fetchall()
        assert held == sorted(held)


def test_the_integrated_database_says_of_which_moment_its_data_are(
    city: City, tmp_path: Path
) -> None:
    path = tmp_path / "i.duckdb"
    write_embedded(city, {"integrated-db": path})
    first = _times(path)
    date_anew(path, at=datetime(2030, 1, 2, 3, tzinfo=UTC))

    assert {dataset for dataset, *_ in first} >= {"residents", "resident_tax"}
    assert all(core < taken for _, core, taken in first)
    # eight and five hours before, in Japanese time
    assert {tuple(times) for _, *times in _times(path)} == {
        (datetime(2030, 1, 2, 4), datetime(2030, 1, 2, 7))  # noqa: DTZ001 - as such tables hold it
    }


def _times(path: Path) -> list[tuple[str, datetime, datetime]]:
    with duckdb.connect(str(path), read_only=True) as store:
        return store.execute("from data_times").fetchall()


def test_writing_again_replaces_the_file(city: City, tmp_path: Path) -> None:
    paths = {"consent-desk": tmp_path / "c.duckdb"}
    assert write_embedded(city, paths) == write_embedded(city, paths)


def test_a_day_changes_the_register_as_it_says_and_keeps_it_whole(
    city: City, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.duckdb", tmp_path / "after.duckdb"
    write_embedded(city, {"integrated-db": before})
    write_embedded(city, {"integrated-db": after})

    changes = change(after, seed=9, residents=100, on=date(2026, 11, 2))

    with duckdb.connect(str(after), read_only=True) as store:
        store.execute(f"attach '{before}' as old (read_only)")
        rows = store.execute(
            """select count(*) filter (o.resident_no is null),
                count(*) filter (o.resident_status = '1' and n.resident_status <> '1'),
                count(*) filter (o.resident_status = '1' and n.resident_status = '1'
                    and n.town_code || n.address_number || n.updated_at::varchar
                        <> o.town_code || o.address_number || o.updated_at::varchar)
            from resident_registry n left join old.resident_registry o using (resident_no)"""
        ).fetchall()
        heads = store.execute(
            "select distinct count(*) filter (relationship = '02')"
            f" from {LIVING} group by household_no"
        ).fetchall()
        wrong = findings(
            store, "resident_registry", load_layouts().get("resident-registry", "1"), 10
        )
    assert rows == [(changes.inserted, changes.removed, changes.updated)]
    assert min(changes.inserted, changes.removed, changes.updated) > 10
    assert heads == [(1,)]
    assert wrong == []


def test_the_same_day_is_the_same_twice(city: City, tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.duckdb"
        write_embedded(city, {"integrated-db": path})
        change(path, seed=4, residents=60)
        with duckdb.connect(str(path), read_only=True) as store:
            found.append(store.sql("from resident_registry order by all").fetchall())
    assert found[0] == found[1]
