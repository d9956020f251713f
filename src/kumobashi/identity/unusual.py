"""Unusual access (プライバシー侵害の監視): days on which an account did what it never does. Pure.

Each rule counts, and says against what it counted: nothing is learnt that nobody could check by
hand. A record of a look names no resident, so whose record was looked at stands nowhere here; what
is compared is how often, at which hours, and what was refused. Days and hours are those of Japan.

>>> from datetime import UTC
>>> night = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)  # half past midnight in Japan
>>> seen = Habits()
>>> seen.add(Look(by="sato", at=night, role="operator", code="post:ties/resident"))
>>> [(one.rule.value, one.count) for one in seen.findings(night)]
[('hours', 1)]
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from statistics import median
from typing import Final

from kumobashi.kernel import JST

KEPT: Final = timedelta(days=90)  # of which days are compared
SHOWN: Final = timedelta(days=30)  # on which findings are shown
MANY_AT_LEAST: Final = 20  # looks in a day; fewer are never many
MANY_TIMES: Final = 3  # as often as on the account's median day, and as the role's
DAYS_OF_OWN: Final = 5  # with a look, before an account's days are compared with its own
REFUSED_AT_LEAST: Final = 10  # of the same, in a day
PLACES_REFUSED: Final = 5  # different ones, in a day
ABSENT: Final = timedelta(days=60)
EVENING, MORNING = 21, 7  # hours of Japan: the night is between them
NIGHTS_OF_OWN: Final = 2  # earlier days with a look at night: then it is what the account does
OUTSIDE: Final = frozenset({"vendor", "data-centre", "shared-office"})
"""Roles of people who are not the municipality's: they have no business at a resident's record."""


class Rule(StrEnum):
    """Why a day of an account is shown."""

    MANY = "many"  # far more looks than on its own days, and than others of the role
    HOURS = "hours"  # at night or on a weekend, which it never was
    REFUSED = "refused"  # asked again and again for what it may not do
    OUTSIDE = "outside"  # somebody of a provider asked for residents' records
    RETURN = "return"  # the first look after a long time


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One record of access; ``times``: as often as the record says it happened."""

    by: str  # account, or who else is named
    at: datetime
    role: str
    code: str  # the page or call
    is_refused: bool = False
    is_of_person: bool = True  # what was asked for would show one resident
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A day of an account to be looked into: ``count``, and ``usual``, with which it compares."""

    rule: Rule
    by: str
    role: str
    day: date  # of Japan
    count: int
    usual: int | None = None
    first: datetime
    last: datetime

    @property
    def id(self) -> str:
        """A short name, the same whenever the same day is looked at."""
        said = f"{self.rule.value}\n{self.by}\n{self.day.isoformat()}"
        return sha256(said.encode()).hexdigest()[:16]


class Answer(StrEnum):
    """What somebody else found when they asked."""

    DUTY = "duty"  # it was their work
    MISTAKE = "mistake"  # nothing was meant by it
    PASSED_ON = "passed-on"  # to whoever answers for personal data


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A finding, and what was said of it."""

    finding: Finding
    answer: Answer | None = None
    answered_by: str = ""
    answered_at: datetime | None = None


@dataclass(slots=True)
class _Day:
    """What an account did on one day."""

    role: str
    first: datetime
    last: datetime
    looks: int = 0
    late: int = 0  # at night, or on a weekend
    outside: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by what was asked for


class Habits:
    """Days of accounts, of the last ``KEPT``: a few numbers for each, however many looks."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, _Day]] = defaultdict(dict)

    def add(self, look: Look) -> None:
        """Count a look; they may come in any order."""
        local = look.at.astimezone(JST)
        held = self._days[look.by].setdefault(
            local.date(), _Day(role=look.role, first=look.at, last=look.at)
        )
        held.first, held.last = min(held.first, look.at), max(held.last, look.at)
        if look.is_refused:
            held.refused[look.code] = max(held.refused[look.code], look.times)
        elif look.is_of_person:
            held.looks += look.times
            held.late += look.times if _is_late(local) else 0
        if look.is_of_person and look.role in OUTSIDE:
            held.outside += look.times

    def forget(self, now: datetime) -> None:
        """Let go of the days that are compared with nothing any more."""
        first = (now - KEPT).astimezone(JST).date()
        for by, days in list(self._days.items()):
            self._days[by] = {on: day for on, day in days.items() if on >= first}
            if not self._days[by]:
                del self._days[by]

    def findings(self, now: datetime) -> list[Finding]:
        """Return what is to be looked into of the last ``SHOWN``, the newest day first."""
        today = now.astimezone(JST).date()
        shown = [today - timedelta(days=back) for back in range(SHOWN.days)]
        found = [
            one
            for by, days in self._days.items()
            for on in shown
            if on in days
            for one in self._of(by, on, days)
        ]
        return sorted(found, key=lambda one: (-one.day.toordinal(), one.rule, one.by))

    def _of(self, by: str, on: date, days: dict[date, _Day]) -> Iterator[Finding]:
        day = days[on]
        before = {then: held for then, held in days.items() if then < on and held.looks}
        seen: list[tuple[Rule, int, int | None]] = []
        if (usual := self._many(by, on, day, before.values())) is not None:
            seen.append((Rule.MANY, day.looks, usual))
        nights = sum(held.late > 0 for held in before.values())
        if day.late and nights < NIGHTS_OF_OWN:
            seen.append((Rule.HOURS, day.late, nights))
        if (most := max(day.refused.values(), default=0)) >= REFUSED_AT_LEAST or len(
            day.refused
        ) >= PLACES_REFUSED:
            seen.append((Rule.REFUSED, max(most, len(day.refused)), None))
        if day.outside:
            seen.append((Rule.OUTSIDE, day.outside, 0))
        if day.looks and before and on - max(before) >= ABSENT:
            seen.append((Rule.RETURN, (on - max(before)).days, None))
        for rule, count, usual_count in seen:
            yield Finding(
                rule=rule, by=by, role=day.role, day=on, count=count, usual=usual_count,
                first=day.first, last=day.last,
            )  # fmt: skip

    def _many(self, by: str, on: date, day: _Day, before: Iterable[_Day]) -> int | None:
        """Return how many looks are usual if these are far more; none: they are not."""
        if day.looks < MANY_AT_LEAST:
            return None
        own = [held.looks for held in before]
        others = [
            held.looks
            for other, days in self._days.items()
            if other != by
            for then, held in days.items()
            if then <= on and held.role == day.role and held.looks
        ]
        # Somebody new is compared with the role; somebody alone in it, with their own days.
        known = [median(own)] if len(own) >= DAYS_OF_OWN else []
        known += [median(others)] if len(others) >= DAYS_OF_OWN else []
        usual = max(known, default=0)
        return int(usual) if day.looks > MANY_TIMES * usual else None


def _is_late(local: datetime) -> bool:
    return local.isoweekday() > 5 or not MORNING <= local.hour < EVENING  # noqa: PLR2004 - Friday
