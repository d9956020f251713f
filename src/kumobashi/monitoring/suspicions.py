"""A suspicion: something that looks wrong at one look, with its one cause. Values only."""

from dataclasses import dataclass
from datetime import date, datetime

from kumobashi.exchange.views import ContactView, Words
from kumobashi.monitoring.alerts import Urgency
from kumobashi.monitoring.points import Pattern, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What looks wrong; two looks at the same cause have the same ``key``."""

    key: str
    point: Point
    code: str  # stable: of the error, or "monitor.…"
    side: str  # id of the site or part at fault
    side_name: str
    what: Words  # the cause in one sentence
    remedy: Words
    since: datetime
    urgency: Urgency = Urgency.NOW
    links: frozenset[str] = frozenset()  # that it stops
    contact: ContactView | None = None
    tried: Words | None = None  # what the platform has done about it
    pattern: Pattern | None = None
    path: tuple[tuple[str, str, str], ...] = ()  # id, name, "ok" | "bad" | "unknown"
    is_certain: bool = False  # told at once: looking again cannot change it
    overdue: frozenset[tuple[str, date]] = frozenset()  # links and dates whose deadline has passed
