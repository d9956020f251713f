"""Whether the clock here is believed: most agree, one moves nothing, a step shows at once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.monitoring.clock_trust import Reading, Sample, step, verdict
from kumobashi.monitoring.clocks import Skew

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STOP = 30 * SECOND
HERE = Reading(wall=NOON, steady=1000.0)
ANY = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400))


def said(source: str, ahead: timedelta, within: timedelta = SECOND / 20) -> Sample:
    return Sample(source=source, skew=Skew(ahead=ahead, within=within), at=HERE)


@given(lie=ANY)
def test_one_source_alone_never_says_that_the_clock_is_off(lie: timedelta) -> None:
    assert verdict([said("a", lie)], HERE) is None


@given(lie=ANY, others=st.integers(min_value=2, max_value=6))
def test_one_liar_among_others_moves_nothing(lie: timedelta, others: int) -> None:
    found = verdict([said("liar", lie), *(said(f"s{n}", timedelta()) for n in range(others))], HERE)

    assert found is not None
    assert not found.is_off(STOP)


@given(off=ANY, liars=st.lists(ANY, max_size=2, unique=True))
def test_what_most_agree_on_is_found_within_its_bound(
    off: timedelta, liars: list[timedelta]
) -> None:
    good = [said(f"s{n}", -off + (n - 1) * SECOND / 100) for n in range(3)]
    found = verdict([*good, *(said(f"l{n}", lie) for n, lie in enumerate(liars))], HERE)

    assert found is not None
    assert abs(found.ahead - off) <= found.within + SECOND / 10
    assert {"s0", "s1", "s2"} <= set(found.agree)


def test_two_that_do_not_agree_say_nothing() -> None:
    assert verdict([said("a", timedelta()), said("b", 3600 * SECOND)], HERE) is None


@given(by=ANY, later=st.floats(min_value=0, max_value=500))
def test_a_step_shows_at_once_in_what_was_said_before_it(by: timedelta, later: float) -> None:
    now = Reading(wall=NOON + timedelta(seconds=later) + by, steady=HERE.steady + later)
    found = verdict([said("a", timedelta()), said("b", timedelta())], now)

    assert found is not None
    assert abs(found.ahead - by) <= found.within + timedelta(microseconds=5)
    assert abs(step(HERE, now) - by) <= timedelta(microseconds=5)


def test_what_was_said_long_ago_does_not_count() -> None:
    later = Reading(wall=NOON + 3600 * SECOND, steady=HERE.steady + 3600)

    assert verdict([said("a", timedelta()), said("b", timedelta())], later) is None


def test_a_clock_that_drifts_is_told_when_the_next_words_come() -> None:
    found = verdict([said("a", -40 * SECOND), said("b", -40 * SECOND)], HERE)

    assert found is not None
    assert found.is_off(STOP)
