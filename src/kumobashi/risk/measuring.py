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

from kumobashi.risk.distributions import Spread
from kumobashi.risk.errors import (
    ColumnTwice,
    ColumnUnknown,
    NoColumns,
    NoRows,
    NotOrdered,
    PopulationSmaller,
    TooManyRows,
)
from kumobashi.risk.measures import Measures, Sizes, tell
from kumobashi.risk.spreads import Ranked, make_classes, measure_spreads
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

MOST_ROWS = (1 << 31) - 1  # products of two such numbers fit into 64 bits
_CELLS = '"·cells"'  # names that no table of a caller has
_CLASSES = '"·classes"'
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
        ranked = [
            Ranked(
                column=one.column,
                values=_values(place),
                spread=rank_values(work, _CELLS, _values(place), one, types[one.column]),
            )
            for place, one in enumerate(sensitive)
        ]
        make_classes(work, _CELLS, columns, ranked, into=_CLASSES)
        found = measure_spreads(work, _CELLS, _CLASSES, columns, ranked)
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
    """Count the rows by all columns that matter; all tables live as long as the context."""
    names = ", ".join(quoted(c) for c in [*columns, *(one.column for one in sensitive)])
    kept = f" where ({suppressed}) is not true" if suppressed else ""
    work.execute(
        f"create or replace temp table {_CELLS} as"
        f" select {names}, count(*) as {quoted('·n')} from {relation}{kept} group by {names}"
    )
    try:
        yield
    finally:
        made = [_values(place) for place in range(len(sensitive))]
        for table in (_CELLS, _CLASSES, *made):
            work.execute(f"drop table if exists {table}")


def _values(place: int) -> str:
    return quoted(f"·values {place}")


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
