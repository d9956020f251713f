"""Notices on their way: kept before they leave, sent unchanged until receipted, in streams.

A stream is told one notice after another: the receiver of a link is told of consents, a system of
the ties that it serves. Who makes a notice decides what is in it; here is how it gets there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.withdrawal_tables import notices
from kumobashi.kernel import Clock, crashpoint, to_micros
from kumobashi.messages.withdrawals import (
    WithdrawalEnvelope,
    WithdrawalNotice,
    sign_notice,
    verify_withdrawal_receipt,
)
from kumobashi.storage.state import StateStore

AGAIN_SECONDS: Final = 2.0  # after a receiver was not reached
OLD_SECONDS: Final = 60.0  # after one answered that it does not know such notices
_OF_TIES: Final = "ties:"


def stream_of_ties(system: str) -> str:
    """Return the stream of a system's ties; no link has such a name."""
    return _OF_TIES + system


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice that was made: what is sent, and again until there is a receipt."""

    stream: str
    to_site: str
    last: int
    token: str  # JWS

    @property
    def facts(self) -> dict[str, Fact]:
        """What a leaf of evidence says of it; a system is not named, its site is."""
        link = None if self.stream.startswith(_OF_TIES) else self.stream
        return {
            "link": link,
            "to_site": self.to_site,
            "sequence": self.last,
            "announcement": digest(self.token.encode("ascii")),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    """The notices of one hall, about one thing."""

    identity: Identity
    store: StateStore
    peers: Peers
    clock: Clock
    told_event: str  # of the leaf when a notice was made
    receipted_event: str

    def made(self, connection: sa.Connection, stream: str) -> tuple[Notice | None, int]:
        """Return the newest notice where its receipt is missing, and how far was told."""
        query = (
            sa.select(notices)
            .where(notices.c.tenant == self.identity.tenant, notices.c.link == stream)
            .order_by(notices.c.last.desc())
            .limit(1)
        )
        row = connection.execute(query).first()
        if row is None:
            return None, 0
        made = Notice(stream=stream, to_site=row.to_site, last=row.last, token=row.notice)
        return (None if row.receipt else made), row.last

    def make(
        self,
        stream: str,
        notice: WithdrawalNotice,
        *,
        first: int,
        counts: dict[str, int],
        beside: Callable[[sa.Connection], None] = lambda _connection: None,
    ) -> Notice | None:
        """Keep a notice with its leaf, and return what is to be sent now.

        Unless another process was a moment earlier: then it is that one's, or nothing when that is
        receipted already. ``beside`` is done in the same commit.
        """
        token = sign_notice(notice, self.identity.signing)
        mine = Notice(stream=stream, to_site=notice.to_site, last=notice.last, token=token)
        row = {
            "tenant": self.identity.tenant,
            "link": stream,
            "last": notice.last,
            "first": first,
            "to_site": notice.to_site,
            "entries": notice.told,
            "notice": token,
            "receipt": None,
            "made_at": to_micros(notice.at),
        }

        def work(connection: sa.Connection) -> None:
            pending, told = self.made(connection, stream)
            if pending is None and told < first:
                connection.execute(sa.insert(notices).values(row))
                beside(connection)
                facts: dict[str, Fact] = {**mine.facts, "counts": counts}
                entry = Entry(event=self.told_event, at=notice.at, facts=facts)
                append(connection, self.identity.tenant, entry)

        self.store.write(work, key=f"notices {stream}")
        crashpoint("withdrawing.made")
        pending, _ = self.store.read(lambda held: self.made(held, stream))
        return pending

    async def send(self, notice: Notice) -> str:
        """Send a notice and return its receipt, verified.

        Raises:
            PeerRefused, and what ``line.NOT_REACHED`` names: it is not receipted.
        """
        told = WithdrawalEnvelope(
            tenant=self.identity.tenant,
            from_site=self.identity.site,
            to_site=notice.to_site,
            notice=notice.token,
        )
        answer = await self.peers.tell_withdrawn(self.identity.next_hop(notice.to_site), told)
        token = str(answer.get("receipt", ""))
        verify_withdrawal_receipt(token, self.identity.keys_of(notice.to_site), notice.token)
        crashpoint("withdrawing.receipted")
        return token

    def keep(self, notice: Notice, receipt: str) -> None:
        """Keep the receipt: from here on it is proved that the receiver knows."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> None:
            mine = sa.and_(
                notices.c.tenant == self.identity.tenant,
                notices.c.link == notice.stream,
                notices.c.last == notice.last,
                notices.c.receipt.is_(None),
            )
            values = {"receipt": receipt, "received_at": to_micros(now)}
            if connection.execute(sa.update(notices).where(mine).values(values)).rowcount:
                facts = {**notice.facts, "receipt": digest(receipt.encode("ascii"))}
                entry = Entry(event=self.receipted_event, at=now, facts=facts)
                append(connection, self.identity.tenant, entry)

        self.store.write(work, key=f"notices {notice.stream}")
