"""The pulse along real gateways: whole, broken before the cloud, broken before the relay."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL = "hall-core"
WITHIN_SECONDS = 30


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town.found(tmp_path_factory.mktemp("pulse") / "w", city) as made:
        made.start(HALL, environment={"KUMO_PULSE_SECONDS": "0.5"})
        made.start_all(but=[HALL])
        yield made


def way(town: Town, to_site: str) -> dict[str, Any] | None:
    said = town.call("/api/v1/watch")
    return next((one for one in said["ways"] if one["to_site"] == to_site), None)


def test_every_site_on_the_way_says_a_signed_word(town: Town) -> None:
    found = until("a whole beat", lambda: _whole(town), WITHIN_SECONDS)

    assert found["way"] == [HALL, "hall-exchange", "asp-relay", "public-cloud"]
    assert [word["site"] for word in found["words"]] == found["way"][1:]
    assert all(word["came"] <= word["left"] for word in found["words"])


def test_a_way_that_is_broken_names_both_sides_of_the_gap_and_heals(town: Town) -> None:
    until("a whole beat", lambda: _whole(town), WITHIN_SECONDS)

    town.running["public-cloud"].kill()
    broken = until("a broken beat", lambda: _broken(town), WITHIN_SECONDS)
    assert (broken["broken_from"], broken["broken_to"]) == ("asp-relay", "public-cloud")
    assert broken["code"] == "exchange.peer_unreachable"

    town.running["asp-relay"].kill()
    nearer = until(
        "another gap",
        lambda: ((b := _broken(town)) and b["broken_to"] == "asp-relay" and b) or None,
        WITHIN_SECONDS,
    )
    assert nearer["broken_from"] == "hall-exchange"
    assert nearer["broken_since"] == broken["broken_since"]

    town.start("asp-relay")
    town.start("public-cloud")
    healed = until("a whole beat", lambda: _whole(town), WITHIN_SECONDS)
    assert healed["broken_since"] is None


def test_the_settled_part_is_given_once(town: Town) -> None:
    first = town.call("/api/v1/watch")
    again = town.call(f"/api/v1/watch?known={first['version']}")

    settled = first["settled"]
    assert settled["contacts"][settled["sites"]["public-cloud"]["contact"]]["phone"]
    assert (again["settled"], again["version"]) == (None, first["version"])


def test_who_sends_pulses_is_noted_where_they_end(town: Town) -> None:
    until("a whole beat", lambda: _whole(town), WITHIN_SECONDS)
    time.sleep(0.1)
    assert set(town.call("/api/v1/watch", site="public-cloud")["heard"]) == {HALL}


def _whole(town: Town) -> dict[str, Any] | None:
    found = way(town, "public-cloud")
    return found if found and found["code"] is None else None


def _broken(town: Town) -> dict[str, Any] | None:
    found = way(town, "public-cloud")
    return found if found and found["code"] is not None else None
