"""From what stands on a clock somewhere to one instant: zones, double hours, leap seconds."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kumobashi.kernel.time_errors import (
    TimeAmbiguous,
    TimeSkipped,
    TimeUnreadable,
    ZoneMissing,
)

_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_KNOWN: Final = {
    "Z": timedelta(0),
    "UTC": timedelta(0),
    "GMT": timedelta(0),
    "JST": timedelta(hours=9),
}
_LARGEST: Final = timedelta(hours=14)  # of an offset
_MINUTE: Final = timedelta(minutes=1)
Fail = Callable[[str], TimeUnreadable]


@dataclass(frozen=True, slots=True)
class Written:
    """A day and a time on it, as they stand on a clock of some zone."""

    text: str
    on: date
    into_day: timedelta
    is_leap: bool  # it says :60


def zone_of(
    text: str, said: str | None, named: str | None, otherwise: str | None, fail: Fail
) -> tzinfo:
    """Return the zone of a text: what it says (``said``, ``named``), else ``otherwise``.

    Raises:
        ZoneMissing: nobody says.
        TimeUnreadable: an abbreviation that is several zones', or no zone.
    """
    zones = [_zone(one, fail) for one in (said, named) if one]
    if not zones:
        if otherwise is None:
            raise ZoneMissing(text=text)
        return _zone(otherwise, fail)
    return zones[-1] if len(zones) == 1 else _Both(zones[0], zones[1], fail)


def instant_of(one: Written, zone: tzinfo, *, later: bool | None) -> datetime:
    """Return the instant in UTC.

    Raises:
        TimeSkipped: clocks there never stood so.
        TimeAmbiguous: they stood so twice, and ``later`` does not say which.
        TimeUnreadable: a leap second in the middle of a day.
    """
    moved = one.into_day
    if one.is_leap:  # the last moment of its minute, so that nothing that follows comes before it
        moved = moved - moved % _MINUTE - timedelta(microseconds=1)
    there = datetime.combine(one.on, time()) + moved
    first, second = (there.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    at = first.astimezone(UTC)
    if first.utcoffset() != second.utcoffset():
        if at.astimezone(zone).replace(tzinfo=None) != there:
            raise TimeSkipped(text=one.text)
        if later is None:
            raise TimeAmbiguous(text=one.text, part="夏時間の終わり / clocks put back")
        at = (second if later else first).astimezone(UTC)
    if one.is_leap and (at.hour, at.minute) != (23, 59):
        raise TimeUnreadable(text=one.text, part="うるう秒 / leap second")
    return at


class _Both(tzinfo):
    """An offset and a zone that were both written, and have to agree (RFC 9557)."""

    def __init__(self, offset: tzinfo, zone: tzinfo, fail: Fail) -> None:
        self._offset, self._zone, self._fail = offset, zone, fail

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        """Return the offset, if the zone has it then."""
        said = self._offset.utcoffset(at)
        there = at.replace(tzinfo=None) if at else None
        held = (
            [there.replace(tzinfo=self._zone, fold=f).utcoffset() for f in (0, 1)]
            if there
            else [said]
        )
        if said not in held:
            raise self._fail("時差と地域 / offset and zone")
        return said

    def dst(self, _at: datetime | None) -> timedelta | None:
        """Return nothing: it is not known of an offset."""
        return None

    def tzname(self, _at: datetime | None) -> str | None:
        """Return nothing likewise."""
        return None


def _zone(said: str, fail: Fail) -> tzinfo:
    if said.upper() in _KNOWN:
        return timezone(_KNOWN[said.upper()])
    if met := _OFFSET.fullmatch(said):
        off = timedelta(hours=int(met[2]), minutes=int(met[3] or 0))
        if off > _LARGEST or int(met[3] or 0) >= 60:  # noqa: PLR2004 - minutes
            raise fail("時差 / offset")
        return timezone(off if met[1] == "+" else -off)
    if "/" not in said:  # EST, IST and CST are several zones'
        raise fail("時間帯の略号 / abbreviation of a zone")
    try:
        return ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise fail("時間帯 / zone") from None
