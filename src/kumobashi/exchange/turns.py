"""Whose turn it is: what waits in the ledger, link by link, in its order.

Links take turns, so that one with thousands waiting keeps no other from being sent. Within a link
what a person put first goes first, then the oldest. A transfer that keeps the order of its link has
no turn before all older ones of the link are over.
"""

from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.lanes import Found, Job
from kumobashi.exchange.ledger import Ledger, Side
from kumobashi.exchange.sql import incoming, leases, outgoing, paused_links
from kumobashi.exchange.states import OUT_FINAL, In, Out
from kumobashi.kernel import to_micros

FIRST, NORMAL = 0, 20
RANKS = {"high": 10, "normal": NORMAL, "low": 30}
OPEN = tuple(state.value for state in Out if state not in OUT_FINAL)
_FARTHEST = 900_000_000  # microseconds; a next try beyond this: the clock was set back
_SHORTEST_PAUSE = 0.5  # seconds, between two rounds
_LONGEST_PAUSE = 20.0
Key = tuple[str, int]


class Turns:
    """What of the outbox and the inbox may be worked on next."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def sending(
        self,
        states: Collection[Out],
        beside: frozenset[Key],
        limit: int,
        *,
        to_sites: Collection[str] | None = None,
    ) -> Found:
        """Return transfers in these states whose turn it is.

        ``to_sites`` are the receivers that are reached over one line; none: all of them.
        """
        now = to_micros(self._ledger.clock.now())
        mine = self._waiting(states, to_sites)
        links = (
            sa.select(outgoing.c.link)
            .where(outgoing.c.tenant == self._ledger.tenant)
            .where(outgoing.c.state.in_([state.value for state in states]))
            .distinct()
        )

        def read(held: sa.Connection) -> Found:
            found: list[tuple[int, int, str, Job]] = []
            for link in held.execute(links).scalars().all():
                query = self._of_link(link, mine, now).limit(limit + len(beside))
                place: dict[int, int] = {}
                for row in held.execute(query):
                    key = (row.transfer, row.attempt)
                    place[row.rank] = place.get(row.rank, 0) + 1
                    if key not in beside:
                        job = Job(key, is_retry=row.next_try_at is not None)
                        found.append((row.rank, place[row.rank], row.transfer, job))
            jobs = [job for *_, job in sorted(found, key=lambda each: each[:3])[:limit]]
            return Found(jobs, None if jobs else _left(held, outgoing.c.next_try_at, mine, now))

        return self._ledger.store.read(read)

    def looking(
        self, states: Collection[Out], to_sites: Collection[str], *, after: str, limit: int
    ) -> list[Key]:
        """Return transfers that wait for receipts, behind ``after``, in the order of their ids."""
        query = (
            sa.select(outgoing.c.transfer, outgoing.c.attempt)
            .where(outgoing.c.tenant == self._ledger.tenant)
            .where(outgoing.c.state.in_([state.value for state in states]))
            .where(outgoing.c.to_site.in_(list(to_sites)), outgoing.c.transfer > after)
            .where(*self._not_held("out"))
            .order_by(outgoing.c.transfer)
            .limit(limit)
        )
        return self._ledger.store.read(
            lambda held: [(row.transfer, row.attempt) for row in held.execute(query)]
        )

    def taking(
        self,
        states: Collection[In],
        beside: frozenset[Key],
        limit: int,
        *,
        to_sites: Collection[str] | None = None,
    ) -> Found:
        """Return bundles of the inbox in these states, the oldest first."""
        now = to_micros(self._ledger.clock.now())
        mine = self._held(states, to_sites)
        query = (
            sa.select(incoming.c.transfer, incoming.c.attempt, incoming.c.next_try_at)
            .where(mine, _is_due(incoming.c.next_try_at, now), *self._not_held("in"))
            .order_by(incoming.c.transfer, incoming.c.attempt)
            .limit(limit + len(beside))
        )

        def read(held: sa.Connection) -> Found:
            jobs = [
                Job((row.transfer, row.attempt), is_retry=row.next_try_at is not None)
                for row in held.execute(query)
                if (row.transfer, row.attempt) not in beside
            ][:limit]
            return Found(jobs, None if jobs else _left(held, incoming.c.next_try_at, mine, now))

        return self._ledger.store.read(read)

    def passing(
        self, states: Collection[In], to_sites: Collection[str], *, after: Key, limit: int
    ) -> list[Key]:
        """Return bundles of the inbox behind ``after``, in the order of their ids."""
        query = (
            sa.select(incoming.c.transfer, incoming.c.attempt)
            .where(self._held(states, to_sites))
            .where(sa.tuple_(incoming.c.transfer, incoming.c.attempt) > sa.tuple_(*after))
            .where(*self._not_held("in"))
            .order_by(incoming.c.transfer, incoming.c.attempt)
            .limit(limit)
        )
        return self._ledger.store.read(
            lambda held: [(row.transfer, row.attempt) for row in held.execute(query)]
        )

    def count_out(self, states: Collection[Out], to_sites: Collection[str]) -> int:
        """Return how many transfers wait for a line."""
        return self._count(sa.select(sa.func.count()).where(self._waiting(states, to_sites)))

    def count_in(self, states: Collection[In], to_sites: Collection[str]) -> int:
        """Return how many bundles wait to be passed on over a line."""
        return self._count(sa.select(sa.func.count()).where(self._held(states, to_sites)))

    def before(self, link: str, transfer: str) -> str | None:
        """Return the oldest transfer of a link that is not over, if it is older than this one."""
        query = (
            sa.select(sa.func.min(outgoing.c.transfer))
            .where(outgoing.c.tenant == self._ledger.tenant, outgoing.c.link == link)
            .where(outgoing.c.state.in_(OPEN))
        )
        found: str | None = self._ledger.store.read(lambda held: held.execute(query).scalar())
        return found if found is not None and found < transfer else None

    # -- inside ---------------------------------------------------------------------------------

    def _of_link(self, link: str, mine: sa.ColumnElement[bool], now: int) -> sa.Select[Any]:
        older = outgoing.alias("older")
        oldest = (
            sa.select(sa.func.min(older.c.transfer))
            .where(older.c.tenant == self._ledger.tenant, older.c.link == link)
            .where(older.c.state.in_(OPEN))
            .scalar_subquery()
        )
        return (
            sa.select(
                outgoing.c.transfer, outgoing.c.attempt, outgoing.c.rank, outgoing.c.next_try_at
            )
            .where(mine, outgoing.c.link == link, _is_due(outgoing.c.next_try_at, now))
            .where(*self._not_held("out"))
            .where(sa.or_(sa.not_(outgoing.c.in_order), outgoing.c.transfer == oldest))
            .order_by(outgoing.c.rank, outgoing.c.transfer)
        )

    def _waiting(
        self, states: Collection[Out], to_sites: Collection[str] | None
    ) -> sa.ColumnElement[bool]:
        stopped = sa.select(paused_links.c.link).where(paused_links.c.tenant == self._ledger.tenant)
        there = [outgoing.c.to_site.in_(list(to_sites))] if to_sites is not None else []
        return sa.and_(
            outgoing.c.tenant == self._ledger.tenant,
            outgoing.c.state.in_([state.value for state in states]),
            outgoing.c.paused_at.is_(None),
            outgoing.c.link.not_in(stopped),
            *there,
        )

    def _held(
        self, states: Collection[In], to_sites: Collection[str] | None
    ) -> sa.ColumnElement[bool]:
        there = [incoming.c.to_site.in_(list(to_sites))] if to_sites is not None else []
        return sa.and_(
            incoming.c.tenant == self._ledger.tenant,
            incoming.c.state.in_([state.value for state in states]),
            *there,
        )

    def _not_held(self, side: Side) -> list[sa.ColumnElement[bool]]:
        """Leave out what is worked on under a lease; in a store of one process nothing is."""
        store, table = self._ledger.store, outgoing if side == "out" else incoming
        if not store.is_shared:
            return []
        attempt = 0 if side == "out" else incoming.c.attempt
        held = (
            sa.select(leases.c.transfer)
            .where(leases.c.tenant == self._ledger.tenant, leases.c.side == side)
            .where(leases.c.transfer == table.c.transfer, leases.c.attempt == attempt)
            .where(leases.c.until >= sa.literal_column(store.micros, sa.BigInteger))
            .correlate(table)
        )
        return [~held.exists()]

    def _count(self, query: sa.Select[Any]) -> int:
        return int(self._ledger.store.read(lambda held: held.execute(query).scalar_one()))


class Round:
    """Goes round among those that are only looked at, so that each is looked at as often.

    While there are few each may be waited upon; with many nobody is, and between two rounds that
    brought no news there is a pause that grows.
    """

    def __init__(self, behind: Callable[[Key, int], list[Key]]) -> None:
        self._behind = behind
        self._at: Key = ("", 0)
        self._pause = _SHORTEST_PAUSE
        self.is_crowded = False
        self.has_news = False

    def find(self, beside: frozenset[Key], limit: int, *, few: int) -> Found:
        """Return the next to look at; ``few`` is how many may be waited upon at once."""
        start = self._behind(("", 0), few + 1)
        self.is_crowded = len(start) > few
        if not self.is_crowded:
            return Found([Job(key) for key in start if key not in beside])
        keys = self._behind(self._at, limit)
        if not keys:
            self._at = ("", 0)
            self._pause = _SHORTEST_PAUSE if self.has_news else min(self._pause * 2, _LONGEST_PAUSE)
            self.has_news = False
            return Found([], self._pause)
        self._at = keys[-1]
        return Found([Job(key) for key in keys if key not in beside])


def _is_due(next_try: sa.Column[Any], now: int) -> sa.ColumnElement[bool]:
    return sa.or_(next_try.is_(None), next_try <= now, next_try > now + _FARTHEST)


def _left(
    held: sa.Connection, next_try: sa.Column[Any], mine: sa.ColumnElement[bool], now: int
) -> float | None:
    """Return the seconds until the first of those that were put off is due."""
    query = sa.select(sa.func.min(next_try)).where(mine, next_try > now)
    first = held.execute(query).scalar()
    return None if first is None else max(0.05, (int(first) - now) / 1e6)
