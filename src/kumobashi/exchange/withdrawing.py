"""Tell the receivers of every link whose consent has ended, as soon as the ledger says so.

    a change in the ledger → a signed notice, durable here → over the relays → its signed receipt

What there is to tell is read from the ledger by the numbers of its changes, from the last one that
a link's receiver was told. So a crash anywhere loses nothing, and a receiver that was away is told
everything when it is back. A notice that was made is sent again unchanged until it is receipted.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from kumobashi.consent.snapshot import Terms, newest_change
from kumobashi.consent.standing import Change, changes_of
from kumobashi.consent.subjects import Subjects
from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.tokens import destination_key
from kumobashi.exchange.waiting import as_known
from kumobashi.exchange.withdrawal_tables import notices
from kumobashi.kernel import Clock, crashpoint, to_micros
from kumobashi.messages.withdrawals import (
    NOT_UNDERSTOOD,
    Withdrawal,
    WithdrawalEnvelope,
    WithdrawalNotice,
    sign_notice,
    verify_withdrawal_receipt,
)
from kumobashi.storage.state import StateStore

log = logging.getLogger(__name__)
_MOST_CHANGES = 1_000  # of residents, in one notice
_AGAIN_SECONDS = 2.0  # after a receiver was not reached
_OLD_SECONDS = 60.0  # after one answered that it does not know such notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """A link that rests on consents of the ledger, and whose tokens its receiver has."""

    link: str
    to_site: str
    to_system: str
    terms: Terms
    epochs: frozenset[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice that was made: what is sent, and again until there is a receipt."""

    link: str
    to_site: str
    last: int
    token: str  # JWS


@dataclass(slots=True)
class _Turn:
    """How far a link is; what is kept here only is found again at the next start."""

    looked: int = 0  # the change up to which there was nothing to tell
    not_before: float = field(default=0.0)  # monotonic seconds


class Withdrawing:
    """Tells the receivers of one hall."""

    def __init__(
        self,
        identity: Identity,
        store: StateStore,
        peers: Peers,
        *,
        secret: bytes,
        links: Callable[[], Sequence[Resting]],
        clock: Clock,
        every_seconds: float = 0.5,
    ) -> None:
        self._identity = identity
        self._store = store
        self._peers = peers
        self._secret = secret
        self._subjects = Subjects(secret, identity.tenant)
        self._links = links
        self._clock = clock
        self._every = every_seconds
        self._turns: dict[str, _Turn] = {}
        self._done = 0  # the change up to which every link was told

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            try:
                await self.tell()
            except Exception as raised:  # noqa: BLE001 - telling must not end with one failure
                log.warning("receivers were not told", extra={"code": as_known(raised).code})
                await asyncio.sleep(_AGAIN_SECONDS)
            await asyncio.sleep(self._every)

    async def tell(self) -> int:
        """Tell what there is to tell now; return how many notices were receipted."""
        head = await asyncio.to_thread(self._head)
        if head == self._done:
            return 0
        # Asked after the head: what is sealed with somebody who withdrew up to there is among them.
        links = await asyncio.to_thread(self._links)
        done = await asyncio.gather(*(self._tell(link, head) for link in links))
        if all(self._turns[link.link].looked >= head for link in links):
            self._done = head
        return sum(done)

    async def _tell(self, link: Resting, head: int) -> int:
        turn = self._turns.setdefault(link.link, _Turn())
        told = 0
        while turn.looked < head and time.monotonic() >= turn.not_before:
            notice = await asyncio.to_thread(self._next, link, turn)
            if notice is None:
                continue
            try:
                await self._send(notice)
            except NOT_REACHED:
                turn.not_before = time.monotonic() + _AGAIN_SECONDS
            except PeerRefused as refused:
                is_old = refused.peer_code in NOT_UNDERSTOOD
                turn.not_before = time.monotonic() + (_OLD_SECONDS if is_old else _AGAIN_SECONDS)
                extra = {"code": refused.peer_code, "link": link.link, "site": notice.to_site}
                log.warning("a withdrawal was not taken", extra=extra)
            else:
                turn.looked = notice.last
                told += 1
        return told

    def _head(self) -> int:
        return self._store.read(lambda held: newest_change(held, self._identity.tenant))

    def _next(self, link: Resting, turn: _Turn) -> Notice | None:
        """Return the notice to send next; none: nothing up to where was looked."""
        pending, last = self._store.read(lambda held: self._made(held, link.link))
        if pending:
            return pending
        after = max(last, turn.looked)
        now = self._clock.now()
        found, until = self._store.read(
            lambda held: changes_of(
                held, self._identity.tenant, link.terms, after=after, most=_MOST_CHANGES, now=now
            )
        )
        if not found:
            turn.looked = until
            return None
        return self._make(link, found, first=after + 1, last=until)

    def _made(self, connection: sa.Connection, link: str) -> tuple[Notice | None, int]:
        """Return the newest notice where its receipt is missing, and how far was told."""
        query = (
            sa.select(notices)
            .where(notices.c.tenant == self._identity.tenant, notices.c.link == link)
            .order_by(notices.c.last.desc())
            .limit(1)
        )
        row = connection.execute(query).first()
        if row is None:
            return None, 0
        made = Notice(link=link, to_site=row.to_site, last=row.last, token=row.notice)
        return (None if row.receipt else made), row.last

    def _make(self, link: Resting, found: Collection[Change], *, first: int, last: int) -> Notice:
        now = self._clock.now()
        notice = WithdrawalNotice(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=link.to_site,
            link=link.link,
            to_system=link.to_system,
            last=last,
            at=now,
            entries=tuple(self._entries(link, found)),
        )
        token = sign_notice(notice, self._identity.signing)
        row = {
            "tenant": self._identity.tenant,
            "link": link.link,
            "last": last,
            "first": first,
            "to_site": link.to_site,
            "entries": len(notice.entries),
            "notice": token,
            "receipt": None,
            "made_at": to_micros(now),
        }

        def work(connection: sa.Connection) -> None:
            pending, told = self._made(connection, link.link)
            if pending is None and told < first:  # no other process was a moment earlier
                connection.execute(sa.insert(notices).values(row))
                self._note(connection, "consent.withdrawal_told", link, notice, token)

        self._store.write(work, key=f"notices {link.link}")
        crashpoint("withdrawing.made")
        pending, _ = self._store.read(lambda held: self._made(held, link.link))
        return pending or Notice(link=link.link, to_site=link.to_site, last=last, token=token)

    def _entries(self, link: Resting, found: Collection[Change]) -> list[Withdrawal]:
        numbers = self._subjects.opened(change.subject for change in found)
        made = []
        for epoch in sorted(link.epochs, key=lambda one: one or ""):
            key = destination_key(self._secret, self._identity.tenant, link.to_system, epoch)
            made += [
                Withdrawal(
                    token=key.token(number),
                    epoch=epoch,
                    is_withdrawn=not change.is_in_force,
                    sequence=change.sequence,
                )
                for number, change in zip(numbers, found, strict=True)
            ]
        return made

    async def _send(self, notice: Notice) -> None:
        told = WithdrawalEnvelope(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=notice.to_site,
            notice=notice.token,
        )
        answer = await self._peers.tell_withdrawn(self._identity.next_hop(notice.to_site), told)
        token = str(answer.get("receipt", ""))
        verify_withdrawal_receipt(token, self._identity.keys_of(notice.to_site), notice.token)
        crashpoint("withdrawing.receipted")
        await asyncio.to_thread(self._keep, notice, token)

    def _keep(self, notice: Notice, receipt: str) -> None:
        """Keep the receipt: from here on it is proved that the receiver knows."""
        now = self._clock.now()

        def work(connection: sa.Connection) -> None:
            mine = sa.and_(
                notices.c.tenant == self._identity.tenant,
                notices.c.link == notice.link,
                notices.c.last == notice.last,
                notices.c.receipt.is_(None),
            )
            values = {"receipt": receipt, "received_at": to_micros(now)}
            if connection.execute(sa.update(notices).where(mine).values(values)).rowcount:
                facts: dict[str, Fact] = {
                    "link": notice.link,
                    "to_site": notice.to_site,
                    "sequence": notice.last,
                    "announcement": digest(notice.token.encode("ascii")),
                    "receipt": digest(receipt.encode("ascii")),
                }
                entry = Entry(event="consent.withdrawal_receipted", at=now, facts=facts)
                append(connection, self._identity.tenant, entry)

        self._store.write(work, key=f"notices {notice.link}")

    def _note(
        self,
        connection: sa.Connection,
        event: str,
        link: Resting,
        notice: WithdrawalNotice,
        token: str,
    ) -> None:
        facts: dict[str, Fact] = {
            "link": link.link,
            "to_site": link.to_site,
            "sequence": notice.last,
            "announcement": digest(token.encode("ascii")),
            "counts": {
                "withdrawn": sum(one.is_withdrawn for one in notice.entries),
                "given": sum(not one.is_withdrawn for one in notice.entries),
            },
        }
        entry = Entry(event=event, at=notice.at, facts=facts)
        append(connection, self._identity.tenant, entry)
