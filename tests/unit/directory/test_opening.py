"""When a site may be called, in Japanese time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.directory.entries import HoursEntry
from kumobashi.directory.opening import is_open, next_closing, next_opening, seconds_open
from kumobashi.directory.profile_models import OpenHours, Weekday
from kumobashi.kernel import JST

TIMES = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda at: at.replace(tzinfo=UTC)
)


@st.composite
def hours(draw: st.DrawFn) -> HoursEntry:
    opens = draw(TIMES)
    return HoursEntry(
        days=tuple(draw(st.sets(st.sampled_from(list(Weekday)), min_size=1))),
        opens=opens,
        closes=draw(TIMES.filter(lambda text: text != opens)),
        closed=tuple(draw(st.lists(st.dates(date(2026, 1, 1), date(2028, 12, 31)), max_size=5))),
    )


@given(hours(), MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    office: HoursEntry, now: datetime
) -> None:
    opening = next_opening(office, now)

    assert opening is not None
    assert opening >= now
    assert is_open(office, opening)
    assert (opening == now) == is_open(office, now)
    if opening > now:
        assert not is_open(office, opening - timedelta(microseconds=1))
        assert seconds_open(office, now, opening) == 0.0
        middle = now + (opening - now) / 2
        assert not is_open(office, middle)


@given(hours(), MOMENTS)
def test_it_is_closed_when_it_has_closed(office: HoursEntry, now: datetime) -> None:
    closing = next_closing(office, now)

    assert (closing is None) == (not is_open(office, now))
    if closing is not None:
        assert closing > now
        open_for = seconds_open(office, now, closing)
        assert open_for == pytest.approx((closing - now).total_seconds())


def test_a_night_window_belongs_to_the_day_on_which_it_opens() -> None:
    night = HoursEntry(days=(Weekday.FRI,), opens="22:00", closes="06:00")
    friday = datetime(2026, 11, 20, tzinfo=JST)

    assert not is_open(night, friday.replace(hour=5))
    assert is_open(night, friday.replace(hour=23))
    assert is_open(night, friday + timedelta(days=1, hours=5, minutes=59))
    assert not is_open(night, friday + timedelta(days=1, hours=6))


def test_a_holiday_is_closed_whatever_the_weekday() -> None:
    office = HoursEntry(
        days=tuple(Weekday), opens="00:00", closes="24:00", closed=(date(2026, 11, 23),)
    )
    holiday = datetime(2026, 11, 23, tzinfo=JST)

    assert is_open(office, holiday - timedelta(seconds=1))
    assert next_opening(office, holiday) == holiday + timedelta(days=1)


def test_a_site_that_never_opens_is_a_mistake_in_its_file() -> None:
    with pytest.raises(ValueError, match="opens"):
        OpenHours(opens="08:00", closes="08:00")
    never = HoursEntry(
        days=(Weekday.MON,),
        opens="08:00",
        closes="09:00",
        closed=tuple(date(2026, 1, 5) + timedelta(weeks=week) for week in range(200)),
    )
    assert next_opening(never, datetime(2026, 1, 1, tzinfo=UTC)) is None
