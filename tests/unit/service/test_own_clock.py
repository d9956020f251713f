"""The clock of a gateway: who is heard, when signing stops, when it goes on, what a step tells."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kumobashi.crypto.keys import SigningKey
from kumobashi.monitoring.clocks import Skew
from kumobashi.monitoring.ntp import ask
from kumobashi.observe.notices import Notices
from kumobashi.service.own_clock import OwnClock, StatingKey
from kumobashi.service.time_errors import ClockNotTrusted
from kumobashi.testing.clocks import HandClock

SECOND = timedelta(seconds=1)
GOOD = Skew(ahead=timedelta(), within=SECOND / 100)
_SINCE_1900 = 2_208_988_800


class Machine:
    """A clock that can be set, beside one that cannot."""

    def __init__(self, stop_seconds: float = 30.0) -> None:
        self.wall, self.steady = HandClock(datetime(2026, 11, 24, 3, 0, tzinfo=UTC)), 100.0
        self.notices = Notices()
        self.clock = OwnClock(
            self.wall,
            site="hall-core",
            servers=(),
            stop_seconds=stop_seconds,
            notices=self.notices,
            steady=lambda: self.steady,
        )

    def passes(self, seconds: float, *, drift: float = 1.0) -> None:
        self.steady += seconds
        self.wall.at += timedelta(seconds=seconds * drift)


@dataclass(frozen=True)
class Said:
    """A site's word on a pulse."""

    site: str
    came: datetime
    left: datetime


@dataclass(frozen=True)
class Sent:
    """A pulse that came back."""

    at: datetime
    seconds: float
    words: Sequence[Said]


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_key_signs_while_nothing_is_known_and_while_all_agree(machine: Machine) -> None:
    key = StatingKey.of(SigningKey.generate(), machine.clock.check)
    key.sign(b"nothing was heard yet")
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    assert key.public.verifies(key.sign(b"a receipt"), b"a receipt")


@pytest.mark.parametrize("by", [3600.0, -3600.0, 31.0, -31.0])
def test_a_step_stops_signing_at_once_and_being_set_right_lets_it_go_on(
    machine: Machine, by: float
) -> None:
    key = StatingKey.of(SigningKey.generate(), machine.clock.check)
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])

    machine.wall.at += timedelta(seconds=by)
    with pytest.raises(ClockNotTrusted) as refused:
        key.sign(b"a manifest")
    assert refused.value.retryable
    assert "cloud, relay" in refused.value.remedy("ja")

    machine.wall.at -= timedelta(seconds=by)
    key.sign(b"a manifest")


def test_sources_that_were_heard_while_the_clock_moved_still_agree_that_it_is_wrong(
    machine: Machine,
) -> None:
    for number, site in enumerate(("relay", "cloud", "exchange")):
        ahead = timedelta(seconds=-60 - number)  # a second more for each
        machine.clock.heard(f"site:{site}", Skew(ahead=ahead, within=SECOND / 100))

    assert machine.clock.verdict() is None
    with pytest.raises(ClockNotTrusted):
        machine.clock.check()


def test_a_date_counts_again_when_the_signed_time_is_too_old(machine: Machine) -> None:
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    machine.passes(700)
    there = machine.wall.at + timedelta(hours=1)
    for site in ("relay", "cloud"):
        machine.clock.heard_date(site, machine.wall.at, format_datetime(there))

    with pytest.raises(ClockNotTrusted):
        machine.clock.check()


@pytest.mark.parametrize("by", [3600.0, -3600.0])
def test_an_answer_on_whose_way_the_clock_was_set_hides_nothing(
    machine: Machine, by: float
) -> None:
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    sent = machine.wall.at
    machine.wall.at += timedelta(seconds=by)
    words = [Said(site=name, came=sent, left=sent) for name in ("relay", "cloud")]

    machine.clock.heard_trip(Sent(at=sent, seconds=0.02, words=words))
    machine.clock.heard_date("bank", sent, format_datetime(sent))

    with pytest.raises(ClockNotTrusted):
        machine.clock.check()


def test_what_a_source_said_long_ago_gives_way_to_what_is_less_exact(machine: Machine) -> None:
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    machine.passes(700)
    rough = Skew(ahead=60 * SECOND, within=5 * SECOND)

    machine.clock.heard_words([("relay", rough), ("cloud", rough)])

    with pytest.raises(ClockNotTrusted):
        machine.clock.check()


def test_half_a_minute_is_not_stopped_for(machine: Machine) -> None:
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    machine.wall.at += 20 * SECOND
    machine.clock.check()


def test_a_drift_stops_signing_before_it_is_a_minute(machine: Machine) -> None:
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    for _ in range(12):
        machine.passes(10, drift=1.5)
    with pytest.raises(ClockNotTrusted):
        machine.clock.check()


def test_where_it_is_switched_off_signing_never_stops() -> None:
    machine = Machine(stop_seconds=0)
    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD)])
    machine.wall.at += 3600 * SECOND
    machine.clock.check()


def test_the_date_of_an_answer_counts_until_the_site_signs_a_time(machine: Machine) -> None:
    wrong = format_datetime(machine.wall.at + 3600 * SECOND, usegmt=True)
    for site in ("relay", "cloud"):
        machine.clock.heard_date(site, machine.wall.at, wrong)
    with pytest.raises(ClockNotTrusted):
        machine.clock.check()

    machine.clock.heard_words([("relay", GOOD), ("cloud", GOOD), ("other", GOOD)])
    machine.clock.check()


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Nov 2026 00:00:00 GMT"])
def test_a_date_that_is_none_is_passed_over(machine: Machine, date: str | None) -> None:
    machine.clock.heard_date("relay", machine.wall.at, date)
    assert machine.clock.verdict() is None


def test_a_step_is_noted_for_the_watch() -> None:
    machine = Machine()

    async def look() -> None:
        machine.clock.start()
        await asyncio.sleep(0.05)
        machine.wall.at += 3600 * SECOND
        machine.steady += 1
        await asyncio.sleep(1.2)
        await machine.clock.aclose()

    asyncio.run(look())
    assert [one.code for one in machine.notices.recent(seconds=60)] == ["clock.stepped"]


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, int]]]:
    """Serve NTP on this machine, 12 s ahead; what it says of itself may be changed."""
    says = {"leap": 0, "stratum": 2}
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    door.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                asked, caller = door.recvfrom(512)
            except TimeoutError:
                continue
            now = datetime.now(UTC).timestamp() + 12 + _SINCE_1900
            stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
            head = struct.pack("!BBBb", says["leap"] << 6 | 4 << 3 | 4, says["stratum"], 6, -20)
            door.sendto(head + bytes(12) + stamp + asked[40:48] + stamp + stamp, caller)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{door.getsockname()[1]}", says
    over.set()
    thread.join()
    door.close()


def test_a_time_server_says_how_far_it_is_ahead(server: tuple[str, dict[str, int]]) -> None:
    ((source, skew),) = ask([server[0]])

    assert source == f"ntp:{server[0]}"
    assert abs(skew.ahead - 12 * SECOND) <= skew.within + SECOND / 10


@pytest.mark.parametrize(("leap", "stratum"), [(3, 2), (0, 0), (0, 16)])
def test_a_server_that_does_not_know_the_time_is_not_believed(
    server: tuple[str, dict[str, int]], leap: int, stratum: int
) -> None:
    server[1].update(leap=leap, stratum=stratum)
    assert list(ask([server[0]])) == []


def test_a_server_that_is_away_keeps_nobody(server: tuple[str, dict[str, int]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        found = list(ask([f"127.0.0.1:{deaf.getsockname()[1]}", server[0]]))

    assert [source for source, _ in found] == [f"ntp:{server[0]}"]
