"""Whose rows may leave under their ties with a service, for all residents at once.

Held beside the registry in a DuckDB in memory, with the numbers of residents opened, and brought up
to date before each question by the numbers of the changes; nothing of it is written anywhere. A row
is taken in only if it says what its last revision says, and stays as it was taken in.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from kumobashi.kernel import to_micros
from kumobashi.storage.changes import newest_change
from kumobashi.storage.state import StateStore
from kumobashi.storage.tables import literal
from kumobashi.ties.agent import Offered, Reason
from kumobashi.ties.asked import Asked, Kind, offered_at_hall, why_not
from kumobashi.ties.carried import count_since, lists_since, pair_of, unpacked
from kumobashi.ties.errors import ServiceUnknown, TieTouched
from kumobashi.ties.records import AT_LAST, OF_LAST, joined_of
from kumobashi.ties.sql import revisions, services, ties
from kumobashi.ties.states import State
from kumobashi.ties.terms import Frequency, Terms

Opened = Callable[[Iterable[str]], list[str]]
"""Gives the numbers of residents for sealed ones, in their order."""

_SENT: Final = pa.schema([("high", pa.uint64()), ("low", pa.uint64()), ("sent_at", pa.int64())])
EVER: Final = datetime.fromtimestamp(0, UTC)
"""Before every transfer."""
_AT_ONCE: Final = 50_000  # ties read at a time
_LISTS_AT_ONCE: Final = 16  # of transfers, unpacked one by one
_TOUCHED: Final = "touched"
_TABLE: Final = (
    "create table tied (number varchar, service varchar, high ubigint, low ubigint, state varchar,"
    " terms integer)"
)
_CHANGED: Final = pa.schema(
    [
        ("number", pa.string()),
        ("service", pa.string()),
        ("high", pa.uint64()),
        ("low", pa.uint64()),
        ("state", pa.string()),
        ("terms", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Who is let through and who is not, after one change of the registry."""

    tied: pa.Table  # number, high, low: the resident, and the id of the tie
    untied: pa.Table  # number, reason: of who has or had a tie that does not permit it
    sequence: int  # of the last change that is in it
    service_revisions: int
    transfers: int  # of the service, that were sealed before


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    offered: Offered | None
    revisions: int
    transfers: int


class Snapshot:
    """Answers for all residents; asked from several threads."""

    def __init__(self, store: StateStore, *, tenant: str, opened: Opened) -> None:
        self._store = store
        self._tenant = tenant
        self._opened = opened
        self._lock = threading.Lock()
        self._held = duckdb.connect()
        self._held.execute("set threads = 2; set enable_progress_bar = false")
        self._held.execute(_TABLE)
        self._sequence = -1  # ties from before there were numbers have 0
        self._terms: list[Terms] = []
        self._numbered: dict[Terms, int] = {}

    def read(self, asked: Asked, now: datetime) -> Moment:
        """Return whom a transfer may carry, with all that was committed before this was asked.

        Raises:
            StorageFailed: the registry cannot be read; nothing may be released then.
            ServiceUnknown: there is no such service.
            NumberUnreadable: the registry is of another secret, or was altered.
            TieTouched: a list of a transfer is not as it was written.
        """
        with self._lock:
            service = self._service(asked.service)  # before the ties: what comes later is seen
            sequence = self._refresh()
            frequencies = self._decide(asked, service.offered, now)
            self._count(asked.service, frequencies, now)
            return Moment(
                tied=self._table(_tied(asked.service)),
                untied=self._table(_untied(asked.service)),
                sequence=sequence,
                service_revisions=service.revisions,
                transfers=service.transfers,
            )

    def close(self) -> None:
        """Let go of the numbers."""
        self._held.close()

    # -- what changed ---------------------------------------------------------------------------

    def _refresh(self) -> int:
        newest = self._store.read(lambda connection: newest_change(connection, self._tenant))
        if newest < self._sequence:  # restored from a backup: nothing that was seen is certain
            self._held.execute("delete from tied")
            self._sequence = -1
        after: tuple[int, str] | None = (self._sequence, "~")  # behind every id
        while self._sequence < newest and after:
            after = self._take_in(after, newest)
        self._sequence = newest  # only with them: what was not taken in is asked for again
        return newest

    def _take_in(self, after: tuple[int, str], last: int) -> tuple[int, str] | None:
        """Take in one page of changed ties; return where the next begins, if there may be one."""
        place = sa.tuple_(ties.c.sequence, ties.c.tie)
        page = (  # from the index alone, and joined only then
            sa.select(ties.c.tie)
            .where(ties.c.tenant == self._tenant, place > sa.tuple_(*after))
            .where(ties.c.sequence <= last)
            .order_by(ties.c.sequence, ties.c.tie)
            .limit(_AT_ONCE)
            .subquery()
        )
        query = (
            sa.select(ties, *OF_LAST)
            .join_from(page, ties, ties.c.tie == page.c.tie)
            .outerjoin(revisions, AT_LAST)
            .where(ties.c.tenant == self._tenant)
            .order_by(ties.c.sequence, ties.c.tie)
        )
        rows = self._store.read(lambda connection: connection.execute(query).all())
        if rows:
            self._put(rows)
        return (rows[-1].sequence, rows[-1].tie) if len(rows) == _AT_ONCE else None

    def _put(self, rows: Iterable[sa.Row[Any]]) -> None:
        read = [self._read(row) for row in rows]
        numbers = self._opened(one["subject"] for one in read)
        changed = pa.Table.from_pylist(
            [{**one, "number": number} for one, number in zip(read, numbers, strict=True)],
            schema=_CHANGED,
        )
        self._held.register("changed", changed)
        try:
            # Of several ties of a resident with a service only the newest can be alive.
            self._held.execute(
                "create or replace temp table newest as select * from changed qualify row_number()"
                " over (partition by number, service order by high desc, low desc) = 1"
            )
            self._held.execute("begin")
            self._held.execute(
                f"delete from newest c using tied t where {_SAME}"  # noqa: S608 - our own words
                " and (t.high, t.low) > (c.high, c.low)"
            )
            self._held.execute(f"delete from tied t using newest c where {_SAME}")  # noqa: S608 - likewise
            self._held.execute("insert into tied select * from newest")
            self._held.execute("commit")
        finally:
            self._held.unregister("changed")

    def _read(self, row: sa.Row[Any]) -> dict[str, Any]:
        high, low = pair_of(row.tie)
        known = {"subject": row.subject, "service": row.service, "high": high, "low": low}
        try:
            tie = joined_of(row)
        except (TieTouched, ValueError):
            return {**known, "state": _TOUCHED, "terms": -1}
        number = self._numbered.setdefault(tie.terms, len(self._terms))
        if number == len(self._terms):
            self._terms.append(tie.terms)
        return {**known, "state": tie.state.value, "terms": number}

    # -- what is asked --------------------------------------------------------------------------

    def _service(self, service: str) -> _Service:
        mine = sa.and_(services.c.tenant == self._tenant, services.c.service == service)

        def look(connection: sa.Connection) -> _Service:
            row = connection.execute(sa.select(services).where(mine)).first()
            if row is None or row.deleted_at is not None:
                raise ServiceUnknown(service=service)
            return _Service(
                offered=offered_at_hall(row),
                revisions=row.revisions,
                transfers=count_since(connection, self._tenant, service, EVER),
            )

        return self._store.read(look)

    def _decide(self, asked: Asked, offered: Offered | None, now: datetime) -> set[Frequency]:
        """Fill table ``reasons`` for each state and terms there are; return how often is agreed."""
        self._held.execute(
            "create or replace temp table reasons (state varchar, terms integer, reason varchar,"
            " times integer, days integer)"
        )
        kinds = self._held.execute(
            "select distinct state, terms from tied where service = ?", [asked.service]
        ).fetchall()
        rows: list[tuple[str, int, str | None, int, int]] = []
        found: set[Frequency] = set()
        for state, number in kinds:
            if state == _TOUCHED:
                rows.append((state, number, Reason.TOUCHED.value, 0, 0))
                continue
            terms = self._terms[number]
            tie = Kind(service=asked.service, state=State(state), terms=terms)
            reason = why_not(asked, tie, offered, now)
            often = terms.frequency
            rows.append((state, number, reason.value if reason else None, often.times, often.days))
            if reason is None:
                found.add(often)
        if rows:
            self._held.executemany("insert into reasons values (?, ?, ?, ?, ?)", rows)
        return found

    def _count(self, service: str, frequencies: Iterable[Frequency], now: datetime) -> None:
        """Fill table ``spent`` with the ties that were used as often as their terms allow."""
        self._held.execute(
            "create or replace temp table spent"
            " (high ubigint, low ubigint, times integer, days integer)"
        )

        def look(connection: sa.Connection) -> None:
            # Where fewer transfers were made than anybody agreed to, nobody's need be counted.
            limited = [
                one
                for one in frequencies
                if count_since(connection, self._tenant, service, now - one.window) >= one.times
            ]
            if limited:
                after = now - max(one.window for one in limited)
                lists = lists_since(connection, self._tenant, service, after)
                self._spend(lists, limited, service, now)

        self._store.read(look)

    def _spend(
        self,
        lists: Iterator[tuple[int, bytes]],
        limited: Collection[Frequency],
        service: str,
        now: datetime,
    ) -> None:
        """Count lists by ties, some lists at a time; fill ``spent`` with who is at the limit."""
        since = {one.days: to_micros(now - one.window) for one in limited}
        counts = [f"count(*) filter (sent_at > {at}) as n{days}" for days, at in since.items()]
        making = "create or replace temp table used as"
        while some := list(islice(lists, _LISTS_AT_ONCE)):
            self._held.register("sent", _pages(some))
            counted = f"select high, low, {', '.join(counts)} from sent group by high, low"  # noqa: S608 - numbers
            try:
                self._held.execute(f"{making} {counted}")
            except duckdb.Error:  # whoever changed a list resets no frequency
                raise TieTouched(record=service, number=1, what="unreadable") from None
            finally:
                self._held.unregister("sent")
            making = "insert into used"
        for one in limited:
            self._held.execute(
                f"insert into spent select high, low, {one.times}, {one.days} from used"  # noqa: S608 - numbers
                f" group by high, low having sum(n{one.days}) >= {one.times}"
            )
        self._held.execute("drop table used")

    def _table(self, query: str) -> pa.Table:
        return self._held.sql(query).to_arrow_table()


def _pages(lists: Iterable[tuple[int, bytes]]) -> pa.RecordBatchReader:
    """Give lists one after the other, each tie with the time of its transfer."""
    return pa.RecordBatchReader.from_batches(
        _SENT,
        (
            pa.record_batch([high, low, np.full(len(high), at)], schema=_SENT)
            for at, carried in lists
            for high, low in [unpacked(carried)]
        ),
    )


_SAME: Final = "t.number = c.number and t.service = c.service"
_JOINED: Final = (
    "from tied t join reasons r using (state, terms) left join spent s on s.high = t.high"
    " and s.low = t.low and s.times = r.times and s.days = r.days"
)


def _tied(service: str) -> str:
    where = f"t.service = {literal(service)} and r.reason is null and s.high is null"
    return f"select number, t.high, t.low {_JOINED} where {where}"


def _untied(service: str) -> str:
    why = f"coalesce(r.reason, {literal(Reason.FREQUENCY.value)}) as reason"
    where = f"t.service = {literal(service)} and (r.reason is not null or s.high is not null)"
    return f"select number, {why} {_JOINED} where {where}"
