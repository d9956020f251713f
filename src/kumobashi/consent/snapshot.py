"""What counts now for all residents at once: beside the ledger, brought up to date by its changes.

A release asks for 400,000 residents in one join, so this holds what ``standings`` says with the
numbers opened, in a DuckDB of its own in memory: nothing of it is written anywhere. Each question
first takes in what was committed since the last one, by the numbers of the changes; a ledger that
is older than what was seen (restored from a backup) is read anew.
"""

import threading
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.sql import standings
from kumobashi.consent.states import Reason, State, Tier
from kumobashi.kernel import to_micros
from kumobashi.storage.changes import newest_change
from kumobashi.storage.counting import count
from kumobashi.storage.tables import literal

_AT_ONCE = 50_000  # changes read at a time
_MOST_TERMS = 16  # of which what was found is kept
_COLUMNS = ("number", "purpose", "tier", "version", "state", "reason", "until")
_TABLE = (
    "create table standings (number varchar, purpose varchar, tier varchar, version integer,"
    " state varchar, reason varchar, until bigint)"
)
# The greater counts, of all tiers that are asked for. What is not in the ledger has none.
WHY = {
    "other_tier": 1,
    "other_version": 2,
    "expired": 3,
    "withdrawn": 4,
    "merged": 5,
    "died": 6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a use of data rests on: a purpose, all tiers it takes from, the versions that count."""

    purpose: str
    tiers: frozenset[Tier]
    versions: frozenset[int]

    def __post_init__(self) -> None:
        """Refuse terms that would let anybody through."""
        if not self.tiers:
            raise ValueError("terms without a tier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Who counts and who does not, under some terms, after one change of the ledger."""

    in_force: pa.Table  # number
    ended: pa.Table  # number, reason
    sequence: int
    begins: int  # microseconds
    ends: int | None  # when the next term is over; none: never

    def holds_at(self, now: datetime) -> bool:
        """Whether no term has ended since, and no clock was set back."""
        at = to_micros(now)
        return self.begins <= at and (self.ends is None or at < self.ends)


class Snapshot:
    """Answers whose consent counts; asked from several threads."""

    def __init__(self, ledger: ConsentLedger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held = duckdb.connect()
        self._held.execute("set threads = 2; set enable_progress_bar = false")
        self._held.execute(_TABLE)
        self._sequence = 0
        self._found: dict[Terms, Moment] = {}

    def refresh(self) -> int:
        """Take in what changed; return the number of the last change that is in.

        Raises:
            StorageFailed: the ledger cannot be read; nothing may be released then.
            NumberUnreadable: the ledger is of another secret, or was altered.
        """
        with self._lock:
            return self._refresh()

    def in_force(self, terms: Terms, now: datetime) -> pa.Table:
        """Return column ``number`` of all whose consent counts under ``terms``, each once."""
        return self.read(terms, now).in_force

    def ended(self, terms: Terms, now: datetime) -> pa.Table:
        """Return ``number`` and ``reason`` (see ``WHY``) of who is known and does not count."""
        return self.read(terms, now).ended

    def read(self, terms: Terms, now: datetime) -> "Moment":
        """Return who counts and who does not, with all that was committed before this was asked.

        Where nothing changed and no term ended since the last time, it is what was found then.
        """
        with self._lock:
            sequence = self._refresh()
            found = self._found.get(terms)
            if found is None or found.sequence != sequence or not found.holds_at(now):
                found = self._found[terms] = self._moment(terms, now, sequence)
                if len(self._found) > _MOST_TERMS:
                    self._found.pop(next(iter(self._found)))
            return found

    def close(self) -> None:
        """Let go of the numbers."""
        self._held.close()

    def _moment(self, terms: Terms, now: datetime, sequence: int) -> "Moment":
        in_force, ended = (
            self._held.sql(query).to_arrow_table()
            for query in (_in_force(terms, now), _ended(terms, now))
        )
        return Moment(
            in_force=in_force,
            ended=ended,
            sequence=sequence,
            begins=to_micros(now),
            ends=count(self._held, _next_end(terms, now)) or None,
        )

    def _refresh(self) -> int:
        store, tenant = self._ledger.store, self._ledger.tenant
        newest = store.read(lambda connection: newest_change(connection, tenant))
        if newest < self._sequence:  # restored from a backup: nothing that was seen is certain
            self._held.execute("delete from standings")
            self._sequence = 0
        while self._sequence < newest:
            self._take_in(self._sequence, min(self._sequence + _AT_ONCE, newest))
        return self._sequence

    def _take_in(self, after: int, last: int) -> None:
        """Take in some changes; what is changed once more meanwhile comes under its next number."""
        columns = (standings.c.subject, *(standings.c[name] for name in _COLUMNS[1:]))
        query = sa.select(*columns).where(
            standings.c.tenant == self._ledger.tenant,
            standings.c.sequence > after,
            standings.c.sequence <= last,
        )
        rows = self._ledger.store.read(
            lambda connection: [tuple(row) for row in connection.execute(query)]
        )
        if rows:
            self._put(rows, is_first=after == 0)
        self._sequence = last  # only with them: what was not taken in is asked for again

    def _put(self, rows: list[tuple[object, ...]], *, is_first: bool) -> None:
        columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)]
        columns[0] = [*self._ledger.subjects.opened(str(one) for one in columns[0])]
        named = dict(zip(_COLUMNS, columns, strict=False))
        types = [pa.string()] * 3 + [pa.int32()] + [pa.string()] * 2 + [pa.int64()]
        changed = pa.table(
            [pa.array(named[name], kind) for name, kind in zip(_COLUMNS, types, strict=True)],
            names=list(_COLUMNS),
        )
        self._held.register("changed", changed)
        try:
            self._held.execute("begin")
            if not is_first:
                self._held.execute(
                    "delete from standings s using changed c where s.number = c.number"
                    " and s.purpose = c.purpose and s.tier = c.tier"
                )
            self._held.execute("insert into standings select * from changed")
            self._held.execute("commit")
        finally:
            self._held.unregister("changed")


def ended_since(connection: sa.Connection, tenant: str, *, after: int, purpose: str) -> int:
    """Return how many consents to a purpose have ended after a change that somebody has seen."""
    query = (
        sa.select(sa.func.count())
        .select_from(standings)
        .where(
            standings.c.tenant == tenant,
            standings.c.sequence > after,
            standings.c.purpose == purpose,
            standings.c.state != State.GRANTED.value,
        )
    )
    return connection.execute(query).scalar_one()


def _in_force(terms: Terms, now: datetime) -> str:
    fits = f"{_is_of(terms)} and tier in ({_tiers(terms)}) and ({_why(terms, now)}) = 0"
    # A key holds one row of a tier, so nobody is counted twice.
    having = f" group by number having count(*) = {len(terms.tiers)}"
    return f"select number from standings where {fits}{having if len(terms.tiers) > 1 else ''}"  # noqa: S608 - of checked files


def _ended(terms: Terms, now: datetime) -> str:
    asked, why = f"tier in ({_tiers(terms)})", _why(terms, now)
    names = " ".join(f"when {number} then {literal(name)}" for name, number in WHY.items())
    each = f"select number, tier, {why} as why from standings where {_is_of(terms)}"  # noqa: S608 - of checked files
    if len(terms.tiers) == 1:  # most are in order: only the others are looked at
        here = f"select number from ({each}) where {asked}"  # noqa: S608 - likewise
        lacking = f"select distinct number, {WHY['other_tier']} as why from ({each})"  # noqa: S608 - likewise
        people = (
            f"select number, why from ({each}) where {asked} and why > 0"  # noqa: S608 - likewise
            f" union all {lacking} where not {asked} and number not in ({here})"
        )
    else:
        worst = f"coalesce(nullif(max(why) filter ({asked}), 0), {WHY['other_tier']}) as why"
        having = f"having count(*) filter ({asked} and why = 0) < {len(terms.tiers)}"
        people = f"select number, {worst} from ({each}) x group by number {having}"  # noqa: S608 - likewise
    return f"select number, case why {names} end as reason from ({people})"  # noqa: S608 - likewise


def _next_end(terms: Terms, now: datetime) -> str:
    after = f"until > {to_micros(now)}"
    return f"select coalesce(min(until), 0) from standings where {_is_of(terms)} and {after}"  # noqa: S608 - likewise


def _is_of(terms: Terms) -> str:
    return f"purpose = {literal(terms.purpose)}"


def _why(terms: Terms, now: datetime) -> str:
    versions = ", ".join(map(str, sorted(terms.versions))) or "null"
    granted, died, merged = (literal(x.value) for x in (State.GRANTED, Reason.DIED, Reason.MERGED))
    return (
        f"case when reason = {died} then {WHY['died']}"
        f" when reason = {merged} and state <> {granted} then {WHY['merged']}"
        f" when state = {literal(State.WITHDRAWN.value)} then {WHY['withdrawn']}"
        f" when state <> {granted} or until <= {to_micros(now)} then {WHY['expired']}"
        f" when version in ({versions}) then 0 else {WHY['other_version']} end"
    )


def _tiers(terms: Terms) -> str:
    return ", ".join(literal(tier.value) for tier in sorted(terms.tiers))
