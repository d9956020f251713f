"""Count the rows of a relation in DuckDB for a search: each value becomes a small whole number."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.risk.errors import (
    BaseTooLarge,
    ColumnTwice,
    HierarchyGap,
    LatticeTooLarge,
    NoColumns,
    NoRows,
    PopulationUncovered,
)
from kumobashi.risk.grouping import Codes, Whole
from kumobashi.risk.lattice import Base, Ladder, Ranked, Steps
from kumobashi.risk.measuring import Population, Sensitive, rank_values, require_columns
from kumobashi.storage.counting import count
from kumobashi.storage.tables import quoted

MOST_NODES = 1_000_000
MOST_CELLS = 20_000_000  # some 100 bytes each with nine columns
_BASE = '"·base"'
_PEOPLE = '"·people"'
_COUNT = "n"


def read_base(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    ladders: Sequence[Ladder],
    sensitive: Sequence[Sensitive] = (),
    *,
    population: Population | None = None,
    line: str = "row_number() over ()",
) -> Base:
    """Count the rows of ``relation`` by the finest level of each ladder and the sensitive columns.

    ``line`` is the expression of a row's line, for what is said of values that a hierarchy lacks.

    Raises:
        NoColumns, NoRows, ColumnTwice, ColumnUnknown, LatticeTooLarge, BaseTooLarge,
        NotOrdered
        HierarchyGap, PopulationUncovered: a hierarchy does not hold a value.
    """
    with counted(work, relation, ladders, sensitive, population=population, line=line) as base:
        return base


@contextmanager
def counted(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    ladders: Sequence[Ladder],
    sensitive: Sequence[Sensitive] = (),
    *,
    population: Population | None = None,
    line: str = "row_number() over ()",
) -> Iterator[Base]:
    """Give the base as :func:`read_base`; while it is open, :func:`leaves` say what codes mean."""
    types = _required(work, relation, ladders, sensitive)
    columns = range(len(ladders))
    with ExitStack() as made:
        for table in (_BASE, _PEOPLE, *map(leaves, columns)):
            made.callback(work.execute, f"drop table if exists {table}")
        if all(ladder.is_told for ladder in ladders):
            keys = _count_finest(work, relation, ladders, sensitive, population)
        else:
            for place, ladder in enumerate(ladders):
                _make_leaves(work, relation, place, ladder, population)
            keys = [_key(work, place, ladder) for place, ladder in enumerate(ladders)]
            _make_cells(work, _BASE, relation, keys, sensitive)
            if population:
                _make_cells(work, _PEOPLE, population.relation, keys, ())
        spreads = []
        for place, one in enumerate(sensitive):
            spreads.append(rank_values(work, _BASE, _values(place), one, types[one.column]))
            made.callback(work.execute, f"drop table if exists {_values(place)}")
        cells = _numbered(work, _BASE, keys, sensitive)
        rows = np.asarray(cells[_COUNT], dtype=np.int64)
        if not len(rows):
            raise NoRows(place=relation)
        for place in columns:
            if np.ma.is_masked(cells[f"c{place}"]):
                raise _gap(work, relation, place, ladders[place], line)
        codes = tuple(_small(cells[f"c{place}"]) for place in columns)
        people_codes, people = _people(work, ladders, keys) if population else ((), None)
        steps = tuple(_steps(work, place, ladders[place], codes[place], rows) for place in columns)
        yield Base(
            steps=steps,
            codes=codes,
            rows=rows,
            sensitive={
                one.column: Ranked(ranks=_small(cells[f"s{place}"]), spread=spreads[place])
                for place, one in enumerate(sensitive)
            },
            people_codes=people_codes,
            people=people,
        )


def leaves(place: int) -> str:
    """Name the table of a ladder's finest values: ``code``, and ``v0`` up to its last level."""
    return quoted(f"·leaves {place}")


def _required(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    ladders: Sequence[Ladder],
    sensitive: Sequence[Sensitive],
) -> dict[str, str]:
    """Return the types of the relation's columns, once all can be counted that is named."""
    if not ladders:
        raise NoColumns
    names = [ladder.column for ladder in ladders]
    for name in names:
        if names.count(name) > 1:
            raise ColumnTwice(column=name)
    types = require_columns(work, relation, [one.column for one in sensitive])
    nodes = math.prod(map(_height, ladders))
    if nodes > MOST_NODES:
        raise LatticeTooLarge(nodes=nodes, limit=MOST_NODES)
    return types


def _people(
    work: duckdb.DuckDBPyConnection,
    ladders: Sequence[Ladder],
    keys: Sequence["_Key"],
) -> tuple[tuple[Codes, ...], Whole]:
    """Return the counted population by its leaves."""
    cells = _numbered(work, _PEOPLE, keys, ())
    people = np.asarray(cells[_COUNT], dtype=np.int64)
    for place, ladder in enumerate(ladders):
        if np.ma.is_masked(codes := cells[f"c{place}"]):
            lost = int(people[np.ma.getmaskarray(codes)].sum())
            raise PopulationUncovered(rows=lost, column=ladder.column)
    return tuple(_small(cells[f"c{place}"]) for place in range(len(ladders))), people


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """What tells the leaf of a row: expressions, and the leaves' columns that they must equal."""

    expressions: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[int, ...]


def _height(ladder: Ladder) -> int:
    if ladder.leaves:
        return ladder.height
    return ladder.hierarchy.height if ladder.hierarchy else len(ladder.levels)


def _values(place: int) -> str:
    return quoted(f"·values {place}")


def _make_leaves(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    place: int,
    ladder: Ladder,
    population: Population | None,
) -> None:
    """Give each finest value of a column a number, in a table with a column for each level."""
    table = leaves(place)
    if ladder.hierarchy:
        rows = list(zip(*ladder.hierarchy.ladders.values(), strict=True))
        arrays = [pa.array(values, pa.string()) for values in rows]
        names = [f"v{level}" for level in range(len(arrays))]
        work.register("·incoming", pa.Table.from_arrays(arrays, names=names))
        source = "(from " + quoted("·incoming") + ")"
    else:
        levels = ", ".join(f"{one} as v{level}" for level, one in enumerate(ladder.levels))
        source = f"(select {levels} from {relation}"
        source += f" union select {levels} from {population.relation})" if population else ")"
    work.execute(
        f"create or replace temp table {table} as select row_number() over () - 1 as code, *"
        f" from (select distinct * from {source} order by all)"
    )
    if ladder.hierarchy:
        work.unregister("·incoming")


def _key(work: duckdb.DuckDBPyConnection, place: int, ladder: Ladder) -> _Key:
    """Return what to match: the finest level, or all where it does not tell the coarser ones."""
    table = leaves(place)
    ((values, finest),) = work.execute(
        f"select count(*), (select count(*) from (select distinct v0 from {table})) from {table}"
    ).fetchall()
    levels = range(1 if values == finest else len(ladder.levels))
    text = "::varchar" if ladder.hierarchy else ""
    return _Key(
        expressions=tuple(ladder.levels[level] + text for level in levels),
        names=tuple(quoted(f"·q{place} {level}") for level in levels),
        levels=tuple(levels),
    )


def _count_finest(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    ladders: Sequence[Ladder],
    sensitive: Sequence[Sensitive],
    population: Population | None,
) -> list[_Key]:
    """Count by the finest levels alone, and take the leaves from the counts: far fewer than rows.

    For ladders whose finest value tells all the others.
    """
    keys = []
    for place, ladder in enumerate(ladders):
        name = quoted(f"·q{place} 0")
        keys.append(_Key(expressions=ladder.levels[:1], names=(name,), levels=(0,)))
    _make_cells(work, _BASE, relation, keys, sensitive)
    if population:
        _make_cells(work, _PEOPLE, population.relation, keys, ())
    for place, ladder in enumerate(ladders):
        source = f"from {ladder.leaves}"
        if ladder.leaves is None:
            told, counted_in = keys[place].names[0], [_BASE, *([_PEOPLE] if population else [])]
            source = " union ".join(
                f"select distinct {told} as v0 from {one}" for one in counted_in
            )
        work.execute(
            f"create or replace temp table {leaves(place)} as"
            f" select row_number() over (order by v0 nulls last) - 1 as code, * from ({source})"
        )
    return keys


def _make_cells(
    work: duckdb.DuckDBPyConnection,
    table: str,
    relation: str,
    keys: Sequence[_Key],
    sensitive: Sequence[Sensitive],
) -> None:
    """Count the rows of a relation by what tells their leaves, and by sensitive values."""
    told = [
        f"{expression} as {name}"
        for key in keys
        for expression, name in zip(key.expressions, key.names, strict=True)
    ]
    told += [quoted(one.column) for one in sensitive]
    work.execute(
        f"create or replace temp table {table} as"
        f" select {', '.join(told)}, count(*) as {quoted('·n')} from {relation} group by all"
    )


def _numbered(
    work: duckdb.DuckDBPyConnection,
    table: str,
    keys: Sequence[_Key],
    sensitive: Sequence[Sensitive],
) -> dict[str, Whole]:
    """Return the cells with leaves and values as numbers; a leaf that is not known is masked."""
    cells = count(work, f"select count(*) from {table}")
    if cells > MOST_CELLS:
        raise BaseTooLarge(cells=cells, limit=MOST_CELLS)
    told, joins = [], []
    for place, key in enumerate(keys):
        told.append(f"l{place}.code::integer as c{place}")
        same = " and ".join(
            f"t.{name} is not distinct from l{place}.v{level}"
            for name, level in zip(key.names, key.levels, strict=True)
        )
        joins.append(f" left join {leaves(place)} as l{place} on {same}")
    for place, one in enumerate(sensitive):
        told.append(f"s{place}.rank::integer as s{place}")
        same = f"t.{quoted(one.column)} is not distinct from s{place}.value"
        joins.append(f" join {_values(place)} as s{place} on {same}")
    found = work.execute(
        f"select {', '.join(told)}, t.{quoted('·n')} as {_COUNT} from {table} as t{''.join(joins)}"
    ).fetchnumpy()
    return dict(found)


def _small(codes: Whole) -> Codes:
    return np.asarray(codes, dtype=np.int32)


def _gap(
    work: duckdb.DuckDBPyConnection, relation: str, place: int, ladder: Ladder, line: str
) -> HierarchyGap:
    """Return what is said of values that a hierarchy lacks: how many, where, and never which."""
    value = f"{ladder.levels[0]}::varchar"
    ((values, rows, first),) = work.execute(
        f"select count(distinct coalesce(value, '')), count(*), min(line) from"
        f" (select {value} as value, {line} as line from {relation})"
        f" where value is null or value not in (select v0 from {leaves(place)})"
    ).fetchall()
    file = ladder.hierarchy.file if ladder.hierarchy else ""
    return HierarchyGap(file=file, column=ladder.column, values=values, rows=rows, line=first)


def _steps(
    work: duckdb.DuckDBPyConnection, place: int, ladder: Ladder, codes: Codes, rows: Whole
) -> Steps:
    """Give the values of each level their numbers; leaves that no row has count too."""
    height = _height(ladder)
    ranks = ", ".join(
        f"(dense_rank() over (order by v{level} nulls last) - 1)::integer as l{level}"
        for level in range(height)
    )
    found = work.execute(f"select {ranks} from {leaves(place)} order by code").fetchnumpy()
    ids = tuple(_small(found[f"l{level}"]) for level in range(height))
    sizes = tuple(int(one.max()) + 1 for one in ids)
    pairs = zip(ids[:-1], ids[1:], sizes[:-1], sizes[1:], strict=True)
    return Steps(
        column=ladder.column,
        ids=ids,
        sizes=sizes,
        leaf_rows=np.bincount(codes, weights=rows, minlength=len(ids[0])).astype(np.int64),
        is_nested=all(
            len(np.unique(finer.astype(np.int64) * coarse + coarser)) == fine
            for finer, coarser, fine, coarse in pairs
        ),
    )
