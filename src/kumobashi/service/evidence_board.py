"""What the console shows of a site's own evidence."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from kumobashi.console.evidence_ports import LogStanding, Witness
from kumobashi.evidence.checkpoints import parse
from kumobashi.evidence.errors import EvidenceFailed
from kumobashi.evidence.log import Nodes, newest_note, size_of, waiting_in
from kumobashi.evidence.merkle import root
from kumobashi.evidence.sql import CONSISTENT, witnessed
from kumobashi.exchange.evidence_search import (
    EvidencePage,
    EvidenceWish,
    ProvedRecord,
    each,
    newest_signed,
    prove_record,
    search,
)
from kumobashi.identity.unusual import Noticed
from kumobashi.kernel import Clock, from_micros
from kumobashi.service.access_watch import AccessWatch
from kumobashi.storage.state import StateStore


class EvidenceBoard:
    """Meets ``console.evidence_ports.EvidenceSource`` with the state of the site."""

    def __init__(self, store: StateStore, *, tenant: str, site: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._watch = AccessWatch(store.read, tenant=tenant, clock=clock)

    def standing(self) -> LogStanding:
        """Return how far the log is; what was signed last is compared with what lies there."""
        return self._store.read(self._standing)

    def search(self, wish: EvidenceWish) -> EvidencePage:
        """Return one page of records, the newest first."""
        return self._store.read(partial(search, tenant=self._tenant, wish=wish))

    def each(self, wish: EvidenceWish, *, most: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """Return up to ``most`` records for a file."""
        return self._store.read(
            lambda connection: list(each(connection, self._tenant, wish, most=most))
        )

    def record(self, number: int) -> ProvedRecord:
        """Return one with its proof; raise ``RecordNotFound``."""
        return self._store.read(partial(prove_record, tenant=self._tenant, number=number))

    def noticed(self) -> Sequence[Noticed]:
        """Return unusual access of the last month, what nobody answered first."""
        return self._watch.noticed()

    def _standing(self, connection: sa.Connection) -> LogStanding:
        signed = newest_signed(connection, self._tenant)
        return LogStanding(
            site=self._site,
            size=size_of(connection, self._tenant),
            waiting=waiting_in(connection, self._tenant),
            signed=signed[0] if signed else 0,
            signed_at=from_micros(signed[1]) if signed else None,
            is_sound=self._leads_to(connection, newest_note(connection, self._tenant)),
            witnesses=self._witnesses(connection),
        )

    def _witnesses(self, connection: sa.Connection) -> tuple[Witness, ...]:
        """Return the last that was seen of each site; what speaks against one stays."""
        columns = witnessed.c
        query = (
            sa.select(
                columns.site,
                columns.verdict,
                sa.func.max(columns.size).label("size"),
                sa.func.max(columns.at).label("at"),
            )
            .where(columns.tenant == self._tenant)
            .group_by(columns.site, columns.verdict)
        )
        held: dict[str, Witness] = {}
        for row in connection.execute(query):
            if row.site not in held or held[row.site].is_sound:
                held[row.site] = Witness(
                    site=row.site,
                    size=row.size,
                    at=from_micros(row.at),
                    is_sound=row.verdict == CONSISTENT,
                    verdict=row.verdict,
                )
        return tuple(held[site] for site in sorted(held))

    def _leads_to(self, connection: sa.Connection, note: str | None) -> bool:
        """Whether the newest records lead to what was signed; ``verify`` checks every one."""
        if note is None:
            return True
        signed = parse(note)
        try:
            return root(signed.size, Nodes(connection, self._tenant)) == signed.root
        except EvidenceFailed:
            return False
