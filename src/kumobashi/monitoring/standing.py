"""How each site stands, from the hours that a watch has counted and the faults that go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kumobashi.monitoring.faults import Fault
from kumobashi.monitoring.health import HourView
from kumobashi.monitoring.picture import Settled

WATCHED_WITHIN = timedelta(minutes=3)  # a watch that has not noted a look for so long is gone
DAYS = 7
_WELL = 0.98  # of the looks of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStanding:
    """One site as the status page shows it."""

    site: str
    name: str
    fault: Fault | None  # the gravest that goes on with it
    links: int  # that pass it
    hours: tuple[HourView | None, ...]  # of the last days, the oldest first; none: not watched
    skew: timedelta | None
    within: timedelta | None

    @property
    def share(self) -> float | None:
        """Return how much of the looks it answered, 0 to 1."""
        looks = sum(one.looks for one in self.hours if one)
        return sum(one.answered for one in self.hours if one) / looks if looks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour as it is drawn."""

    at: int  # number of the hour, from the left
    mark: str  # "well", "weak", "down", "unknown"


def bars(standing: SiteStanding) -> tuple[Bar, ...]:
    """Return the hours of a site as bars."""
    return tuple(Bar(at=number, mark=_mark(one)) for number, one in enumerate(standing.hours))


def standings(
    settled: Settled,
    faults: Sequence[Fault],
    hours: dict[str, Sequence[HourView]],
    now: datetime,
    *,
    days: int = DAYS,
) -> tuple[SiteStanding, ...]:
    """Return the sites that links of this site pass, those in trouble first."""
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=days * 24 - 1)
    found = []
    for site, facts in settled.sites.items():
        passing = sum(site in link.sites for link in settled.links.values())
        if not passing and site not in hours:
            continue
        seen = {one.at: one for one in hours.get(site, ())}
        measured = [one for one in seen.values() if one.skew is not None]
        last = max(measured, key=lambda one: one.at) if measured else None
        found.append(
            SiteStanding(
                site=site,
                name=facts.name,
                fault=next((one for one in faults if one.seen.side == site), None),
                links=passing,
                hours=tuple(seen.get(begin + timedelta(hours=n)) for n in range(days * 24)),
                skew=last.skew if last else None,
                within=last.within if last else None,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.fault is None, one.site)))


def _mark(one: HourView | None) -> str:
    if one is None or not one.looks:
        return "unknown"
    if one.share >= _WELL:
        return "well"
    return "weak" if one.answered else "down"
