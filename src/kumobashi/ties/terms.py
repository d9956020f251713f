"""What a tie allows: items, channels, how often, until when; and whether one lies within another.

>>> from dataclasses import replace
>>> from datetime import date
>>> offered = Terms(
...     items=frozenset({"name", "address"}),
...     channels=frozenset({Channel.PORTAL, Channel.POST}),
...     frequency=Frequency(times=4, days=28),
...     first=date(2026, 12, 1),
...     last=date(2027, 3, 31),
... )
>>> wished = replace(offered, frequency=Frequency(times=1, days=7))
>>> wider(wished, offered), wider(offered, wished)
(None, 'frequency')
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NoReturn, Self

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.kernel import business_date
from kumobashi.ties.errors import TermsUnfit, TermsWiden

_ITEM: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MOST_ITEMS: Final = 500
_MOST_TIMES: Final = 1_000_000
_MOST_DAYS: Final = 3_660


class Channel(StrEnum):
    """How a service reaches a resident, or data about one."""

    CALL = "call"  # a call of an API
    PORTAL = "portal"
    MAIL = "mail"  # electronic
    SMS = "sms"
    POST = "post"  # paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """At most ``times`` uses in any ``days`` days on end; 24 hours a day, no calendar."""

    times: int
    days: int

    @property
    def window(self) -> timedelta:
        """How long ``days`` are."""
        return timedelta(days=self.days)

    def is_within(self, other: "Frequency") -> bool:
        """Whether no row of uses that this allows could break ``other``.

        A window of ``other`` holds as many of ours as begin in it, and each may be full.

        >>> daily, weekly = Frequency(times=1, days=1), Frequency(times=7, days=7)
        >>> daily.is_within(weekly), weekly.is_within(daily)
        (True, False)
        """
        windows = -(-other.days // self.days)
        return windows * self.times <= other.times


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What both sides accept; days are those of Japan, both ends included."""

    items: frozenset[str]
    channels: frozenset[Channel]
    frequency: Frequency
    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse what cannot be; raise ``TermsUnfit``."""
        fits = {
            "items": 0 < len(self.items) <= _MOST_ITEMS and all(map(_ITEM.fullmatch, self.items)),
            "channels": bool(self.channels),
            "times": 1 <= self.frequency.times <= _MOST_TIMES,
            "days": 1 <= self.frequency.days <= _MOST_DAYS,
            "last": self.first <= self.last,
        }
        for field, is_fit in fits.items():
            if not is_fit:
                _refuse(field)

    def covers(self, at: datetime) -> bool:
        """Whether a time lies within the term."""
        return self.first <= business_date(at) <= self.last

    def plain(self) -> dict[str, Any]:
        """Return the terms as JSON."""
        return {
            "items": sorted(self.items),
            "channels": sorted(self.channels),
            "times": self.frequency.times,
            "days": self.frequency.days,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
        }

    def encode(self) -> str:
        """Return the canonical text that is kept."""
        return canonical(self.plain()).decode()

    @property
    def hash(self) -> str:
        """What acceptances name the terms by."""
        return digest(self.encode().encode())

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Read what :meth:`plain` gives; raise ``TermsUnfit`` naming the first field."""
        return cls(
            items=frozenset(_names(said, "items")),
            channels=frozenset(_channel(name) for name in _names(said, "channels")),
            frequency=Frequency(times=_count(said, "times"), days=_count(said, "days")),
            first=_day(said, "first"),
            last=_day(said, "last"),
        )

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what :meth:`encode` wrote; raise ``TermsUnfit``."""
        try:
            said = json.loads(text)
        except ValueError:
            _refuse("terms")
        if not isinstance(said, dict):
            _refuse("terms")
        return cls.of(said)


def wider(answer: Terms, offer: Terms) -> str | None:
    """Return in what an answer goes beyond an offer; none: it lies within."""
    within = {
        "items": answer.items <= offer.items,
        "channels": answer.channels <= offer.channels,
        "frequency": answer.frequency.is_within(offer.frequency),
        "first": answer.first >= offer.first,
        "last": answer.last <= offer.last,
    }
    return next((field for field, is_within in within.items() if not is_within), None)


def check_within(answer: Terms, offer: Terms) -> None:
    """Raise :class:`TermsWiden` unless an answer lies within an offer."""
    if field := wider(answer, offer):
        raise TermsWiden(field=field)


_EXPECTED: Final = {
    "items": ("英小文字で始まる項目名を1つ以上", "one or more names of items"),
    "channels": (
        "call, portal, mail, sms, post のどれか1つ以上",
        "one or more of call, portal, mail, sms, post",
    ),
    "times": ("1以上の回数", "a count from 1"),
    "days": ("1〜3660日", "1 to 3660 days"),
    "first": ("年月日（YYYY-MM-DD）", "a day, YYYY-MM-DD"),
    "last": ("初日以後の年月日（YYYY-MM-DD）", "a day, YYYY-MM-DD, not before the first"),
    "terms": ("条件の記録", "terms as they are kept"),
}


def _refuse(field: str) -> NoReturn:
    expected_ja, expected = _EXPECTED[field]
    raise TermsUnfit(field=field, expected=expected, expected_ja=expected_ja)


def _names(said: Mapping[str, Any], field: str) -> Iterable[str]:
    found = said.get(field)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        _refuse(field)
    return found


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        _refuse("channels")


def _count(said: Mapping[str, Any], field: str) -> int:
    found = said.get(field)
    if not isinstance(found, int) or isinstance(found, bool):
        _refuse(field)
    return found


def _day(said: Mapping[str, Any], field: str) -> date:
    try:
        return date.fromisoformat(str(said.get(field)))
    except ValueError:
        _refuse(field)
