"""The table of addresses: how rows are found, changed, and read together with their residents."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kumobashi.consent.channels.errors import ChannelUnknown
from kumobashi.consent.channels.sql import addresses
from kumobashi.consent.channels.states import LIVE, PENDING, Channel
from kumobashi.consent.writing import Pen
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.changes import hold
from kumobashi.storage.state import StateStore

T = TypeVar("T")
_PENDING = sorted(state.value for state in PENDING)
_LIVE = sorted(state.value for state in LIVE)


class AddressTable:
    """The rows of one municipality."""

    def __init__(self, store: StateStore, *, tenant: str, clock: Clock) -> None:
        self._store = store
        self.tenant = tenant
        self.clock = clock

    # -- in a commit ----------------------------------------------------------------------------

    def write(self, work: Callable[[sa.Connection, datetime], T]) -> T:
        """Do one deed in one commit, with the ledger of consents held still."""

        def write(connection: sa.Connection) -> T:
            hold(connection, self.tenant)  # nobody dies or withdraws in the middle of a deed
            return work(connection, self.clock.now())

        return self._store.write(write, key="consents")

    def row(self, connection: sa.Connection, record: str) -> sa.Row[Any]:
        """Return one row; raise ``ChannelUnknown``."""
        row = connection.execute(self._all().where(addresses.c.record == record)).first()
        if row is None:
            raise ChannelUnknown(record=record)
        return row

    def rows(self, connection: sa.Connection, subject: str, channel: Channel) -> list[sa.Row[Any]]:
        """Return the rows of a sealed number and a channel, the oldest first."""
        query = self._all().where(
            addresses.c.subject == subject, addresses.c.channel == channel.value
        )
        return list(connection.execute(query.order_by(addresses.c.record)).all())

    def overdue(self, connection: sa.Connection, now: datetime, most: int) -> list[sa.Row[Any]]:
        """Return rows whose code did not come back in time."""
        query = self._all().where(
            addresses.c.state.in_(_PENDING), addresses.c.until <= to_micros(now)
        )
        return list(connection.execute(query.limit(most)).all())

    def add(self, connection: sa.Connection, **columns: object) -> None:
        """Add a row."""
        connection.execute(sa.insert(addresses).values(tenant=self.tenant, **columns))

    def update(self, connection: sa.Connection, record: str, **columns: object) -> None:
        """Change columns of one row."""
        mine = sa.and_(addresses.c.tenant == self.tenant, addresses.c.record == record)
        connection.execute(sa.update(addresses).where(mine).values(**columns))

    def pen(self, connection: sa.Connection, now: datetime) -> Pen:
        """Return what reads the fates of residents; it writes nothing here."""
        return Pen(connection, self.tenant, sequence=0, now=now, by="-")

    # -- looking --------------------------------------------------------------------------------

    def found(self, record: str) -> sa.Row[Any]:
        """Return one row; raise ``ChannelUnknown``."""
        return self._store.read(lambda connection: self.row(connection, record))

    def of_subject(self, sealed: str) -> list[sa.Row[Any]]:
        """Return the rows of a sealed number and of the one that it became, the oldest first."""

        def work(connection: sa.Connection) -> list[sa.Row[Any]]:
            named = {sealed, self.pen(connection, self.clock.now()).survivor(sealed)}
            query = self._all().where(addresses.c.subject.in_(sorted(named)))
            return list(connection.execute(query.order_by(addresses.c.record)).all())

        return self._store.read(work)

    def waiting(self, channel: Channel) -> set[str]:
        """Return the rows of a channel for which a code may come back."""
        return self._records(addresses.c.channel == channel.value, addresses.c.state.in_(_PENDING))

    def ended(self, records: Collection[str]) -> set[str]:
        """Return those of some records, at most some hundred, whose rows have ended."""
        return self._records(addresses.c.record.in_(records), addresses.c.state.not_in(_LIVE))

    def _records(self, *where: sa.ColumnElement[bool]) -> set[str]:
        query = sa.select(addresses.c.record).where(addresses.c.tenant == self.tenant, *where)
        return self._store.read(lambda connection: set(connection.execute(query).scalars()))

    def _all(self) -> sa.Select[Any]:
        return sa.select(addresses).where(addresses.c.tenant == self.tenant)
