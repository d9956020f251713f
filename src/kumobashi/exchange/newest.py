"""The newest transfer of every link, and the days before it, however long the history is.

Reading costs what is shown, not what is kept: the links are found by stepping through the index
``outgoing_by_start`` from one to the next (a loose index scan), and each one's newest transfer and
days stand together there. That is done once; afterwards only links that this process has touched
are read again.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import Out
from kumobashi.kernel import JST, to_micros

_MOST_NAMES = 500  # in one query; SQLite takes some thousand values
_MOST_AGAIN = 200  # links read one by one; for more, all are read at once
_EARLY_DAYS = 7  # a date may be run this long before it comes and still be found


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a list shows of a link's newest transfer."""

    link: str
    transfer: str
    business_date: date
    state: Out
    cause: Mapping[str, Any] | None
    started_at: int  # microseconds
    finished_at: int | None
    rows: int | None  # applied, else released
    to_site: str | None = None
    paused_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How the last transfer for one business date stands."""

    on: date
    state: Out


class Newest:
    """Reads the ends of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._number = 0  # of the last change that was read
        self._held: dict[str, Head] | None = None

    def heads(self) -> Mapping[str, Head]:
        """Return the newest transfer of each link that ever ran, by link."""
        with self._lock:
            number, changed = self._ledger.touched.since(self._number)  # before reading
            # Of a shared state this process does not know what others have changed.
            others = self._ledger.store.is_shared
            if others or self._held is None or len(changed) > _MOST_AGAIN:
                query = _newest_of_each(self._ledger.tenant)
                rows = self._ledger.store.read(lambda c: c.execute(query).all())
                self._held = {row.link: _head(row) for row in rows}
            elif changed:
                again = {link: self._ledger.outgoings(link, limit=1) for link in changed}
                self._held = self._held | {
                    link: _head_of(rows[0]) for link, rows in again.items() if rows
                }
            self._number = number
            return self._held

    def days(self, links: Sequence[str], *, first: date) -> dict[str, list[Day]]:
        """Return, by link, how each business date from ``first`` on stands, the oldest first."""
        found: dict[str, dict[str, tuple[int, str]]] = {link: {} for link in links}
        early = datetime(first.year, first.month, first.day, tzinfo=JST)
        since = to_micros(early - timedelta(days=_EARLY_DAYS))
        for names in _slices(links):
            query = sa.select(
                outgoing.c.link, outgoing.c.business_date, outgoing.c.sequence, outgoing.c.state
            ).where(
                outgoing.c.tenant == self._ledger.tenant,
                outgoing.c.link.in_(names),
                outgoing.c.started_at >= since,
                outgoing.c.business_date >= first.isoformat(),
            )
            for link, on, sequence, state in self._ledger.store.read(
                lambda c, query=query: c.execute(query).all()  # type: ignore[misc]
            ):
                if sequence >= found[link].get(on, (0, ""))[0]:
                    found[link][on] = (sequence, state)
        return {
            link: [
                Day(on=date.fromisoformat(on), state=Out(state))
                for on, (_, state) in sorted(days.items())
            ]
            for link, days in found.items()
        }


def _newest_of_each(tenant: str) -> sa.Select[Any]:
    """Return the query: a seek for each link to the next, and one to its newest transfer."""
    mine = outgoing.c.tenant == tenant
    first = sa.select(sa.func.min(outgoing.c.link).label("link")).where(mine)
    links = first.cte("links", recursive=True)
    following = sa.select(sa.func.min(outgoing.c.link)).where(mine, outgoing.c.link > links.c.link)
    links = links.union_all(sa.select(following.scalar_subquery()).where(links.c.link.is_not(None)))
    of_link = outgoing.alias("of_link")
    newest = (
        sa.select(of_link.c.transfer)
        .where(of_link.c.tenant == tenant, of_link.c.link == links.c.link)
        # Of two begun in one microsecond the later id counts.
        .order_by(of_link.c.started_at.desc(), of_link.c.transfer.desc())
        .limit(1)
        .scalar_subquery()
    )
    facts = outgoing.c.facts
    rows = sa.func.coalesce(
        facts["received", "applied", "rows"].as_integer(), facts["released", "rows"].as_integer()
    )
    return (
        sa.select(
            outgoing.c.link,
            outgoing.c.transfer,
            outgoing.c.business_date,
            outgoing.c.state,
            outgoing.c.cause,
            outgoing.c.started_at,
            outgoing.c.finished_at,
            outgoing.c.to_site,
            outgoing.c.paused_at,
            rows.label("rows"),
        )
        .select_from(links)
        .join(outgoing, sa.and_(mine, outgoing.c.transfer == newest))
    )


def _head(row: sa.Row[Any]) -> Head:
    return Head(
        link=row.link,
        transfer=row.transfer,
        business_date=date.fromisoformat(row.business_date),
        state=Out(row.state),
        cause=row.cause,
        started_at=row.started_at,
        finished_at=row.finished_at,
        to_site=row.to_site,
        paused_at=row.paused_at,
        rows=row.rows,
    )


def _head_of(row: Outgoing) -> Head:
    facts = row.facts
    applied = facts.get("received", {}).get("applied", {}).get("rows")
    return Head(
        link=row.link,
        transfer=row.transfer,
        business_date=date.fromisoformat(row.business_date),
        state=row.state,
        cause=row.cause,
        started_at=row.started_at,
        finished_at=row.finished_at,
        to_site=row.to_site,
        paused_at=row.paused_at,
        rows=facts.get("released", {}).get("rows") if applied is None else applied,
    )


def _slices(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[at : at + _MOST_NAMES] for at in range(0, len(names), _MOST_NAMES))
