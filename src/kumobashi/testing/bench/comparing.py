"""Whether two ways left the same table behind: columns, types, rows."""

from dataclasses import dataclass

from kumobashi.testing.bench.databases import Databases
from kumobashi.testing.bench.errors import RowsDiffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A table's columns with their types, the number of its rows, and a sum over all of them."""

    columns: tuple[tuple[str, str], ...]
    rows: int
    digest: int


def content(databases: Databases, database: str, table: str) -> Content:
    """Read what a table holds; the sum does not depend on the order of rows."""
    columns = databases.ask(
        database,
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute"
        f" where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped"
        " order by attnum",
    )
    rows, digest = databases.ask(
        database,
        "select count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint), 0)"
        f"::bigint from {table} t",
    )[0]
    return Content(
        columns=tuple((str(name), str(kind)) for name, kind in columns),
        rows=int(str(rows)),
        digest=int(str(digest)),
    )


def refuse_difference(ours: Content, theirs: Content, way: str) -> None:
    """Compare our table with another's.

    Raises:
        RowsDiffer: they are not the same.
    """
    for what in ("columns", "rows", "digest"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if mine != other:
            raise RowsDiffer(what=f"{way}: {what}: {mine} / {other}")
