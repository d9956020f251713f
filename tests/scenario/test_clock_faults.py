"""Clocks that go wrong while data is under way: month end in the wrong zone, leap second, drift.

No transfer is lost or done twice, records stay in the order in which things happened, and whoever
is wrong is named.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.exchange.evidence_state import Selection
from kumobashi.exchange.evidence_tables import STATES
from kumobashi.kernel import JST
from kumobashi.service.evidence_desk import EvidenceDesk
from kumobashi.testing.city import City
from kumobashi.testing.gateways import until
from kumobashi.testing.town import SITES, Town
from tests.scenario.expecting import NHI, NOTICES, check_settled

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
HALL, RELAY = "hall-core", "asp-relay"
NINE_HOURS = 9 * 3600


class Clocks:
    """A file for each site's clock: by how many seconds it is wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set(self, site: str, seconds: float) -> None:
        """Set a clock: at once, as a reader never sees half of a file."""
        new = self._folder / f"{site}.new"
        new.write_text(str(seconds), "ascii")
        new.replace(self._folder / site)

    def wrong(self, site: str) -> float:
        """Return by how much a clock is wrong now."""
        file = self._folder / site
        return float(file.read_text("ascii")) if file.exists() else 0.0

    def start(self, town: Town) -> None:
        """Start all gateways, each by its own clock."""
        for site in SITES:
            file = str(self._folder / site)
            town.start(site, environment={"KUMO_CLOCK_FILE": file, "KUMO_PULSE_SECONDS": "0.5"})

    @contextmanager
    def running_away(self, site: str, *, to: float) -> Iterator[None]:
        """Have a clock gain a second every twentieth of one, until it is wrong by ``to``."""
        is_over = threading.Event()

        def gain() -> None:
            wrong = 0.0
            while not is_over.wait(0.05):
                wrong = min(wrong + 1, to)
                self.set(site, wrong)

        thread = threading.Thread(target=gain)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    folder = tmp_path / "clocks"
    folder.mkdir()
    return Clocks(folder)


@pytest.fixture
def town(city: City, tmp_path: Path) -> Iterator[Town]:
    with Town.found(tmp_path / "w", city, part_bytes=65_536) as made:
        yield made


def to_month_end(*, before: float) -> float:
    """Return how far it is, in seconds, to so many seconds before this month ends in Japan."""
    now = datetime.now(JST)
    first = (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return (first - now).total_seconds() - before


def test_a_site_in_the_wrong_zone_at_the_end_of_a_month(town: Town, clocks: Clocks) -> None:
    away = to_month_end(before=8)
    for site in SITES:
        clocks.set(site, away + (NINE_HOURS if site == RELAY else 0))  # wrote local time as UTC
    clocks.start(town)

    transfer = town.submit(NOTICES)["transfer"]
    seen = town.wait(transfer, lambda now: bool(now["cause"]))
    told = json.dumps(seen["cause"])
    assert "crypto.signature_expired" in told
    assert str(NINE_HOURS)[:3] in told  # by how much, so that nine hours are seen to be a zone

    clocks.set(RELAY, away)
    town.wait(transfer)
    ahead = timedelta(seconds=away)
    until("the first of the month", lambda: (datetime.now(JST) + ahead).day == 1, 20)
    after = town.run(NHI)["transfer"]
    check_settled(town, transfer, NOTICES)
    check_settled(town, after, NHI)

    months = {at.astimezone(JST).month for at in times(town, HALL)}
    assert len(months) == 2, "the night went from one month into the next"
    check_records(town)


def test_a_leap_second_that_every_site_takes_when_it_likes(town: Town, clocks: Clocks) -> None:
    clocks.start(town)
    first = town.submit(NOTICES)["transfer"]
    for number, site in enumerate(SITES):  # one repeats the second, another smears it
        clocks.set(site, -1.0 if number % 2 else -0.5)
    second = town.submit(NHI)["transfer"]
    for site in SITES:
        clocks.set(site, -1.0)
    for one in (first, second):
        assert town.wait(one)["attempt"] == 1
    for one, link in ((first, NOTICES), (second, NHI)):
        check_settled(town, one, link)
    check_records(town)


def test_a_clock_that_runs_away_stops_what_it_would_sign(town: Town, clocks: Clocks) -> None:
    clocks.start(town)
    until("every way was heard", lambda: heard(town), 30)
    known = town.call("/api/v1/clocks")
    assert abs(known["own"]["ahead_seconds"]) < 1
    assert {one["name"] for one in known["sources"] if one["kind"] == "site"} == {*SITES} - {HALL}
    with clocks.running_away(HALL, to=240):
        until("a minute is gained", lambda: clocks.wrong(HALL) > 60, 30)
        transfer = town.submit(NOTICES)["transfer"]
        seen = town.wait(transfer, lambda now: bool(now["cause"]))
        assert (seen["cause"]["code"], seen["cause"]["side"]) == ("clock.not_trusted", HALL)
    clocks.set(HALL, 0)
    town.wait(transfer)
    check_settled(town, transfer, NOTICES)
    check_records(town)


def heard(town: Town) -> bool:
    """Whether every site on every way has signed a time."""
    ways = town.call("/api/v1/watch")["ways"]
    return bool(ways) and all(len(way["words"]) > 1 and way["code"] is None for way in ways)


def times(town: Town, site: str) -> list[datetime]:
    """Return when the records of a site say that they were written."""
    return [datetime.fromisoformat(str(said["at"])).astimezone(UTC) for said in records(town, site)]


def records(town: Town, site: str) -> list[Mapping[str, object]]:
    """Return a site's records in the order of their numbers."""
    desk = EvidenceDesk(town.folder, site)
    desk.sign()  # what was written last has a number then
    return desk.look(lambda log: [said for _, said in log.readable(Selection())])


def check_records(town: Town) -> None:
    """Assert that no record is lost, touched or out of the order in which things happened."""
    for site in SITES:
        assert is_sound(EvidenceDesk(town.folder, site)), site
        steps: dict[object, list[str]] = {}
        for said in records(town, site):
            if said.get("event") == "transfer.moved":
                steps.setdefault(said.get("transfer"), []).append(str(said.get("after")))
        for done in steps.values():
            assert done == sorted(set(done), key=list(STATES).index), (site, done)


def is_sound(desk: EvidenceDesk) -> bool:
    """Whether a site's whole evidence is as it was signed."""
    desk.sign()
    return desk.look(lambda log: log.audit(desk.directory)).is_sound
