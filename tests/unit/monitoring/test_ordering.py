"""What happened when across sites: only what is certain is said."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.monitoring.clocks import Skew
from kumobashi.monitoring.ordering import Order, order, ordered, span

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOURS = st.timedeltas(min_value=timedelta(hours=-2), max_value=timedelta(hours=2))
BOUNDS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(seconds=5))


@st.composite
def happenings(draw: st.DrawFn) -> tuple[datetime, datetime, Skew]:
    """A true time, what a clock that is off wrote of it, and what was measured of that clock."""
    truth = NOON + draw(st.timedeltas(min_value=timedelta(0), max_value=timedelta(minutes=1)))
    ahead, within = draw(HOURS), draw(BOUNDS)
    share = draw(st.floats(min_value=-1, max_value=1))
    measured = ahead + within * share
    return truth, truth + ahead, Skew(ahead=measured, within=within + timedelta(microseconds=2))


@given(one=happenings(), other=happenings())
def test_what_is_said_to_be_before_was_before(
    one: tuple[datetime, datetime, Skew], other: tuple[datetime, datetime, Skew]
) -> None:
    said = order(span(one[1], one[2]), span(other[1], other[2]))
    if said is Order.BEFORE:
        assert one[0] < other[0]
    elif said is Order.AFTER:
        assert one[0] > other[0]


@given(st.lists(happenings(), max_size=12))
def test_groups_keep_all_and_of_two_groups_the_order_is_true(
    many: list[tuple[datetime, datetime, Skew]],
) -> None:
    groups = ordered((span(written, skew), truth) for truth, written, skew in many)

    assert sorted(truth for group in groups for truth in group) == sorted(one[0] for one in many)
    for before, after in pairwise(groups):
        assert max(before) < min(after)


def test_a_clock_that_is_an_hour_off_and_known_to_be_changes_no_order() -> None:
    hour = timedelta(hours=1)
    here = Skew(ahead=timedelta(), within=timedelta(milliseconds=1))
    far = Skew(ahead=hour, within=timedelta(milliseconds=50))
    groups = ordered(
        [
            (span(NOON + hour + timedelta(seconds=2), far), "received"),
            (span(NOON, here), "sent"),
            (span(NOON + timedelta(seconds=5), here), "receipt"),
        ]
    )

    assert groups == [["sent"], ["received"], ["receipt"]]
