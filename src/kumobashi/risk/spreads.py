"""How sensitive values lie in the classes of counted rows, read from DuckDB and measured.

A column of few values is counted value by value while the classes are made; classes in which its
values lie alike are then measured once: of hundreds of thousands a few hundred are left. A column
of many values is read class by class, in batches.

Counted rows are a table with a row for each set of values, and ``·n``, the rows that have it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.risk.distributions import Classes, Spread, Whole, told
from kumobashi.risk.measures import SensitiveMeasures
from kumobashi.storage.tables import quoted

FEW = 8  # values of a column that are counted side by side
_AT_ONCE = 65_536  # present values
_N = quoted("·n")
_CLASS = quoted("·class")
_TOLD = quoted("·told")  # the cells by the number of their class


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A sensitive column, and the table that ranks its values (``value``, ``rank``)."""

    column: str
    values: str
    spread: Spread

    @property
    def is_few(self) -> bool:
        """Whether its values are counted side by side."""
        return len(self.spread.rows) <= FEW


def make_classes(
    work: duckdb.DuckDBPyConnection,
    cells: str,
    columns: Sequence[str],
    sensitive: Sequence[Ranked],
    *,
    into: str,
) -> None:
    """Make the table of classes: their values, their rows, and those of each value of few.

    Where a column has many values classes get a number each: joined and sorted by it, all can be
    spilled, which lists cannot.
    """
    by = ", ".join(f"c.{quoted(column)}" for column in columns)
    few = [(place, one) for place, one in enumerate(sensitive) if one.is_few]
    joined = "".join(
        f" join {one.values} as v{place} on c.{quoted(one.column)} is not distinct from"
        f" v{place}.value"
        for place, one in few
    )
    counted = "".join(
        f", coalesce(sum(c.{_N}) filter (v{place}.rank = {rank}), 0)::bigint"
        f" as {_part(place, rank)}"
        for place, one in few
        for rank in range(1, len(one.spread.rows))
    )
    number = f", row_number() over () as {_CLASS}" if len(few) < len(sensitive) else ""
    work.execute(
        f"create or replace temp table {into} as select *{number} from"
        f" (select {by}, sum(c.{_N})::bigint as {_N}{counted} from {cells} as c{joined}"
        f" group by {by})"
    )


def measure_spreads(
    work: duckdb.DuckDBPyConnection,
    cells: str,
    classes: str,
    columns: Sequence[str],
    sensitive: Sequence[Ranked],
) -> dict[str, SensitiveMeasures]:
    """Measure every sensitive column of what :func:`make_classes` has made."""
    many = [one for one in sensitive if not one.is_few]
    try:
        if many:
            _number(work, cells, classes, columns, many)
        return {
            one.column: _measured(
                _alike(work, classes, place, one)
                if one.is_few
                else _in_classes(_present(work, one, is_alone=len(sensitive) == 1)),
                one.spread,
            )
            for place, one in enumerate(sensitive)
        }
    finally:
        work.execute(f"drop table if exists {_TOLD}")


def _part(place: int, rank: int) -> str:
    return quoted(f"·n {place} {rank}")


def _measured(read: Iterable[Classes], spread: Spread) -> SensitiveMeasures:
    """Measure a column whose values were ranked."""
    least_l, least_entropy, most_t, most_delta = len(spread.rows), np.inf, 0.0, 0.0
    for classes in read:
        found = told(classes, spread)
        least_l = min(least_l, int(found.distinct.min()))
        least_entropy = min(least_entropy, float(found.entropy_l.min()))
        most_t = max(most_t, float(found.t.max()))
        most_delta = max(most_delta, float(found.delta.max()))
    return SensitiveMeasures(
        l=least_l,
        entropy_l=least_entropy,
        t=most_t,
        delta=most_delta,
        is_ordered=spread.is_ordered,
        values=len(spread.rows),
    )


def _alike(
    work: duckdb.DuckDBPyConnection, classes: str, place: int, one: Ranked
) -> Iterator[Classes]:
    """Give the ways in which a column of few values lies in classes, each once."""
    others = [_part(place, rank) for rank in range(1, len(one.spread.rows))]
    first = " - ".join([_N, *others])
    told_of = ", ".join([f"{first} as {_N}", *others])
    reader = work.sql(f"select distinct {told_of} from {classes}").to_arrow_reader(_AT_ONCE)
    for batch in reader:
        rows = np.stack([column.to_numpy() for column in batch.columns], axis=1).astype(np.int64)
        if len(rows):
            at, ranks = np.nonzero(rows)
            yield _classes(np.stack([at, ranks, rows[at, ranks]]))


def _number(
    work: duckdb.DuckDBPyConnection,
    cells: str,
    classes: str,
    columns: Sequence[str],
    sensitive: Sequence[Ranked],
) -> None:
    """Make the table of cells by the number of their class."""
    same = " and ".join(f"c.{quoted(q)} is not distinct from k.{quoted(q)}" for q in columns)
    values = "".join(f", c.{quoted(one.column)}" for one in sensitive)
    work.execute(
        f"create or replace temp table {_TOLD} as select k.{_CLASS}, c.{_N}{values}"
        f" from {cells} as c join {classes} as k on {same}"
    )


def _present(
    work: duckdb.DuckDBPyConnection, one: Ranked, *, is_alone: bool
) -> pa.RecordBatchReader:
    """Give the present values of each class: its number, the value's rank, the rows that have it.

    With one sensitive column the cells are these already.
    """
    rows, by = (f"c.{_N}", "") if is_alone else (f"sum(c.{_N})::bigint", " group by all")
    return work.sql(
        f"select c.{_CLASS} as class, v.rank, {rows} as n from {_TOLD} as c"
        f" join {one.values} as v on c.{quoted(one.column)} is not distinct from v.value"
        f"{by} order by 1, 2"
    ).to_arrow_reader(_AT_ONCE)


def _in_classes(reader: pa.RecordBatchReader) -> Iterator[Classes]:
    """Cut batches of present values, in the order of their classes, so that no class is parted."""
    left = np.empty((3, 0), dtype=np.int64)
    for batch in reader:
        read = np.stack([column.to_numpy() for column in batch.columns])
        held = np.concatenate([left, read], axis=1)
        # The last class may go on in the next batch.
        whole = int(np.searchsorted(held[0], held[0, -1])) if batch.num_rows else 0
        left = held[:, whole:]
        if whole:
            yield _classes(held[:, :whole])
    if left.size:
        yield _classes(left)


def _classes(present: Whole) -> Classes:
    """Return present values, as rows (class, rank, rows), one class after the other."""
    differs = np.concatenate([[True], present[0, 1:] != present[0, :-1]])
    return Classes(starts=np.flatnonzero(differs), ranks=present[1], rows=present[2])
