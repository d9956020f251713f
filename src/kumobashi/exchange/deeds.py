"""What a person may do to a transfer or a link while it waits: pause, resume, cancel, send first.

Each deed looks and changes in one commit, and so does the last step before a bundle is closed at
the next hop. Whichever comes first counts: what was cancelled is never closed, and what may have
been closed is never called cancelled.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

import sqlalchemy as sa

from kumobashi.evidence.entries import GATEWAY
from kumobashi.exchange import noting
from kumobashi.exchange.errors import HasLeft, IllegalMove, OrderKept, Paused
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.noting import OPERATOR
from kumobashi.exchange.permitting import AGREEMENT, Sending
from kumobashi.exchange.ranks import FIRST
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sql import paused_links
from kumobashi.exchange.states import LEFT, OUT_FINAL, Out, check_out
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import KumobashiError, to_micros

Values = Callable[[sa.Connection], dict[str, object]]


class Deed(StrEnum):
    """What a person may do to one transfer."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SEND_FIRST = "send-first"


# Facts: the attempt from whose close on it counts as having left; one that a medium took with it.
CLOSING, CARRIED = "closing", "carried"


def may_be_taken_back(row: Outgoing) -> bool:
    """Whether nothing of a transfer can be at the next hop or on a medium, nor is it over."""
    is_out = row.state in LEFT or row.facts.get(CLOSING) == row.attempt or CARRIED in row.facts
    return not is_out and row.state not in OUT_FINAL


class Deeds:
    """Deeds of a person on the outbox of one gateway; ``by`` is whom the evidence names."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # -- transfers ------------------------------------------------------------------------------

    def pause(self, transfer: str, *, by: str = OPERATOR) -> Outgoing:
        """Let a transfer wait until it is resumed; again does no harm.

        Raises:
            HasLeft: it was closed at the next hop, or may have been.
            IllegalMove: it is over.
        """

        def work(held: sa.Connection) -> dict[str, object]:
            row = self._waiting(held, transfer, "paused")
            return {"paused_at": row.paused_at or self._now()}

        return self._change(transfer, work, "transfer.paused", by=by)

    def resume(self, transfer: str, *, by: str = OPERATOR) -> Outgoing:
        """Let a paused transfer go on when its turn comes; one that is not paused stays as it is.

        Raises:
            IllegalMove: it is over.
        """

        def work(held: sa.Connection) -> dict[str, object]:
            row = self._ledger.hold_out(held, transfer)
            if row.state in OUT_FINAL:
                raise IllegalMove(now=row.state.value, then="resumed")
            return {"paused_at": None, "next_try_at": None}

        return self._change(transfer, work, "transfer.resumed", by=by)

    def cancel(self, transfer: str, *, by: str = OPERATOR) -> Outgoing:
        """Give a transfer up for good, as long as nothing of it can be applied.

        Raises:
            HasLeft: it was closed at the next hop or carried by a medium, or may have been.
            IllegalMove: it is over.
        """

        def work(held: sa.Connection) -> dict[str, object]:
            row = self._waiting(held, transfer, Out.CANCELLED.value)
            check_out(row.state, Out.CANCELLED)
            return {
                "state": Out.CANCELLED.value,
                "finished_at": self._now(),
                "cause": None,
                "next_try_at": None,
                "paused_at": None,
            }

        return self._change(transfer, work, by=by)

    def stop(self, transfer: str, why: KumobashiError, *, side: str) -> Outgoing:
        """Cancel a transfer because what permitted it is over; the cause and the evidence say so.

        Raises:
            HasLeft, IllegalMove: as :meth:`cancel`.
        """

        def work(held: sa.Connection) -> dict[str, object]:
            row = self._waiting(held, transfer, Out.CANCELLED.value)
            check_out(row.state, Out.CANCELLED)
            return {
                "state": Out.CANCELLED.value,
                "finished_at": self._now(),
                "cause": cause_of(why, side=side, now=self._ledger.clock.now()),
                "next_try_at": None,
                "paused_at": None,
            }

        return self._change(transfer, work, by=GATEWAY)

    def send_first(self, transfer: str, *, by: str = OPERATOR) -> Outgoing:
        """Let a transfer go before all others that wait.

        Raises:
            OrderKept: its link lets nothing overtake.
            HasLeft, IllegalMove: it does not wait any more.
        """

        def work(held: sa.Connection) -> dict[str, object]:
            row = self._waiting(held, transfer, "first")
            if row.in_order:
                raise OrderKept(link=row.link)
            return {"rank": FIRST, "next_try_at": None}

        return self._change(transfer, work, "transfer.put_first", by=by)

    def begin_to_close(self, transfer: str) -> None:
        """Note that the bundle is about to be closed; afterwards nobody can take it back.

        Raises:
            Paused: a person was faster.
            IllegalMove: it was cancelled.
            NotCovered: the agreement that it began under is over.
        """
        self._ledger.store.write(lambda held: self._leave(held, transfer, CLOSING), key=transfer)

    def leave_on_medium(self, held: sa.Connection, transfer: str) -> None:
        """Note, in the commit of a medium that is begun, that it takes the bundle with it.

        It may be written again; another attempt, cut for the line, does not make it undone.

        Raises:
            Paused, IllegalMove: as :meth:`begin_to_close`.
        """
        self._leave(held, transfer, CARRIED)

    def refuse_paused(self, transfer: str) -> None:
        """Raise :class:`Paused` or :class:`IllegalMove` when a person stopped it meanwhile."""

        def work(held: sa.Connection) -> None:
            row = self._ledger.read_out(held, transfer)
            if row.state in LEFT or row.facts.get(CLOSING) == row.attempt:
                return
            check_out(row.state, Out.SENT)
            if row.paused_at is not None or self._is_link_paused(held, row.link):
                raise Paused

        self._ledger.store.read(work)

    # -- links ----------------------------------------------------------------------------------

    def pause_link(self, link: str, *, by: str = OPERATOR) -> None:
        """Let all transfers of a link wait that have not left; again does no harm."""

        def work(held: sa.Connection) -> None:
            if not self._is_link_paused(held, link):
                row = {"tenant": self._ledger.tenant, "link": link, "since": self._now()}
                held.execute(sa.insert(paused_links).values(row))
                self._note_link(held, "link.paused", link, by)

        with suppress(sa.exc.IntegrityError):  # another process was a moment earlier
            self._ledger.store.write(work, key=link)
        self._ledger.touched.note(link)

    def resume_link(self, link: str, *, by: str = OPERATOR) -> None:
        """Let the transfers of a link go on; one that is not paused stays as it is."""
        gone = sa.delete(paused_links).where(
            paused_links.c.tenant == self._ledger.tenant, paused_links.c.link == link
        )

        def work(held: sa.Connection) -> None:
            if held.execute(gone).rowcount:
                self._note_link(held, "link.resumed", link, by)

        self._ledger.store.write(work, key=link)
        self._ledger.touched.note(link)

    def paused_links(self) -> dict[str, int]:
        """Return the paused links, and since when in microseconds."""
        query = sa.select(paused_links.c.link, paused_links.c.since).where(
            paused_links.c.tenant == self._ledger.tenant
        )
        return self._ledger.store.read(
            lambda held: {row.link: row.since for row in held.execute(query)}
        )

    # -- inside ---------------------------------------------------------------------------------

    def _leave(self, held: sa.Connection, transfer: str, fact: str) -> None:
        row = self._ledger.hold_out(held, transfer)
        if row.state in LEFT:  # it is handed over again, to a hop that has forgotten it
            return
        check_out(row.state, Out.SENT)
        if row.paused_at is not None or self._is_link_paused(held, row.link):
            raise Paused
        self._refuse_what_is_not_agreed(held, row)
        if row.facts.get(fact) != row.attempt:
            self._ledger.change_out(held, row, {"facts": {**row.facts, fact: row.attempt}})

    def _refuse_what_is_not_agreed(self, held: sa.Connection, row: Outgoing) -> None:
        """Raise what has become of the agreement that a transfer began under, if it had one."""
        agreement = row.facts.get(AGREEMENT)
        if isinstance(agreement, str):
            sending = Sending(
                link=row.link, plan_hash=row.plan_hash, business_date=row.business_date
            )
            self._ledger.permits.check(held, sending, agreement)

    def _waiting(self, held: sa.Connection, transfer: str, wish: str) -> Outgoing:
        """Return a transfer that has not left, and keep it so until the commit."""
        row = self._ledger.hold_out(held, transfer)
        if row.state in OUT_FINAL:
            raise IllegalMove(now=row.state.value, then=wish)
        if not may_be_taken_back(row):
            raise HasLeft(state=row.state.value)
        return row

    def _is_link_paused(self, held: sa.Connection, link: str) -> bool:
        query = sa.select(paused_links.c.since).where(
            paused_links.c.tenant == self._ledger.tenant, paused_links.c.link == link
        )
        return held.execute(query).first() is not None

    def _change(
        self, transfer: str, work: Values, event: str | None = None, *, by: str
    ) -> Outgoing:
        """Look, change and note it as evidence, in one commit; ``event`` unless the state moves."""

        def change(held: sa.Connection) -> Outgoing:
            values = work(held)
            before = self._ledger.hold_out(held, transfer)
            after = self._ledger.change_out(held, before, values, by=by)
            if event and replace(after, next_try_at=before.next_try_at) != before:
                self._ledger.note(
                    held, [noting.deed(event, after, self._ledger.clock.now(), by=by)]
                )
            return after

        row = self._ledger.store.write(change, key=transfer)
        self._ledger.touched.note(row.link)
        return row

    def _note_link(self, held: sa.Connection, event: str, link: str, by: str) -> None:
        self._ledger.note(held, [noting.link_deed(event, link, self._ledger.clock.now(), by=by)])

    def _now(self) -> int:
        return to_micros(self._ledger.clock.now())
