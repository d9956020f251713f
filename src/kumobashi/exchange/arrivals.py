"""The inbox of a ledger: what arrives here; every change of state is one durable commit."""

from collections.abc import Callable

import sqlalchemy as sa

from kumobashi.exchange import noting
from kumobashi.exchange.errors import NoSuchTransfer
from kumobashi.exchange.ledger_book import Book, Facts, equal_to, merged
from kumobashi.exchange.moving import IN
from kumobashi.exchange.records import Incoming, incoming_of
from kumobashi.exchange.sql import incoming
from kumobashi.exchange.statements import ONE_IN, ONE_IN_BRIEF
from kumobashi.exchange.states import IN_FINAL, In, check_in
from kumobashi.kernel import to_micros


class Arrivals(Book):
    """The bundles that peers hand over, attempt by attempt."""

    def announced(
        self,
        *,
        transfer: str,
        attempt: int,
        link: str,
        from_site: str,
        to_site: str,
        announcement: Facts,
        admit: Callable[[sa.Connection], None] = lambda _connection: None,
    ) -> Incoming:
        """Note an announced bundle; the same one again changes nothing; older attempts give way."""

        def work(connection: sa.Connection) -> Incoming:
            found = self._read_in(connection, transfer, attempt)
            if found:
                return found
            admit(connection)  # raises what refuses a new one
            older = connection.execute(
                sa.update(incoming)
                .where(self._in_where(transfer=transfer, state=In.ANNOUNCED.value))
                .where(incoming.c.attempt < attempt)
                .values(
                    state=In.SUPERSEDED.value, finished_at=to_micros(self.clock.now()), cause=None
                )
                .returning(*incoming.c)
            )
            given_way = [noting.superseded(incoming_of(row), self.clock.now()) for row in older]
            self.note(connection, given_way)
            row = {
                "tenant": self.tenant,
                "transfer": transfer,
                "attempt": attempt,
                "link": link,
                "from_site": from_site,
                "to_site": to_site,
                "state": In.ANNOUNCED.value,
                "announcement": dict(announcement),
                "facts": {},
                "started_at": to_micros(self.clock.now()),
            }
            made = connection.execute(sa.insert(incoming).values(row).returning(*incoming.c))
            bundle = incoming_of(made.one())
            self.note(connection, [noting.announced(bundle, self.clock.now())])
            return bundle

        try:
            return self.store.write(work, key=transfer)
        except sa.exc.IntegrityError:  # another process noted it a moment earlier
            return self.store.write(work, key=transfer)

    def incoming(self, transfer: str, attempt: int) -> Incoming:
        """Return one bundle; raise ``NoSuchTransfer``."""
        found = self.store.read(lambda connection: self._read_in(connection, transfer, attempt))
        if found is None:
            raise NoSuchTransfer(transfer=transfer)
        return found

    def incoming_briefly(self, transfer: str, attempt: int) -> Incoming:
        """Return one bundle without its announcement, which may be long; ``NoSuchTransfer``."""
        key = self._key(transfer, attempt)
        row = self.store.read(lambda connection: connection.execute(ONE_IN_BRIEF, key).first())
        if row is None:
            raise NoSuchTransfer(transfer=transfer)
        return incoming_of(row)

    def incomings(self, *, limit: int = 1000) -> list[Incoming]:
        """Return bundles, the newest first."""
        query = (
            sa.select(incoming)
            .where(incoming.c.tenant == self.tenant)
            .order_by(incoming.c.started_at.desc())
            .limit(limit)
        )
        return self._all(query, incoming_of)

    def unsettled(self) -> set[str]:
        """Return the transfers of bundles that this gateway still has work with."""
        query = (
            sa.select(incoming.c.transfer)
            .where(incoming.c.tenant == self.tenant)
            .where(incoming.c.state.not_in([state.value for state in IN_FINAL]))
        )
        return self.store.read(lambda connection: set(connection.execute(query).scalars()))

    def move_in(
        self,
        bundle: Incoming,
        then: In | None,
        *,
        receipt: tuple[str, str] | None = None,
        facts: Facts | None = None,
        cause: Facts | None = None,
        **columns: object,
    ) -> Incoming:
        """Move a bundle, and keep a signed receipt ``(stage, jws)`` in the same commit."""

        def decided(now: Incoming) -> Facts:
            values: dict[str, object] = {**columns, **self._waiting(cause)}
            if facts:
                values["facts"] = merged(now.facts, facts)
            if then is not None:
                check_in(now.state, then)
                values |= self._reached(then)
            return values

        name = (bundle.transfer, bundle.attempt)
        work = self._move(IN, name, decided, [receipt] if receipt else ())
        return self.store.write(work, key=bundle.transfer)

    def _read_in(self, connection: sa.Connection, transfer: str, attempt: int) -> Incoming | None:
        row = connection.execute(ONE_IN, self._key(transfer, attempt)).first()
        return incoming_of(row) if row else None

    def _in_where(self, **equal: object) -> sa.ColumnElement[bool]:
        return equal_to(incoming, self.tenant, equal)
