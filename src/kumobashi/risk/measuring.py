"""Measure the rows of a relation in DuckDB, and read them once.

The rows are counted by their quasi-identifiers and sensitive columns; all else is told from those
counts. GROUP BY decides what is equal: NULL is a value of its own, equal to NULL and to nothing
else, and the empty text is another. Memory is bounded by the connection's ``memory_limit``; what
comes to Python is a batch of classes at a time.

>>> with duckdb.connect() as work:
...     _ = work.execute(
...         "create table r as select * from (values ('f', 1970, 'a'), ('f', 1970, 'b'),"
...         " ('m', 1971, 'a'), ('m', 1971, 'a')) as t(sex, year, benefit)"
...     )
...     found = measure(work, "r", ["sex", "year"], [Sensitive(column="benefit")])
>>> found.k, found.classes, found.l, found.t
(2, 2, 1, 0.25)
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.risk.distributions import Classes, Spread, Whole, told
from kumobashi.risk.errors import (
    ColumnTwice,
    ColumnUnknown,
    NoColumns,
    NoRows,
    NotOrdered,
    PopulationSmaller,
    TooManyRows,
)
from kumobashi.risk.measures import Measures, SensitiveMeasures, Sizes, tell
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

MOST_ROWS = (1 << 31) - 1  # products of two such numbers fit into 64 bits
_CELLS = '"·cells"'  # names that no table of a caller has
_CLASSES = '"·classes"'
_TOLD = '"·told"'  # the cells by the number of their class
_VALUES = '"·values"'
_AT_ONCE = 65_536  # present values
_ORDERED = ("DATE", "TIMESTAMP", "TIME")  # beside numbers, where the caller asks for it
_NUMERIC = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    *("UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitive:
    """A sensitive column.

    ``is_ordered`` None: it is where its type is a number and every row holds a finite one.
    """

    column: str
    is_ordered: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The relation of everybody, with the same quasi-identifiers, equally coarse."""

    relation: str


def measure(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    sensitive: Sequence[Sensitive] = (),
    *,
    population: Population | None = None,
    suppressed: str | None = None,
) -> Measures:
    """Measure ``relation``; rows that meet the predicate ``suppressed`` are in no class.

    Raises:
        NoColumns, ColumnUnknown, ColumnTwice: what is named is not there to be measured.
        NoRows, TooManyRows: there is nothing to measure, or more than the arithmetic is exact for.
        NotOrdered: a column without an order was to be ordered.
        PopulationSmaller: the population does not hold the rows.
    """
    if not columns:
        raise NoColumns
    types = require_columns(work, relation, [*columns, *(one.column for one in sensitive)])
    if population:
        require_columns(work, population.relation, columns)
    with _counted(work, relation, columns, sensitive, suppressed):
        rows, empty, null = _rows(work, columns, types)
        held = count(work, f"select count(*) from {relation}")
        if rows == 0:
            raise NoRows(place=relation)
        if rows > MOST_ROWS:
            raise TooManyRows(rows=rows, limit=MOST_ROWS)
        found: dict[str, SensitiveMeasures] = {}
        for one in sensitive:
            spread = rank_values(work, _CELLS, _VALUES, one, types[one.column])
            found[one.column] = _sensitive(work, one.column, spread, several=len(sensitive) > 1)
        everybody = None
        if population:
            everybody = count(work, f"select count(*) from {population.relation}")
            sizes = _with_population(work, columns, population, rows=rows, everybody=everybody)
        else:
            sizes = _sizes(work)
        measured = tell(sizes)
    return replace(
        measured,
        population=everybody,
        suppressed=held - rows,
        rows_with_null=null,
        rows_with_empty=empty,
        sensitive=found,
    )


def require_columns(
    work: duckdb.DuckDBPyConnection, relation: str, named: Sequence[str]
) -> dict[str, str]:
    """Return the types of all columns, once those that are named are there, each once.

    Raises:
        ColumnUnknown, ColumnTwice
    """
    described = work.execute(f"describe select * from {relation}").fetchall()
    types = {row[0]: row[1] for row in described}
    for column in named:
        if column not in types:
            raise ColumnUnknown(place=relation, column=column, known=", ".join(types))
        if list(named).count(column) > 1:
            raise ColumnTwice(column=column)
    return types


def rank_values(
    work: duckdb.DuckDBPyConnection, cells: str, into: str, one: Sensitive, kind: str
) -> Spread:
    """Rank the values of a sensitive column of counted rows; leave them in the table ``into``.

    ``kind`` is the column's SQL type: it decides whether there is an order, unless ``one`` does.

    Raises:
        NotOrdered: there was to be one, and values have none.
    """
    name, n = quoted(one.column), quoted("·n")
    is_numeric = kind.partition("(")[0] in _NUMERIC
    work.execute(
        f"create or replace temp table {into} as"
        f" select {name} as value, sum({n})::bigint as n,"
        f" row_number() over (order by {name} nulls last) - 1 as rank from {cells} group by {name}"
    )
    without = "true"
    if is_numeric or kind in _ORDERED:
        is_float = kind in {"FLOAT", "DOUBLE"}
        without = "value is null" + (" or not isfinite(value)" if is_float else "")
    lost = count(work, f"select coalesce(sum(n), 0) from {into} where {without}")
    if one.is_ordered and lost:
        raise NotOrdered(column=one.column, rows=lost)
    rows = work.execute(f"select n from {into} order by rank").fetchnumpy()["n"]
    wished = is_numeric if one.is_ordered is None else one.is_ordered
    return Spread(rows=np.asarray(rows, dtype=np.int64), is_ordered=wished and not lost)


@contextmanager
def _counted(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    sensitive: Sequence[Sensitive],
    suppressed: str | None,
) -> Iterator[None]:
    """Count the rows by all columns that matter, and by class, in tables that live in the context.

    Classes get a number each: joined and sorted by it, all can be spilled, which lists cannot.
    """
    by = ", ".join(map(quoted, columns))
    names = ", ".join(quoted(c) for c in [*columns, *(one.column for one in sensitive)])
    kept = f" where ({suppressed}) is not true" if suppressed else ""
    work.execute(
        f"create or replace temp table {_CELLS} as"
        f" select {names}, count(*) as {quoted('·n')} from {relation}{kept} group by {names}"
    )
    try:
        work.execute(
            f"create or replace temp table {_CLASSES} as select *, row_number() over () as"
            f" {quoted('·class')} from (select {by}, sum({quoted('·n')})::bigint as {quoted('·n')}"
            f" from {_CELLS} group by {by})"
        )
        if sensitive:
            same = " and ".join(
                f"c.{quoted(q)} is not distinct from k.{quoted(q)}" for q in columns
            )
            told = "".join(f", c.{quoted(one.column)}" for one in sensitive)
            work.execute(
                f"create or replace temp table {_TOLD} as select k.{quoted('·class')},"
                f" c.{quoted('·n')}{told} from {_CELLS} as c join {_CLASSES} as k on {same}"
            )
        yield
    finally:
        for table in (_CELLS, _CLASSES, _TOLD, _VALUES):
            work.execute(f"drop table if exists {table}")


def _rows(
    work: duckdb.DuckDBPyConnection, columns: Sequence[str], types: Mapping[str, str]
) -> tuple[int, int, int]:
    """Return all rows, those with an empty text and those with NULL in a quasi-identifier."""
    texts = [quoted(column) for column in columns if types[column] == "VARCHAR"]
    empty = " or ".join(f"coalesce({name} = '', false)" for name in texts) or "false"
    null = " or ".join(f"{quoted(c)} is null" for c in columns)
    n = f"sum({quoted('·n')})"
    ((rows, with_empty, with_null),) = work.execute(
        f"select {n}, {n} filter ({empty}), {n} filter ({null}) from {_CELLS}"
    ).fetchall()
    return int(rows or 0), int(with_empty or 0), int(with_null or 0)


def _sizes(work: duckdb.DuckDBPyConnection) -> tuple[Sizes, ...]:
    n = quoted("·n")
    found = work.execute(f"select {n}, count(*) from {_CLASSES} group by {n}").fetchall()
    return tuple(Sizes(rows=size, population=None, classes=classes) for size, classes in found)


def _with_population(
    work: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    population: Population,
    *,
    rows: int,
    everybody: int,
) -> tuple[Sizes, ...]:
    """Return the sizes with the people of each class; no join, so NULL meets NULL."""
    by = ", ".join(map(quoted, columns))
    n, people = quoted("·n"), quoted("·people")
    found = work.execute(
        f"select s, p, count(*) from (select sum({n}) as s, sum({people}) as p from ("
        f"select {by}, {n}, 0 as {people} from {_CLASSES}"
        f" union all select {by}, 0, 1 from {population.relation}) group by {by})"
        " where s > 0 group by s, p"
    ).fetchall()
    sizes = [Sizes(rows=int(s), population=int(p), classes=n) for s, p, n in found]
    lacking = [one for one in sizes if (one.population or 0) < one.rows]
    if lacking:
        raise PopulationSmaller(
            rows=sum(one.rows * one.classes for one in lacking),
            classes=sum(one.classes for one in lacking),
            released=rows,
            population=everybody,
        )
    return tuple(sizes)


def _sensitive(
    work: duckdb.DuckDBPyConnection,
    column: str,
    spread: Spread,
    *,
    several: bool,
) -> SensitiveMeasures:
    """Measure one sensitive column whose values were ranked."""
    least_l, least_entropy, most_t, most_delta = len(spread.rows), np.inf, 0.0, 0.0
    for classes in _in_classes(_present(work, column, several=several)):
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


def _present(
    work: duckdb.DuckDBPyConnection, column: str, *, several: bool
) -> pa.RecordBatchReader:
    """Give the present values of each class: its number, the value's rank, the rows that have it.

    With one sensitive column the cells are these already.
    """
    n = quoted("·n")
    rows, by = (f"sum(c.{n})::bigint", " group by all") if several else (f"c.{n}", "")
    return work.sql(
        f"select c.{quoted('·class')} as class, v.rank, {rows} as n from {_TOLD} as c"
        f" join {_VALUES} as v on c.{quoted(column)} is not distinct from v.value"
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
