"""How fast risk is measured and levels are searched, beside plain DuckDB and pyCANON.

All ways measure the same rows in turns; the benchmark fails when they disagree. The floor is one
query of DuckDB for k, l, entropy l and t, in floating point and for one column. pyCANON takes part
where it can be imported, on the first rows only: it needs minutes for all.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import duckdb

from kumobashi.risk.counting import read_base
from kumobashi.risk.lattice import Ladder
from kumobashi.risk.measuring import Sensitive, measure
from kumobashi.risk.searching import Found, search
from kumobashi.risk.thresholds import Thresholds
from kumobashi.testing.bench.errors import ValuesDiffer
from kumobashi.testing.bench.machine import describe, load
from kumobashi.testing.bench.risk_rows import COLUMNS, LEVELS, SENSITIVE, make_rows

LIMITS = Thresholds(k=5, max_suppressed=0.05)
_CLOSE = 1e-9
_BY = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWish:
    """How much to measure."""

    rows: int = 400_000
    rounds: int = 3
    pycanon_rows: int = 4_000


def bench_risk(wish: RiskWish, tell: Callable[[str], None] = lambda _what: None) -> dict[str, Any]:
    """Measure both tables and search the levels; say what is being done.

    Raises:
        ValuesDiffer: two ways disagree.
    """
    found: dict[str, Any] = {"rows": wish.rows, "rounds": wish.rounds, "load_before": load()}
    with duckdb.connect() as work:
        work.execute("set threads = 2")
        tell("rows")
        make_rows(work, wish.rows)
        found["tables"] = {
            table: _measured(work, table, wish, tell) for table in ("fine", "coarse")
        }
        found["search"] = _searched(work, tell)
        if find_spec("pycanon"):
            tell("pycanon")
            found["pycanon"] = _beside_pycanon(work, wish.pycanon_rows)
    return {**found, "load_after": load(), "machine": asdict(describe(""))}


def _measured(
    work: duckdb.DuckDBPyConnection, table: str, wish: RiskWish, tell: Callable[[str], None]
) -> dict[str, Any]:
    ours, floor = [], []
    for _ in range(wish.rounds + 1):  # the first warms up
        tell(table)
        times, measures = _timed(
            lambda: measure(work, table, COLUMNS, [Sensitive(column=SENSITIVE)])
        )
        ours.append(times)
        times, plain = _timed(lambda: _floor(work, table))
        floor.append(times)
        one = measures.sensitive[SENSITIVE]
        _agree(table, (measures.k, one.l, one.entropy_l, one.t), plain)
    return {
        "classes": measures.classes,
        "k": measures.k,
        "unique_share": measures.unique_share,
        "t": one.t,
        "seconds": round(median(one.seconds for one in ours[1:]), 3),
        "fastest_seconds": round(min(one.seconds for one in ours[1:]), 3),
        "cpu_seconds": round(median(one.cpu_seconds for one in ours[1:]), 3),
        "floor_seconds": round(median(one.seconds for one in floor[1:]), 3),
        "floor_cpu_seconds": round(median(one.cpu_seconds for one in floor[1:]), 3),
    }


def _floor(work: duckdb.DuckDBPyConnection, table: str) -> tuple[float, ...]:
    """Measure in one query, as one would write it by hand."""
    found = work.execute(
        f"with cells as (select {_BY}, {SENSITIVE} as s, count(*) as n from {table} group by all),"
        " p as (select s, sum(n) / sum(sum(n)) over () as p from cells group by s),"
        f" wide as (select *, sum(n) over (partition by {_BY}) as c from cells join p using (s)),"
        f" classes as (select any_value(c) as c, count(*) as d, sum(n * ln(n)) as e,"
        f" (sum(abs(n / c - p) - p) + 1) / 2 as t from wide group by {_BY})"
        " select min(c), min(d), exp(min(ln(c) - e / c)), max(t) from classes"
    ).fetchall()
    return tuple(found[0])


def _searched(work: duckdb.DuckDBPyConnection, tell: Callable[[str], None]) -> dict[str, Any]:
    """Search by discernibility, and find the same by counting every node in DuckDB."""
    ladders = [Ladder(column=column, levels=levels) for column, levels in LEVELS.items()]
    tell("search")
    preparing, base = _timed(lambda: read_base(work, "fine", ladders))
    searching, found = _timed(lambda: search(base, LIMITS))
    tell("every_node")
    every, (cost, levels) = _timed(lambda: _every_node(work, base.total))
    if not isinstance(found, Found):
        raise ValuesDiffer(what="search")
    _agree("search", (found.losses.discernibility, *found.levels.values()), (cost, *levels))
    return {
        "nodes": found.nodes,
        "looked_at": found.looked_at,
        "levels": found.levels,
        "seconds": round(preparing.seconds + searching.seconds, 3),
        "cpu_seconds": round(preparing.cpu_seconds + searching.cpu_seconds, 3),
        "every_node_seconds": round(every.seconds, 2),
        "every_node_cpu_seconds": round(every.cpu_seconds, 2),
    }


def _every_node(work: duckdb.DuckDBPyConnection, total: int) -> tuple[int, tuple[int, ...]]:
    work.execute(
        f"create or replace temp table base as select {_BY}, count(*) as n from fine group by all"
    )
    best: tuple[int, int, tuple[int, ...]] | None = None
    for node in itertools.product(*(range(len(levels)) for levels in LEVELS.values())):
        by = ", ".join(
            f"{levels[level]} as g{place}"
            for place, (levels, level) in enumerate(zip(LEVELS.values(), node, strict=True))
        )
        ((lost, cost),) = work.execute(
            f"select coalesce(sum(c) filter (c < {LIMITS.k}), 0),"
            f" sum(case when c < {LIMITS.k} then c * {total} else c * c end)"
            f" from (select {by}, sum(n)::bigint as c from base group by all)"
        ).fetchall()
        if lost <= LIMITS.max_suppressed * total:
            rank = (int(cost), sum(node), node)
            best = rank if best is None else min(best, rank)
    if best is None:
        raise ValuesDiffer(what="every node")
    return best[0], best[2]


def _beside_pycanon(work: duckdb.DuckDBPyConnection, rows: int) -> dict[str, Any]:
    """Measure the first rows with pyCANON, and with ours."""
    import pandas as pd  # noqa: PLC0415 - only where somebody installed it
    from pycanon import anonymity  # noqa: PLC0415

    work.execute(f"create or replace temp table part as from fine limit {rows}")
    frame = pd.DataFrame(work.execute("from part").fetchnumpy())
    columns, sensitive = list(COLUMNS), [SENSITIVE]
    measure(work, "part", COLUMNS, [Sensitive(column=SENSITIVE)])
    ours, measures = _timed(lambda: measure(work, "part", COLUMNS, [Sensitive(column=SENSITIVE)]))
    theirs, values = _timed(
        lambda: (
            anonymity.k_anonymity(frame, columns),
            anonymity.l_diversity(frame, columns, sensitive),
            anonymity.t_closeness(frame, columns, sensitive),
        )
    )
    one = measures.sensitive[SENSITIVE]
    _agree("pycanon", (measures.k, one.l, one.t), values)
    return {
        "rows": rows,
        "classes": measures.classes,
        "seconds": round(ours.seconds, 3),
        "pycanon_seconds": round(theirs.seconds, 2),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    seconds: float
    cpu_seconds: float  # of all threads: on a busy machine, what can be compared


def _timed(work: Callable[[], Any]) -> tuple[_Times, Any]:
    began, used = time.perf_counter(), time.process_time()
    made = work()
    took = _Times(seconds=time.perf_counter() - began, cpu_seconds=time.process_time() - used)
    return took, made


def _agree(what: str, ours: tuple[float, ...], theirs: tuple[float, ...]) -> None:
    pairs = zip(ours, theirs, strict=True)
    if any(abs(a - b) > _CLOSE * max(1.0, abs(b)) for a, b in pairs):
        raise ValuesDiffer(what=what)
