"""The book of addresses (連絡先の台帳): a round trip proves each before anything rests on it.

    add → unproven → sent → proven → withdrawn
                       └──→ failed | expired

A code is committed before it leaves and sent outside of any transaction: what a crash leaves is a
row whose code may be on its way, and the code that comes back tells that it was. A new address does
not touch the proven one of the same channel until it is proven itself. What ends is erased.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kumobashi.consent.channels import counting
from kumobashi.consent.channels.addresses import address_of
from kumobashi.consent.channels.counting import What
from kumobashi.consent.channels.ending import end, note
from kumobashi.consent.channels.errors import (
    AddressRefused,
    ChannelClosed,
    ChannelCodeLocked,
    ChannelCodeOver,
    ChannelCodeWrong,
    ChannelFailed,
    ChannelLimited,
    ChannelMove,
    ChannelUnknown,
    ChannelUnproven,
    ResidentDied,
)
from kumobashi.consent.channels.ports import CodeLetter, Delivery, Reporting, Sender
from kumobashi.consent.channels.rows import Address, Opened, address_in
from kumobashi.consent.channels.sealing import Vault, new_code
from kumobashi.consent.channels.sql import addresses
from kumobashi.consent.channels.states import (
    LIVE,
    LIVES,
    PENDING,
    UNSENT_LIVES,
    Channel,
    Limits,
    Reason,
    State,
    check_move,
)
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.writing import Pen
from kumobashi.kernel import Clock, from_micros, new_id, to_micros, to_wire
from kumobashi.storage.changes import hold
from kumobashi.storage.state import StateStore

T = TypeVar("T")
Senders = Callable[[], Mapping[Channel, Sender]]
_PENDING = sorted(state.value for state in PENDING)
_AT_ONCE = 500
_WORDS = {
    What.SENT_TO_RESIDENT: ("1人あたりの送付", "codes for one resident"),
    What.SENT_TO_ADDRESS: ("1つの宛先への送付", "codes to one address"),
    What.TRIED: ("1人あたりの入力", "codes typed for one resident"),
}


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
        self._store = store
        self._tenant = tenant
        self._subjects = subjects
        self._vault = vault
        self._senders = senders
        self._clock = clock
        self.limits = limits or Limits()

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

        def work(connection: sa.Connection, now: datetime) -> list[str]:
            pen = self._pen(connection, now)
            subject = pen.survivor(resident)
            fate = pen.fate(subject)
            if fate is not None:
                raise ResidentDied
            row = {
                "tenant": self._tenant,
                "record": record,
                "subject": subject,
                "channel": channel.value,
                "state": State.UNPROVEN.value,
                "sealed": sealed,
                "mark": self._vault.address_mark(channel, address),
                "until": to_micros(now + UNSENT_LIVES),
                "sendings": 0,
                "tries": 0,
                "made_at": to_micros(now),
                "openings": 0,
            }
            ended = [
                end(connection, old, State.WITHDRAWN, Reason.REPLACED, now=now, by=by)
                for old in self._rows(connection, subject, channel)
                if State(old.state) in PENDING
            ]
            connection.execute(sa.insert(addresses).values(row))
            note(connection, self._row(connection, record), State.UNPROVEN.value, now=now, by=by)
            self._issue(connection, record, code, now=now, by=by)
            return ended

        try:
            ended = self._write(work)
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
        row = self._store.read(lambda connection: self._row(connection, record))
        channel = Channel(row.channel)
        if State(row.state) not in PENDING:
            raise ChannelMove(now=row.state, then=State.SENT.value)
        self._sender(channel)
        address = self._vault.open(record, channel, row.sealed)
        self._write(lambda connection, now: self._issue(connection, record, code, now=now, by=by))
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

        def work(
            connection: sa.Connection, now: datetime
        ) -> tuple[list[str], ChannelFailed | None]:
            row = self._row(connection, record)
            if State(row.state) not in PENDING or row.code is None:
                raise ChannelMove(now=row.state, then=State.PROVEN.value)
            if from_micros(row.until) <= now:
                ended = end(connection, row, State.EXPIRED, Reason.TIME, now=now, by=by)
                return [ended], ChannelCodeOver()
            self._take(connection, What.TRIED, row.subject, self.limits.tries_of_resident, now)
            if self._vault.is_code(row.code, record, row.sendings, code):
                return self._prove(connection, row, now=now, by=by), None
            tries = row.tries + 1
            self._update(connection, record, tries=tries)
            note(connection, row, "code_wrong", number=tries, now=now, by=by)
            if tries < self.limits.tries:
                return [], ChannelCodeWrong(left=self.limits.tries - tries)
            ended = end(connection, row, State.FAILED, Reason.LOCKED, now=now, by=by)
            return [ended], ChannelCodeLocked(most=self.limits.tries)

        ended, failed = self._write(work)
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
        return address_in(self._store.read(lambda connection: self._row(connection, record)))

    def of_resident(self, number: str) -> list[Address]:
        """Return the rows of a resident, the oldest first."""
        sealed = self._subjects.seal(number)

        def work(connection: sa.Connection) -> list[Address]:
            named = {sealed, self._pen(connection, self._clock.now()).survivor(sealed)}
            query = self._all().where(addresses.c.subject.in_(sorted(named)))
            rows = connection.execute(query.order_by(addresses.c.record))
            return [address_in(row) for row in rows]

        return self._store.read(work)

    def subject_of(self, record: str) -> str:
        """Return whose address it is, sealed; raise ``ChannelUnknown``."""
        row = self._store.read(lambda connection: self._row(connection, record))
        subject: str = row.subject
        return subject

    def remove(self, record: str, *, by: str) -> Address:
        """Take an address back; it is erased when this returns.

        Raises:
            ChannelUnknown, ChannelMove: nothing was changed.
        """

        def work(connection: sa.Connection, now: datetime) -> str:
            row = self._row(connection, record)
            return end(connection, row, State.WITHDRAWN, Reason.ASKED, now=now, by=by)

        self._erase([self._write(work)])
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
            rows = self._rows(connection, self._pen(connection, now).survivor(subject), channel)
            found = [row for row in rows if row.state == State.PROVEN.value]
            if not found:
                raise ChannelUnproven(channel=channel.value)
            row = found[0]
            self._update(
                connection, row.record, openings=row.openings + 1, opened_at=to_micros(now)
            )
            number = row.openings + 1
            note(connection, row, "opened", number=number, purpose=purpose, now=now, by=by)
            return row

        row = self._write(work)
        address = self._vault.open(row.record, channel, row.sealed)
        return Opened(record=row.record, address=address, openings=row.openings + 1)

    def waiting(self, channel: Channel) -> set[str]:
        """Return the rows of a channel for which a code may come back."""
        query = sa.select(addresses.c.record).where(
            addresses.c.tenant == self._tenant,
            addresses.c.channel == channel.value,
            addresses.c.state.in_(_PENDING),
        )
        return self._store.read(lambda connection: set(connection.execute(query).scalars()))

    def tidy(self) -> int:
        """End what waited too long and destroy keys of what has ended; return how many keys."""

        def work(connection: sa.Connection, now: datetime) -> None:
            counting.forget_old(connection, self._tenant, window=self.limits.window, now=now)
            query = self._all().where(
                addresses.c.state.in_(_PENDING), addresses.c.until <= to_micros(now)
            )
            for row in connection.execute(query.limit(_AT_ONCE)).all():
                end(connection, row, State.EXPIRED, Reason.TIME, now=now, by="gateway")

        self._write(work)
        kept = self._vault.kept()
        gone = [
            record
            for at in range(0, len(kept), _AT_ONCE)
            for record in self._ended(kept[at : at + _AT_ONCE])
        ]
        self._erase(gone)
        return len(gone)

    # -- inside ---------------------------------------------------------------------------------

    def _issue(
        self, connection: sa.Connection, record: str, code: str, *, now: datetime, by: str
    ) -> None:
        """Commit a code that is about to leave; refuse one that comes too soon or too often."""
        row, limits = self._row(connection, record), self.limits
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
        self._update(
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

    def _deliver(
        self, record: str, channel: Channel, address: str, code: str, *, by: str
    ) -> Address:
        """Bring a code to its address, with no transaction open, and note what came of it."""
        row = self.address(record)
        letter = CodeLetter(
            record=record,
            channel=channel,
            address=address,
            code=code,
            until=row.until,
            at=self._clock.now(),
            sending=row.sendings,
        )
        try:
            self._sender(channel).send(letter)
        except AddressRefused:
            self._erase(self._write(self._refusing(record, row.sendings, by)))
            raise
        self._write(lambda connection, now: self._sent(connection, record, row.sendings, now, by))
        return self.address(record)

    def _sent(
        self, connection: sa.Connection, record: str, number: int, now: datetime, by: str
    ) -> None:
        row = self._row(connection, record)
        if State(row.state) not in PENDING or row.sendings != number:
            return  # meanwhile proven, taken back or sent anew
        self._update(connection, record, state=State.SENT.value, sent_at=to_micros(now))
        moved = {"before": row.state, "after": State.SENT.value}
        note(connection, row, State.SENT.value, number=number, now=now, by=by, **moved)

    def _refusing(
        self, record: str, number: int, by: str
    ) -> "Callable[[sa.Connection, datetime], list[str]]":
        def work(connection: sa.Connection, now: datetime) -> list[str]:
            row = self._row(connection, record)
            if State(row.state) not in PENDING or row.sendings != number:
                return []
            return [end(connection, row, State.FAILED, Reason.REFUSED, now=now, by=by)]

        return work

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
            for old in self._rows(connection, row.subject, Channel(row.channel))
            if old.state == State.PROVEN.value
        ]
        proven = {"state": State.PROVEN.value, "proven_at": to_micros(now), "code": None}
        self._update(connection, row.record, **proven)
        moved = {"before": state.value, "after": State.PROVEN.value}
        note(connection, row, State.PROVEN.value, now=now, by=by, **moved)
        return ended

    def _ended(self, names: list[str]) -> list[str]:
        """Return those whose rows have ended; a key without a row may be of a state still to come.

        Such a key opens nothing by itself, and whoever restores the state will want it.
        """
        query = sa.select(addresses.c.record).where(
            addresses.c.tenant == self._tenant,
            addresses.c.record.in_(names),
            addresses.c.state.not_in(sorted(state.value for state in LIVE)),
        )
        return self._store.read(lambda connection: list(connection.execute(query).scalars()))

    def _sender(self, channel: Channel) -> Sender:
        try:
            return self._senders()[channel]
        except KeyError:
            raise ChannelClosed(channel=channel.value) from None

    def _take(
        self, connection: sa.Connection, what: What, mark: str, most: int, now: datetime
    ) -> None:
        key = (self._tenant, what, mark)
        until = counting.take(connection, key, most=most, window=self.limits.window, now=now)
        if until is not None:
            raise _limited(*_WORDS[what], to_wire(until))

    def _erase(self, records: list[str]) -> None:
        for record in records:
            self._vault.erase(record)

    def _row(self, connection: sa.Connection, record: str) -> sa.Row[Any]:
        row = connection.execute(self._all().where(addresses.c.record == record)).first()
        if row is None:
            raise ChannelUnknown(record=record)
        return row

    def _rows(self, connection: sa.Connection, subject: str, channel: Channel) -> list[sa.Row[Any]]:
        query = self._all().where(
            addresses.c.subject == subject, addresses.c.channel == channel.value
        )
        return list(connection.execute(query.order_by(addresses.c.record)).all())

    def _all(self) -> sa.Select[Any]:
        return sa.select(addresses).where(addresses.c.tenant == self._tenant)

    def _update(self, connection: sa.Connection, record: str, **columns: object) -> None:
        mine = sa.and_(addresses.c.tenant == self._tenant, addresses.c.record == record)
        connection.execute(sa.update(addresses).where(mine).values(**columns))

    def _pen(self, connection: sa.Connection, now: datetime) -> Pen:
        """Return what reads the fates of residents; it writes nothing here."""
        return Pen(connection, self._tenant, sequence=0, now=now, by="-")

    def _write(self, work: Callable[[sa.Connection, datetime], T]) -> T:
        """Do one deed in one commit, with the ledger of consents held still."""

        def write(connection: sa.Connection) -> T:
            hold(connection, self._tenant)  # nobody dies or withdraws in the middle of a deed
            return work(connection, self._clock.now())

        return self._store.write(write, key="consents")


def _limited(ja: str, en: str, after: str) -> ChannelLimited:
    return ChannelLimited(what_ja=ja, what=en, after=after)
