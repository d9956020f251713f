"""Which incidents are open and when their reports are due, for whoever looks at the whole site."""

from typing import Final, Literal

from kumobashi.exchange.views import OpenIncident, ReportClock
from kumobashi.papers.book import IncidentBook
from kumobashi.papers.clocks import DueReport, Level, clocks_of
from kumobashi.service.gateway import Gateway

_LEVELS: Final[dict[Level, Literal["done", "calm", "soon", "overdue"]]] = {
    Level.DONE: "done",
    Level.CALM: "calm",
    Level.SOON: "soon",
    Level.OVERDUE: "overdue",
}
_REPORTS: Final[tuple[Literal["prompt", "final"], ...]] = ("prompt", "final")


def open_incidents(gateway: Gateway) -> tuple[OpenIncident, ...]:
    """Return the incidents that are not closed, the newest first; raise ``PaperRulesMissing``."""
    now = gateway.clock.now()
    book = IncidentBook(gateway.store, tenant=gateway.identity.tenant, clock=gateway.clock)
    found, touched = book.all()

    def clock(report: Literal["prompt", "final"], one: DueReport) -> ReportClock:
        level = _LEVELS[one.level(now)]
        return ReportClock(
            report=report, due=one.due_day, days_left=one.days_left(now), level=level
        )

    shown = []
    for held in found:
        due = clocks_of(held.noticed, improper=held.improper.value, filed=held.filed)
        shown.append(
            OpenIncident(
                incident=held.incident,
                link=held.link,
                noticed=held.noticed,
                clocks=tuple(map(clock, _REPORTS, due)),
            )
        )
    shown += [
        OpenIncident(incident=one.incident, link=None, noticed=None, clocks=()) for one in touched
    ]
    return tuple(shown)
