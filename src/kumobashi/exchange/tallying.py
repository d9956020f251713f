"""How many transfers ended, how, and how long they took: counted from the state, not from memory.

Each row of the ledger is read once when it is over: transfers are read in the order of their ids,
which is that of their beginnings, and what was still under way is looked at again by name. So a
count costs what has changed, however long the history. How many there are of each state is counted
of what was begun in the 35 days before the start of this process; what counts on and on begins with
nothing at that start, for whoever reads it takes a smaller number for a new beginning.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.exchange.sql import incoming, outgoing
from kumobashi.exchange.states import IN_FINAL, OUT_FINAL, Out
from kumobashi.kernel import to_micros
from kumobashi.observe.metric_families import DELIVERY_SECONDS
from kumobashi.observe.metrics import Tally
from kumobashi.storage.state import StateStore

BACK: Final = timedelta(days=35)
_BATCH: Final = 2_000
_NAMES: Final = 500  # in one query
_SETTLED_SECONDS: Final = 60.0  # by then whoever made an id has committed its row
MOST_OPEN: Final = 100_000
STAGES: Final = ("delivered", "opened", "validated", "applied", "refused")
_APPLIED, _REFUSED = Out.APPLIED.value, Out.REFUSED.value


@dataclass(slots=True)
class Ended:
    """What was counted of the transfers that are over."""

    since: int  # microseconds; what ended before counts for its state only
    outgoing: Counter[str] = field(default_factory=Counter)  # by state
    incoming: Counter[str] = field(default_factory=Counter)  # by state
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # receiver, state
    receipts: Counter[tuple[str, str]] = field(default_factory=Counter)  # receiver, stage
    took: dict[str, Tally] = field(default_factory=dict)  # by receiver

    def add(self, row: Any) -> None:  # noqa: ANN401 - a row of a query
        """Count a transfer that is over."""
        self.outgoing[row.state] += 1
        if row.finished_at is None or row.finished_at < self.since:
            return
        to_site = row.to_site or ""
        self.outcomes[to_site, row.state] += 1
        for stage in _stages(row):
            self.receipts[to_site, stage] += 1
        if row.state == _APPLIED:
            took = self.took.get(to_site)
            if took is None:
                took = self.took[to_site] = Tally(DELIVERY_SECONDS)
            took.add(max(0.0, (row.finished_at - row.started_at) / 1e6))


class History:
    """Counts the ledger of one site on and on; any thread may ask, one at a time counts."""

    def __init__(self, store: StateStore, tenant: str, since: datetime) -> None:
        """``since`` is when this process started, by the clock of its gateway."""
        first = _id_at(time.time() - BACK.total_seconds())
        self._store = store
        self._tenant = tenant
        self._lock = threading.Lock()
        self._ended = Ended(since=to_micros(since))
        self._out = _Reader(outgoing, first)
        self._in = _Reader(incoming, first)

    def count(self) -> Ended:
        """Read what has ended since the last time, and return all of it."""
        with self._lock:
            for row in self._out.ended(self._store, self._tenant, _OUT, _OUT_OVER):
                self._ended.add(row)
            for row in self._in.ended(self._store, self._tenant, _IN, _IN_OVER):
                self._ended.incoming[row.state] += 1
            return self._ended


class _Reader:
    """Reads one table forward, and again what was under way."""

    def __init__(self, table: sa.Table, first: str) -> None:
        self._table = table
        self._after = first
        self._open: set[str] = set()
        self._seen: set[tuple[str, int]] = set()  # ended, and so young that they are read again

    def ended(
        self,
        store: StateStore,
        tenant: str,
        columns: Sequence[sa.ColumnElement[Any]],
        over: frozenset[str],
    ) -> Iterable[Any]:
        """Yield each row once, when it is over."""
        yield from self._again(store, tenant, columns, over)
        settled = _id_at(time.time() - _SETTLED_SECONDS)
        after = self._after
        while True:
            query = (
                sa.select(*columns)
                .where(self._table.c.tenant == tenant, self._table.c.transfer > after)
                .order_by(self._table.c.transfer)
                .limit(_BATCH)
            )
            rows = _read(store, query)
            for row in rows:
                after = row.transfer
                if after < settled:
                    self._after = after
                key = (row.transfer, row.attempt)
                if row.state in over:
                    if key not in self._seen:
                        yield row
                        self._seen.add(key)
                elif after < settled and len(self._open) < MOST_OPEN:
                    self._open.add(row.transfer)
            self._seen = {key for key in self._seen if key[0] > self._after or key[0] in self._open}
            if len(rows) < _BATCH:
                return

    def _again(
        self,
        store: StateStore,
        tenant: str,
        columns: Sequence[sa.ColumnElement[Any]],
        over: frozenset[str],
    ) -> Iterable[Any]:
        names = sorted(self._open)
        for at in range(0, len(names), _NAMES):
            some = names[at : at + _NAMES]
            query = sa.select(*columns).where(
                self._table.c.tenant == tenant, self._table.c.transfer.in_(some)
            )
            still: set[str] = set()
            for row in _read(store, query):
                key = (row.transfer, row.attempt)
                if row.state not in over:
                    still.add(row.transfer)
                elif key not in self._seen:
                    yield row
                    self._seen.add(key)
            self._open.difference_update(set(some) - still)


def _read(store: StateStore, query: sa.Select[Any]) -> Sequence[Any]:
    return store.read(lambda held: held.execute(query).all())


_facts = outgoing.c.facts
_OUT: Final = (
    outgoing.c.transfer,
    outgoing.c.attempt,
    outgoing.c.state,
    outgoing.c.to_site,
    outgoing.c.started_at,
    outgoing.c.finished_at,
    # Which receipts came before a refusal; of what was applied all four did.
    sa.case((outgoing.c.state == _REFUSED, _facts["received"].as_json())).label("received"),
)
_IN: Final = (incoming.c.transfer, incoming.c.attempt, incoming.c.state)
_OUT_OVER: Final = frozenset(state.value for state in OUT_FINAL)
_IN_OVER: Final = frozenset(state.value for state in IN_FINAL)


def _stages(row: Any) -> tuple[str, ...]:  # noqa: ANN401 - a row of a query
    if row.state == _APPLIED:
        return STAGES[:4]
    said = row.received if isinstance(row.received, dict) else {}
    return tuple(stage for stage in STAGES if stage in said)


def _id_at(seconds: float) -> str:
    """Return the smallest id that could have been made at a time (RFC 9562, 5.7)."""
    millis = f"{max(0, int(seconds * 1000)):012x}"
    return f"{millis[:8]}-{millis[8:]}-7000-8000-000000000000"
