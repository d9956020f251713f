"""How far clocks are apart, from the times that sites signed on a pulse. Pure.

A pulse is a round trip: it left and came back by the clock here, came and left by the clock there.
Half the difference of both legs is how far the clock there is ahead, give or take half of what the
trip took (RFC 5905, section 8). When most sites are off by the same, it is the clock here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Protocol


class Word(Protocol):
    """A site's signed word on a pulse."""

    @property
    def site(self) -> str:
        """Who signed it."""

    @property
    def came(self) -> datetime:
        """When the pulse came, by the clock there."""

    @property
    def left(self) -> datetime:
        """When it left again."""


class Trip(Protocol):
    """A pulse that went there and back."""

    @property
    def at(self) -> datetime:
        """When it was sent, by the clock here."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def words(self) -> Sequence[Word]:
        """What the sites on its way signed."""


_MANY = 2  # sites that must agree before the clock here is doubted


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How far a clock is ahead of the one here; behind, when negative."""

    ahead: timedelta
    within: timedelta  # give or take

    def is_off(self, alarm: timedelta) -> bool:
        """Whether it is certainly off by more than ``alarm``."""
        return abs(self.ahead) - self.within > alarm


def skews(ways: Iterable[Trip]) -> dict[str, Skew]:
    """Return the best estimate for every site that said a word."""
    found: dict[str, Skew] = {}
    for way in ways:
        back = way.at + timedelta(seconds=way.seconds)
        for word in way.words:
            inside = word.left - word.came
            if not timedelta() <= inside:
                continue
            ahead = ((word.came - way.at) + (word.left - back)) / 2
            within = max(timedelta(), (timedelta(seconds=way.seconds) - inside) / 2)
            old = found.get(word.site)
            if old is None or within < old.within:
                found[word.site] = Skew(ahead=ahead, within=within)
    return found


def clocks_off(ways: Iterable[Trip], here: str, alarm: timedelta) -> list[tuple[str, Skew]]:
    """Return the sites whose clock is off by more than ``alarm``, by site.

    This site is one of them, instead of all others, when several agree that it is.
    """
    found = skews(ways)
    off = {site: skew for site, skew in found.items() if skew.is_off(alarm)}
    if len(off) >= _MANY and len(off) * 2 > len(found):
        middle = timedelta(seconds=median(skew.ahead.total_seconds() for skew in off.values()))
        alike = [s for s in off.values() if abs(s.ahead - middle) <= s.within + alarm]
        if len(alike) * 2 > len(found):
            within = max(skew.within for skew in alike)
            rest = {site: skew for site, skew in off.items() if skew not in alike}
            return [(here, Skew(ahead=-middle, within=within)), *sorted(rest.items(), key=_site)]
    return sorted(off.items(), key=_site)


def _site(pair: tuple[str, Skew]) -> str:
    return pair[0]
