"""What a gateway remembers of transfers: every change of state is one durable commit."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeVar

import sqlalchemy as sa

from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.exchange import noting
from kumobashi.exchange.errors import IllegalMove, NoSuchTransfer
from kumobashi.exchange.leases import Lease, check_fence
from kumobashi.exchange.records import Incoming, Outgoing, incoming_of, outgoing_of
from kumobashi.exchange.sql import incoming, outgoing
from kumobashi.exchange.statements import (
    ADD_RECEIPT,
    CHANGE_IN,
    CHANGE_OUT,
    HELD_RECEIPTS,
    HOLD_IN,
    HOLD_OUT,
    ONE_IN,
    ONE_OUT,
)
from kumobashi.exchange.states import (
    IN_FINAL,
    OUT_FINAL,
    In,
    Out,
    check_in,
    check_out,
    is_under_way,
)
from kumobashi.exchange.touched import Touched
from kumobashi.kernel import Clock, from_wire, new_id, to_micros
from kumobashi.storage.state import StateStore

Side = Literal["out", "in"]
Facts = Mapping[str, Any]
Made = TypeVar("Made")


class Ledger:
    """The outbox, the inbox and the receipts of one gateway."""

    def __init__(
        self, store: StateStore, tenant: str, clock: Clock, *, lease: Lease | None = None
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.clock = clock
        self.lease = lease
        self.touched = Touched()

    def under(self, lease: Lease) -> "Ledger":
        """Return the same ledger, whose changes are refused once ``lease`` is another's."""
        fenced = Ledger(self.store, self.tenant, self.clock, lease=lease)
        fenced.touched = self.touched
        return fenced

    def check_lease(self) -> None:
        """Raise :class:`Fenced` when the work is another's by now."""
        self.store.read(self._fence)

    # -- outbox ---------------------------------------------------------------------------------

    def start(
        self,
        link: str,
        business_date: str,
        *,
        mode: str,
        plan_hash: str,
        again: bool,
        basis: str | None = None,
        **columns: object,
    ) -> tuple[Outgoing, bool]:
        """Return the run of a link for a date and whether it is new; ``again`` makes one more.

        A run that is under way or done is returned as it is, so asking twice does no harm.
        ``columns`` say how a new one waits: ``to_site``, ``rank``, ``in_order``, ``resends``.
        """

        def work(connection: sa.Connection) -> tuple[Outgoing, bool]:
            mine = self._out_where(link=link, business_date=business_date)
            rows = connection.execute(
                sa.select(outgoing).where(mine).order_by(outgoing.c.sequence.desc())
            )
            newest = outgoing_of(first) if (first := rows.first()) else None
            if newest and (
                newest.state not in OUT_FINAL or (newest.state is Out.APPLIED and not again)
            ):
                return newest, False
            transfer = new_id()
            row = {
                "tenant": self.tenant,
                "transfer": transfer,
                "link": link,
                "business_date": business_date,
                "sequence": newest.sequence + 1 if newest else 1,
                "attempt": 1,
                "mode": mode,
                "state": Out.EXTRACTING.value,
                "plan_hash": plan_hash,
                "bounds_accepted": False,
                "facts": {},
                "started_at": to_micros(self.clock.now()),
                **columns,
            }
            connection.execute(sa.insert(outgoing).values(row))
            made = self.read_out(connection, transfer)
            self.note(connection, [noting.started(made, self.clock.now(), basis)])
            return made, True

        try:
            row, is_new = self.store.write(work, key=link)
        except sa.exc.IntegrityError:  # another process was a moment earlier: take what it began
            row, is_new = self.store.write(work, key=link)
        self.touched.note(row.link)
        return row, is_new

    def outgoing(self, transfer: str) -> Outgoing:
        """Return one transfer; raise ``NoSuchTransfer``."""
        return self.store.read(lambda connection: self.read_out(connection, transfer))

    def outgoings(self, link: str | None = None, *, limit: int = 1000) -> list[Outgoing]:
        """Return transfers, the newest first."""
        where = self._out_where(link=link) if link else self._out_where()
        # Ids sort in the order they were made (UUIDv7), and lead the primary key.
        newest = (outgoing.c.started_at.desc(),) if link else ()
        query = (
            sa.select(outgoing)
            .where(where)
            .order_by(*newest, outgoing.c.transfer.desc())
            .limit(limit)
        )
        return self.store.read(
            lambda connection: [outgoing_of(row) for row in connection.execute(query)]
        )

    def several(self, transfers: Sequence[str]) -> list[Outgoing]:
        """Return these transfers, those that there are, in no order; at most some hundred."""
        query = sa.select(outgoing).where(
            self._out_where(), outgoing.c.transfer.in_(list(transfers))
        )
        return self.store.read(
            lambda connection: [outgoing_of(row) for row in connection.execute(query)]
        )

    def under_way(self) -> set[str]:
        """Return the transfers that this gateway still has work with."""
        states = [state.value for state in Out if is_under_way(state)]
        query = (
            sa.select(outgoing.c.transfer)
            .where(self._out_where())
            .where(outgoing.c.state.in_(states))
        )
        return self.store.read(lambda connection: set(connection.execute(query).scalars()))

    def last_applied(self, link: str) -> Outgoing | None:
        """Return the transfer of a link that was applied last."""
        query = (
            sa.select(outgoing)
            .where(self._out_where(link=link, state=Out.APPLIED.value))
            .order_by(outgoing.c.business_date.desc(), outgoing.c.sequence.desc())
            .limit(1)
        )
        row = self.store.read(lambda connection: connection.execute(query).first())
        return outgoing_of(row) if row else None

    def note_once(self, transfer: str, name: str, value: Facts) -> bool:
        """Add a fact that is not there yet, leaving all else; return whether it was absent."""

        def work(connection: sa.Connection) -> bool:
            now = self.hold_out(connection, transfer)
            if name in now.facts:
                return False
            facts = _merged(now.facts, {name: dict(value)})
            self.change_out(connection, now, {"facts": facts})
            return True

        return self.store.write(work, key=transfer)

    def move_out(
        self,
        transfer: str,
        then: Out | None,
        *,
        facts: Facts | None = None,
        cause: Facts | None = None,
        still: Out | None = None,
        **columns: object,
    ) -> Outgoing:
        """Move a transfer to ``then``, or leave its state, merging ``facts``; durable on return.

        ``still`` is the state it must be in: a medium may have brought its receipts meanwhile.

        Raises:
            IllegalMove: it may not go there, or is not ``still`` where it was.
        """

        def work(connection: sa.Connection) -> Outgoing:
            now = self.hold_out(connection, transfer)
            if still is not None and now.state is not still:
                raise IllegalMove(now=now.state.value, then=(then or still).value)
            values: dict[str, object] = {**columns, **self._waiting(cause)}
            if facts:
                values["facts"] = _merged(now.facts, facts)
            if then is not None:
                check_out(now.state, then)
                values["state"] = then.value
                if then in OUT_FINAL:
                    values["finished_at"] = to_micros(self.clock.now())
            return self.change_out(connection, now, values)

        row = self.store.write(work, key=transfer)
        self.touched.note(row.link)
        return row

    # -- inbox ----------------------------------------------------------------------------------

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

    def incomings(self, *, limit: int = 1000) -> list[Incoming]:
        """Return bundles, the newest first."""
        query = (
            sa.select(incoming)
            .where(incoming.c.tenant == self.tenant)
            .order_by(incoming.c.started_at.desc())
            .limit(limit)
        )
        return self.store.read(
            lambda connection: [incoming_of(row) for row in connection.execute(query)]
        )

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

        def work(connection: sa.Connection) -> Incoming:
            self._fence(connection)
            key = self._key(bundle.transfer, bundle.attempt)
            found = connection.execute(HOLD_IN, key).first()
            if found is None:
                raise NoSuchTransfer(transfer=bundle.transfer)
            now = incoming_of(found)
            values: dict[str, object] = {**columns, **self._waiting(cause)}
            if facts:
                values["facts"] = _merged(now.facts, facts)
            if then is not None:
                check_in(now.state, then)
                values["state"] = then.value
                if then in IN_FINAL:
                    values["finished_at"] = to_micros(self.clock.now())
            if receipt:
                self._keep(connection, bundle.transfer, bundle.attempt, "in", [receipt])
            after = incoming_of(connection.execute(CHANGE_IN, {**key, **values}).one())
            self.note(connection, noting.taken_on(now, after, self.clock.now()))
            return after

        return self.store.write(work, key=bundle.transfer)

    # -- receipts -------------------------------------------------------------------------------

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

    def received(
        self, transfer: str, more: list[tuple[str, str]], then: Out, *, facts: Facts
    ) -> Outgoing:
        """Keep verified receipts at the sender and move to where they say it is, in one commit."""

        def work(connection: sa.Connection) -> Outgoing:
            now = self.hold_out(connection, transfer)
            self._keep(connection, transfer, now.attempt, "out", more)
            values: dict[str, object] = {
                **self._waiting(facts.get("cause")),
                "facts": _merged(now.facts, {k: v for k, v in facts.items() if k != "cause"}),
                "state": then.value,
            }
            for state in _way(now.state, then):
                check_out(*state)
            if then in OUT_FINAL:
                values["finished_at"] = to_micros(self.clock.now())
            return self.change_out(connection, now, values)

        row = self.store.write(work, key=transfer)
        self.touched.note(row.link)
        return row

    # -- inside ---------------------------------------------------------------------------------

    def note(self, connection: sa.Connection, said: Sequence[Entry]) -> None:
        """Write evidence in the commit of what it speaks of."""
        for entry in said:
            append(connection, self.tenant, entry)

    def _keep(
        self,
        connection: sa.Connection,
        transfer: str,
        attempt: int,
        side: Side,
        more: list[tuple[str, str]],
    ) -> None:
        key = {**self._key(transfer, attempt), "side_": side}
        held = set(connection.execute(HELD_RECEIPTS, key).scalars())
        fresh = [(stage, jws) for stage, jws in more if jws not in held]
        for number, (stage, jws) in enumerate(fresh, len(held)):
            row = {
                "tenant": self.tenant,
                "transfer": transfer,
                "attempt": attempt,
                "side": side,
                "number": number,
                "stage": stage,
                "jws": jws,
                "at": to_micros(self.clock.now()),
            }
            connection.execute(ADD_RECEIPT, row)
            now = self.clock.now()
            said = noting.kept(transfer, attempt, side, number, stage=stage, token=jws, at=now)
            self.note(connection, [said])

    def _waiting(self, cause: Facts | None) -> dict[str, object]:
        """Return the columns that say why something waits, and until when."""
        again = cause.get("next_try") if cause else None
        try:
            due = to_micros(from_wire(str(again))) if again else None
        except (ValueError, OverflowError):  # a hop behind may have said anything
            due = None
        return {
            "cause": dict(cause) if cause else None,
            "next_try_at": due,
            "put_off_at": None if due is None else to_micros(self.clock.now()),
        }

    def _fence(self, connection: sa.Connection) -> None:
        if self.lease:
            check_fence(connection, self.tenant, self.lease)

    def _key(self, transfer: str, attempt: int | None = None) -> dict[str, object]:
        key: dict[str, object] = {"tenant_": self.tenant, "transfer_": transfer}
        return key if attempt is None else {**key, "attempt_": attempt}

    def read_out(self, connection: sa.Connection, transfer: str) -> Outgoing:
        """Return one transfer inside a piece of work; raise ``NoSuchTransfer``."""
        row = connection.execute(ONE_OUT, self._key(transfer)).first()
        if row is None:
            raise NoSuchTransfer(transfer=transfer)
        return outgoing_of(row)

    def hold_out(self, connection: sa.Connection, transfer: str) -> Outgoing:
        """Read a row that nobody else may change before this commit.

        Raises:
            Fenced: another process works on it by now.
            NoSuchTransfer: there is none.
        """
        self._fence(connection)
        row = connection.execute(HOLD_OUT, self._key(transfer)).first()
        if row is None:
            raise NoSuchTransfer(transfer=transfer)
        return outgoing_of(row)

    def change_out(
        self,
        connection: sa.Connection,
        before: Outgoing,
        values: Mapping[str, object],
    ) -> Outgoing:
        """Change a row that is held, and note in the same commit what that means."""
        key = self._key(before.transfer)
        after = outgoing_of(connection.execute(CHANGE_OUT, {**key, **values}).one())
        self.note(connection, noting.sent_on(before, after, self.clock.now()))
        return after

    def _all(self, query: sa.Select[Any], made: Callable[[sa.Row[Any]], Made]) -> list[Made]:
        return self.store.read(lambda held: [made(row) for row in held.execute(query)])

    def _read_in(self, connection: sa.Connection, transfer: str, attempt: int) -> Incoming | None:
        row = connection.execute(ONE_IN, self._key(transfer, attempt)).first()
        return incoming_of(row) if row else None

    def _out_where(self, **equal: object) -> sa.ColumnElement[bool]:
        return _where(outgoing, self.tenant, equal)

    def _in_where(self, **equal: object) -> sa.ColumnElement[bool]:
        return _where(incoming, self.tenant, equal)


def _where(table: sa.Table, tenant: str, equal: Mapping[str, object]) -> sa.ColumnElement[bool]:
    conditions = [table.c[name] == value for name, value in equal.items()]
    return sa.and_(table.c.tenant == tenant, *conditions)


def _merged(now: Facts, more: Facts) -> dict[str, Any]:
    merged = dict(now)
    for name, value in more.items():
        old = merged.get(name)
        both = isinstance(old, dict) and isinstance(value, Mapping)
        merged[name] = {**old, **value} if both else value  # type: ignore[dict-item]
    return json.loads(json.dumps(merged))  # type: ignore[no-any-return]


def _way(now: Out, then: Out) -> list[tuple[Out, Out]]:
    """Return the single moves from ``now`` to ``then`` along the receipts' order."""
    # From "sealed" on: receipts that a courier brings may be the first news of a transfer.
    order = [Out.SEALED, Out.SENT, Out.DELIVERED, Out.OPENED, Out.VALIDATED, Out.APPLIED]
    if then is Out.REFUSED or now not in order or then not in order:
        return [(now, then)] if now is not then else []
    path = order[order.index(now) : order.index(then) + 1]
    return list(pairwise(path)) if path else [(now, then)]  # backwards: for check_out to refuse
