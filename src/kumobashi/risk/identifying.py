"""How well columns tell people apart, alone and together (R. Motwani and Y. Xu, 2007).

>>> with duckdb.connect() as work:
...     _ = work.execute(
...         "create table r as select * from (values (20), (30), (40), (20)) as t(age)"
...     )
...     identifying(work, "r", [["age"]])[0].distinction
0.75
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kumobashi.risk.errors import NoRows
from kumobashi.risk.measuring import require_columns
from kumobashi.storage.tables import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifying:
    """``distinction``: distinct combinations ÷ rows; ``separation``: pairs that differ ÷ pairs."""

    columns: tuple[str, ...]
    distinction: float
    separation: float


def identifying(
    work: duckdb.DuckDBPyConnection, relation: str, combinations: Sequence[Sequence[str]]
) -> tuple[Identifying, ...]:
    """Return what each combination of columns tells apart; a single row has no pairs: 0.

    Raises:
        ColumnUnknown, ColumnTwice, NoRows
    """
    found, n = [], quoted("·n")
    for columns in combinations:
        require_columns(work, relation, columns)
        by = ", ".join(map(quoted, columns))
        ((classes, rows, same),) = work.execute(
            f"select count(*), sum({n}), sum({n} * ({n} - 1) // 2)"
            f" from (select count(*)::hugeint as {n} from {relation} group by {by})"
        ).fetchall()
        if not classes:
            raise NoRows(place=relation)
        rows = int(rows)
        pairs = rows * (rows - 1) // 2
        found.append(
            Identifying(
                columns=tuple(columns),
                distinction=classes / rows,
                separation=(pairs - int(same)) / pairs if pairs else 0.0,
            )
        )
    return tuple(found)
