"""To whom one resident's data was sent: what an audit and a disclosure alike are answered from.

The number is compared here and goes nowhere else: neither into the answer, nor a log, nor the
evidence. Whoever asks writes the record that it was asked.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from kumobashi.crypto.keys import TokenKey
from kumobashi.evidence.log import unnumbered
from kumobashi.exchange.evidence_state import Selection, SiteEvidence
from kumobashi.exchange.evidence_tables import readable
from kumobashi.exchange.keeping import OUT
from kumobashi.exchange.permitting import AGREEMENT
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import LEFT, Out
from kumobashi.exchange.tokens import destination_key
from kumobashi.exchange.traces import Presence, Whom
from kumobashi.kernel import JST, business_date, from_micros, to_wire
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.errors import LinkUnknown
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace
from kumobashi.release.gate_report import report_of
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.holding_desk import view_of
from kumobashi.service.local_api import plain
from kumobashi.service.numbers import Numbers

_LONGEST_NUMBER = 40
_MOST_TRANSFERS = 1_000_000
_MAY_HAVE_LEFT = LEFT | {Out.APPLIED, Out.REFUSED}
Json = dict[str, Any]


class PersonTrace:
    """What this site knows of one resident in what it sent."""

    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self._gateway = gateway
        self._endpoint = endpoint

    def told(
        self, number: str, first: date, last: date, *, links: Collection[str] = ()
    ) -> list[Json]:
        """Return each transfer that began on these days in Japan, and whether he was in it.

        ``links`` asks for these alone; none: for all.
        """
        gateway, endpoint = self._gateway, self._endpoint
        endpoint.holdings.discover()
        workspace = endpoint.wiring.workspace()
        held = {one.transfer: one for one in endpoint.holdings.all(OUT, limit=_MOST_TRANSFERS)}
        basis = self._bases(first, last)
        rows = [
            row
            for row in gateway.ledger.outgoings(limit=_MOST_TRANSFERS)
            if first <= _started(row).date() <= last
            and row.manifest
            and row.state in _MAY_HAVE_LEFT
            and (not links or row.link in links)
        ]
        plans: dict[str, Plan | None] = {}
        numbers = Numbers(workspace, number)
        told = []
        for row in sorted(rows, key=lambda one: one.started_at):
            if row.link not in plans:
                plans[row.link] = self._plan(workspace, row.link)
            decided = plans[row.link]
            known = decided if decided and decided.hash == row.plan_hash else None
            holding = held.get(row.transfer)
            told.append(
                {
                    **_sent(row, workspace),
                    **self._traced(row, known, workspace, numbers),
                    "basis": basis.get(row.transfer),
                    "items": _items(known),
                    "levels": _levels(row),
                    "holding": plain(view_of(gateway, workspace, holding)) if holding else None,
                }
            )
        return told

    def _traced(
        self, row: Outgoing, known: Plan | None, workspace: Workspace, numbers: Numbers
    ) -> Json:
        """Return whether the resident was in a transfer, as far as that can be known."""
        whom = None
        if known is not None:
            link = workspace.link(row.link)
            rule = workspace.rules[link.release]
            written = numbers.in_source(rule)
            whom = Whom(
                rule=rule,
                key=logical_layout(workspace, link).key,
                to_system=link.to.system,
                numbers=written or (numbers.asked,),
                is_known=bool(written),
                token_of=partial(self._token, link.to.system),
            )
        rooms = self._gateway.identity.work
        rooms.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=rooms) as room:
            trace = self._endpoint.traces.of(row, whom, room=Path(room))
        return {"presence": trace.presence.value, "grounds": trace.grounds.value}

    def _token(self, system: str, number: str, epoch: str | None) -> str | None:
        path = self._gateway.settings.workspace / "private" / self._gateway.identity.site
        if not (path / "token.key").exists():
            return None
        secret = TokenKey.load(path / "token.key").secret
        return destination_key(secret, self._gateway.identity.tenant, system, epoch).token(number)

    def _plan(self, workspace: Workspace, link: str) -> Plan | None:
        today = business_date(self._gateway.clock.now())
        try:
            return plan(workspace, self._gateway.directory, link, on=today)
        except LinkUnknown:  # its file is gone; what was sent was sent
            return None

    def _bases(self, first: date, last: date) -> dict[str, str]:
        """Return the legal basis of each transfer as it was when it began, from the evidence."""
        identity = self._gateway.identity
        chosen = Selection(
            since=datetime.combine(first, time(), JST),
            until=datetime.combine(last + timedelta(days=1), time(), JST),
        )

        def read(connection: sa.Connection) -> dict[str, str]:
            log = SiteEvidence(connection, tenant=identity.tenant, site=identity.site)
            # What was done a moment ago is on record already, and has no number yet.
            just_now = readable(enumerate(unnumbered(connection, identity.tenant)))
            return {
                str(said["transfer"]): str(said["legal_basis"])
                for _, said in chain(log.readable(chosen), just_now)
                if said.get("event") == "transfer.started" and said.get("legal_basis")
            }

        return self._gateway.store.read(read)


def presences(told: Collection[Json]) -> dict[str, int]:
    """Return how many transfers there are of each presence."""
    counts = {one.value: 0 for one in Presence}
    for line in told:
        counts[line["presence"]] += 1
    return counts


def number_in(value: object) -> str:
    """Return a resident's number from a body; raise ``BadRequest``."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > _LONGEST_NUMBER or not text.isprintable():
        raise BadRequest(field="number", expected=f"1–{_LONGEST_NUMBER} characters")
    return text


def _sent(row: Outgoing, workspace: Workspace) -> Json:
    link = workspace.links.get(row.link)
    system = workspace.systems.get(link.to.system) if link else None
    return {
        "transfer": row.transfer,
        "link": row.link,
        "name": link.name if link else row.link,
        "to_site": row.to_site,
        "to_system": link.to.system if link else None,
        "to_name": system.name if system else None,
        "purpose": link.purpose if link else None,
        "business_date": row.business_date,
        "started": to_wire(from_micros(row.started_at)),
        "state": row.state.value,
        "mode": row.mode,
        "plan_hash": row.plan_hash,
        "agreement": row.facts.get(AGREEMENT),
    }


def _items(known: Plan | None) -> list[Json] | None:
    """Return the items and how coarse; None: the decision has changed since."""
    if known is None:
        return None
    return [
        {
            "name": one.name,
            "ja": one.ja,
            "source": one.source,
            "operation_ja": one.operation_ja,
            "operation_en": one.operation_en,
            "form": one.form,
        }
        for one in known.items
    ]


def _levels(row: Outgoing) -> Json:
    """Return how many steps the gate coarsened columns at that run, by column."""
    facts = row.facts.get("gate")
    return {one.column: one.level for one in report_of(facts).climbs} if facts else {}


def _started(row: Outgoing) -> datetime:
    return from_micros(row.started_at).astimezone(JST)
