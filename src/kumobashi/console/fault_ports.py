"""What the pages of faults ask of the floors above."""

from collections.abc import Sequence
from typing import Protocol

from kumobashi.monitoring.faults import EntryKind, Fault
from kumobashi.monitoring.standing import SiteStanding


class FaultSource(Protocol):
    """Gives the faults and sites of a watch; called in worker threads."""

    def is_watched(self) -> bool | None:
        """Whether a watch has looked lately; none: there never was one."""

    def open(self) -> Sequence[Fault]:
        """Return the faults that go on."""

    def listed(self, *, side: str | None = None, limit: int, skip: int) -> Sequence[Fault]:
        """Return faults, those that go on first."""

    def get(self, fault: str) -> Fault:
        """Return one with its timeline; raise ``FaultUnknown``."""

    def take(self, fault: str, *, by: str) -> Fault:
        """Say that somebody sees to it; raise ``FaultUnknown``, ``FaultClosed``."""

    def note(self, fault: str, kind: EntryKind, text: str, *, by: str) -> Fault:
        """Add a line to the timeline; raise ``NoteMissing`` too."""

    def close(self, fault: str, cause: str, *, by: str) -> Fault:
        """Close the record with its cause; raise ``StillOpen`` too."""

    def sites(self, *, days: int) -> Sequence[SiteStanding]:
        """Return how the sites stand."""
