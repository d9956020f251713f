"""What people see of links and transfers, as plain values, for the console and the terminal alike.

``exchange.overview`` fills these from the ledger; ``console`` draws them, ``cli`` prints them.
Every text for people comes in Japanese and English. Nothing here holds a resident's data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from kumobashi.kernel import Finding
from kumobashi.release.gate_report import GateReport


class Light(StrEnum):
    """The state of a link in one word; one in :data:`RED` makes ``link status`` exit with 1."""

    APPLIED = "applied"  # 取込済み
    RUNNING = "running"  # 実行中
    WAITING = "waiting"  # 待機中: the other side does not answer; it resumes by itself
    HELD = "held"  # 承認待ち: counts outside the approved bounds, a person decides
    STOPPED = "stopped"  # 停止: overdue, or waiting for longer than it should
    REFUSED = "refused"  # 拒否: nothing was applied, somebody must act
    BLOCKED = "blocked"  # 送れません: the plan does not permit it
    NEVER = "never"  # 未実行


RED = frozenset({Light.STOPPED, Light.REFUSED})


class Progress(StrEnum):
    """How far one stage is."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    AHEAD = "todo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One sentence in both languages."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    """Whom to call."""

    name: str
    phone: str
    hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One step on the way: extract, release, seal, carry, delivered, opened, validated, applied."""

    stage: str
    progress: Progress
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    parts_done: int | None = None
    parts_total: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HopView:
    """One site on the way and how many parts it holds or has passed on."""

    site: str
    name: str
    progress: Progress
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A signed statement of the receiver, verified here."""

    stage: str
    site: str
    at: datetime
    digest: str  # SHA-256 of the signed text, in hexadecimal
    rows: int | None
    findings: int
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a transfer waits, was held or was refused, at whose side, and whom to call."""

    code: str
    what: Words
    remedy: Words
    side: str  # site id of the side at fault
    side_name: str
    contact: ContactView | None
    since: datetime
    tries: int = 0
    next_try: datetime | None = None
    behind: int = 0  # transfers that wait for the same peer
    is_calm: bool = False  # closed doors, a pause, its turn: nobody is at fault


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """One run of a link."""

    transfer: str
    link: str
    business_date: date
    sequence: int
    attempt: int
    mode: str  # "full" or "difference"
    state: str  # the state of exchange.states
    light: Light
    started: datetime
    finished: datetime | None
    seconds: float | None
    rows_extracted: int | None
    rows_without_consent: int | None
    rows_quarantined: int | None
    rows_released: int | None
    rows_applied: int | None
    smallest_class: int | None  # k over what tells people apart
    rows_below_k: int | None  # rows in classes smaller than five
    payload_bytes: int | None
    sealed_bytes: int | None
    stages: tuple[StageView, ...]
    hops: tuple[HopView, ...]
    receipts: tuple[ReceiptView, ...]
    findings: tuple[Finding, ...]
    findings_total: int
    cause: Cause | None
    rows_deleted: int | None = None  # of a difference
    rows_set_aside: int | None = None  # by the receiver, for findings
    fallback: str | None = None  # the link that stepped in for what the gate refused
    fallback_code: str | None = None  # why it could not
    gate: GateReport | None = None  # none: the rule has no gate, or it was not reached
    untied: Mapping[str, int] = field(default_factory=dict)  # left out for want of a tie, by reason
    left_to_people: int = 0  # protected persons (支援措置): not carried, seen to one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """One link with its newest transfer and the ones before."""

    link: str
    name: str
    from_name: str  # system
    to_name: str
    to_site_name: str
    light: Light
    legal_basis: Words
    mode: str
    daily: str | None  # "01:20", Japanese time
    deadline: str | None
    contact: ContactView | None
    latest: TransferView | None
    blocked: tuple[Words, ...] = ()  # what the plan refuses, sentence and remedy
    history: tuple[TransferView, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingView:
    """One holding with the words around it; times are aware."""

    side: str  # "out": this site sent it; "in": this site has it
    transfer: str
    attempt: int
    link: str
    business_date: str
    from_site: str
    to_site: str
    to_site_name: str
    rows: int
    state: str
    state_ja: str
    retention_class: str | None
    retention_days: int | None
    by_law: bool
    basis: str | None  # code of the legal basis as the link states it now
    plan_hash: str | None
    applied: datetime
    due: datetime | None
    level: int
    level_words: Words
    contact: ContactView | None  # of the receiving site
    link_contact: ContactView | None
    key: str | None
    asked: datetime | None
    asked_by: str | None
    approved_by: str | None
    deleted: datetime | None  # as the receipt says
    rows_deleted: int | None
    taken_over_by: str | None
    key_backups_until: str | None
    receipt: str | None  # digest of the ``deleted`` receipt
    relays: tuple[str, ...]  # sites that passed it on and kept nothing after it was settled
    cause: Words | None
    remedy: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueMedia:
    """Media that should be back by now (返却期日超過)."""

    permit: str
    labels: tuple[str, ...]
    to_site: str
    return_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueRequest:
    """A resident's request that should be decided by now (開示等請求の期限超過)."""

    request: str
    kind: str
    kind_ja: str
    due: date
    awaits: Literal["decision", "receivers"] = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportClock:
    """When one report of an incident is due (速報・確報)."""

    report: Literal["prompt", "final"]
    due: date
    days_left: int  # negative: late
    level: Literal["done", "calm", "soon", "overdue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident (漏えい等の事案) that is not closed."""

    incident: str
    link: str | None  # none: its record is not as it was written
    noticed: datetime | None
    clocks: tuple[ReportClock, ...]

    @property
    def is_late(self) -> bool:
        """Whether a report is late, or its record cannot be believed."""
        return self.link is None or any(one.level == "overdue" for one in self.clocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """連携状況一覧."""

    municipality_code: str
    municipality_name: str
    site: str
    site_name: str
    at: datetime
    links: tuple[LinkView, ...]
    overdue: tuple[HoldingView, ...] = ()  # what receivers should have deleted, and have not
    overdue_media: tuple[OverdueMedia, ...] = ()
    overdue_requests: tuple[OverdueRequest, ...] = ()
    incidents: tuple[OpenIncident, ...] = ()

    @property
    def is_red(self) -> bool:
        """Whether somebody must act now."""
        is_late = bool(self.overdue or self.overdue_media or self.overdue_requests)
        is_late = is_late or any(one.is_late for one in self.incidents)
        return is_late or any(link.light in RED for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link as a list of thousands shows it: no stages, no receipts, no reading of rows."""

    link: str
    name: str
    from_system: str
    from_name: str
    to_system: str
    to_name: str
    to_site_name: str
    sites: tuple[tuple[str, str], ...]  # id and name, on the way, the sender first
    contact: ContactView | None
    mode: str
    daily: str | None
    deadline: str | None
    light: Light
    cause_code: str | None = None  # of the newest transfer, while it is not applied
    cause_side: str | None = None  # site id
    on: date | None = None  # business date of the newest transfer
    started: datetime | None = None
    seconds: float | None = None
    rows: int | None = None  # applied, else released


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """How a link stood on one business date."""

    on: date
    light: Light


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All links of a site in short, as they are at one moment."""

    municipality_code: str
    municipality_name: str
    site: str
    site_name: str
    at: datetime
    rows: tuple[LinkRow, ...]
    is_training: bool = False  # a fictional city: pages say so
    overdue: tuple[HoldingView, ...] = ()  # what receivers should have deleted, and have not
    overdue_media: tuple[OverdueMedia, ...] = ()
    overdue_requests: tuple[OverdueRequest, ...] = ()
    incidents: tuple[OpenIncident, ...] = ()

    @property
    def is_red(self) -> bool:
        """Whether somebody must act now."""
        is_late = bool(self.overdue or self.overdue_media or self.overdue_requests)
        is_late = is_late or any(one.is_late for one in self.incidents)
        return is_late or any(row.light in RED for row in self.rows)
