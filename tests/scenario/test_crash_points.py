"""kill -9 at each named point, then a restart: applied once, every time, and nobody had to help.

``make test`` visits every point once, at one of the sites that pass it; ``make faults`` visits all
of them at all sites, for several parts, during recovery too, and kills at random besides. Rounds
(``kumobashi.testing.faults.run``) kill on a line that is bad at the same time.
"""

import contextlib
import os
import random
import time
from collections.abc import Iterator

import pytest

from kumobashi.testing.city import City
from kumobashi.testing.crash_points import RECEIVER, RELAY, SENDER, is_repeated, names, sides
from kumobashi.testing.gateways import Timeout, until
from kumobashi.testing.town import SITES, Town
from tests.scenario.expecting import (
    NHI,
    NOTICES,
    change_some,
    check_settled,
    unquiet,
)

pytestmark = [pytest.mark.scenario, pytest.mark.slow]
SITES_OF = {
    SENDER: ("hall-core",),
    RELAY: ("hall-exchange", "asp-relay"),
    RECEIVER: ("public-cloud",),
}
SEED = int(os.environ.get("KUMO_SEED", "20261121"))


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with Town.found(folder / "w", city, part_bytes=65_536) as made:
        made.start_all()
        yield made


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED} {request.node.name}")


def places(name: str) -> list[str]:
    return [site for side in sides(name) for site in SITES_OF[side]]


def once() -> list[tuple[str, str]]:
    """Every point at one site; points that several sites pass take turns."""
    passed = [name for name in names() if sides(name)]
    return [(name, places(name)[number % len(places(name))]) for number, name in enumerate(passed)]


def everywhere() -> list[tuple[str, str, int]]:
    return [
        (name, site, count)
        for name in names()
        for site in places(name)
        for count in ((1, 2) if is_repeated(name) else (1,))
    ]


def in_one_site() -> list[str]:
    """Points of a link whose two systems stand at one site: it is sender and receiver."""
    passed = [name for name in names() if sides(name)]
    return [name for name in passed if RELAY not in sides(name) or RECEIVER in sides(name)]


def crash_and_recover(
    town: Town, chance: random.Random, link: str, name: str, site: str, count: int = 1
) -> None:
    town.start_all()
    change_some(town, chance, link)
    town.restart(site, crash=f"{name}:{count}")

    transfer = (
        town.submit(link, again=True)["transfer"] if site != "hall-core" else submit(town, link)
    )
    code = town.running[site].wait_end(30)
    assert code == -9, f"{name} was not reached at {site}"

    town.start(site)
    assert transfer_settles(town, link, transfer)


def submit(town: Town, link: str) -> str:
    """Ask for a run; the gateway may die before it has answered, but not before it was asked."""
    try:
        return str(town.submit(link, again=True)["transfer"])
    except OSError:
        return str(town.ledger("hall-core").outgoing()[-1].transfer)


def transfer_settles(town: Town, link: str, transfer: str) -> bool:
    seen = town.wait(transfer, seconds=60)
    assert (seen["state"], seen["light"], seen["cause"]) == ("applied", "applied", None)
    # The last hops hear of the end a moment after the sender.
    with contextlib.suppress(Timeout):
        until("quiet", lambda: unquiet(town) == [] or None, 10)
    check_settled(town, transfer, link)
    return True


@pytest.mark.parametrize(("name", "site"), once())
def test_killed_at_each_point_it_goes_on_and_applies_once(
    town: Town, chance: random.Random, name: str, site: str
) -> None:
    crash_and_recover(town, chance, NOTICES, name, site)


@pytest.mark.parametrize("name", ["sending.sealed", "inbox.closed", "receiving.applied_unrecorded"])
def test_within_one_site_too(town: Town, chance: random.Random, name: str) -> None:
    crash_and_recover(town, chance, NHI, name, "hall-core")


@pytest.mark.parametrize(
    ("first", "then", "site"),
    [
        ("sending.part_put", "sending.announced", "hall-core"),
        ("relaying.parts_passed", "relaying.passed_before_commit", "asp-relay"),
        ("receiving.opened", "receiving.validated", "public-cloud"),
        ("receiving.applied_unrecorded", "receiving.applied", "public-cloud"),
    ],
)
def test_killed_again_while_it_recovers(
    town: Town, chance: random.Random, first: str, then: str, site: str
) -> None:
    town.start_all()
    change_some(town, chance, NOTICES)
    town.restart(site, crash=f"{first}:1")
    transfer = submit(town, NOTICES)
    assert town.running[site].wait_end(30) == -9

    process = town.start(site, crash=f"{then}:1", wait=False)
    assert process.wait_end(30) == -9
    town.start(site)

    assert transfer_settles(town, NOTICES, transfer)


@pytest.mark.faults
@pytest.mark.parametrize(("name", "site", "count"), everywhere())
def test_at_every_site_and_every_part(
    town: Town, chance: random.Random, name: str, site: str, count: int
) -> None:
    crash_and_recover(town, chance, NOTICES, name, site, count)


@pytest.mark.faults
@pytest.mark.parametrize("name", in_one_site())
def test_every_point_within_one_site(town: Town, chance: random.Random, name: str) -> None:
    crash_and_recover(town, chance, NHI, name, "hall-core")


@pytest.mark.faults
@pytest.mark.parametrize("round_", range(10))
def test_killed_at_any_moment(town: Town, chance: random.Random, round_: int) -> None:
    town.start_all()
    link = chance.choice([NOTICES, NOTICES, NHI])
    change_some(town, chance, link)
    transfer = town.submit(link, again=True)["transfer"]
    for _ in range(chance.randint(1, 3)):
        time.sleep(chance.uniform(0.0, 1.2))
        for site in chance.sample(SITES, chance.randint(1, 2)):
            town.running[site].kill()
            town.start(site)

    assert transfer_settles(town, link, transfer)
