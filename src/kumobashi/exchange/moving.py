"""Moves of rows that follow from the row alone: many are read, decided and written at once.

A move names its row and says, from the row as it is held, what shall stand in it. However many of
them commit together, they are read by one statement, written by one for each set of columns, and
their receipts and evidence are added by one each. What refuses a move (a fence, a state, a row that
is gone) is known before anything is written for it, so it fails alone. Moves of one row see one
another in their order.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self

import sqlalchemy as sa

from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append_all
from kumobashi.exchange import noting
from kumobashi.exchange.errors import Fenced, NoSuchTransfer
from kumobashi.exchange.leases import Lease, Side, check_fences
from kumobashi.exchange.records import Incoming, Outgoing, Record, changed, incoming_of, outgoing_of
from kumobashi.exchange.statements import (
    ADD_RECEIPT,
    CHANGE_IN,
    CHANGE_OUT,
    HELD_RECEIPTS_OF,
    HOLD_IN,
    HOLD_OUT,
    HOLD_SOME_IN,
    HOLD_SOME_OUT,
    padded,
)
from kumobashi.kernel import Clock, to_micros
from kumobashi.storage.joining import Joint, Refused

Name = tuple[str, int | None]  # transfer and attempt; none for the row of the outbox
Values = Mapping[str, Any]  # by column


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows(Generic[Record]):
    """How the rows of one side are read, written, and spoken of."""

    side: Side
    hold: sa.Select[Any]  # one row, until the commit
    hold_some: sa.Select[Any]
    change: sa.Update
    made: Callable[[sa.Row[Any]], Record]
    said: Callable[[Record, Record, datetime], list[Entry]]

    def name(self, row: Record) -> Name:
        """Return by what a row is found."""
        return row.transfer, None if self.side == "out" else row.attempt

    def held(self, connection: sa.Connection, tenant: str, names: set[Name]) -> dict[Name, Record]:
        """Return the rows that there are, which nobody else may change before this commit."""
        if len(names) == 1:  # a list in a statement costs more than the row
            (name,) = names
            row = connection.execute(self.hold, _key(tenant, name)).first()
            return {name: self.made(row)} if row else {}
        some = [name if self.side == "in" else name[0] for name in names]
        key = {"tenant_": tenant, "some_": padded(some)}
        rows = [self.made(row) for row in connection.execute(self.hold_some, key).all()]
        return {self.name(row): row for row in rows}


OUT: Rows[Outgoing] = Rows(
    side="out",
    hold=HOLD_OUT,
    hold_some=HOLD_SOME_OUT,
    change=CHANGE_OUT,
    made=outgoing_of,
    said=noting.sent_on,
)
IN: Rows[Incoming] = Rows(
    side="in",
    hold=HOLD_IN,
    hold_some=HOLD_SOME_IN,
    change=CHANGE_IN,
    made=incoming_of,
    said=noting.taken_on,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move(Joint[Record], Generic[Record]):
    """One move; ``decide`` returns the columns to change, or raises what refuses it."""

    rows: Rows[Record]
    tenant: str
    clock: Clock
    lease: Lease | None
    name: Name
    decide: Callable[[Record], Values]
    receipts: Sequence[tuple[str, str]] = ()  # stage and JWS, to be kept in the same commit

    @property
    def kind(self) -> Hashable:
        """Moves of one side of one municipality."""
        return Move, self.rows.side, self.tenant

    def decided(
        self, fenced: Mapping[Lease, Fenced], now: Mapping[Name, Record]
    ) -> tuple[Record, dict[str, Any]]:
        """Return the row as it is, and which columns of it change; raise what refuses that."""
        if self.lease and self.lease in fenced:
            raise fenced[self.lease]
        if (before := now.get(self.name)) is None:
            raise NoSuchTransfer(transfer=self.name[0])
        return before, filled(before, self.decide(before))

    @classmethod
    def together(
        cls, connection: sa.Connection, pieces: Sequence[Self]
    ) -> Sequence[Record | Refused]:
        """Make all moves in their order, each on what the one before has left."""
        rows, tenant = pieces[0].rows, pieces[0].tenant
        fenced = check_fences(connection, tenant, {one.lease for one in pieces if one.lease})
        names = {one.name for one in pieces if one.lease not in fenced}
        now = rows.held(connection, tenant, names) if names else {}
        kept = _Kept(connection, rows.side, [one for one in pieces if one.receipts])
        news: dict[Name, dict[str, Any]] = {}
        said: list[Entry] = []
        found: list[Record | Refused] = []
        for one in pieces:
            try:
                before, more = one.decided(fenced, now)
            except Exception as error:  # noqa: BLE001 - told to whoever asked for this move
                found.append(Refused(error))
                continue
            at = one.clock.now()
            after = changed(before, more)
            if one.receipts:
                said += kept.added(one, before, at)
            said += rows.said(before, after, at)
            now[one.name] = after
            news.setdefault(one.name, {}).update(more)
            found.append(after)
        _write(connection, rows, tenant, news)
        kept.write()
        append_all(connection, tenant, said)
        return found


class _Kept:
    """The receipts of the rows that are moved: those that are there, and those that are new."""

    def __init__(self, connection: sa.Connection, side: Side, moves: Sequence[Move[Any]]) -> None:
        self._connection = connection
        self._side = side
        self._new: list[dict[str, Any]] = []
        self._held: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        if moves:
            names = padded({one.name[0] for one in moves})
            key = {"tenant_": moves[0].tenant, "side_": side, "some_": names}
            for row in connection.execute(HELD_RECEIPTS_OF, key):
                self._held[row.transfer, row.attempt].append(row.jws)

    def added(self, move: Move[Any], row: Outgoing | Incoming, at: datetime) -> list[Entry]:
        """Take up a move's receipts, and return what is to be said of those that are new."""
        held = self._held[row.transfer, row.attempt]
        rows, said = new_receipts(
            (move.tenant, row.transfer, row.attempt, self._side), held, move.receipts, at
        )
        held += [one["jws"] for one in rows]
        self._new += rows
        return said

    def write(self) -> None:
        if self._new:
            self._connection.execute(ADD_RECEIPT, self._new)


def new_receipts(
    of: tuple[str, str, int, Side],
    held: Sequence[str],
    more: Iterable[tuple[str, str]],
    at: datetime,
) -> tuple[list[dict[str, Any]], list[Entry]]:
    """Return rows of the receipts that are not ``held`` yet, and what is to be said of them.

    ``of`` is tenant, transfer, attempt and side; ``more`` are pairs of stage and JWS.
    """
    tenant, transfer, attempt, side = of
    fresh = [(stage, jws) for stage, jws in more if jws not in held]
    rows = [
        {
            "tenant": tenant,
            "transfer": transfer,
            "attempt": attempt,
            "side": side,
            "number": number,
            "stage": stage,
            "jws": jws,
            "at": to_micros(at),
        }
        for number, (stage, jws) in enumerate(fresh, len(held))
    ]
    said = [
        noting.kept(transfer, attempt, side, number, stage=stage, token=jws, at=at)
        for number, (stage, jws) in enumerate(fresh, len(held))
    ]
    return rows, said


def filled(before: Record, values: Values) -> dict[str, Any]:
    """Return the values without those that say of an empty column that it is empty.

    Most moves say once more that nothing is waited for.
    """
    return {
        name: value
        for name, value in values.items()
        if value is not None or getattr(before, name) is not None
    }


def _key(tenant: str, name: Name) -> dict[str, object]:
    transfer, attempt = name
    key: dict[str, object] = {"tenant_": tenant, "transfer_": transfer}
    return key if attempt is None else {**key, "attempt_": attempt}


def _write(
    connection: sa.Connection, rows: Rows[Any], tenant: str, news: Mapping[Name, Values]
) -> None:
    """Change rows that this transaction holds, those of the same columns by one statement."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for name, values in news.items():
        if values:
            alike[tuple(sorted(values))].append({**_key(tenant, name), **values})
    for some in alike.values():
        # They are held, so they are there; a driver that sends many at once does not count them.
        done = connection.execute(rows.change, some)
        is_counted = len(some) == 1 or done.supports_sane_multi_rowcount()
        if is_counted and done.rowcount != len(some):
            raise NoSuchTransfer(transfer=some[0]["transfer_"])
