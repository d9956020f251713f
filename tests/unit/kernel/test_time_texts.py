"""Times as clouds write them: what is written is read back as the same instant, or refused."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.kernel import JST
from kumobashi.kernel.time_errors import TimeUnfit
from kumobashi.kernel.time_texts import read_time

INSTANTS: Final = st.datetimes(
    min_value=datetime(2001, 9, 10),  # noqa: DTZ001 - of the zone that is named beside it
    max_value=datetime(2099, 12, 30),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
)
OFFSETS: Final = st.integers(min_value=-14 * 4, max_value=14 * 4).map(
    lambda quarters: timezone(timedelta(minutes=15 * quarters))
)
SECONDS: Final = timedelta(seconds=1)


def _era(at: datetime) -> str:
    name, first = ("令和", 2019) if at >= datetime(2019, 5, 1, tzinfo=JST) else ("平成", 1989)
    year = at.year - first + 1
    half, hour = ("午後", at.hour - 12) if at.hour >= 12 else ("午前", at.hour)
    day = f"{name}{'元' if year == 1 else year}年{at.month}月{at.day}日"
    return f"{day}（{'月火水木金土日'[at.weekday()]}）{half}{hour}時{at.minute}分{at.second}秒"


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _read(text: str) -> datetime | str:
    """Return the instant, or the code of the refusal."""
    try:
        return read_time(text, zone="Asia/Tokyo")
    except TimeUnfit as error:
        return error.code


WRITERS: Final[Mapping[str, tuple[Callable[[datetime], str], timedelta]]] = {
    "rfc-3339": (lambda at: at.isoformat(), timedelta(microseconds=1)),
    "iso-basic": (lambda at: at.strftime("%Y%m%dT%H%M%S%z"), SECONDS),
    "iso-week": (lambda at: at.strftime("%G-W%V-%uT%H:%M:%S%z"), SECONDS),
    "iso-day-of-year": (lambda at: at.strftime("%Y-%jT%H:%M:%S%z"), SECONDS),
    "sql": (lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f %z"), timedelta(microseconds=1)),
    "slashes": (lambda at: at.strftime("%Y/%m/%d %H:%M:%S%z"), SECONDS),
    "half-days": (lambda at: at.strftime("%Y-%m-%d %I:%M:%S %p %z"), SECONDS),
    "rfc-5322": (format_datetime, SECONDS),
    "oracle": (lambda at: at.strftime("%d-%b-%Y %H.%M.%S.%f %z"), timedelta(microseconds=1)),
    "seconds": (lambda at: str(_micros(at) // 10**6), SECONDS),
    "milliseconds": (lambda at: str(_micros(at) // 1000), timedelta(milliseconds=1)),
    "microseconds": (lambda at: str(_micros(at)), timedelta(microseconds=1)),
    "nanoseconds": (lambda at: f"{_micros(at)}999", timedelta(microseconds=1)),
    "dot-net": (lambda at: f"/Date({_micros(at) // 1000}+0900)/", timedelta(milliseconds=1)),
    "compact": (lambda at: at.astimezone(JST).strftime("%Y%m%d%H%M%S"), SECONDS),
    "era": (lambda at: _era(at.astimezone(JST)), SECONDS),
    "asctime": (lambda at: at.astimezone(JST).strftime("%a %b %e %H:%M:%S %Y"), SECONDS),
}


@pytest.mark.parametrize("form", WRITERS)
@given(at=INSTANTS, offset=OFFSETS)
def test_what_is_written_is_read_back_as_the_same_instant(
    form: str, at: datetime, offset: timezone
) -> None:
    write, step = WRITERS[form]
    text = write(at.astimezone(offset))
    expected = at - (at - datetime(1970, 1, 1, tzinfo=UTC)) % step
    read = _read(text)
    if form == "seconds" and read == "time.ambiguous":  # 2026112409 could be a day and an hour
        return
    assert read == expected


@given(text=st.text(max_size=100) | st.from_regex(r"[0-9TZ:./+\- 年月日時分午前後]{1,40}"))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    read = _read(text)
    assert read.startswith("time.") if isinstance(read, str) else read.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("２０２６年１１月２４日　９：１５", "2026-11-24T00:15:00+00:00"),
        ("R8.11.24 9:15", "2026-11-24T00:15:00+00:00"),
        ("平成31年4月30日 23時59分", "2019-04-30T14:59:00+00:00"),
        ("令和元年5月1日 0時0分", "2019-04-30T15:00:00+00:00"),
        ("2026-11-24 24:00", "2026-11-24T15:00:00+00:00"),
        ("2026-11-30 25:30", "2026-11-30T16:30:00+00:00"),
        ("2026-12-31 47:59:59", "2027-01-01T14:59:59+00:00"),
        ("2026-11-24T09:15:00.123456789+09:00", "2026-11-24T00:15:00.123456+00:00"),
        ("2026-11-24T09:15:00+09:00[Asia/Tokyo]", "2026-11-24T00:15:00+00:00"),
        ("2026-11-24T00:15:00-00:00", "2026-11-24T00:15:00+00:00"),
        ("2026-11-24 00:15:00 UTC", "2026-11-24T00:15:00+00:00"),
        ("2026年11月24日 午後0時5分", "2026-11-24T03:05:00+00:00"),
        ("2028-02-29 12:00", "2028-02-29T03:00:00+00:00"),
    ],
)
def test_forms_of_one_kind_each(text: str, expected: str) -> None:
    assert read_time(text, zone="Asia/Tokyo").isoformat() == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03/04/2026 10:00", "time.ambiguous"),
        ("24/11/26 10:00", "time.ambiguous"),
        ("2026112409", "time.ambiguous"),
        ("令和8年11月24日 午前12時", "time.ambiguous"),
        ("2026-11-24 09:15:00 EST", "time.unreadable"),
        ("2026-11-24 09:15:00 CST", "time.unreadable"),
        ("2026-02-29 10:00", "time.unreadable"),
        ("2026-11-31 10:00", "time.unreadable"),
        ("2026-11-24 48:00", "time.unreadable"),
        ("2026-11-24 10:60", "time.unreadable"),
        ("2026-11-24", "time.unreadable"),
        ("平成31年5月1日 0時0分", "time.unreadable"),
        ("Wed, 24 Nov 2026 00:15:00 GMT", "time.unreadable"),
        ("2026-11-24T09:15:00+08:00[Asia/Tokyo]", "time.unreadable"),
        ("2026-11-24T09:15:00 Asia/../../etc/passwd", "time.unreadable"),
        ("2026-11-24T09:15:00 Nowhere/Nothing", "time.unreadable"),
        ("2026-11-24T09:15:00+25:00", "time.unreadable"),
        ("", "time.unreadable"),
        ("9" * 81, "time.unreadable"),
    ],
)
def test_what_is_not_certain_is_refused(text: str, code: str) -> None:
    with pytest.raises(TimeUnfit) as caught:
        read_time(text, zone="Asia/Tokyo")
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["2026-11-24 09:15:00", "20261124091500", "令和8年11月24日 9時"])
def test_a_time_without_a_zone_needs_one_to_be_named(text: str) -> None:
    with pytest.raises(TimeUnfit) as caught:
        read_time(text)
    assert caught.value.code == "time.zone_missing"


def test_an_hour_that_was_left_out_is_none_and_one_that_is_twice_needs_to_be_told() -> None:
    berlin = "Europe/Berlin"
    with pytest.raises(TimeUnfit) as skipped:
        read_time("2026-03-29 02:30", zone=berlin)
    with pytest.raises(TimeUnfit) as twice:
        read_time("2026-10-25 02:30", zone=berlin)

    assert (skipped.value.code, twice.value.code) == ("time.skipped", "time.ambiguous")
    first, second = (read_time("2026-10-25 02:30", zone=berlin, later=one) for one in (False, True))
    assert second - first == timedelta(hours=1)
    assert first == datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(berlin)).astimezone(UTC)


def test_a_leap_second_comes_before_what_follows_and_stands_only_at_the_end_of_a_day() -> None:
    leap = read_time("2016-12-31T23:59:60.5Z")

    assert read_time("2016-12-31T23:59:59Z") < leap < read_time("2017-01-01T00:00:00Z")
    assert read_time("2017-01-01 08:59:60", zone="Asia/Tokyo") == leap
    with pytest.raises(TimeUnfit):
        read_time("2016-12-31T12:00:60Z")
