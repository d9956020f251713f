"""Tell the receivers of every link whose consent or tie has ended, as soon as the hall knows.

    a change at the hall → a signed notice, durable here → over the relays → its signed receipt

What there is to tell is read from the ledger and the registry by the numbers of the changes, from
the last one that a link's receiver was told. So a crash anywhere loses nothing, and a receiver that
was away is told everything when it is back. A notice that was made is sent again unchanged until it
is receipted.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from kumobashi.consent.snapshot import Terms
from kumobashi.consent.standing import Change, changes_of, in_force_among
from kumobashi.consent.subjects import Subjects
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.noticing import AGAIN_SECONDS, OLD_SECONDS, Notice, Noticing
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.tokens import destination_key
from kumobashi.exchange.waiting import as_known
from kumobashi.kernel import Clock
from kumobashi.messages.withdrawals import (
    NOT_UNDERSTOOD,
    Withdrawal,
    WithdrawalNotice,
)
from kumobashi.storage.changes import newest_change
from kumobashi.storage.state import StateStore
from kumobashi.ties.asked import Asked
from kumobashi.ties.changed import changed, permitted_among

log = logging.getLogger(__name__)
_MOST_CHANGES = 1_000  # of residents, in one notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """A link that rests on consents or on ties, and whose tokens its receiver has."""

    link: str
    to_site: str
    to_system: str
    terms: Terms | None  # of consents in the ledger; none: the rule asks for none
    epochs: frozenset[str | None]
    ties: Asked | None = None  # likewise


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
        self._notices = Noticing(
            identity=identity,
            store=store,
            peers=peers,
            clock=clock,
            told_event="consent.withdrawal_told",
            receipted_event="consent.withdrawal_receipted",
        )
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
                await asyncio.sleep(AGAIN_SECONDS)
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
                receipt = await self._notices.send(notice)
            except NOT_REACHED:
                turn.not_before = time.monotonic() + AGAIN_SECONDS
            except PeerRefused as refused:
                is_old = refused.peer_code in NOT_UNDERSTOOD
                turn.not_before = time.monotonic() + (OLD_SECONDS if is_old else AGAIN_SECONDS)
                extra = {"code": refused.peer_code, "link": link.link, "site": notice.to_site}
                log.warning("a withdrawal was not taken", extra=extra)
            else:
                await asyncio.to_thread(self._notices.keep, notice, receipt)
                turn.looked = notice.last
                told += 1
        return told

    def _head(self) -> int:
        return self._store.read(lambda held: newest_change(held, self._identity.tenant))

    def _next(self, link: Resting, turn: _Turn) -> Notice | None:
        """Return the notice to send next; none: nothing up to where was looked."""
        pending, last = self._store.read(lambda held: self._notices.made(held, link.link))
        if pending:
            return pending
        after = max(last, turn.looked)
        now = self._clock.now()
        found, until = self._store.read(
            lambda held: _changes(held, self._identity.tenant, link, after=after, now=now)
        )
        if not found:
            turn.looked = until
            return None
        return self._make(link, found, first=after + 1, last=until)

    def _make(
        self, link: Resting, found: Collection[Change], *, first: int, last: int
    ) -> Notice | None:
        notice = WithdrawalNotice(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=link.to_site,
            link=link.link,
            to_system=link.to_system,
            last=last,
            at=self._clock.now(),
            entries=tuple(self._entries(link, found)),
        )
        withdrawn = sum(one.is_withdrawn for one in notice.entries)
        counts = {"withdrawn": withdrawn, "given": notice.told - withdrawn}
        return self._notices.make(link.link, notice, first=first, counts=counts)

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


def _changes(
    held: sa.Connection, tenant: str, link: Resting, *, after: int, now: datetime
) -> tuple[list[Change], int]:
    """Return whom the receiver of a link must be told of, and up to which change.

    Of a link that rests on both, a token may be used while consent and tie permit it. Both take
    their numbers from one counter, so the later word about a token is the one that counts.
    """
    most, moved, ends = _MOST_CHANGES, dict[str, int](), []
    if link.terms:
        found, until = changes_of(held, tenant, link.terms, after=after, most=most, now=now)
        moved |= {change.subject: change.sequence for change in found}
        ends.append(until)
    if link.ties:
        ours, until = changed(held, tenant, link.ties, after=after, most=most)
        for subject, number in ours.items():
            moved[subject] = max(number, moved.get(subject, 0))
        ends.append(until)
    until = min(ends)
    permitted = {subject for subject, number in moved.items() if number <= until}
    told = sorted(permitted, key=lambda subject: moved[subject])
    if link.terms:
        permitted &= in_force_among(held, tenant, link.terms, permitted, now)
    if link.ties:
        permitted &= permitted_among(held, tenant, link.ties, permitted, now)
    return [
        Change(subject=one, is_in_force=one in permitted, sequence=moved[one]) for one in told
    ], until
