"""A gateway whose clock is wrong: refused by name, waited for, and right again by itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import Town
from tests.scenario.expecting import NOTICES, check_settled

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL, WRONG = "hall-core", "asp-relay"


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    with Town.found(tmp_path / "w", city, part_bytes=65_536) as made:
        clock = {"KUMO_CLOCK_FILE": str(tmp_path / "clock")}
        made.start_all(but=[WRONG])
        made.start(WRONG, environment=clock)
        yield made


@pytest.mark.parametrize("wrong", [3_600, -3_600, 86_400])
def test_a_wrong_clock_is_named_and_waited_for(town: Town, tmp_path: Path, wrong: int) -> None:
    (tmp_path / "clock").write_text(str(wrong), "ascii")
    transfer = town.submit(NOTICES)["transfer"]

    seen = town.wait(transfer, lambda now: bool(now["cause"]))
    assert seen["state"] in {"sealed", "sent"}
    assert "crypto.signature_expired" in json.dumps(seen["cause"])

    (tmp_path / "clock").unlink()
    town.wait(transfer)
    check_settled(town, transfer, NOTICES)


def test_half_a_minute_is_nothing(town: Town, tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("20", "ascii")

    transfer = town.run(NOTICES)["transfer"]

    check_settled(town, transfer, NOTICES)


@pytest.mark.parametrize("wrong", [3_600, -3_600])
def test_a_site_whose_own_clock_was_set_wrong_signs_nothing_and_goes_on_by_itself(
    city: City, tmp_path: Path, wrong: int
) -> None:
    clock = tmp_path / "clock"
    with Town.found(tmp_path / "w", city, part_bytes=65_536) as town:
        town.start_all(but=[HALL])
        town.start(HALL, environment={"KUMO_CLOCK_FILE": str(clock), "KUMO_PULSE_SECONDS": "0.5"})
        first = until("whole beats", lambda: _whole_at(town), 30)
        until("another of each", lambda: (_whole_at(town) or "") > first, 30)

        clock.write_text(str(wrong), "ascii")
        transfer = town.submit(NOTICES)["transfer"]
        seen = town.wait(transfer, lambda now: bool(now["cause"]))
        assert (seen["cause"]["code"], seen["cause"]["side"]) == ("clock.not_trusted", HALL)
        assert seen["state"] in {"extracting", "created"}

        clock.unlink()
        town.wait(transfer)
        check_settled(town, transfer, NOTICES)


def _whole_at(town: Town) -> str | None:
    """Return when the oldest beat of any way was sent; nothing while one of them is not whole."""
    ways = town.call("/api/v1/watch")["ways"]
    is_whole = all(len(way["words"]) > 1 and way["code"] is None for way in ways)
    return min(str(way["at"]) for way in ways) if ways and is_whole else None
