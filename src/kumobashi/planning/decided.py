"""What every plan is, of a bulk link as of an online one: a decision with its reasons and its hash.

Approvals, agreements and the lists of plans know no more of a link than this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from kumobashi.planning.links import Bounds, LegalBasis
from kumobashi.policy.deciding import Reason
from kumobashi.policy.reading import Origin
from kumobashi.policy.tables import LegalBasisRow
from kumobashi.routing.finding import Hop


class Declared(Protocol):
    """What the file of every link says."""

    @property
    def link(self) -> str:
        """Its name; approvals and agreements go by it."""

    @property
    def name(self) -> str:
        """Its name for people."""

    @property
    def from_(self) -> str:
        """The system whose data leave."""

    @property
    def purpose(self) -> str:
        """What for."""

    @property
    def legal_basis(self) -> LegalBasis | None:
        """On what basis."""

    @property
    def agreement(self) -> str | None:
        """The number of the agreement that it needs."""

    @property
    def contact(self) -> str:
        """Whom to call."""


class ItemSeen(Protocol):
    """One item as people agree to it."""

    @property
    def name(self) -> str:
        """The item."""

    @property
    def ja(self) -> str:
        """What people call it."""

    @property
    def operation_ja(self) -> str:
        """What becomes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The answer of the dry run, without anything counted."""

    link: Declared
    on: date
    from_name: str  # systems
    to_name: str
    from_site_name: str
    to_site_name: str
    items: Sequence[ItemSeen]
    hops: tuple[Hop, ...]
    site_names: Mapping[str, str]  # of the sites on the way
    basis: LegalBasisRow | None
    reasons: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    decision: Mapping[str, Any]  # what the hash covers
    hash: str
    rows: tuple[Origin, ...] = ()  # of the rules: every row that was asked and answered

    @property
    def is_permitted(self) -> bool:
        """Whether the link may run, once it is approved."""
        return not self.reasons

    @property
    def bounds(self) -> Bounds | None:
        """How far a run may differ from the approved counts; nothing where nothing is counted."""
        return None

    @property
    def fallback(self) -> str | None:
        """The link that steps in when nothing may leave as it was measured."""
        return None

    @property
    def number(self) -> str:
        """The short number of the decision, for people to compare."""
        short = self.hash.removeprefix("sha256:")[:8].upper()
        return f"{short[:4]}-{short[4:]}"
