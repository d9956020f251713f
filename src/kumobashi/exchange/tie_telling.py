"""Tell the systems that serve services which ties they may act under, and which no longer.

    a deed in the book of ties → a signed notice, durable here → over the relays → its receipt

What there is to tell is marked by the deed itself (``ties.copies``). A notice holds what stands
when it is made, so a tie that was accepted and withdrawn while a receiver was away is told once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final

import sqlalchemy as sa

from kumobashi.consent.subjects import Subjects
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import NOT_REACHED
from kumobashi.exchange.noticing import (
    AGAIN_SECONDS,
    OLD_SECONDS,
    Notice,
    Noticing,
    stream_of_ties,
)
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.tokens import destination_key
from kumobashi.exchange.waiting import as_known
from kumobashi.kernel import Clock
from kumobashi.messages.standings import TieStanding, counts_of
from kumobashi.messages.withdrawals import NOT_UNDERSTOOD, WithdrawalNotice
from kumobashi.storage.state import StateStore
from kumobashi.ties.copies import Due, due_at, note_told, systems_to_tell
from kumobashi.ties.held import NOBODY

log = logging.getLogger(__name__)
_MOST: Final = 1_000  # ties in one notice
_MOST_BYTES: Final = 1 << 20  # of their terms: base64 twice, they stay far below a document


class TellingTies:
    """Tells the systems of one hall's services."""

    def __init__(
        self,
        identity: Identity,
        store: StateStore,
        peers: Peers,
        *,
        secret: bytes,
        systems: Callable[[], Mapping[str, str]],
        clock: Clock,
        every_seconds: float = 0.5,
    ) -> None:
        """Make it; ``systems`` are those of the workspace, each with its site."""
        self._identity = identity
        self._store = store
        self._notices = Noticing(
            identity=identity,
            store=store,
            peers=peers,
            clock=clock,
            told_event="tie.told",
            receipted_event="tie.told_receipted",
        )
        self._secret = secret
        self._subjects = Subjects(secret, identity.tenant)
        self._systems = systems
        self._clock = clock
        self._every = every_seconds
        self._open: set[str] | None = None  # systems where a receipt may be missing; none: any
        self._unknown: set[str] = set()  # systems that are not in the workspace, logged once
        self._not_before: dict[str, float] = {}  # monotonic seconds, by system

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            try:
                await self.tell()
            except Exception as raised:  # noqa: BLE001 - telling must not end with one failure
                log.warning("ties were not told", extra={"code": as_known(raised).code})
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(self._every)

    async def tell(self) -> int:
        """Tell what there is to tell now; return how many notices were receipted."""
        due = await asyncio.to_thread(self._due)
        if not due and self._open == set():
            return 0
        sites = await asyncio.to_thread(self._systems)
        if self._open is None:
            self._open = set(sites)
        for system in sorted(set(due) - sites.keys() - self._unknown):
            log.warning("a service names no system of the workspace", extra={"system": system})
            self._unknown.add(system)
        told = [
            self._tell(system, sites[system])
            for system in sorted({*due, *self._open} & sites.keys())
            if time.monotonic() >= self._not_before.get(system, 0.0)
        ]
        return sum(await asyncio.gather(*told))

    async def _tell(self, system: str, site: str) -> int:
        told = 0
        while notice := await asyncio.to_thread(self._next, system, site):
            self._opened.add(system)
            try:
                receipt = await self._notices.send(notice)
            except NOT_REACHED:
                self._not_before[system] = time.monotonic() + AGAIN_SECONDS
                return told
            except PeerRefused as refused:
                is_old = refused.peer_code in NOT_UNDERSTOOD
                wait = OLD_SECONDS if is_old else AGAIN_SECONDS
                self._not_before[system] = time.monotonic() + wait
                extra = {"code": refused.peer_code, "site": notice.to_site}
                log.warning("a notice of ties was not taken", extra=extra)
                return told
            await asyncio.to_thread(self._notices.keep, notice, receipt)
            told += 1
        self._opened.discard(system)
        return told

    @property
    def _opened(self) -> set[str]:
        if self._open is None:
            self._open = set()
        return self._open

    def _due(self) -> Sequence[str]:
        return self._store.read(lambda held: systems_to_tell(held, self._identity.tenant))

    def _next(self, system: str, site: str) -> Notice | None:
        """Return the notice to send next; none: everything was told."""
        stream = stream_of_ties(system)

        def look(held: sa.Connection) -> tuple[Notice | None, int, list[Due]]:
            pending, last = self._notices.made(held, stream)
            if pending:
                return pending, last, []
            return None, last, due_at(held, self._identity.tenant, system, most=_MOST)

        pending, last, due = self._store.read(look)
        if pending or not due:
            return pending
        ties = tuple(self._standings(system, _first_of(due)))
        notice = WithdrawalNotice(
            tenant=self._identity.tenant,
            from_site=self._identity.site,
            to_site=site,
            link=None,
            to_system=system,
            last=last + 1,
            at=self._clock.now(),
            ties=ties,
        )
        told = [(one.tie, one.sequence) for one in ties]
        return self._notices.make(
            stream,
            notice,
            first=last + 1,
            counts=counts_of(ties),
            beside=lambda held: note_told(held, self._identity.tenant, system, told),
        )

    def _standings(self, system: str, due: Sequence[Due]) -> list[TieStanding]:
        key = destination_key(self._secret, self._identity.tenant, system)
        known = [one.subject for one in due if one.subject is not None]
        numbers = dict(zip(known, self._subjects.opened(known), strict=True))
        return [
            TieStanding(
                tie=one.tie,
                token=NOBODY if one.subject is None else key.token(numbers[one.subject]),
                stands=one.stands,
                terms=one.terms.encode(),
                service=one.service.service,
                clause=one.service.clause,
                first=one.service.first,
                last=one.service.last,
                sequence=one.sequence,
            )
            for one in due
        ]


def _first_of(due: Sequence[Due]) -> Sequence[Due]:
    """Return the first of what is due, as much as goes into one notice; at least one."""
    sizes = accumulate(len(one.terms) for one in due)
    return due[: max(1, sum(size <= _MOST_BYTES for size in sizes))]
