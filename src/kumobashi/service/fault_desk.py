"""What the console shows of faults and sites, and what people say of them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from kumobashi.kernel import Clock
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.faults import EntryKind, Fault
from kumobashi.monitoring.health import Hours
from kumobashi.monitoring.picture import Settled, read_settled
from kumobashi.monitoring.standing import WATCHED_WITHIN, SiteStanding, standings

_MOST_OPEN = 200


class FaultDesk:
    """Meets ``console.ports.FaultSource`` with the file of the site's watch."""

    def __init__(self, folder: Path, *, tenant: str, site: str, clock: Clock) -> None:
        """``folder`` is that of the site under ``var``."""
        self._file = watch_file(folder)
        self._book = FaultBook(self._file, tenant=tenant, site=site, clock=clock)
        self._hours = Hours(self._file, tenant)
        self._clock = clock

    def is_watched(self) -> bool | None:
        """Whether a watch has looked lately; none: there never was one."""
        last = self._book.last_look()
        return None if last is None else self._clock.now() - last[0] <= WATCHED_WITHIN

    def open(self) -> Sequence[Fault]:
        """Return the faults that go on, the newest first."""
        return self._book.listed(open_only=True, limit=_MOST_OPEN)

    def listed(self, *, side: str | None = None, limit: int, skip: int) -> Sequence[Fault]:
        """Return faults, those that go on first."""
        return self._book.listed(side=side, limit=limit, skip=skip)

    def get(self, fault: str) -> Fault:
        """Return one with its timeline; raise ``FaultUnknown``."""
        return self._book.get(fault)

    def take(self, fault: str, *, by: str) -> Fault:
        """Say that somebody sees to it."""
        return self._book.take(fault, by=by)

    def note(self, fault: str, kind: EntryKind, text: str, *, by: str) -> Fault:
        """Add a line to the timeline."""
        return self._book.note(fault, kind, text, by=by)

    def close(self, fault: str, cause: str, *, by: str) -> Fault:
        """Close the record with its cause."""
        return self._book.close_record(fault, cause, by=by)

    def sites(self, *, days: int) -> tuple[SiteStanding, ...]:
        """Return how the sites stand, with their hours of so many days."""
        last = self._book.last_look()
        if last is None:
            return ()
        settled = read_settled(last[1], last[2]) if last[2] else Settled()
        now = self._clock.now()
        since = now - timedelta(days=days)
        hours = {site: self._hours.of(site, since) for site in settled.sites}
        return standings(settled, self.open(), hours, now, days=days)
