"""The outbox of a ledger: what this gateway sends; every change of state is one durable commit."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import sqlalchemy as sa

from kumobashi.exchange import noting
from kumobashi.exchange.errors import IllegalMove, NoSuchTransfer
from kumobashi.exchange.ledger_book import Book, Facts, equal_to, merged
from kumobashi.exchange.moving import OUT
from kumobashi.exchange.permitting import AGREEMENT, Needed, Sending
from kumobashi.exchange.records import Outgoing, outgoing_of
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.statements import CHANGE_OUT, HOLD_OUT, ONE_OUT
from kumobashi.exchange.states import OUT_FINAL, Out, check_out, is_under_way
from kumobashi.kernel import new_id, to_micros
from kumobashi.storage.state import Work

Also = Callable[[sa.Connection], None]


class Outbox(Book):
    """The transfers of the links that begin here."""

    def start(
        self,
        link: str,
        business_date: str,
        *,
        mode: str,
        plan_hash: str,
        again: bool,
        basis: str | None = None,
        by: str = noting.LOCAL_API,
        needed: Needed | None = None,
        **columns: object,
    ) -> tuple[Outgoing, bool]:
        """Return the run of a link for a date and whether it is new; ``again`` makes one more.

        A run that is under way or done is returned as it is, so asking twice does no harm.
        ``by`` is whom the evidence names for a new one.
        ``columns`` say how a new one waits: ``to_site``, ``rank``, ``in_order``, ``resends``.

        Raises:
            NotCovered, AgreementUnknown, AgreementForged: an agreement is ``needed`` and none in
                force covers it; nothing was begun.
        """
        sending = Sending(link=link, plan_hash=plan_hash, business_date=business_date)

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
            agreed = {AGREEMENT: self.permits.cover(connection, sending, needed)} if needed else {}
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
                "facts": agreed,
                "started_at": to_micros(self.clock.now()),
                **columns,
            }
            connection.execute(sa.insert(outgoing), row)
            made = self.read_out(connection, transfer)
            self.note(connection, [noting.started(made, self.clock.now(), basis, by=by)])
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
        return self._all(query, outgoing_of)

    def several(self, transfers: Sequence[str]) -> list[Outgoing]:
        """Return these transfers, those that there are, in no order; at most some hundred."""
        query = sa.select(outgoing).where(
            self._out_where(), outgoing.c.transfer.in_(list(transfers))
        )
        return self._all(query, outgoing_of)

    def under_way(self) -> set[str]:
        """Return the transfers that this gateway still has work with."""
        states = [state.value for state in Out if is_under_way(state)]
        query = (
            sa.select(outgoing.c.transfer)
            .where(self._out_where())
            .where(outgoing.c.state.in_(states))
        )
        return self.store.read(lambda connection: set(connection.execute(query).scalars()))

    def not_left(self, link: str) -> list[Outgoing]:
        """Return the transfers of a link of which nothing has left yet, the oldest first."""
        states = [Out.EXTRACTING.value, Out.HELD.value, Out.SEALED.value]
        query = (
            sa.select(outgoing)
            .where(self._out_where(link=link))
            .where(outgoing.c.state.in_(states))
            .order_by(outgoing.c.transfer)
        )
        return self._all(query, outgoing_of)

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
            facts = merged(now.facts, {name: dict(value)})
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
        also: Also | None = None,
        **columns: object,
    ) -> Outgoing:
        """Move a transfer to ``then``, or leave its state, merging ``facts``; durable on return.

        ``still`` is the state it must be in: a medium may have brought its receipts meanwhile.
        ``also`` looks in the same commit whether it may; what it raises leaves all as it was.

        Raises:
            IllegalMove: it may not go there, or is not ``still`` where it was.
        """

        def decided(now: Outgoing) -> Facts:
            if still is not None and now.state is not still:
                raise IllegalMove(now=now.state.value, then=(then or still).value)
            values: dict[str, object] = {**columns, **self._waiting(cause)}
            if facts:
                values["facts"] = merged(now.facts, facts)
            if then is not None:
                check_out(now.state, then)
                values |= self._reached(then)
            return values

        def asking(connection: sa.Connection) -> Outgoing:
            now = self.hold_out(connection, transfer)
            values = decided(now)
            if also is not None:
                also(connection)
            return self.change_out(connection, now, values)

        # What is asked beside the row must see all that was changed before: it goes alone.
        work = self._move(OUT, (transfer, None), decided) if also is None else asking
        return self._durably(transfer, work)

    def received(
        self, transfer: str, more: list[tuple[str, str]], then: Out, *, facts: Facts
    ) -> Outgoing:
        """Keep verified receipts at the sender and move to where they say it is, in one commit."""

        def decided(now: Outgoing) -> Facts:
            for state in _way(now.state, then):
                check_out(*state)
            return {
                **self._waiting(facts.get("cause")),
                "facts": merged(now.facts, {k: v for k, v in facts.items() if k != "cause"}),
                **self._reached(then),
            }

        return self._durably(transfer, self._move(OUT, (transfer, None), decided, more))

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
        *,
        by: str = noting.OPERATOR,
    ) -> Outgoing:
        """Change a row that is held, and note in the same commit what that means.

        ``by`` is whom the evidence names where only a person can have changed it.
        """
        after = self._write(connection, CHANGE_OUT, self._key(before.transfer), before, values)
        self.note(connection, noting.sent_on(before, after, self.clock.now(), by=by))
        return after

    def _durably(self, transfer: str, work: Work[Outgoing]) -> Outgoing:
        """Change a transfer, and note for readers of its link that it has changed."""
        row = self.store.write(work, key=transfer)
        self.touched.note(row.link)
        return row

    def _out_where(self, **equal: object) -> sa.ColumnElement[bool]:
        return equal_to(outgoing, self.tenant, equal)


def _way(now: Out, then: Out) -> list[tuple[Out, Out]]:
    """Return the single moves from ``now`` to ``then`` along the receipts' order."""
    # From "sealed" on: receipts that a courier brings may be the first news of a transfer.
    order = [Out.SEALED, Out.SENT, Out.DELIVERED, Out.OPENED, Out.VALIDATED, Out.APPLIED]
    if then is Out.REFUSED or now not in order or then not in order:
        return [(now, then)] if now is not then else []
    path = order[order.index(now) : order.index(then) + 1]
    return list(pairwise(path)) if path else [(now, then)]  # backwards: for check_out to refuse
