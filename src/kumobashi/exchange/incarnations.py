"""Which life of its state a site lives: when it was made, started, and found to be restored.

A store that is put back from a backup says less than what its site has signed. It cannot know that
by itself; peers show it its own receipts (``recalling``), and then it begins a new incarnation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.sql import incarnations
from kumobashi.kernel import Clock, new_id, to_micros
from kumobashi.storage.errors import StoreForeign
from kumobashi.storage.state import StateStore, T, Work

_KEPT = 1_000  # epochs that stay on record
_MOST_NAMED = 1_000  # lost transfers that one epoch names


@dataclass(frozen=True, slots=True, kw_only=True)
class Incarnation:
    """One epoch of a store."""

    epoch: int  # grows with every start of a process
    site: str
    incarnation: str  # another one after the store has been restored
    why: str  # made, started, restored
    facts: dict[str, Any]
    at: int  # microseconds


class Incarnations:
    """The epochs of one site's state."""

    def __init__(self, store: StateStore, tenant: str, site: str, clock: Clock) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._clock = clock

    def begin(self) -> Incarnation:
        """Note that a process starts.

        Raises:
            StoreForeign: another site's gateway keeps its state here.
        """

        def work(connection: sa.Connection) -> Incarnation:
            last = self._last(connection)
            if last and last.site != self._site:
                raise StoreForeign(owner=last.site, site=self._site)
            if last is None:
                return self._next(connection, None, "made", new_id(), {})
            old = incarnations.c.epoch <= last.epoch - _KEPT
            started = incarnations.c.why == "started"
            mine = incarnations.c.tenant == self._tenant
            connection.execute(sa.delete(incarnations).where(mine, old, started))
            return self._next(connection, last, "started", last.incarnation, {})

        return self._write(work)

    def current(self) -> Incarnation:
        """Return the newest epoch; there is one once a process has begun."""
        last = self._store.read(self._last)
        return last or self.begin()

    def restored(self) -> Incarnation | None:
        """Return the last time that this store was found to be older than what it signed."""
        mine = incarnations.c.tenant == self._tenant
        query = (
            sa.select(incarnations)
            .where(mine, incarnations.c.why == "restored")
            .order_by(incarnations.c.epoch.desc())
            .limit(1)
        )
        row = self._store.read(lambda connection: connection.execute(query).first())
        return _incarnation(row) if row else None

    def note_lost(self, transfers: Sequence[str], *, told_by: str) -> Incarnation | None:
        """Begin a new incarnation because receipts of ``transfers`` were forgotten.

        Nothing happens, and nothing is returned, when all of them have been noted before.
        """

        def work(connection: sa.Connection) -> Incarnation | None:
            mine = incarnations.c.tenant == self._tenant
            noted = connection.execute(
                sa.select(incarnations.c.facts).where(mine, incarnations.c.why == "restored")
            ).scalars()
            known = {name for facts in noted for name in facts.get("lost", ())}
            fresh = sorted(set(transfers) - known)[:_MOST_NAMED]
            if not fresh:
                return None
            facts = {"lost": fresh, "told_by": told_by}
            return self._next(connection, self._last(connection), "restored", new_id(), facts)

        return self._write(work)

    def _write(self, work: Work[T]) -> T:
        try:
            return self._store.write(work, key="incarnations")
        except sa.exc.IntegrityError:  # another process was a moment earlier
            return self._store.write(work, key="incarnations")

    def _last(self, connection: sa.Connection) -> Incarnation | None:
        mine = incarnations.c.tenant == self._tenant
        query = sa.select(incarnations).where(mine).order_by(incarnations.c.epoch.desc()).limit(1)
        row = connection.execute(query).first()
        return _incarnation(row) if row else None

    def _next(
        self,
        connection: sa.Connection,
        last: Incarnation | None,
        why: str,
        incarnation: str,
        facts: dict[str, Any],
    ) -> Incarnation:
        row = {
            "tenant": self._tenant,
            "epoch": last.epoch + 1 if last else 1,
            "site": self._site,
            "incarnation": incarnation,
            "why": why,
            "facts": facts,
            "at": to_micros(self._clock.now()),
        }
        connection.execute(sa.insert(incarnations).values(row))
        row.pop("tenant")
        return Incarnation(**row)  # type: ignore[arg-type]


def _incarnation(row: sa.Row[Any]) -> Incarnation:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to name columns
    values.pop("tenant")
    return Incarnation(**values)
