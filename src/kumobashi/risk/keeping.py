"""Say which classes of some rows may leave as they are, and measure what is then left.

For rows that are as coarse as they will be: a gate drops all rows of the other classes. Which they
are is decided as at a node of a lattice, so a search and what is released after it agree.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from kumobashi.risk.climbing import Climber
from kumobashi.risk.counting import counted, leaves
from kumobashi.risk.errors import PopulationSmaller
from kumobashi.risk.lattice import Ladder
from kumobashi.risk.measures import Measures
from kumobashi.risk.measuring import Population, Sensitive
from kumobashi.risk.nodes import Lattice
from kumobashi.risk.suppressing import ClassesAt
from kumobashi.risk.thresholds import Thresholds
from kumobashi.storage.tables import quoted


def keep_classes(
    work: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    thresholds: Thresholds,
    sensitive: Sequence[Sensitive] = (),
    *,
    population: Population | None = None,
    into: str,
) -> Measures | None:
    """Write the classes that break no limit into the new table ``into``; None: all break one.

    ``into`` has the columns ``columns`` and one row for each class. The measures are of the kept
    rows; ``thresholds.broken`` of them says what stands in the way still, too much suppression
    above all.

    >>> with duckdb.connect() as work:
    ...     _ = work.execute("create table r as select unnest(['a', 'a', null]) as town")
    ...     left = keep_classes(work, "r", ["town"], Thresholds(k=2), into="kept")
    ...     work.execute("from kept").fetchall(), left.suppressed
    ([('a',)], 1)

    Raises:
        NoColumns, NoRows, ColumnTwice, ColumnUnknown, NotOrdered
        PopulationSmaller, PopulationMissing, ThresholdUnclear
    """
    ladders = [Ladder(column=column, levels=(quoted(column),), is_told=True) for column in columns]
    with counted(work, relation, ladders, sensitive, population=population) as base:
        lacking = Lattice(base, thresholds).lacking()
        if lacking is not None:
            rows, classes = lacking
            people = 0 if base.people is None else int(base.people.sum())
            raise PopulationSmaller(
                rows=rows, classes=classes, released=base.total, population=people
            )
        finest = tuple(0 for _ in columns)
        named = sorted(base.sensitive)
        seen = ClassesAt(base, thresholds, finest, Climber(base, named).cells(finest), named)
        kept = seen.kept()
        codes = {f"c{place}": one[kept] for place, one in enumerate(seen.codes)}
        work.register("·kept", pa.table(codes))
        told = ", ".join(f"l{place}.v0 as {quoted(name)}" for place, name in enumerate(columns))
        joins = "".join(
            f" join {leaves(place)} as l{place} on k.c{place} = l{place}.code"
            for place in range(len(columns))
        )
        work.execute(f"create table {into} as select {told} from {quoted('·kept')} as k{joins}")
        work.unregister("·kept")
        return seen.measures(kept) if bool(np.any(kept)) else None
