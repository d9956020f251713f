"""The book of addresses (連絡先の台帳): a round trip proves each before anything rests on it.

    add → unproven → sent → proven → withdrawn
                       └──→ failed | expired

A code is committed before it leaves and sent outside of any transaction: what a crash leaves is a
row whose code may be on its way, and the code that comes back tells that it was. A new address does
not touch the proven one of the same channel until it is proven itself. What ends is erased.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.channels import counting
from kumobashi.consent.channels.addresses import address_of
from kumobashi.consent.channels.ending import end, note
from kumobashi.consent.channels.errors import (
    AddressRefused,
    ChannelClosed,
    ChannelMove,
    ChannelUnproven,
    ResidentDied,
)
from kumobashi.consent.channels.ports import CodeLetter, Delivery, Reporting, Sender
from kumobashi.consent.channels.round_trip import RoundTrip
from kumobashi.consent.channels.rows import Address, Opened, address_in
from kumobashi.consent.channels.sealing import Vault, new_code
from kumobashi.consent.channels.states import (
    PENDING,
    UNSENT_LIVES,
    Channel,
    Limits,
    Reason,
    State,
)
from kumobashi.consent.channels.table import AddressTable
from kumobashi.consent.subjects import Subjects
from kumobashi.kernel import Clock, new_id, to_micros
from kumobashi.storage.state import StateStore

Senders = Callable[[], Mapping[Channel, Sender]]
_AT_ONCE = 500


class ChannelBook:
    """The addresses of one municipality's residents."""

    def __init__(
        self,
        store: StateStore,
        *,
        tenant: str,
        subjects: Subjects,
        vault: Vault,
        senders: Senders,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._table = AddressTable(store, tenant=tenant, clock=clock)
        self._subjects = subjects
        self._vault = vault
        self._senders = senders
        self._clock = clock
        self.limits = limits or Limits()
        self._trip = RoundTrip(self._table, vault, self.limits)

    # -- the round trip -------------------------------------------------------------------------

    def add(self, number: str, channel: Channel, said: str, *, by: str) -> Address:
        """Take an address of a resident and send a code there.

        An older address of the channel that waits for its code ends; a proven one stays.

        Raises:
            AddressUnfit, ChannelClosed, SubjectUnfit: nothing is kept.
            ResidentDied, ChannelLimited: likewise.
            SenderAway: it is kept; send again.
            AddressRefused: the channel has no such address; it has ended.
        """
        address = address_of(channel, said)
        self._sender(channel)
        resident = self._subjects.seal(number)
        record, code = new_id(), new_code()
        sealed = self._vault.seal(record, channel, address)
        table = self._table

        def work(connection: sa.Connection, now: datetime) -> list[str]:
            pen = table.pen(connection, now)
            subject = pen.survivor(resident)
            if pen.fate(subject) is not None:
                raise ResidentDied
            ended = [
                end(connection, old, State.WITHDRAWN, Reason.REPLACED, now=now, by=by)
                for old in table.rows(connection, subject, channel)
                if State(old.state) in PENDING
            ]
            table.add(
                connection,
                record=record,
                subject=subject,
                channel=channel.value,
                state=State.UNPROVEN.value,
                sealed=sealed,
                mark=self._vault.address_mark(channel, address),
                until=to_micros(now + UNSENT_LIVES),
                sendings=0,
                tries=0,
                made_at=to_micros(now),
                openings=0,
            )
            note(connection, table.row(connection, record), State.UNPROVEN.value, now=now, by=by)
            self._trip.issue(connection, record, code, now=now, by=by)
            return ended

        try:
            ended = self._table.write(work)
        except BaseException:
            self._vault.erase(record)
            raise
        self._erase(ended)
        return self._deliver(record, channel, address, code, by=by)

    def resend(self, record: str, *, by: str) -> Address:
        """Send a new code to an address that waits for one; an earlier one is void.

        Raises:
            ChannelUnknown, ChannelMove, ChannelClosed, ChannelLimited, AddressUnreadable.
            SenderAway, AddressRefused: as :meth:`add`.
        """
        code = new_code()
        row = self._table.found(record)
        channel = Channel(row.channel)
        if State(row.state) not in PENDING:
            raise ChannelMove(now=row.state, then=State.SENT.value)
        self._sender(channel)
        address = self._vault.open(record, channel, row.sealed)
        self._table.write(
            lambda connection, now: self._trip.issue(connection, record, code, now=now, by=by)
        )
        return self._deliver(record, channel, address, code, by=by)

    def confirm(self, record: str, code: str, *, by: str) -> Address:
        """Take the code that came back; the address is proven then, and an older one ends.

        A try is counted and compared in one commit, so that many at once are no more tries.

        Raises:
            ChannelUnknown, ChannelMove: no code of this row may come back.
            ChannelCodeWrong: another one; ``left`` tries are left.
            ChannelCodeLocked, ChannelCodeOver: the address has ended.
            ChannelLimited: too many tries of this resident, over all addresses.
        """
        ended, failed = self._table.write(
            lambda connection, now: self._trip.come_back(connection, record, code, now=now, by=by)
        )
        self._erase(ended)
        if failed:
            raise failed
        return self.address(record)

    def delivery(self, record: str) -> Delivery:
        """Ask what became of the newest code; a channel that is told nothing knows nothing.

        Raises:
            ChannelUnknown, ChannelClosed, SenderAway: it cannot be said.
        """
        row = self.address(record)
        sender = self._sender(row.channel)
        if not isinstance(sender, Reporting):
            return Delivery.UNKNOWN
        return sender.delivery(record, row.sendings)

    # -- looking and ending ---------------------------------------------------------------------

    def address(self, record: str) -> Address:
        """Return one row; raise ``ChannelUnknown``."""
        return address_in(self._table.found(record))

    def of_resident(self, number: str) -> list[Address]:
        """Return the rows of a resident, the oldest first."""
        return [address_in(row) for row in self._table.of_subject(self._subjects.seal(number))]

    def subject_of(self, record: str) -> str:
        """Return whose address it is, sealed; raise ``ChannelUnknown``."""
        subject: str = self._table.found(record).subject
        return subject

    def remove(self, record: str, *, by: str) -> Address:
        """Take an address back; it is erased when this returns.

        Raises:
            ChannelUnknown, ChannelMove: nothing was changed.
        """

        def work(connection: sa.Connection, now: datetime) -> str:
            row = self._table.row(connection, record)
            return end(connection, row, State.WITHDRAWN, Reason.ASKED, now=now, by=by)

        self._erase([self._table.write(work)])
        return self.address(record)

    def proven_address(self, subject: str, channel: Channel, *, purpose: str, by: str) -> Opened:
        """Open a resident's proven address for a sender; every opening is counted and a record.

        ``subject`` is the sealed number; ``purpose`` the name of what is sent. The opening is
        committed before the address is given: nobody has one that was not counted.

        Raises:
            ChannelUnproven: there is none, say because it was taken back a moment ago.
            AddressUnreadable: its key is gone, or it was altered.
        """

        def work(connection: sa.Connection, now: datetime) -> sa.Row[Any]:
            owner = self._table.pen(connection, now).survivor(subject)
            rows = self._table.rows(connection, owner, channel)
            found = [row for row in rows if row.state == State.PROVEN.value]
            if not found:
                raise ChannelUnproven(channel=channel.value)
            row = found[0]
            self._table.update(
                connection, row.record, openings=row.openings + 1, opened_at=to_micros(now)
            )
            number = row.openings + 1
            note(connection, row, "opened", number=number, purpose=purpose, now=now, by=by)
            return row

        row = self._table.write(work)
        address = self._vault.open(row.record, channel, row.sealed)
        return Opened(record=row.record, address=address, openings=row.openings + 1)

    def waiting(self, channel: Channel) -> set[str]:
        """Return the rows of a channel for which a code may come back."""
        return self._table.waiting(channel)

    def tidy(self) -> int:
        """End what waited too long and destroy keys of what has ended; return how many keys."""

        def work(connection: sa.Connection, now: datetime) -> None:
            counting.forget_old(connection, self._table.tenant, window=self.limits.window, now=now)
            for row in self._table.overdue(connection, now, _AT_ONCE):
                end(connection, row, State.EXPIRED, Reason.TIME, now=now, by="gateway")

        self._table.write(work)
        # A key without a row opens nothing by itself, and may be of a state still to come: whoever
        # restores that will want it.
        kept = self._vault.kept()
        gone = [
            record
            for at in range(0, len(kept), _AT_ONCE)
            for record in self._table.ended(kept[at : at + _AT_ONCE])
        ]
        self._erase(gone)
        return len(gone)

    # -- inside ---------------------------------------------------------------------------------

    def _deliver(
        self, record: str, channel: Channel, address: str, code: str, *, by: str
    ) -> Address:
        """Bring a code to its address, with no transaction open, and note what came of it."""
        row = self.address(record)
        number = row.sendings
        letter = CodeLetter(
            record=record,
            channel=channel,
            address=address,
            code=code,
            until=row.until,
            at=self._clock.now(),
            sending=number,
        )
        trip = self._trip
        try:
            self._sender(channel).send(letter)
        except AddressRefused:
            ended = self._table.write(
                lambda connection, now: trip.refused(connection, record, number, now=now, by=by)
            )
            self._erase(ended)
            raise
        self._table.write(
            lambda connection, now: trip.sent(connection, record, number, now=now, by=by)
        )
        return self.address(record)

    def _sender(self, channel: Channel) -> Sender:
        try:
            return self._senders()[channel]
        except KeyError:
            raise ChannelClosed(channel=channel.value) from None

    def _erase(self, records: Iterable[str]) -> None:
        for record in records:
            self._vault.erase(record)
