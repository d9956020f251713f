"""How fast a release asks whose consent counts, beside DuckDB's semi join of two bare columns.

A ledger of imported consents in SQLite as a gateway has it; residents as a working database has
them. Both ways count the same people in turns; the benchmark fails when they disagree.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from kumobashi.consent.importing import import_all
from kumobashi.consent.incoming import incoming
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.snapshot import Snapshot, Terms
from kumobashi.consent.source import LedgerStore
from kumobashi.consent.states import Tier
from kumobashi.consent.subjects import Subjects
from kumobashi.consent.texts import ConsentText
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import business_date
from kumobashi.release.consenting import left_out
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.staging import CONSENTS, ENDED_CONSENTS, SUBJECTS
from kumobashi.storage.counting import count
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.tables import Query
from kumobashi.testing.bench.errors import ValuesDiffer
from kumobashi.testing.bench.machine import describe, load
from kumobashi.testing.clocks import HandClock

TENANT, PURPOSE, KEY = "999997", "child-notices", "resident_no"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_CONSENTING, _WITHDRAWN = 75, 3  # of a hundred residents
_WITHDRAWALS = 20  # one by one, between two questions
Tell = Callable[[str], None]


class Spent(NamedTuple):
    """How long something took, and how much of the processors."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWish:
    """How much to measure."""

    residents: int = 400_000
    rounds: int = 5


def bench_consent(wish: ConsentWish, tell: Tell = lambda _what: None) -> dict[str, Any]:
    """Fill a ledger, ask it in turns with the floor, and withdraw between questions.

    Raises:
        ValuesDiffer: the two ways count other people.
    """
    found: dict[str, Any] = {**asdict(wish), "load_before": load()}
    with tempfile.TemporaryDirectory(prefix="kumobashi-bench-") as folder, duckdb.connect() as work:
        work.execute("set threads = 2")
        store = SQLiteState(Path(folder) / "state.db", owner="bench")
        try:
            migrate(store)
            ledger = _ledger(store)
            _residents(work, wish.residents)
            tell("import")
            found["import"] = _filled(ledger, work, Path(folder))
            found |= _asked(ledger, work, wish, tell)
        finally:
            store.close()
    return {**found, "load_after": load(), "machine": asdict(describe(""))}


def _ledger(store: SQLiteState) -> ConsentLedger:
    text = ConsentText.model_validate(
        {
            "kumobashi": 1,
            "purpose": PURPOSE,
            "name": "子育て関連制度のお知らせ",
            "category": {"code": "child-rearing", "name": "子育て関連制度のお知らせ"},
            "versions": [
                {
                    "version": 1,
                    "from": "2026-04-01",
                    "controller": "架空市長",
                    "holder": "架空市",
                    "purpose_of_use": "お知らせを送るため",
                    "tiers": [{"tier": "register", "items": ["生年月"]}],
                    "recorded_as": "電磁的記録",
                }
            ],
        }
    )
    return ConsentLedger(
        store,
        tenant=TENANT,
        subjects=Subjects(bytes(range(32)), TENANT),
        texts=lambda: {PURPOSE: text},
        clock=HandClock(NOW),
    )


def _residents(work: duckdb.DuckDBPyConnection, residents: int) -> None:
    """Make the subjects of a release, in no order."""
    work.execute(
        f"create table {SUBJECTS} as select lpad((i * 7 + 1)::varchar, 10, '0') as {KEY}"
        f" from range({residents}) r(i) order by hash(i)"
    )


def _filled(ledger: ConsentLedger, work: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Any]:
    path = folder / "consents.parquet"
    day = f"case when hash({KEY}) % 100 < {_WITHDRAWN} then '2026-06-01' end"
    work.execute(
        f"copy (select {KEY}, '{PURPOSE}' as purpose, 'register' as tier, '1' as version,"
        f" '2026-05-01' as granted_on, {day} as withdrawn_on from {SUBJECTS}"
        f" where hash({KEY}) % 100 < {_CONSENTING}) to '{path}' (format parquet)"
    )
    began, spent = time.perf_counter(), time.process_time()
    texts = {PURPOSE: ledger.text(PURPOSE)}
    with incoming(path, texts, today=business_date(NOW)) as rows:
        made = import_all(ledger, rows, by="operator")
    return {
        **asdict(made),
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - spent,
    }


def _asked(
    ledger: ConsentLedger, work: duckdb.DuckDBPyConnection, wish: ConsentWish, tell: Tell
) -> dict[str, Any]:
    snapshot = Snapshot(ledger)
    terms = Terms(purpose=PURPOSE, tiers=frozenset({Tier.REGISTER}), versions=frozenset({1}))
    tell("cold")
    began = time.perf_counter()
    snapshot.refresh()
    cold = time.perf_counter() - began
    work.execute(
        f"create table bare as select {KEY} from {SUBJECTS}"
        f" where hash({KEY}) % 100 between {_WITHDRAWN} and {_CONSENTING - 1}"
    )
    ours, floor, reasons = [], [], {}
    for _ in range(wish.rounds + 1):  # the first warms up
        tell("check")
        source = LedgerStore(snapshot, terms, tenant=TENANT, clock=ledger.clock)
        seconds, there = _timed(lambda s=source: _check(s, work))  # type: ignore[misc]
        ours.append(seconds)
        reasons = dict(left_out(_rule(), work))
        seconds, plain = _timed(lambda: _semi_join(work, "bare"))
        floor.append(seconds)
        if there != plain:
            raise ValuesDiffer(what="consents", ours=there, theirs=plain)
    tell("withdraw")
    after = _after_withdrawals(ledger, snapshot, terms, work)
    mine, best = _median(ours[1:]), _median(floor[1:])
    return {
        "in_force": there,
        "left_out": reasons,
        "cold_seconds": cold,
        "seconds": mine.seconds,
        "cpu_seconds": mine.cpu_seconds,
        "fastest_seconds": min(ours).seconds,
        "floor_seconds": best.seconds,
        "floor_cpu_seconds": best.cpu_seconds,
        "fastest_floor_seconds": min(floor).seconds,
        "ratio": mine.seconds / best.seconds,
        "after_withdrawal_seconds": after.seconds,
        "after_withdrawal_cpu_seconds": after.cpu_seconds,
    }


def _check(source: LedgerStore, work: duckdb.DuckDBPyConnection) -> int:
    """Do what a release does: see what changed, take the numbers over, join."""
    with source.reading() as reader:
        for table, columns in ((CONSENTS, (KEY,)), (ENDED_CONSENTS, (KEY, "reason"))):
            query = Query("consent_ledger", columns)
            with reader.stream(query) as rows:
                work.register("incoming", rows)
                work.execute(f"create or replace table {table} as select * from incoming")
                work.unregister("incoming")
    return _semi_join(work, CONSENTS)


def _semi_join(work: duckdb.DuckDBPyConnection, table: str) -> int:
    return count(
        work, f"select count(*) from {SUBJECTS} where {KEY} in (select {KEY} from {table})"
    )


def _after_withdrawals(
    ledger: ConsentLedger, snapshot: Snapshot, terms: Terms, work: duckdb.DuckDBPyConnection
) -> Spent:
    """Withdraw one by one; return the median of the question behind each."""
    numbers = [
        row[0] for row in work.execute(f"select {KEY} from bare limit {_WITHDRAWALS}").fetchall()
    ]
    before, spent = _semi_join(work, CONSENTS), []
    for done, number in enumerate(numbers, 1):
        at = NOW + timedelta(seconds=done)
        ledger.withdraw(number, PURPOSE, stated_at=at, source="desk", by="operator")
        source = LedgerStore(snapshot, terms, tenant=TENANT, clock=ledger.clock)
        seconds, there = _timed(lambda s=source: _check(s, work))  # type: ignore[misc]
        if there != before - done:
            raise ValuesDiffer(what="withdrawn", ours=there, theirs=before - done)
        spent.append(seconds)
    return _median(spent)


def _rule() -> ReleaseRule:
    return ReleaseRule.model_validate(
        {
            "kumobashi": 1,
            "release": "bench",
            "version": 1,
            "name": "例",
            "datasets": {"residents": "integrated-db.residents"},
            "subject": {"dataset": "residents", "key": KEY},
            "consent": {"ledger": True, "purpose": PURPOSE},
            "columns": [{"name": "token", "op": "token", "of": KEY}],
        }
    )


def _timed(work: Callable[[], int]) -> tuple[Spent, int]:
    began, spent = time.perf_counter(), time.process_time()
    found = work()
    return Spent(time.perf_counter() - began, time.process_time() - spent), found


def _median(spent: Sequence[Spent]) -> Spent:
    return Spent(*(statistics.median(column) for column in zip(*spent, strict=True)))
