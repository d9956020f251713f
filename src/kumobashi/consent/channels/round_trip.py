"""The round trip of a code, inside a commit: made, sent, refused, come back, proven.

Every function is one step of a row's life (``states``); who calls it erases what it says has ended.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.channels import counting
from kumobashi.consent.channels.counting import What
from kumobashi.consent.channels.ending import end, note
from kumobashi.consent.channels.errors import (
    ChannelCodeLocked,
    ChannelCodeOver,
    ChannelCodeWrong,
    ChannelFailed,
    ChannelLimited,
    ChannelMove,
)
from kumobashi.consent.channels.sealing import Vault
from kumobashi.consent.channels.states import (
    LIVES,
    PENDING,
    Channel,
    Limits,
    Reason,
    State,
    check_move,
)
from kumobashi.consent.channels.table import AddressTable
from kumobashi.kernel import from_micros, to_micros, to_wire

_WORDS = {
    What.SENT_TO_RESIDENT: ("1人あたりの送付", "codes for one resident"),
    What.SENT_TO_ADDRESS: ("1つの宛先への送付", "codes to one address"),
    What.TRIED: ("1人あたりの入力", "codes typed for one resident"),
}


class RoundTrip:
    """What happens to a code and its row."""

    def __init__(self, table: AddressTable, vault: Vault, limits: Limits) -> None:
        self._table = table
        self._vault = vault
        self._limits = limits

    def issue(
        self, connection: sa.Connection, record: str, code: str, *, now: datetime, by: str
    ) -> None:
        """Commit a code that is about to leave; refuse one that comes too soon or too often.

        Raises:
            ChannelUnknown, ChannelMove, ChannelLimited: none may leave.
        """
        row, limits = self._table.row(connection, record), self._limits
        if State(row.state) not in PENDING:
            raise ChannelMove(now=row.state, then=State.SENT.value)
        if row.sendings >= limits.sendings:
            raise _limited("1件の登録での送付", "codes for one registration", "-")
        if row.opened_at is not None and now < from_micros(row.opened_at) + limits.pause:
            after = to_wire(from_micros(row.opened_at) + limits.pause)
            raise _limited("続けての送付", "one code after another", after)
        for what, mark, most in (
            (What.SENT_TO_RESIDENT, row.subject, limits.sendings_to_resident),
            (What.SENT_TO_ADDRESS, row.mark, limits.sendings_to_address),
        ):
            self._take(connection, what, mark, most, now)
        number = row.sendings + 1
        self._table.update(
            connection,
            record,
            code=self._vault.code_mark(record, number, code),
            until=to_micros(now + LIVES[Channel(row.channel)]),
            sendings=number,
            tries=0,
            openings=row.openings + 1,
            opened_at=to_micros(now),
        )
        note(connection, row, "code_made", number=number, now=now, by=by)

    def sent(
        self, connection: sa.Connection, record: str, number: int, *, now: datetime, by: str
    ) -> None:
        """Note that a code has left."""
        row = self._table.row(connection, record)
        if not _is_newest(row, number):
            return  # meanwhile proven, taken back or sent anew
        self._table.update(connection, record, state=State.SENT.value, sent_at=to_micros(now))
        moved = {"before": row.state, "after": State.SENT.value}
        note(connection, row, State.SENT.value, number=number, now=now, by=by, **moved)

    def refused(
        self, connection: sa.Connection, record: str, number: int, *, now: datetime, by: str
    ) -> list[str]:
        """End an address that its channel does not have; return what has ended."""
        row = self._table.row(connection, record)
        if not _is_newest(row, number):
            return []
        return [end(connection, row, State.FAILED, Reason.REFUSED, now=now, by=by)]

    def come_back(
        self, connection: sa.Connection, record: str, code: str, *, now: datetime, by: str
    ) -> tuple[list[str], ChannelFailed | None]:
        """Count a try and compare it; return what has ended, and why it proves nothing.

        What is returned as failed is committed, too: a try that raised would not count.

        Raises:
            ChannelUnknown, ChannelMove, ChannelLimited: nothing was counted.
        """
        row = self._table.row(connection, record)
        if State(row.state) not in PENDING or row.code is None:
            raise ChannelMove(now=row.state, then=State.PROVEN.value)
        if from_micros(row.until) <= now:
            ended = end(connection, row, State.EXPIRED, Reason.TIME, now=now, by=by)
            return [ended], ChannelCodeOver()
        self._take(connection, What.TRIED, row.subject, self._limits.tries_of_resident, now)
        if self._vault.is_code(row.code, record, row.sendings, code):
            return self._prove(connection, row, now=now, by=by), None
        tries = row.tries + 1
        self._table.update(connection, record, tries=tries)
        note(connection, row, "code_wrong", number=tries, now=now, by=by)
        if tries < self._limits.tries:
            return [], ChannelCodeWrong(left=self._limits.tries - tries)
        ended = end(connection, row, State.FAILED, Reason.LOCKED, now=now, by=by)
        return [ended], ChannelCodeLocked(most=self._limits.tries)

    def _prove(
        self, connection: sa.Connection, row: sa.Row[Any], *, now: datetime, by: str
    ) -> list[str]:
        """Prove an address, and end the one that was proven before."""
        state = State(row.state)
        if state is State.UNPROVEN:  # the code came back, so it had gone out
            moved = {"before": state.value, "after": State.SENT.value}
            note(connection, row, State.SENT.value, now=now, by=by, **moved)
            state = State.SENT
        check_move(state, State.PROVEN)
        ended = [
            end(connection, old, State.WITHDRAWN, Reason.REPLACED, now=now, by=by)
            for old in self._table.rows(connection, row.subject, Channel(row.channel))
            if old.state == State.PROVEN.value
        ]
        proven = {"state": State.PROVEN.value, "proven_at": to_micros(now), "code": None}
        self._table.update(connection, row.record, **proven)
        moved = {"before": state.value, "after": State.PROVEN.value}
        note(connection, row, State.PROVEN.value, now=now, by=by, **moved)
        return ended

    def _take(
        self, connection: sa.Connection, what: What, mark: str, most: int, now: datetime
    ) -> None:
        key = (self._table.tenant, what, mark)
        until = counting.take(connection, key, most=most, window=self._limits.window, now=now)
        if until is not None:
            raise _limited(*_WORDS[what], to_wire(until))


def _is_newest(row: sa.Row[Any], number: int) -> bool:
    """Whether the sending of that number is the one that a code may come back from."""
    return State(row.state) in PENDING and row.sendings == number


def _limited(ja: str, en: str, after: str) -> ChannelLimited:
    return ChannelLimited(what_ja=ja, what=en, after=after)
