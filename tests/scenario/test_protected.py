"""Protected persons (支援措置), with real gateways: no link carries them, an office is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kumobashi.kernel import business_date
from kumobashi.testing.city import City
from kumobashi.testing.town import Refused, Town
from tests.scenario.accounts import account
from tests.scenario.expecting import NHI, NOTICES, tokens

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
TODAY = business_date(datetime.now(UTC))
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("protected") / "w", city, is_gated=True) as made:
        made.start_all(but=("public-cloud",))
        made.start("public-cloud")
        yield made


def protect(town: Town, number: str, first: str, last: str | None = None) -> None:
    until = f"date '{last}'" if last else "date '2099-12-31'"
    town.change(
        "integrated-db",
        "insert into support_measures values"
        f" ('8{number[1:]}', '{number}', '1', '1', date '{first}', {until}, null, '1')",
    )


def protected(town: Town) -> set[str]:
    rows = town.sql(
        "integrated-db",
        f"select resident_no from support_measures where date '{TODAY.isoformat()}' between"
        " support_from and support_to and ended_on is null",
    )
    return {row[0] for row in rows}


def lists(town: Town) -> dict[str, dict[str, Any]]:
    return {one["transfer"]: one for one in town.call("/api/v1/individual")["lists"]}


def test_who_becomes_protected_is_taken_from_the_receiver_and_given_to_people(town: Town) -> None:
    held = protected(town)
    assert held, "the city has some"
    first = town.run(NHI, TODAY)
    assert first["state"] == "applied", first["cause"]
    there = {row[0] for row in town.sql("nhi", "select resident_no from insured_residents")}
    assert there
    assert not there & held

    number = min(there)
    protect(town, number, TODAY.isoformat())
    second = town.run(NHI, TOMORROW)

    assert second["state"] == "applied", second["cause"]
    left = {row[0] for row in town.sql("nhi", "select resident_no from insured_residents")}
    assert left == there - {number}
    before, after = lists(town)[first["transfer"]], lists(town)[second["transfer"]]
    assert after["people"] == before["people"] + 1
    assert second["left_to_people"] == after["people"], "the link's page says how many"

    with pytest.raises(Refused) as nobody:
        town.call(f"/api/v1/individual/{second['transfer']}", {})
    assert nobody.value.problem["code"] == "service.account_needed"
    clerk = account(town, "fukushi", "operator")
    seen = town.call(f"/api/v1/individual/{second['transfer']}", clerk())
    assert number in seen["numbers"]
    assert set(seen["numbers"]) <= protected(town)


def test_no_token_of_theirs_reaches_the_cloud(town: Town) -> None:
    ((number,),) = town.sql(
        "consent-desk",
        "select min(resident_no) from consents where purpose = 'child-notices'"
        " and withdrawn_on is null",
    )
    protect(town, number, "2026-01-01")

    seen = town.run(NOTICES, TODAY)

    assert seen["state"] == "applied", (seen["cause"], seen["findings"])
    arrived = {row[0] for row in town.sql("notice-cloud", "select token from notice_attributes")}
    assert not arrived & set(tokens(town, sorted(protected(town))).values())
    assert lists(town)[seen["transfer"]]["people"] >= 1


def test_an_ended_measure_protects_no_longer_and_one_that_begins_tomorrow_not_yet(
    town: Town,
) -> None:
    rows = town.sql("nhi", "select resident_no from insured_residents order by 1 desc limit 2")
    (ended,), (coming,) = rows
    day = timedelta(days=1)
    protect(town, ended, "2025-01-01", (TODAY - day).isoformat())
    protect(town, coming, (TODAY + 30 * day).isoformat())

    seen = town.run(NHI, TOMORROW + day)

    assert seen["state"] == "applied", seen["cause"]
    there = {row[0] for row in town.sql("nhi", "select resident_no from insured_residents")}
    assert {ended, coming} <= there
