"""Whose turn it is: what waits in the ledger, link by link, in its order.

Links take turns, so that one with thousands waiting keeps no other from being sent. Within a link
what a person put first goes first, then by priority (``ranks``), then the oldest. A transfer that
keeps the order of its link has no turn before all older ones of the link are over.

Lanes look often, and building a statement costs more than running it: each is built once. Each asks
for one range of an index and the first few in it, so a look costs the same however many wait.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.lanes import Found, Job
from kumobashi.exchange.leases import Side
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.ranks import rank_now
from kumobashi.exchange.rounds import Key
from kumobashi.exchange.sql import incoming, leases, outgoing, paused_links
from kumobashi.exchange.states import OUT_FINAL, In, Out
from kumobashi.kernel import to_micros

_OPEN = tuple(state.value for state in Out if state not in OUT_FINAL)
States = frozenset[Out] | frozenset[In]
Sites = frozenset[str] | None  # receivers that are reached over one line; none: all of them
Micros = str | None  # how a shared store tells its time; none: no other process works on it


class Turns:
    """What of the outbox and the inbox may be worked on next."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._micros: Micros = ledger.store.micros if ledger.store.is_shared else None

    def sending(
        self,
        states: Collection[Out],
        beside: frozenset[Key],
        limit: int,
        *,
        to_sites: Collection[str] | None = None,
    ) -> Found:
        """Return transfers in these states whose turn it is."""
        which = (frozenset(states), None if to_sites is None else frozenset(to_sites))
        heaps, of_heap = _heaps(*which), _of_heap(which[0], self._micros)
        of_unnamed = _of_heap(which[0], self._micros, is_named=False)
        left, now = _left_out(*which), to_micros(self._ledger.clock.now())
        said = {"tenant_": self._ledger.tenant, "now_": now, "most_": limit + len(beside)}

        def read(held: sa.Connection) -> Found:
            of_links: dict[str, list[tuple[int, str, Job]]] = {}
            for heap in held.execute(heaps, said).all():
                mine = {"site_": heap.to_site, "link_": heap.link, "rank_": heap.rank}
                query = of_unnamed if heap.to_site is None else of_heap
                for row in held.execute(query, {**said, **mine}):
                    waited = timedelta(microseconds=now - row.started_at)
                    job = Job((row.transfer, row.attempt), is_retry=row.next_try_at is not None)
                    ranked = (rank_now(heap.rank, waited), row.transfer, job)
                    of_links.setdefault(heap.link, []).append(ranked)
            jobs = [job for job in _by_turns(of_links) if job.key not in beside][:limit]
            return Found(jobs, None if jobs else _seconds(held, left, said))

        return self._ledger.store.read(read)

    def looking(
        self, states: Collection[Out], to_sites: Collection[str], *, after: str, limit: int
    ) -> list[Key]:
        """Return transfers that wait for receipts, behind ``after``, in the order of their ids."""
        ranges = [
            {"state_": state.value, "site_": site, "after_": after}
            for state, site in product(states, to_sites)
        ]
        return self._first(_looking(self._micros), ranges, limit)

    def taking(
        self,
        states: Collection[In],
        beside: frozenset[Key],
        limit: int,
        *,
        to_sites: Collection[str],
    ) -> Found:
        """Return bundles of the inbox in these states, the oldest first."""
        query, left = _taking(self._micros), _left_in(frozenset(states), frozenset(to_sites))
        now = to_micros(self._ledger.clock.now())
        said = {"tenant_": self._ledger.tenant, "now_": now, "most_": limit + len(beside)}

        def read(held: sa.Connection) -> Found:
            found: dict[Key, bool] = {}
            for state, site in product(states, to_sites):
                for row in held.execute(query, {**said, "state_": state.value, "site_": site}):
                    found[row.transfer, row.attempt] = row.next_try_at is not None
            keys = [key for key in sorted(found) if key not in beside][:limit]
            jobs = [Job(key, is_retry=found[key]) for key in keys]
            return Found(jobs, None if jobs else _seconds(held, left, said))

        return self._ledger.store.read(read)

    def passing(
        self, states: Collection[In], to_sites: Collection[str], *, after: Key, limit: int
    ) -> list[Key]:
        """Return bundles of the inbox behind ``after``, in the order of their ids."""
        ranges = [
            {"state_": state.value, "site_": site, "after_": after[0], "after_attempt_": after[1]}
            for state, site in product(states, to_sites)
        ]
        return self._first(_passing(self._micros), ranges, limit)

    def count_out(self, states: Collection[Out], to_sites: Collection[str]) -> int:
        """Return how many transfers wait for a line."""
        mine = _waiting(frozenset(states), frozenset(to_sites))
        return self._count(sa.select(sa.func.count()).where(mine))

    def count_in(self, states: Collection[In], to_sites: Collection[str]) -> int:
        """Return how many bundles wait to be passed on over a line."""
        mine = _held(frozenset(states), frozenset(to_sites))
        return self._count(sa.select(sa.func.count()).where(mine))

    def before(self, link: str, transfer: str) -> str | None:
        """Return the oldest transfer of a link that is not over, if it is older than this one."""
        said = {"tenant_": self._ledger.tenant, "link_": link}
        found: str | None = self._ledger.store.read(
            lambda held: held.execute(sa.select(_oldest()), said).scalar()
        )
        return found if found is not None and found < transfer else None

    def _first(
        self, query: sa.Select[Any], ranges: Sequence[Mapping[str, object]], limit: int
    ) -> list[Key]:
        """Return the first of several ranges together, in the order of their ids."""
        said = {"tenant_": self._ledger.tenant, "most_": limit}

        def read(held: sa.Connection) -> list[Key]:
            found = [held.execute(query, {**said, **each}) for each in ranges]
            return sorted((row.transfer, row.attempt) for rows in found for row in rows)[:limit]

        return self._ledger.store.read(read)

    def _count(self, query: sa.Select[Any]) -> int:
        said = {"tenant_": self._ledger.tenant}
        return int(self._ledger.store.read(lambda held: held.execute(query, said).scalar_one()))


def _by_turns(of_links: dict[str, list[tuple[int, str, Job]]]) -> list[Job]:
    """Return jobs by rank; within a rank the first of each link, then the second of each."""
    found: list[tuple[int, int, str, Job]] = []
    for ranked in of_links.values():
        place: dict[int, int] = {}
        for rank, transfer, job in sorted(ranked, key=lambda each: each[:2]):
            place[rank] = place.get(rank, 0) + 1
            found.append((rank, place[rank], transfer, job))
    return [job for *_, job in sorted(found, key=lambda each: each[:3])]


def _seconds(held: sa.Connection, left: sa.Select[Any], said: dict[str, Any]) -> float | None:
    """Return the seconds until the first of those that were put off is due."""
    first = held.execute(left, said).scalar()
    return None if first is None else max(0.05, (int(first) - said["now_"]) / 1e6)


# -- statements; parameters end in ``_`` ----------------------------------------------------------

_TENANT = sa.bindparam("tenant_", type_=sa.String)
_LINK = sa.bindparam("link_", type_=sa.String)
_SITE = sa.bindparam("site_", type_=sa.String)
_NOW = sa.bindparam("now_", type_=sa.BigInteger)
_MOST = sa.bindparam("most_", type_=sa.Integer)


@cache
def _heaps(states: frozenset[Out], to_sites: Sites) -> sa.Select[Any]:
    """Select what is ordered for itself: the ranks of each link of which something waits."""
    columns = (outgoing.c[name] for name in ("to_site", "link", "rank"))
    return sa.select(*columns).where(_of(outgoing, states, to_sites)).distinct()


@cache
def _of_heap(states: frozenset[Out], micros: Micros, *, is_named: bool = True) -> sa.Select[Any]:
    """Select the first of one heap; the receiver of rows of an older version is not named yet."""
    columns = ("transfer", "attempt", "next_try_at", "started_at")
    there = outgoing.c.to_site == _SITE if is_named else outgoing.c.to_site.is_(None)
    return (
        sa.select(*(outgoing.c[name] for name in columns))
        .where(_waiting(states, None), there, _is_due(outgoing), *_not_held("out", micros))
        .where(outgoing.c.link == _LINK, outgoing.c.rank == sa.bindparam("rank_"))
        .where(sa.or_(sa.not_(outgoing.c.in_order), outgoing.c.transfer == _oldest()))
        .order_by(outgoing.c.transfer)
        .limit(_MOST)
    )


@cache
def _looking(micros: Micros) -> sa.Select[Any]:
    return (
        sa.select(outgoing.c.transfer, outgoing.c.attempt)
        .where(*_in_range(outgoing), *_not_held("out", micros))
        .where(outgoing.c.transfer > sa.bindparam("after_"))
        .order_by(outgoing.c.transfer)
        .limit(_MOST)
    )


@cache
def _taking(micros: Micros) -> sa.Select[Any]:
    return (
        sa.select(incoming.c.transfer, incoming.c.attempt, incoming.c.next_try_at)
        .where(*_in_range(incoming), _is_due(incoming), *_not_held("in", micros))
        .order_by(incoming.c.transfer, incoming.c.attempt)
        .limit(_MOST)
    )


@cache
def _passing(micros: Micros) -> sa.Select[Any]:
    after = sa.tuple_(sa.bindparam("after_"), sa.bindparam("after_attempt_"))
    return (
        sa.select(incoming.c.transfer, incoming.c.attempt)
        .where(*_in_range(incoming), *_not_held("in", micros))
        .where(sa.tuple_(incoming.c.transfer, incoming.c.attempt) > after)
        .order_by(incoming.c.transfer, incoming.c.attempt)
        .limit(_MOST)
    )


@cache
def _left_out(states: frozenset[Out], to_sites: Sites) -> sa.Select[Any]:
    late = outgoing.c.next_try_at > _NOW
    return sa.select(sa.func.min(outgoing.c.next_try_at)).where(_waiting(states, to_sites), late)


@cache
def _left_in(states: frozenset[In], to_sites: Sites) -> sa.Select[Any]:
    late = incoming.c.next_try_at > _NOW
    return sa.select(sa.func.min(incoming.c.next_try_at)).where(_held(states, to_sites), late)


def _in_range(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    state = table.c.state == sa.bindparam("state_")
    return [table.c.tenant == _TENANT, state, table.c.to_site == _SITE]


def _of(table: sa.Table, states: States, to_sites: Sites) -> sa.ColumnElement[bool]:
    there = [] if to_sites is None else [table.c.to_site.in_(sorted(to_sites))]
    named = sorted(state.value for state in states)
    return sa.and_(table.c.tenant == _TENANT, table.c.state.in_(named), *there)


def _waiting(states: frozenset[Out], to_sites: Sites) -> sa.ColumnElement[bool]:
    """Return whether something waits that no person has paused."""
    stopped = sa.select(paused_links.c.link).where(paused_links.c.tenant == _TENANT)
    mine = _of(outgoing, states, to_sites)
    return sa.and_(mine, outgoing.c.paused_at.is_(None), outgoing.c.link.not_in(stopped))


def _held(states: frozenset[In], to_sites: Sites) -> sa.ColumnElement[bool]:
    return _of(incoming, states, to_sites)


def _oldest() -> sa.ScalarSelect[Any]:
    """Select the oldest transfer of a link that is not over."""
    older = outgoing.alias("older")
    return (
        sa.select(sa.func.min(older.c.transfer))
        .where(older.c.tenant == _TENANT, older.c.link == _LINK, older.c.state.in_(_OPEN))
        .scalar_subquery()
    )


def _is_due(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return whether the next try may be made now.

    What was put off under a clock that ran ahead, and was set back since, may be tried at once.
    """
    next_try, put_off = table.c.next_try_at, table.c.put_off_at
    return sa.or_(next_try.is_(None), next_try <= _NOW, put_off > _NOW)


def _not_held(side: Side, micros: Micros) -> list[sa.ColumnElement[bool]]:
    """Leave out what is worked on under a lease; in a store of one process nothing is."""
    if micros is None:
        return []
    table = outgoing if side == "out" else incoming
    attempt = 0 if side == "out" else incoming.c.attempt
    held = (
        sa.select(leases.c.transfer)
        .where(leases.c.tenant == _TENANT, leases.c.side == side)
        .where(leases.c.transfer == table.c.transfer, leases.c.attempt == attempt)
        .where(leases.c.until >= sa.literal_column(micros, sa.BigInteger))
        .correlate(table)
    )
    return [~held.exists()]
