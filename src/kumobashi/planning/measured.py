"""What was counted for a plan: beside the decision, never part of its hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kumobashi.conversion.charsets import CharacterLoss
    from kumobashi.kernel import Finding
    from kumobashi.release.gate_report import GateReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLoss:
    """A character that one released item would lose."""

    item: str
    ja: str
    loss: "CharacterLoss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted for a plan, on one day."""

    on: date
    rows: int  # that would leave, also those that a character or a finding may hold back
    extracted: int
    without_consent: int
    bytes: int  # sealed
    parts: int
    smallest_class: int | None  # k over what tells people apart, behind the gate
    rows_below_five: int | None
    findings: tuple["Finding", ...]
    losses: tuple[ItemLoss, ...]
    untied: Mapping[str, int] = field(default_factory=dict)  # left out for want of a tie, by reason
    gate: "GateReport | None" = None  # none: the rule has no gate, or nobody is sent

    @property
    def is_refused(self) -> bool:
        """Whether the gate lets nothing leave."""
        return self.gate is not None and self.gate.outcome == "refused"

    @property
    def rows_with_losses(self) -> int:
        """Rows, per item, that hold a character without a substitute."""
        return sum(held.loss.rows for held in self.losses if held.loss.substitute is None)
