"""The ledger as a dataset that a release rule reads: who consents, and why others do not.

It is bound to the terms of one link before it is read, and remembers which change of the ledger it
was read at: before sealing, :meth:`LedgerStore.refuse_changed` asks in the committing transaction
whether anybody has taken consent back since.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from kumobashi.consent.errors import ConsentChanged
from kumobashi.consent.snapshot import Snapshot, Terms, ended_since
from kumobashi.kernel import Clock
from kumobashi.storage.tables import Applied, HeldBack, Load, Query, Removal, Removed, TableReader

SYSTEM = "consent-ledger"
REASON = "reason"


class LedgerReader:
    """One moment of the ledger, under the terms of a link."""

    system = SYSTEM

    def __init__(self, in_force: pa.Table, ended: pa.Table) -> None:
        self._in_force = in_force
        self._ended = ended

    def columns(self, _table: str) -> dict[str, str]:
        """Return nothing: it has whatever key it is asked for."""
        return {}

    def count(self, query: Query) -> int:
        """Return how many consent; with a reason asked for, how many are known and do not."""
        return int(self._asked(query).num_rows)

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the numbers under the name that is asked for first, and the reason behind it."""
        table = self._asked(query)
        yield table.rename_columns(list(query.columns)).to_reader()

    def hold_back(self, _table: str, *, leave_out: bool) -> HeldBack:  # noqa: ARG002 - as the port has it
        """Hold nothing back: the ledger has checked its rows."""
        return HeldBack()

    def _asked(self, query: Query) -> pa.Table:
        return self._ended if REASON in query.columns else self._in_force


class LedgerStore:
    """The ledger for one run of one link."""

    def __init__(self, snapshot: Snapshot, terms: Terms, *, tenant: str, clock: Clock) -> None:
        self.terms = terms
        self._snapshot = snapshot
        self._tenant = tenant
        self._clock = clock
        self._seen = 0  # nothing was read: everything is a change

    @contextmanager
    def reading(self, _on: date | None = None) -> Iterator[TableReader]:
        """Open what counts at this moment, whatever the business date is.

        Raises:
            StorageFailed, NumberUnreadable: the ledger cannot be read; nothing leaves.
        """
        now = self._clock.now()
        found = self._snapshot.read(self.terms, now)
        self._seen = found.sequence
        yield LedgerReader(found.in_force, found.ended)

    def refuse_changed(self, connection: sa.Connection) -> None:
        """Raise ``ConsentChanged`` when somebody withdrew after the last reading, or none was."""
        ended = ended_since(connection, self._tenant, after=self._seen, purpose=self.terms.purpose)
        if ended:
            raise ConsentChanged(withdrawn=ended)

    def apply(self, _load: Load) -> Applied:
        """Refuse: nothing is sent into the ledger."""
        raise TypeError("the ledger of consents is no target")

    def remove(self, _removal: Removal) -> Removed:
        """Refuse: nothing was sent into the ledger."""
        raise TypeError("the ledger of consents is no target")
