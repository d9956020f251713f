"""A fault (障害) as it is kept: its cause, how long it lasted, and what people did about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from kumobashi.exchange.views import ContactView, Words
from kumobashi.kernel import from_wire, to_wire
from kumobashi.monitoring.alerts import Urgency
from kumobashi.monitoring.points import Pattern, Point
from kumobashi.monitoring.suspicions import Suspicion


class Standing(StrEnum):
    """How a fault stands."""

    OPEN = "open"  # 発生中
    TAKEN = "taken"  # 対応中
    ENDED = "ended"  # 復旧
    CLOSED = "closed"  # 完了: its cause is noted


class EntryKind(StrEnum):
    """What a line of the timeline is about."""

    OPENED = "opened"  # 発生
    REOPENED = "reopened"  # 再発
    WORSENED = "worsened"  # 拡大
    TOLD = "told"  # 連絡: an alert went out
    TAKEN = "taken"  # 対応開始
    ENQUIRY = "enquiry"  # 問い合わせ
    MEASURE = "measure"  # 対応
    CAUSE = "cause"  # 原因
    ENDED = "ended"  # 復旧
    CLOSED = "closed"  # 完了


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEntry:
    """One line of a timeline."""

    at: datetime
    kind: EntryKind
    by: str  # empty: the watch
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, as it was last seen."""

    id: str
    site: str  # whose watch saw it
    seen: Suspicion
    began: datetime
    opened: datetime
    ended: datetime | None
    taken: datetime | None
    taken_by: str | None
    closed: datetime | None
    closed_by: str | None
    entries: tuple[FaultEntry, ...] = ()

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.closed:
            return Standing.CLOSED
        if self.ended:
            return Standing.ENDED
        return Standing.TAKEN if self.taken else Standing.OPEN

    @property
    def number(self) -> str:
        """What people call it on the telephone."""
        return self.id[-6:].upper()


def plain_suspicion(one: Suspicion) -> dict[str, Any]:
    """Return it as JSON."""
    return {
        **asdict(one),
        "since": to_wire(one.since),
        "links": sorted(one.links),
        "overdue": sorted([link, on.isoformat()] for link, on in one.overdue),
        "path": [list(step) for step in one.path],
    }


def suspicion_of(said: Mapping[str, Any]) -> Suspicion:
    """Return what :func:`plain_suspicion` wrote."""
    contact, tried = said["contact"], said["tried"]
    return Suspicion(
        key=said["key"],
        point=Point(said["point"]),
        code=said["code"],
        side=said["side"],
        side_name=said["side_name"],
        what=Words(**said["what"]),
        remedy=Words(**said["remedy"]),
        since=from_wire(said["since"]),
        urgency=Urgency(said["urgency"]),
        links=frozenset(said["links"]),
        contact=ContactView(**contact) if contact else None,
        tried=Words(**tried) if tried else None,
        pattern=Pattern(said["pattern"]) if said["pattern"] else None,
        path=tuple((step[0], step[1], step[2]) for step in said["path"]),
        is_certain=said["is_certain"],
        overdue=frozenset((link, date.fromisoformat(on)) for link, on in said["overdue"]),
    )
