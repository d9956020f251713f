"""Who had a resident's data when a request was carried out, and how far each receiver is since.

Runs of a link that were begun later carry the corrected row, or go without the resident's; their
receipts stand in the ledger of transfers. The number is opened once, when it is carried out.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import Out, is_under_way
from kumobashi.kernel import business_date, from_micros, to_micros
from kumobashi.planning.workspace import Workspace
from kumobashi.requests.deadlines import RULES, Step
from kumobashi.requests.receivers import How, Receiver, Run, Told, how
from kumobashi.requests.records import Request
from kumobashi.service.gateway import Gateway
from kumobashi.service.request_answers import receivers as holders

Json = dict[str, Any]
_MOST: Final = 1_000  # newest transfers of a link that are looked at
_STAYED: Final = frozenset({Out.EXTRACTING, Out.HELD, Out.SEALED, Out.REFUSED, Out.CANCELLED})


def receivers_of(
    told: list[Json], workspace: Workspace, site: str, links: Sequence[str]
) -> list[Receiver]:
    """Return who may hold the resident's data; ``told`` is what ``PersonTrace`` says.

    ``links`` are those that a later run of tells its receiver; none: all.
    """
    found: dict[str, list[Json]] = {}
    for line in holders(told):
        found.setdefault(line["link"], []).append(line)
    made = []
    for name, lines in sorted(found.items()):
        link = workspace.links.get(name)
        runs_here = link is not None and workspace.systems[link.from_].site == site
        made.append(
            Receiver(
                link=name,
                to_site=lines[-1]["to_site"],
                to_system=link.to.system if link else None,
                by_run=runs_here and (not links or name in links),
                transfers=tuple(line["transfer"] for line in lines),
            )
        )
    return made


class Following:
    """How far the receivers of requests at one site are."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def of(self, held: Request) -> list[tuple[Receiver, How]]:
        """Return each receiver with how far it is; nothing before it was carried out."""
        today = business_date(self._gateway.clock.now())
        due = due_day(held)
        if due is None:
            return []
        return [
            (one, how(one, self._later(held, one), due=due, today=today))
            for one in held.details.receivers
        ]

    def told(self, held: Request, workspace: Workspace) -> list[Json]:
        """Return the same as JSON, with the names that the workspace has for them."""
        due = due_day(held)
        lines = []
        for one, far in self.of(held):
            system = workspace.systems.get(one.to_system or "")
            lines.append(
                {
                    "link": one.link,
                    "to_site": one.to_site,
                    "to_system": one.to_system,
                    "to_name": system.name if system else one.to_site,
                    "by": "run" if one.by_run else "paper",
                    "transfers": list(one.transfers),
                    "state": far.told.value,
                    "state_ja": far.told.ja,
                    "on": far.on.isoformat() if far.on else None,
                    "transfer": far.transfer,
                    "due": due.isoformat() if due else None,
                    "deletions": [f"kumobashi deletion request {t}" for t in one.transfers],
                }
            )
        return lines

    def open(self, held: Request) -> list[str]:
        """Return the links whose receivers have not confirmed."""
        return [one.link for one, far in self.of(held) if far.told is not Told.CONFIRMED]

    def is_overdue(self, held: Request) -> bool:
        """Whether a receiver has not confirmed in time."""
        return any(far.told is Told.OVERDUE for _, far in self.of(held))

    def under_way(self, links: Sequence[str]) -> list[str]:
        """Return transfers of links whose rows were perhaps read before now."""
        ledger = self._gateway.ledger
        rows = (row for link in links for row in ledger.outgoings(link, limit=_MOST))
        return [row.transfer for row in rows if is_under_way(row.state)]

    def _later(self, held: Request, receiver: Receiver) -> list[Run]:
        since = held.details.carried_out_at
        if since is None or not receiver.by_run:
            return []
        rows = self._gateway.ledger.outgoings(receiver.link, limit=_MOST)
        later = [row for row in rows if row.started_at > to_micros(since) and not row.resends]
        return [_run(row) for row in sorted(later, key=lambda row: row.started_at)]


def due_day(held: Request) -> date | None:
    """Return until when receivers are waited for; none: nobody is."""
    done, row = (
        held.details.carried_out_on,
        RULES.of(held.kind, held.received_on).get(Step.RECEIVERS),
    )
    if done is None or row is None or row.days is None:
        return None
    return RULES.closed.next_open(date.fromordinal(done.toordinal() + row.days))


def _run(row: Outgoing) -> Run:
    return Run(
        transfer=row.transfer,
        on=business_date(from_micros(row.finished_at or row.started_at)),
        has_left=row.state not in _STAYED,
        is_applied=row.state is Out.APPLIED,
    )
