"""What the pages of evidence ask of the floors above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kumobashi.exchange.evidence_search import EvidencePage, EvidenceWish, ProvedRecord
from kumobashi.identity.unusual import Noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What this site saw last of another's log; ``is_sound``: it only ever grew."""

    site: str
    size: int
    at: datetime
    is_sound: bool
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStanding:
    """How far a site's log is, and whether what was signed last is what lies there."""

    site: str
    size: int
    waiting: int
    signed: int
    signed_at: datetime | None
    is_sound: bool  # the records lead to the root that was signed last
    witnesses: tuple[Witness, ...]


class EvidenceSource(Protocol):
    """Gives a site's evidence; called in worker threads."""

    def standing(self) -> LogStanding:
        """Return how far the log is."""

    def search(self, wish: EvidenceWish) -> EvidencePage:
        """Return one page of records, the newest first."""

    def each(self, wish: EvidenceWish, *, most: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """Return up to ``most`` records for a file."""

    def record(self, number: int) -> ProvedRecord:
        """Return one with its proof; raise ``RecordNotFound``."""

    def noticed(self) -> Sequence[Noticed]:
        """Return unusual access of the last month, what nobody answered first."""
