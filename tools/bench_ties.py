"""What asking the ties of a release costs: ``python -m tools.bench_ties --residents 400000``.

A registry in SQLite with a tie for each resident, every fiftieth withdrawn, a third of them with
room for few transfers. Measured is what a release does: see what changed, take the residents over
into the working database and join; then the commit that seals, with the list of the ties. The first
rounds count no list, the last ones count all that were made before.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import duckdb
import sqlalchemy as sa

from kumobashi.consent.subjects import Subjects
from kumobashi.evidence.revisions import revise
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import new_id, to_micros
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.tables import Query
from kumobashi.testing.clocks import HandClock
from kumobashi.ties import Book, Channel, Frequency, Service, Terms
from kumobashi.ties.asked import Asked
from kumobashi.ties.records import kept
from kumobashi.ties.snapshot import Snapshot
from kumobashi.ties.source import TieStore
from kumobashi.ties.sql import revisions, ties

T = TypeVar("T")
TENANT, KEY = "999997", "resident_no"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_AT_ONCE = 10_000
_WITHDRAWN_EVERY = 50
SERVICE = Service(
    service="bench",
    name="計測",
    provider="架空市",
    section="計測課",
    clause="架空市計測条例第1条",
    first=date(2026, 1, 1),
)
ASKED = Asked(service="bench", items=frozenset({"name", "address"}), channel=Channel.POST)
OFFER = Terms(
    items=frozenset({"name", "address", "birth_date"}),
    channels=frozenset({Channel.PORTAL, Channel.POST}),
    frequency=Frequency(times=40, days=28),
    first=date(2026, 1, 1),
    last=date(2027, 3, 31),
)


def fill(store: SQLiteState, subjects: Subjects, residents: int, few: int) -> None:
    """Write ties as deeds would leave them; by deeds it would take an hour."""
    room = [replace(OFFER, frequency=Frequency(times=n, days=28)) for n in (few, few + 9, 40)]

    def write(connection: sa.Connection, first: int) -> None:
        rows, chain = [], []
        for number in range(first, min(first + _AT_ONCE, residents)):
            text, salt = room[number % 3].encode(), secrets.token_bytes(16)
            row = {
                "tenant": TENANT,
                "tie": new_id(),
                "subject": subjects.seal(f"{number:010d}"),
                "salt": salt,
                "service": SERVICE.service,
                "state": "in_force" if number % _WITHDRAWN_EVERY else "withdrawn",
                "reason": None,
                "offered": text,
                "terms": text,
                "days": 28,
                "terms_at": to_micros(NOW),
                "since": to_micros(NOW),
                "revisions": 1,
                "sequence": 0,
            }
            told = revise(str(row["tie"]), 1, None, kept(SimpleNamespace(**row)))  # type: ignore[arg-type]
            rows.append({**row, "head": told.hash})
            said = {"tenant": TENANT, "record": row["tie"], "number": 1}
            chain.append({**said, "hash": told.hash, "body": told.body})
        connection.execute(sa.insert(ties), rows)
        connection.execute(sa.insert(revisions), chain)

    for first in range(0, residents, _AT_ONCE):
        store.write(partial(write, first=first))


def timed(work: Callable[[], T]) -> tuple[str, T]:
    """Return seconds and processor seconds in words, and what the work gave."""
    began, spent = time.perf_counter(), time.process_time()
    found = work()
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    return f"{took:.3f} s ({cpu:.3f} s of processors)", found


def check(source: TieStore, work: duckdb.DuckDBPyConnection) -> int:
    """Do what a release does with the ties; return how many residents are let through."""
    with source.reading() as reader:
        for table, columns in (("tied", (KEY, "high", "low")), ("untied", (KEY, "reason"))):
            with reader.stream(Query("ties", columns)) as rows:
                work.register("incoming", rows)
                work.execute(f"create or replace table {table} as select * from incoming")  # noqa: S608 - likewise
                work.unregister("incoming")
    found = work.execute(f"select count(*) from subjects where {KEY} in (select {KEY} from tied)")  # noqa: S608 - our own words
    return int(found.fetchall()[0][0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=400_000)
    parser.add_argument("--transfers", type=int, default=6)
    wish = parser.parse_args()
    clock = HandClock(NOW)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as work:
        work.execute("set threads = 2")
        work.execute(
            f"create table subjects as select lpad(i::varchar, 10, '0') as {KEY}"  # noqa: S608 - numbers
            f" from range({wish.residents}) r(i) order by hash(i)"
        )
        store = SQLiteState(Path(folder) / "state.db", owner="here")
        migrate(store)
        subjects = Subjects(bytes(range(32)), TENANT)
        Book(store, tenant=TENANT, clock=clock).registry.add(SERVICE, by="operator")
        fill(store, subjects, wish.residents, wish.transfers)
        held = Snapshot(store, tenant=TENANT, opened=subjects.opened)
        said, _ = timed(lambda: held.read(ASKED, clock.now()))
        print(f"the first of a process: {said}")
        for number in range(wish.transfers + 3):
            source = TieStore(held, ASKED, tenant=TENANT, clock=clock)
            asked, people = timed(partial(check, source, work))
            carried = work.sql("select high, low from tied").to_arrow_table()
            source.carry(carried["high"], carried["low"])
            seal = partial(source.seal, transfer=new_id(), link="bench")
            sealed, _ = timed(partial(store.write, seal))
            print(f"{number} made before: {people:,} residents, {asked}; sealing {sealed}")
            clock.at += timedelta(hours=1)
        store.close()


if __name__ == "__main__":
    main()
