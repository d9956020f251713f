"""What both halves of a ledger share: the fence, receipts, and evidence in the same commit."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append_all
from kumobashi.exchange.errors import NoSuchTransfer
from kumobashi.exchange.leases import Lease, Side, check_fence
from kumobashi.exchange.moving import Move, Name, Rows, filled, new_receipts
from kumobashi.exchange.permitting import NoAgreements, Permits
from kumobashi.exchange.records import Record, changed
from kumobashi.exchange.statements import ADD_RECEIPT, HELD_RECEIPTS
from kumobashi.exchange.states import IN_FINAL, OUT_FINAL, In, Out
from kumobashi.exchange.touched import Touched
from kumobashi.kernel import Clock, from_wire, to_micros
from kumobashi.storage.state import StateStore

Facts = Mapping[str, Any]
Made = TypeVar("Made")


class Book:
    """Rows of one tenant in one store; changed under ``lease`` where there is one."""

    def __init__(
        self, store: StateStore, tenant: str, clock: Clock, *, lease: Lease | None = None
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.clock = clock
        self.lease = lease
        self.touched = Touched()
        self.permits: Permits = NoAgreements()

    def under(self, lease: Lease) -> Self:
        """Return the same book, whose changes are refused once ``lease`` is another's."""
        fenced = copy(self)
        fenced.lease = lease
        return fenced

    def check_lease(self) -> None:
        """Raise :class:`Fenced` when the work is another's by now."""
        self.store.read(self._fence)

    def receipts(self, transfer: str, attempt: int, side: Side) -> list[str]:
        """Return the signed receipts (JWS) in their order."""
        key = {**self._key(transfer, attempt), "side_": side}
        return self.store.read(lambda held: list(held.execute(HELD_RECEIPTS, key).scalars()))

    def keep_receipts(
        self, transfer: str, attempt: int, side: Side, more: list[tuple[str, str]]
    ) -> None:
        """Add receipts ``(stage, jws)`` behind those that are there; a repeated one is left out."""

        def work(connection: sa.Connection) -> None:
            self._fence(connection)
            self._keep(connection, transfer, attempt, side, more)

        self.store.write(work, key=transfer)

    def note(self, connection: sa.Connection, said: Sequence[Entry]) -> None:
        """Write evidence in the commit of what it speaks of."""
        append_all(connection, self.tenant, said)

    def _keep(
        self,
        connection: sa.Connection,
        transfer: str,
        attempt: int,
        side: Side,
        more: list[tuple[str, str]],
    ) -> None:
        key = {**self._key(transfer, attempt), "side_": side}
        held = list(connection.execute(HELD_RECEIPTS, key).scalars())
        of = (self.tenant, transfer, attempt, side)
        rows, said = new_receipts(of, held, more, self.clock.now())
        if rows:
            connection.execute(ADD_RECEIPT, rows)
            self.note(connection, said)

    def _write(
        self,
        connection: sa.Connection,
        change: sa.Update,
        key: Facts,
        before: Record,
        values: Facts,
    ) -> Record:
        """Change a row that this transaction holds, and return it as it is now.

        Nobody else can have changed it since it was held, so it need not be read once more.
        """
        news = filled(before, values)
        if news and connection.execute(change, {**key, **news}).rowcount != 1:
            raise NoSuchTransfer(transfer=before.transfer)
        return changed(before, news)

    def _move(
        self,
        rows: Rows[Record],
        name: Name,
        decide: Callable[[Record], Facts],
        receipts: Sequence[tuple[str, str]] = (),
    ) -> Move[Record]:
        """Return work that changes one row as ``decide`` says of the row alone."""
        return Move(
            rows=rows,
            tenant=self.tenant,
            clock=self.clock,
            lease=self.lease,
            name=name,
            decide=decide,
            receipts=receipts,
        )

    def _reached(self, then: Out | In) -> dict[str, object]:
        """Return the columns that say where something is, and when it ended if it has."""
        if then in OUT_FINAL or then in IN_FINAL:
            return {"state": then.value, "finished_at": to_micros(self.clock.now())}
        return {"state": then.value}

    def _waiting(self, cause: Facts | None) -> dict[str, object]:
        """Return the columns that say why something waits, and until when."""
        again = cause.get("next_try") if cause else None
        try:
            due = to_micros(from_wire(str(again))) if again else None
        except (ValueError, OverflowError):  # a hop behind may have said anything
            due = None
        return {
            "cause": as_json(cause) if cause else None,
            "next_try_at": due,
            "put_off_at": None if due is None else to_micros(self.clock.now()),
        }

    def _fence(self, connection: sa.Connection) -> None:
        if self.lease:
            check_fence(connection, self.tenant, self.lease)

    def _key(self, transfer: str, attempt: int | None = None) -> dict[str, object]:
        key: dict[str, object] = {"tenant_": self.tenant, "transfer_": transfer}
        return key if attempt is None else {**key, "attempt_": attempt}

    def _all(self, query: sa.Select[Any], made: Callable[[sa.Row[Any]], Made]) -> list[Made]:
        return self.store.read(lambda held: [made(row) for row in held.execute(query)])


def equal_to(table: sa.Table, tenant: str, equal: Mapping[str, object]) -> sa.ColumnElement[bool]:
    """Return the condition that rows are the tenant's and have these values."""
    conditions = [table.c[name] == value for name, value in equal.items()]
    return sa.and_(table.c.tenant == tenant, *conditions)


def merged(now: Facts, more: Facts) -> dict[str, Any]:
    """Return the facts of a row with more, one level deep, as JSON keeps them."""
    found = dict(now)
    for name, value in as_json(more).items():
        old = found.get(name)
        is_both = isinstance(old, dict) and isinstance(value, dict)
        found[name] = old | value if is_both else value
    return found


def as_json(facts: Facts) -> dict[str, Any]:
    """Return facts as they are when they have been written and read."""
    return json.loads(json.dumps(dict(facts)))  # type: ignore[no-any-return]
