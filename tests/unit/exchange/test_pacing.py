"""How fast a peer is called, whatever the calls and the answers."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.exchange.health import Health, answered, failed
from kumobashi.exchange.pacing import Pace

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@given(
    per_minute=st.integers(6, 3_000),
    waits=st.lists(st.floats(0, 20), min_size=1, max_size=300),
)
def test_in_no_minute_more_calls_begin_than_are_permitted(
    per_minute: int, waits: list[float]
) -> None:
    pace, now, begun = Pace(per_minute=per_minute), 0.0, []
    for wait in waits:
        now += wait / 10
        begun.append(now + pace.take(now))

    for first in begun:
        assert sum(first <= at < first + 60 for at in begun) <= per_minute + 1e-6


def test_a_peer_that_says_too_much_is_called_less_and_then_more_again() -> None:
    pace = Pace(per_minute=600)
    for _ in range(20):
        pace.slower()
    assert pace.permitted == 30
    for _ in range(400):
        pace.faster()
    assert pace.permitted == 600


def test_calls_of_the_last_minute_are_counted() -> None:
    pace = Pace(per_minute=6_000)
    for number in range(100):
        pace.take(float(number))
    assert pace.last_minute(99.0) == 60


@given(st.lists(st.booleans(), max_size=60))
def test_health_is_down_after_a_failure_only_and_forgets_after_steady_answers(
    answers: list[bool],
) -> None:
    health, run = Health(), 0
    for is_good in answers:
        health = answered(health) if is_good else failed(health, now=NOW, wait=1.0, cause=None)
        run = run + 1 if is_good else 0
        assert health.is_down == (not is_good)
        assert (health.width(16) == 1) or not health.is_down
    if run >= 8:
        assert health == Health()


def test_a_line_that_often_breaks_is_not_held_for_dead() -> None:
    health = Health()
    for _ in range(50):  # two answers, then a failure
        health = failed(answered(answered(health)), now=NOW, wait=1.0, cause=None)
    assert health.failures <= 2

    for _ in range(10):  # one answer each time: an announcement that passes before parts that fail
        health = failed(answered(health), now=NOW, wait=1.0, cause=None)
    assert health.failures > 10


def test_a_probe_is_due_when_its_time_has_come_or_the_clock_was_set_back() -> None:
    down = failed(Health(), now=NOW, wait=30.0, cause=None)
    assert not down.is_due(NOW + timedelta(seconds=29))
    assert down.is_due(NOW + timedelta(seconds=30))
    for back in (timedelta(days=1), timedelta(seconds=1)):
        assert down.is_due(NOW - back)


def test_since_stays_while_it_is_down() -> None:
    first = failed(Health(), now=NOW, wait=1.0, cause=None)
    later = failed(first, now=NOW + timedelta(minutes=5), wait=1.0, cause=None)
    assert (later.since, later.failures) == (NOW, 2)
