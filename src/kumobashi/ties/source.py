"""The ties with a service as a dataset of a release rule: whose rows may leave, and why not.

Bound to what one link asks before it is read. In the commit that seals the transfer,
:meth:`TieStore.seal` asks whether anything it rests on has changed since, and keeps whose rows it
carries: that is the use that is counted, and the proof.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from kumobashi.kernel import Clock
from kumobashi.storage.tables import Applied, HeldBack, Load, Query, Removal, Removed, TableReader
from kumobashi.ties.asked import Asked
from kumobashi.ties.carried import Carried, Pairs, count_since, note_carried, pair_of
from kumobashi.ties.errors import TiesChanged
from kumobashi.ties.snapshot import EVER, Moment, Snapshot
from kumobashi.ties.sql import services, ties

SYSTEM = "tie-registry"
REASON = "reason"


class TieReader:
    """One moment of the ties with a service."""

    system = SYSTEM

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def columns(self, _table: str) -> dict[str, str]:
        """Return nothing: it has whatever key it is asked for."""
        return {}

    def count(self, query: Query) -> int:
        """Return how many are tied; with a reason asked for, how many are known and are not."""
        return int(self._asked(query).num_rows)

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the numbers under the name that is asked for first, and what is asked behind it."""
        yield self._asked(query).rename_columns(list(query.columns)).to_reader()

    def hold_back(self, _table: str, *, leave_out: bool) -> HeldBack:  # noqa: ARG002 - as the port has it
        """Hold nothing back: the registry has checked its rows."""
        return HeldBack()

    def _asked(self, query: Query) -> pa.Table:
        return self._moment.untied if REASON in query.columns else self._moment.tied


class TieStore:
    """The ties for one run of one link."""

    def __init__(self, snapshot: Snapshot, asked: Asked, *, tenant: str, clock: Clock) -> None:
        self.asked = asked
        self._snapshot = snapshot
        self._tenant = tenant
        self._clock = clock
        self._moment: Moment | None = None
        self._carried: Pairs | None = None

    @contextmanager
    def reading(self, _on: date | None = None) -> Iterator[TableReader]:
        """Open what counts at this moment, whatever the business date is.

        Raises:
            ServiceUnknown, StorageFailed, NumberUnreadable, TieTouched: nothing leaves.
        """
        self._moment = self._snapshot.read(self.asked, self._clock.now())
        yield TieReader(self._moment)

    def carry(self, high: pa.ChunkedArray, low: pa.ChunkedArray) -> None:
        """Say under which ties rows are about to leave, by the two halves of their ids."""
        self._carried = high.to_numpy(), low.to_numpy()

    def seal(self, connection: sa.Connection, *, transfer: str, link: str) -> None:
        """Keep whose rows a transfer carries, in the commit that seals it.

        Raises:
            TiesChanged: a tie that it rests on was narrowed or has ended since it was read, the
                service was changed, or another transfer used the same ties. It is made anew.
        """
        moment, carried = self._moment, self._carried
        if moment is None or carried is None:
            raise AssertionError("sealed before it was read")
        service = self.asked.service
        mine = sa.and_(services.c.tenant == self._tenant, services.c.service == service)
        row = connection.execute(
            sa.select(services.c.revisions).where(mine).with_for_update()
        ).first()
        is_same = row is not None and row.revisions == moment.service_revisions
        if count_since(connection, self._tenant, service, EVER) != moment.transfers:
            is_same = False
        changed = self._changed(connection, carried, after=moment.sequence)
        if changed or not is_same:
            raise TiesChanged(service=service, changed=changed)
        made = Carried(
            service=service,
            transfer=transfer,
            link=link,
            at=self._clock.now(),
            items=tuple(sorted(self.asked.items)),
            channel=self.asked.channel,
            high=carried[0],
            low=carried[1],
        )
        note_carried(connection, self._tenant, made)

    def apply(self, _load: Load) -> Applied:
        """Refuse: nothing is sent into the registry."""
        raise TypeError("the registry of ties is no target")

    def remove(self, _removal: Removal) -> Removed:
        """Refuse: nothing was sent into the registry."""
        raise TypeError("the registry of ties is no target")

    def _changed(self, connection: sa.Connection, carried: Pairs, *, after: int) -> int:
        """Return how many of the ties changed since: in force, they can only allow less."""
        query = sa.select(ties.c.tie).where(
            ties.c.tenant == self._tenant,
            ties.c.sequence > after,
            ties.c.service == self.asked.service,
        )
        high, low = carried
        found = 0
        for tie in connection.execute(query).scalars():
            first, last = map(np.uint64, pair_of(tie))
            found += bool(np.any((high == first) & (low == last)))
        return found
