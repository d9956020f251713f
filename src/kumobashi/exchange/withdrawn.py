"""Which tokens and ties may not be used at this site: kept when a hall tells, asked at each use.

For each token the change with the highest number counts, so a notice may come twice, or an older
one behind a newer. The answer is a signed receipt, given only after everything is durable here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.withdrawal_tables import withdrawn
from kumobashi.kernel import Clock, crashpoint, to_micros
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.standings import counts_of
from kumobashi.messages.withdrawals import (
    Withdrawal,
    WithdrawalEnvelope,
    WithdrawalNotice,
    WithdrawalReceipt,
    sign_withdrawal_receipt,
    verify_notice,
)
from kumobashi.storage.state import StateStore
from kumobashi.ties.held import keep

_AT_ONCE = 500  # tokens named in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The tokens of one receiving site."""

    identity: Identity
    store: StateStore
    clock: Clock
    sender_of: Callable[[str], str]  # link → the site that sends it

    def take(self, told: WithdrawalEnvelope) -> str:
        """Keep a notice and return the receipt; both are durable when this returns.

        Raises:
            SignatureInvalid, UnknownKey, FormatUnknown, FieldWrong: nothing was kept.
            MessageForeign: for another site, or not of the one that sends the link.
        """
        if told.to_site != self.identity.site:
            raise MessageForeign(field="to_site")
        notice = verify_notice(told, self.identity.keys_of(told.from_site))
        self._check_sender(notice)
        receipt = WithdrawalReceipt(
            tenant=notice.tenant,
            site=self.identity.site,
            link=notice.link,
            notice_digest=digest(told.notice.encode("ascii")),
            last=notice.last,
            entries=notice.told,
            at=self.clock.now(),
        )
        token = sign_withdrawal_receipt(receipt, self.identity.signing)
        keeping = self._keep if notice.link is not None else self._keep_ties
        crashpoint("withdrawn.before_commit")
        self.store.write(lambda connection: keeping(connection, notice, receipt))
        crashpoint("withdrawn.kept")
        return token

    def among(self, link: str, tokens: Iterable[str]) -> set[str]:
        """Return which of some tokens of a link may not be used."""
        asked = sorted(set(tokens))
        found: set[str] = set()
        for at in range(0, len(asked), _AT_ONCE):
            mine = sa.and_(self._of(link), withdrawn.c.token.in_(asked[at : at + _AT_ONCE]))
            found |= self._tokens(mine)
        return found

    def all_of(self, link: str) -> set[str]:
        """Return every token of a link that may not be used."""
        return self._tokens(self._of(link))

    def _tokens(self, mine: sa.ColumnElement[bool]) -> set[str]:
        query = sa.select(withdrawn.c.token).where(mine, withdrawn.c.is_withdrawn)
        return self.store.read(lambda connection: set(connection.execute(query).scalars()))

    def _check_sender(self, notice: WithdrawalNotice) -> None:
        """Raise ``MessageForeign`` unless the link is the sender's; of ties halls tell, not relays.

        Which hall told of a tie first is asked when it is kept.
        """
        if notice.link is None:
            is_theirs = self.identity.at(notice.from_site).role != "relay"
        else:
            is_theirs = self.sender_of(notice.link) == notice.from_site
        if not is_theirs:
            raise MessageForeign(field="from_site")

    def _keep_ties(
        self, connection: sa.Connection, notice: WithdrawalNotice, receipt: WithdrawalReceipt
    ) -> None:
        for one in notice.ties:
            keep(connection, notice.tenant, notice.from_site, notice.to_system, one)
        entry = Entry(
            event="tie.told_kept",
            at=receipt.at,
            facts={
                "from_site": notice.from_site,
                "announcement": receipt.notice_digest,
                "sequence": notice.last,
                "counts": counts_of(notice.ties),
            },
        )
        append(connection, notice.tenant, entry)

    def _keep(
        self, connection: sa.Connection, notice: WithdrawalNotice, receipt: WithdrawalReceipt
    ) -> None:
        for one in notice.entries:
            self._put(connection, notice, one)
        entry = Entry(
            event="consent.withdrawal_kept",
            at=receipt.at,
            facts={
                "link": notice.link,
                "from_site": notice.from_site,
                "announcement": receipt.notice_digest,
                "sequence": notice.last,
                "counts": {
                    "withdrawn": sum(one.is_withdrawn for one in notice.entries),
                    "given": sum(not one.is_withdrawn for one in notice.entries),
                },
            },
        )
        append(connection, notice.tenant, entry)

    def _put(self, connection: sa.Connection, notice: WithdrawalNotice, one: Withdrawal) -> None:
        mine = sa.and_(
            self._of(notice.link or ""),
            withdrawn.c.epoch == (one.epoch or ""),
            withdrawn.c.token == one.token,
        )
        values = {
            "is_withdrawn": one.is_withdrawn,
            "sequence": one.sequence,
            "from_site": notice.from_site,
            "at": to_micros(self.clock.now()),
        }
        held = connection.execute(sa.select(withdrawn.c.sequence).where(mine).with_for_update())
        before: int | None = held.scalar()
        if before is None:
            key = {"tenant": notice.tenant, "link": notice.link, "epoch": one.epoch or ""}
            connection.execute(sa.insert(withdrawn).values({**key, "token": one.token, **values}))
        elif before < one.sequence:
            connection.execute(sa.update(withdrawn).where(mine).values(values))

    def _of(self, link: str) -> sa.ColumnElement[bool]:
        return sa.and_(withdrawn.c.tenant == self.identity.tenant, withdrawn.c.link == link)
