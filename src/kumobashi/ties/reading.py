"""Look into the book: one tie, a resident's, a service's; and whether it was touched."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain as behind
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.log import stored
from kumobashi.evidence.revisions import Revision
from kumobashi.evidence.sql import waiting
from kumobashi.storage.state import StateStore
from kumobashi.ties.carried import PREFIX as CARRIED
from kumobashi.ties.carried import carried_under, faults_of_transfers
from kumobashi.ties.copies import PREFIX as COPIES
from kumobashi.ties.copies import beyond
from kumobashi.ties.errors import TieTouched, TieUnknown
from kumobashi.ties.held import PREFIX as HELD
from kumobashi.ties.held import kept_head
from kumobashi.ties.lists import LISTS
from kumobashi.ties.records import AT_LAST, OF_LAST, Tie, joined_of, tie_of
from kumobashi.ties.revisions import verify_chain, verify_head
from kumobashi.ties.services import PREFIX, registered
from kumobashi.ties.sql import held, revisions, services, statuses, ties
from kumobashi.ties.states import State
from kumobashi.ties.uses import PREFIX as USES
from kumobashi.ties.uses import faults_of_uses
from kumobashi.ties.writing import check_subject

Counts = Mapping[str, Mapping[str, int]]
"""By service, then by status or state."""
_OURS: Final = b'"event":"tie.'
_AT_ONCE: Final = 500


class Reading:
    """What is in a book now; ties come only if they say what their last revision says."""

    def __init__(self, store: StateStore, *, tenant: str) -> None:
        self._store = store
        self._tenant = tenant

    def tie(self, tie: str) -> Tie:
        """Return a tie; raise ``TieUnknown``, ``TieTouched``."""
        found = self._found(self._query().where(ties.c.tie == tie))
        if not found:
            raise TieUnknown(tie=tie)
        return found[0]

    def of_resident(self, subject: str) -> list[Tie]:
        """Return a resident's ties, the oldest first."""
        check_subject(subject)
        return self._found(self._query().where(ties.c.subject == subject))

    def listed(
        self,
        *,
        service: str | None = None,
        state: State | None = None,
        limit: int = _AT_ONCE,
        after: str = "",
    ) -> list[Tie]:
        """Return ties, the oldest first, behind a tie."""
        query = self._query().where(ties.c.tie > after)
        if service:
            query = query.where(ties.c.service == service)
        if state:
            query = query.where(ties.c.state == state.value)
        return self._found(query.limit(limit))

    def counts(self) -> tuple[Counts, Counts]:
        """Return how many residents stand how to each service, and its ties by state."""

        def look(connection: sa.Connection, table: sa.Table, what: str) -> Counts:
            kind = table.c[what]
            query = sa.select(table.c.service, kind, sa.func.count().label("many")).where(
                table.c.tenant == self._tenant
            )
            found: dict[str, dict[str, int]] = {}
            for row in connection.execute(query.group_by(table.c.service, kind)):
                found.setdefault(row[0], {})[row[1]] = row.many
            return found

        return self._store.read(
            lambda connection: (
                look(connection, statuses, "status"),
                look(connection, ties, "state"),
            )
        )

    def history(self, tie: str) -> list[Revision]:
        """Return the revisions of a tie; raise ``TieUnknown``."""
        found = self._store.read(lambda connection: self._chain(connection, tie))
        if not found:
            raise TieUnknown(tie=tie)
        return found

    def transfers(self, tie: Tie) -> list[dict[str, Any]]:
        """Return the newest transfers that went out under a tie, as JSON; see ``carried``."""
        return self._store.read(
            lambda connection: carried_under(connection, self._tenant, tie.service, tie.tie)
        )

    def verify(self) -> list[TieTouched]:
        """Return what is not as it was written: of each record the first fault."""
        return self._store.read(lambda connection: list(self._faults(connection)))

    # -- inside ---------------------------------------------------------------------------------

    def _faults(self, connection: sa.Connection) -> Iterator[TieTouched]:
        rows = {row.tie: row for row in connection.execute(self._query())}
        of = sa.select(services).where(services.c.tenant == self._tenant)
        rows |= {PREFIX + row.service: row for row in connection.execute(of)}
        theirs = sa.select(held).where(held.c.tenant == self._tenant)
        rows |= {HELD + row.tie: row for row in connection.execute(theirs)}
        for one in LISTS:
            rows |= {row.record: row for row in one.rows(connection, self._tenant)}
        named = sa.select(revisions.c.record).where(revisions.c.tenant == self._tenant).distinct()
        chained = set(connection.execute(named).scalars())
        known = set()
        for record in sorted(chained | rows.keys()):
            if record.startswith((USES, CARRIED)):
                continue
            if fault := self._fault(connection, record, rows.get(record)):
                known.add(record)
                yield fault
        for fault in behind(
            faults_of_uses(connection, self._tenant),
            faults_of_transfers(connection, self._tenant),
        ):
            known.add(fault.facts["record"])
            yield fault
        for tie in beyond(connection, self._tenant):
            yield TieTouched(record=COPIES + tie, number=1, what="more is told than there is")
        for fault in self._against_evidence(connection):
            if fault.facts["record"] not in known:
                yield fault

    def _fault(
        self, connection: sa.Connection, record: str, row: sa.Row[Any] | None
    ) -> TieTouched | None:
        is_tie = ":" not in record  # an id; what is no tie has a prefix
        chain = self._chain(connection, record)
        try:
            verify_chain(record, chain, is_tie=is_tie)
            if row is not None:
                last = chain[-1] if len(chain) == row.revisions else None
                if is_tie:
                    tie_of(row, last)
                elif record.startswith(HELD):
                    kept_head(row, last)
                elif listed := next((one for one in LISTS if record.startswith(one.prefix)), None):
                    verify_head(record, listed.bound(row._asdict()), row.head, last)
                else:
                    verify_head(record, registered(row), row.head, last)
        except TieTouched as fault:
            return fault
        if row is None:
            return TieTouched(record=record, number=1, what="its row is gone")
        return None

    def _against_evidence(self, connection: sa.Connection) -> Iterator[TieTouched]:
        """Yield what the evidence log knows otherwise: a history rewritten, or gone as a whole."""
        query = sa.select(waiting.c.body).where(waiting.c.tenant == self._tenant)
        bodies = [body for _, _, body in stored(connection, self._tenant) if _OURS in body]
        bodies += [bytes(body) for body in connection.execute(query).scalars() if _OURS in body]
        held = sa.select(revisions.c.record, revisions.c.number, revisions.c.hash).where(
            revisions.c.tenant == self._tenant
        )
        kept = {(row.record, row.number): row.hash for row in connection.execute(held)}
        for said in map(json.loads, bodies):
            if "revision" not in said:  # of an older release, or no change of a record
                continue
            said.setdefault("tie", PREFIX + said.get("service", ""))
            if kept.get((said["tie"], said["number"])) != said["revision"]:
                what = "the evidence says otherwise"
                yield TieTouched(record=said["tie"], number=said["number"], what=what)

    def _chain(self, connection: sa.Connection, record: str) -> list[Revision]:
        query = sa.select(revisions).where(
            revisions.c.tenant == self._tenant, revisions.c.record == record
        )
        return [
            Revision(number=row.number, hash=row.hash, body=bytes(row.body))
            for row in connection.execute(query.order_by(revisions.c.number))
        ]

    def _query(self) -> sa.Select[Any]:
        return sa.select(ties).where(ties.c.tenant == self._tenant).order_by(ties.c.tie)

    def _found(self, query: sa.Select[Any]) -> list[Tie]:
        joined = query.add_columns(*OF_LAST).outerjoin_from(ties, revisions, AT_LAST)
        return self._store.read(
            lambda connection: [joined_of(row) for row in connection.execute(joined)]
        )
