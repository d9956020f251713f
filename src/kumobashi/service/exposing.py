"""Gather what an incident may have exposed from a site's state, keys, spool and workspace.

Everything that may have left counts, also what was only sealed or was refused: a transfer whose
parts went a single hop can have been read there.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto import base64url
from kumobashi.directory.entries import Directory
from kumobashi.exchange.holdings import Holding, Keeping
from kumobashi.exchange.keeping import OUT, Holdings
from kumobashi.exchange.records import Outgoing, outgoing_of
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.transfer_keys import OUT as KEYS_OUT
from kumobashi.kernel import Clock, business_date, from_micros
from kumobashi.papers.errors import IncidentUnfit
from kumobashi.papers.exposure import Exposed, Item, KeyState, ReceiverState, RecipientState
from kumobashi.papers.incidents import Incident
from kumobashi.papers.matter import Matter
from kumobashi.planning.coding import logical_layout
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.spool import Spool
from kumobashi.storage.state import StateStore

_MOST_HOLDINGS: Final = 1_000_000
_RECEIVER: Final = {
    Keeping.HELD: ReceiverState.HELD,
    Keeping.WAITING: ReceiverState.HELD,
    Keeping.ASKED: ReceiverState.HELD,
    Keeping.DELETING: ReceiverState.HELD,
    Keeping.DELETED: ReceiverState.DELETED,
    Keeping.LOST: ReceiverState.LOST,
}


class Exposing:
    """What one sending site knows of its transfers."""

    def __init__(
        self,
        store: StateStore,
        *,
        tenant: str,
        site: str,
        workspace: Workspace,
        directory: Directory | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._workspace = workspace
        self._directory = directory
        self._clock = clock

    def check(self, link: str, transfers: Sequence[str]) -> None:
        """Raise unless the site sends the link and every transfer is one of it.

        Raises:
            LinkUnknown: there is no such link.
            IncidentUnfit: another site sends it, or a transfer is not of it.
        """
        declared = self._workspace.link(link)
        sender = self._workspace.systems[declared.from_].site
        if sender != self._site:
            raise IncidentUnfit(
                field="link",
                reason=f"送るのは {sender} です",
                reason_en=f"{sender} sends it",
            )
        known = {row.transfer for row in self._rows(link, transfers)}
        if missing := [one for one in transfers if one not in known]:
            raise IncidentUnfit(
                field="transfer",
                reason=f"{len(missing)} 件は、この連携の送られた転送ではありません",
                reason_en=f"{len(missing)} of them are no transfers of this link that were sealed",
            )

    def matter(self, incident: Incident) -> Matter:
        """Return the incident with all that is known about its transfers."""
        workspace = self._workspace
        link = workspace.links.get(incident.link)  # its file may be gone; what was sent was sent
        rule = workspace.rules[link.release] if link else None
        return Matter(
            incident=incident,
            exposed=self._exposed(incident),
            link_name=link.name if link else incident.link,
            from_name=workspace.systems[link.from_].name if link else self._site,
            to_name=workspace.systems[link.to.system].name if link else "",
            section=None,
            has_household_items=bool(rule and rule.needs_household),
            town=workspace.municipality.municipality.name,
        )

    def _exposed(self, incident: Incident) -> tuple[Exposed, ...]:
        rows = self._rows(incident.link, incident.transfers)
        if not rows:
            return ()
        var = self._workspace.folder / "var" / self._site
        keys = ErasableSecrets(var / "keys").names(KEYS_OUT)
        here = {name.rpartition("-")[0] for name in keys}
        spool = Spool(var / "spool" / "out")
        held = self._held(incident.link)
        decisions = self._decisions(incident.link)
        is_person = self._is_person_a_row(incident.link)
        return tuple(
            self._one(
                row,
                held.get(row.transfer),
                decision=decisions.get(row.plan_hash),
                is_person=is_person,
                has_key=row.transfer in here,
                has_parts=any(spool.held(row.transfer, n) for n in range(1, row.attempt + 1)),
            )
            for row in rows
        )

    def _one(
        self,
        row: Outgoing,
        held: Holding | None,
        *,
        decision: "tuple[tuple[Item, ...], str | None] | None",
        is_person: bool,
        has_key: bool,
        has_parts: bool,
    ) -> Exposed:
        sent = row.facts.get("sent", {})
        said = manifest_of(row.manifest)
        rows, recipient = sent.get("rows", said.get("rows")), decision[1] if decision else None
        receiver = _RECEIVER[held.state] if held else _unheld(row)
        proof = held.facts.get("digest") if held else None
        return Exposed(
            transfer=row.transfer,
            business_date=row.business_date,
            started=from_micros(row.started_at),
            state=row.state.value,
            mode="difference" if row.base_transfer else "full",
            attempt=row.attempt,
            to_site=row.to_site or str(said.get("to_site", "")),
            rows=rows if type(rows) is int else None,
            deleted_rows=int(sent.get("deleted_rows") or 0),
            is_person_a_row=is_person and row.attempt == 1,
            items=decision[0] if decision else None,
            seal=said.get("key") if isinstance(said.get("key"), str) else None,
            recipient=recipient,
            recipient_state=self._recipient_state(recipient, row.to_site),
            key_at_sender=KeyState.HELD if has_key else KeyState.GONE,
            parts_at_sender=KeyState.HELD if has_parts else KeyState.GONE,
            receiver=receiver,
            deleted=from_micros(held.deleted_at) if held and held.deleted_at else None,
            receipt=proof if isinstance(proof, str) else None,
        )

    def _recipient_state(self, recipient: str | None, site: str | None) -> RecipientState:
        entry = self._directory.sites.get(site or "") if self._directory else None
        if recipient is None or entry is None:
            return RecipientState.UNKNOWN
        if recipient == entry.recipient:
            return RecipientState.IN_USE
        is_leaving = recipient in entry.seal
        return RecipientState.LEAVING if is_leaving else RecipientState.OUT_OF_USE

    def _decisions(self, link: str) -> dict[str, tuple[tuple[Item, ...], str | None]]:
        """Return items and recipient of the decisions that are still known, by their hash."""
        found = {}
        declared = self._workspace.links.get(link)
        approval = self._workspace.approvals.get(link)
        names: dict[str, str] = {}
        if declared is not None:
            made = plan(self._workspace, self._directory, link, on=business_date(self._clock.now()))
            names = made.names
            found[made.hash] = (_planned(made), _text(made.decision.get("recipient")))
        if approval is not None:
            items = tuple(
                Item(
                    name=str(one["name"]),
                    ja=names.get(str(one["name"]), str(one["name"])),
                    form=str(one["form"]),
                    sensitivity=str(one["sensitivity"]),
                )
                for one in approval.decision.get("items", ())
            )
            found[approval.hash] = (items, _text(approval.decision.get("recipient")))
        return found

    def _is_person_a_row(self, link: str) -> bool:
        """Whether what makes a row unique at the receiver is made from the subject's number."""
        declared = self._workspace.links.get(link)
        if declared is None:
            return False
        rule = self._workspace.rules[declared.release]
        key = logical_layout(self._workspace, declared).key
        made_of = {column.name: getattr(column, "of", None) for column in rule.released}
        return len(key) == 1 and made_of.get(key[0]) == rule.subject.key

    def _rows(self, link: str, transfers: Sequence[str]) -> list[Outgoing]:
        query = sa.select(outgoing).where(
            outgoing.c.tenant == self._tenant,
            outgoing.c.link == link,
            outgoing.c.manifest.is_not(None),  # sealed at least
        )
        if transfers:
            query = query.where(outgoing.c.transfer.in_(list(transfers)))
        query = query.order_by(outgoing.c.transfer.desc())
        return self._store.read(
            lambda connection: [outgoing_of(row) for row in connection.execute(query)]
        )

    def _held(self, link: str) -> dict[str, Holding]:
        """Return what receivers hold, as far as receipts tell that have come by now."""
        book = Holdings(self._store, self._tenant, self._clock)
        book.discover()
        found = book.all(OUT, limit=_MOST_HOLDINGS)
        return {held.transfer: held for held in reversed(found) if held.link == link}


def manifest_of(token: str | None) -> dict[str, Any]:
    """Return what a signed manifest of our own says; nothing when it cannot be read."""
    try:
        value = json.loads(base64url.decode((token or "").split(".")[1]))
    except (IndexError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _planned(made: Plan) -> tuple[Item, ...]:
    return tuple(
        Item(name=one.name, ja=one.ja, form=one.form, sensitivity=one.sensitivity)
        for one in made.items
    )


def _unheld(row: Outgoing) -> ReceiverState:
    applied = row.facts.get("received", {}).get("applied")
    return ReceiverState.UNKNOWN if applied else ReceiverState.NOT_APPLIED


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
