"""All that one run of a link needs, resolved from the workspace and the directory beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kumobashi.catalogue.columns import column_spec
from kumobashi.catalogue.layouts import Layout
from kumobashi.exchange.permitting import Needed
from kumobashi.messages.retention import Retention
from kumobashi.release.campaigns import Campaign
from kumobashi.release.coding import Codebook
from kumobashi.release.gate_report import GateReport
from kumobashi.release.releasing import OnFindings
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.tables import ColumnSpec, TableStore

if TYPE_CHECKING:
    import sqlalchemy as sa

    from kumobashi.ties.source import TieStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Approved limits, both ends included; ``None`` where nobody set one."""

    rows: tuple[int, int] | None = None
    bytes: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterRule:
    """Which characters the receiver can hold, and what happens to the others."""

    charset: Literal["utf-8", "utf-8-bom", "cp932"]
    substitutes: Mapping[str, str]
    otherwise: Literal["refuse", "quarantine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingColumn:
    """One column as the receiver's layout has it."""

    spec: ColumnSpec
    ja: str  # the header in CSV


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Under which names columns leave, and the receiver's layout, which has no others."""

    codebook: Codebook
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """Of a predicate-only link: the campaigns, and where the hall answers their conditions."""

    campaigns: tuple[Campaign, ...]
    hall: Mapping[str, tuple[TableStore, str]]  # by "system.dataset": store and table
    times: Mapping[str, tuple[TableStore, str] | None]  # table of data times; none: read live

    @property
    def stores(self) -> tuple[TableStore, ...]:
        """All stores that must be read in one moment."""
        dated = [held[0] for held in self.times.values() if held]
        return (*(store for store, _ in self.hall.values()), *dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A link, ready to run."""

    tenant: str
    link: str
    plan_hash: str
    basis: str | None  # code of the legal basis, for the evidence
    rule: ReleaseRule
    purpose: str
    sources: Mapping[str, tuple[TableStore, str]]  # by dataset key of the rule: store and table
    from_site: str
    to_site: str
    to_system: str
    to_dataset: str
    layout: Layout  # with the logical names
    mode: Literal["full", "difference"]
    form: Literal["parquet", "csv"]
    characters: CharacterRule
    on_findings: OnFindings
    bounds: Bounds
    recipient: str  # age1…
    largest_part_bytes: int
    retention: Retention | None = None  # none: nothing was declared
    targeting: Targeting | None = None  # of a predicate-only rule, and only there
    priority: Literal["high", "normal", "low"] = "normal"
    is_in_order: bool = False  # the next transfer waits until the one before it is over
    coded: Coded | None = None  # none: columns leave under their logical names
    approved_gate: GateReport | None = None  # what was seen when the link was approved
    # Raises, in the transaction that seals, when what was read may not leave any more.
    refuse_changed: "Callable[[sa.Connection], None] | None" = None
    ties: "TieStore | None" = None  # of a rule that asks the ties; among the sources too
    fallback: str | None = None  # the link that steps in when the gate lets nothing leave
    needed: Needed | None = None  # the agreement without which nothing leaves

    @property
    def sent_layout(self) -> Layout:
        """The layout of what leaves."""
        return self.coded.layout if self.coded else self.layout

    @property
    def columns(self) -> tuple[ReceivingColumn, ...]:
        """The columns of the layout, under their logical names."""
        return receiving_columns(self.layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a receiver needs to take a bundle of one link in."""

    link: str
    from_site: str
    system: str
    dataset: str
    store: TableStore
    table: str
    layout: Layout
    on_findings: OnFindings
    shared_with: tuple[str, ...] = ()  # other links that write into the same dataset

    @property
    def columns(self) -> tuple[ReceivingColumn, ...]:
        """The columns of the layout."""
        return receiving_columns(self.layout)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return self.layout.key


Orders = Callable[[str], Order]  # by link; the workspace, asked anew for each run
Receptions = Callable[[str], Reception]  # by link; the workspace, asked anew for each bundle


def receiving_columns(layout: Layout) -> tuple[ReceivingColumn, ...]:
    """Return the columns that a table of this layout has."""
    return tuple(ReceivingColumn(spec=column_spec(field), ja=field.ja) for field in layout.fields)
