"""The sample's links inside the hall run, though no night of the demo runs them."""

from collections.abc import Iterator

import duckdb
import pytest

from kumobashi.exchange.past_runs import past_runs
from kumobashi.testing.city import City
from kumobashi.testing.town import DAY, Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
REGISTER = "src.resident_registry"
AGE = f"(({DAY:%Y%m%d} - (year(birth_date) * 10000 + month(birth_date) * 100 + day(birth_date))) // 10000)"  # noqa: E501 - one expression
ASSISTED = "resident_no in (select resident_no from src.public_assistance)"
EXEMPT = "resident_no in (select resident_no from src.resident_tax where exemption_kind = '1')"
NAMED = "resident_no, family_name, birth_date"
# link → its receiver, the table there, and the same rows asked of the source in words of our own
LINKS = {
    "resident-to-school": (
        "school-register",
        "school_register_residents",
        f"select {NAMED} from {REGISTER} where resident_status = '1' and {AGE} between 5 and 14",
        NAMED,
    ),
    "resident-to-electoral-roll": (
        "electoral-roll",
        "electoral_roll_residents",
        (
            f"select resident_no, birth_date from {REGISTER}"
            f" where resident_status = '1' and resident_kind = '1' and {AGE} >= 17"
        ),
        "resident_no, birth_date",
    ),
    "resident-to-long-term-care": (
        "long-term-care",
        "care_insurance_residents",
        f"select {NAMED} from {REGISTER} where resident_status = '1' and {AGE} >= 64",
        NAMED,
    ),
    "resident-to-latter-stage": (
        "latter-stage-medical",
        "latter_stage_residents",
        (
            f"select {NAMED}, ({ASSISTED})::smallint from {REGISTER}"
            f" where resident_status = '1' and {AGE} >= 74"
        ),
        f"{NAMED}, public_assistance",
    ),
    "resident-to-collection": (
        "collection",
        "collection_addressees",
        (
            f"select resident_no, family_name, ({EXEMPT})::smallint from {REGISTER}"
            f" where resident_status = '1' and {AGE} >= 18"
        ),
        "resident_no, family_name, tax_exempt",
    ),
}


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Only the hall: both systems of these links are in it."""
    with Town.found(tmp_path_factory.mktemp("hall") / "w", city) as made:
        made.start("hall-core")
        yield made


@pytest.mark.parametrize("link", LINKS)
def test_a_link_inside_the_hall_brings_exactly_those_it_means(town: Town, link: str) -> None:
    system, table, asked, columns = LINKS[link]

    run = town.wait(town.submit(link)["transfer"])

    assert run["state"] == "applied", run
    data = town.folder / "var/hall-core/data"
    with duckdb.connect() as both:
        both.execute(f"attach '{data / 'integrated-db.duckdb'}' as src (read_only)")
        both.execute(f"attach '{data / f'{system}.duckdb'}' as dst (read_only)")
        expected = set(both.execute(asked).fetchall())
        found = set(both.execute(f"select {columns} from dst.{table}").fetchall())
    set_aside = run["rows_quarantined"] + (run["rows_set_aside"] or 0)
    assert found <= expected
    assert len(expected) - len(found) == set_aside
    assert found


def test_the_plan_takes_its_time_from_the_runs(town: Town) -> None:
    town.wait(town.submit("resident-to-school")["transfer"])

    runs = past_runs(
        town.folder / "var/hall-core/state.db", tenant="999997", link="resident-to-school"
    )

    assert runs
    assert all(0 < run.seconds < 60 and run.rows > 0 for run in runs)
    assert past_runs(town.folder / "nothing.db", tenant="999997", link="x") == []
