"""Times as clouds write them, read as one instant in UTC; whatever is not certain is refused.

Read are RFC 3339 and ISO 8601 (extended, basic, weeks, days of the year), the same with a zone in
brackets (RFC 9557), with slashes or dots and the year first, RFC 5322 and HTTP, asctime, Oracle's
days with the name of a month, seconds to nanoseconds since 1970, ``/Date(…)/``, and Japanese, also
by era. 24:00 and 25:30 are of the day before; :60 is the end of its minute.

>>> read_time("令和8年11月24日 午前9時15分", zone="Asia/Tokyo").isoformat()
'2026-11-24T00:15:00+00:00'
>>> read_time("Tue, 24 Nov 2026 00:15:00 GMT") == read_time("2026-11-24T09:15:00+09:00")
True
>>> read_time("1795479300") == read_time("/Date(1795479300000+0900)/")
True
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from kumobashi.kernel.time_errors import TimeAmbiguous, TimeUnreadable
from kumobashi.kernel.time_zones import Written, instant_of, zone_of

_LONGEST: Final = 80
_SIXTY, _LONGEST_DAY = 60, 48
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KANJI_DAYS: Final = "月火水木金土日"
_ERAS: Final = {  # name, letter → first day, first year
    "令和": (date(2019, 5, 1), 2019),
    "平成": (date(1989, 1, 8), 1989),
    "昭和": (date(1926, 12, 25), 1926),
    "大正": (date(1912, 7, 30), 1912),
    "明治": (date(1868, 1, 25), 1868),
}
_LETTERS: Final = {"R": "令和", "H": "平成", "S": "昭和", "T": "大正", "M": "明治"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_CLOCK: Final = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?"
)
_ZONE: Final = (
    r"\s*(?P<zone>Z|z|[A-Za-z]{3,4}|[+-]\d{2}(?::?\d{2})?|[A-Z][A-Za-z]+/[A-Za-z_/+-]+\d{0,2})?"
    r"(?:\s*\[(?P<named>[A-Za-z_/+-]+\d{0,2})\]|\s*\((?P<remark>[A-Za-z ]{1,40})\))?"
)
_JAPANESE_CLOCK: Final = (
    r"(?P<half>午前|午後)?\s*(?P<hour>\d{1,2})(?:時(?:(?P<minute>\d{1,2})分"
    r"(?:(?P<second>\d{1,2})(?:[.](?P<part>\d{1,9}))?秒)?)?"
    r"|:(?P<minute2>\d{2})(?::(?P<second2>\d{2})(?:[.](?P<part2>\d{1,9}))?)?)"
)
_MARKED_DAY: Final = r"(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})[T ]\s*"
_NAMED_MONTH: Final = r"(?P<day>\d{1,2})[- ](?P<monthname>[A-Za-z]{3})[- ](?P<year>\d{4})\s+"
_ERA_YEAR: Final = r"(?P<era>令和|平成|昭和|大正|明治)(?P<erayear>元|\d{1,2})"
_JAPANESE_DAY: Final = (
    rf"(?:{_ERA_YEAR}|(?P<year>\d{{4}}))年(?P<month>\d{{1,2}})月(?P<day>\d{{1,2}})日\s*"
    rf"(?:[(](?P<name>[{_KANJI_DAYS}])[)])?\s*"
)
_COMPACT: Final = (
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T ]?(?P<hour>\d{2})(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:[.,]?(?P<part>\d{1,9}))?)?"
)
_ASCTIME: Final = (
    r"(?P<name>[A-Za-z]{3})\s+(?P<monthname>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+"
    rf"{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})"
)
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"(?P<year>\d{{4}}){_MARKED_DAY}{_CLOCK}{_ZONE}",
        rf"(?P<year>\d{{4}})-?W(?P<week>\d{{2}})-?(?P<weekday>[1-7])[T ]{_CLOCK}{_ZONE}",
        rf"(?P<year>\d{{4}})-(?P<yearday>\d{{3}})[T ]{_CLOCK}{_ZONE}",
        _COMPACT + _ZONE,
        rf"(?:(?P<name>[A-Za-z]{{3}}),\s*)?{_NAMED_MONTH}{_CLOCK}{_ZONE}",
        _ASCTIME,
        _JAPANESE_DAY + _JAPANESE_CLOCK + _ZONE,
        rf"(?P<letter>[RHSTM])(?P<erayear>\d{{1,2}}){_MARKED_DAY}{_CLOCK}{_ZONE}",
    )
)
_DOT_NET: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_NUMBER: Final = re.compile(r"(\d{9,19})(?:\.(\d{1,9}))?")
_YEAR_LAST: Final = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b.*")
_UNITS: Final = {9: 0, 10: 0, 13: 3, 16: 6, 19: 9}  # digits since 2001 → power of ten


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str
    found: dict[str, str | None]

    def number(self, *names: str) -> int:
        return int(next((self.found[n] for n in names if self.found.get(n)), None) or 0)

    def fail(self, part: str) -> TimeUnreadable:
        return TimeUnreadable(text=self.text, part=part)


def read_time(text: str | int, *, zone: str | None = None, later: bool | None = None) -> datetime:
    """Return the instant that a text says, in UTC.

    ``zone``: of which zone it is where it does not say (``Asia/Tokyo``, ``+09:00``). ``later``:
    which of the two it is when clocks were put back; none: that is refused.

    Raises:
        TimeUnreadable, ZoneMissing, TimeAmbiguous, TimeSkipped
    """
    plain = unicodedata.normalize("NFKC", str(text)).strip()
    shown = "".join(c for c in plain[:_LONGEST] if c.isprintable())
    if len(plain) > _LONGEST or not plain:
        raise TimeUnreadable(text=shown, part="length")
    at = _counted(plain, shown)
    if at is None:
        form = next((m for m in (one.fullmatch(plain) for one in _FORMS) if m), None)
        if form is None:
            if _YEAR_LAST.fullmatch(plain):
                raise TimeAmbiguous(text=shown, part="日・月・年の順 / order of day, month, year")
            raise TimeUnreadable(text=shown, part="form")
        try:
            at = _written(_Reading(shown, form.groupdict()), zone, later)
        except OverflowError:
            raise TimeUnreadable(text=shown, part="year") from None
    if not _FIRST <= at < _LAST:
        raise TimeUnreadable(text=shown, part="year")
    return at


def _counted(plain: str, shown: str) -> datetime | None:
    """Return what is a number of seconds since 1970, in whatever unit."""
    if met := _DOT_NET.fullmatch(plain):
        return _EPOCH + timedelta(milliseconds=int(met[1]))
    met = _NUMBER.fullmatch(plain)
    if met is None or (met[2] is None and _is_compact(met[1])):
        if met is not None and len(met[1]) == 10:  # noqa: PLR2004 - 2026112409: which?
            raise TimeAmbiguous(text=shown, part="秒か年月日時か / seconds, or a day and an hour")
        return None
    digits = met[1]
    if len(digits) not in _UNITS or (met[2] and _UNITS[len(digits)]):
        raise TimeUnreadable(text=shown, part="digits")
    whole = int(digits) * 10 ** (9 - _UNITS[len(digits)]) + int((met[2] or "").ljust(9, "0"))
    return _EPOCH + timedelta(microseconds=whole // 1000)


def _is_compact(digits: str) -> bool:
    """Whether digits are a day and a time without marks: 20261124091500."""
    if len(digits) not in {10, 12, 14, 17}:
        return False
    try:
        datetime.strptime(digits[:10], "%Y%m%d%H")  # noqa: DTZ007 - whether there is such a day
    except ValueError:
        return False
    return 1900 <= int(digits[:4]) < 2200  # noqa: PLR2004 - as _FIRST and _LAST


def _written(one: _Reading, zone: str | None, later: bool | None) -> datetime:  # noqa: FBT001
    on, clock = _day(one), _clock(one)
    name = one.found.get("name")
    if name:
        expected = _KANJI_DAYS.find(name) if name in _KANJI_DAYS else _index(_DAYS, name)
        if expected != on.weekday():
            raise one.fail("曜日 / day of the week")
    is_leap = one.number("second", "second2") == _SIXTY
    return instant_of(
        Written(text=one.text, on=on, into_day=clock, is_leap=is_leap),
        _zone(one, zone),
        later=later,
    )


def _day(one: _Reading) -> date:
    found = one.found
    try:
        if found.get("week"):
            return date.fromisocalendar(
                one.number("year"), one.number("week"), one.number("weekday")
            )
        if found.get("yearday"):
            on = date(one.number("year"), 1, 1) + timedelta(days=one.number("yearday") - 1)
            if on.year != one.number("year"):
                raise one.fail("day")
            return on
        month = _month(one)
        era = found.get("era") or _LETTERS.get(found.get("letter") or "")
        if era is None:
            return date(one.number("year"), month, one.number("day"))
        first, year = _ERAS[era]
        number = 1 if found["erayear"] == "元" else one.number("erayear")
        on = date(year + number - 1, month, one.number("day"))
    except ValueError:
        raise one.fail("日 / day") from None
    ends = min((start for start, _ in _ERAS.values() if start > first), default=date.max)
    if not first <= on < ends:
        raise one.fail("元号 / era")
    return on


def _month(one: _Reading) -> int:
    name = one.found.get("monthname")
    return _index(_MONTHS, name) + 1 if name else one.number("month")


def _clock(one: _Reading) -> timedelta:
    """Return how far into the day it is; up to 48 hours, as night work is written."""
    hour, minute, second = (
        one.number("hour"),
        one.number("minute", "minute2"),
        one.number("second", "second2"),
    )
    half = (one.found.get("half") or "").replace(".", "").lower()
    if half in {"午前", "午後"} and hour == 12:  # noqa: PLR2004
        raise TimeAmbiguous(text=one.text, part="正午か真夜中か / noon or midnight")
    if half:
        if hour > 12 or (half in {"am", "pm"} and hour == 0):  # noqa: PLR2004 - of a half day
            raise one.fail("時 / hour")
        hour = hour % 12 + (12 if half in {"pm", "午後"} else 0)
    if hour >= _LONGEST_DAY or minute >= _SIXTY or second > _SIXTY:
        raise one.fail("時分秒 / clock")
    part = (one.found.get("part") or one.found.get("part2") or "").ljust(6, "0")[:6]
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(part))


def _zone(one: _Reading, otherwise: str | None) -> tzinfo:
    said, named = one.found.get("zone"), one.found.get("named")
    return zone_of(one.text, said, named, otherwise, one.fail)


def _index(names: Sequence[str], name: str) -> int:
    try:
        return names.index(name.lower())
    except ValueError:
        return -1
