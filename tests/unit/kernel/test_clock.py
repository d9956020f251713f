"""The business date is the Japanese calendar date of an instant, wherever the machine stands."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.kernel import business_date, from_wire, to_wire
from kumobashi.kernel.clock import JST, from_micros, to_micros


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2027-03-31T14:59:59.999999Z", date(2027, 3, 31)),  # 年度末, a microsecond before its end
        ("2027-03-31T15:00:00.000000Z", date(2027, 4, 1)),
        ("2028-02-28T15:00:00.000000Z", date(2028, 2, 29)),  # leap day
        ("2028-02-29T14:59:59.999999Z", date(2028, 2, 29)),
        ("2028-02-29T15:00:00.000000Z", date(2028, 3, 1)),
        ("2027-02-28T15:00:00.000000Z", date(2027, 3, 1)),
        ("2026-12-31T15:00:00.000000Z", date(2027, 1, 1)),
        ("2026-11-30T15:00:00.000000Z", date(2026, 12, 1)),  # month end
    ],
)
def test_the_day_turns_at_midnight_in_japan(instant: str, day: date) -> None:
    assert business_date(from_wire(instant)) == day


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - zones are given next
    st.integers(-12 * 60, 14 * 60),
)
def test_the_same_instant_is_the_same_everywhere(naive: datetime, minutes: int) -> None:
    instant = naive.replace(tzinfo=UTC)
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))

    assert to_wire(elsewhere) == to_wire(instant)
    assert to_micros(elsewhere) == to_micros(instant)
    assert business_date(elsewhere) == business_date(instant)
    assert from_wire(to_wire(instant)) == instant
    assert from_micros(to_micros(instant)) == instant
    assert instant.astimezone(JST).date() == business_date(instant)
