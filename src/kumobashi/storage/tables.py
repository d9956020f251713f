r"""Tables of business systems: what is asked of a source, and what is asked of a target.

Sources give Arrow record batches, targets take a relation of a DuckDB connection and a bundle's
identity, and write both in one transaction: that is what makes "applied exactly once" true.
Adapters: ``duckdb_tables`` (an embedded file), ``postgresql_tables``, and files in a folder
(``conversion.folder_tables``).

>>> Query(
...     "resident_registry", ("resident_no",), (Condition("resident_status", "in", ("1",)),)
... ).sql()
'select "resident_no" from "resident_registry" where "resident_status" in (\'1\')'
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

from kumobashi.kernel import Finding
from kumobashi.storage.errors import ColumnMissing

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Value = str | int | date


def quoted(name: str) -> str:
    """Return an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Value) -> str:
    """Return an SQL literal; the values come from checked files, never from residents' rows."""
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, int):
        return str(int(value))
    if "\0" in value:
        raise ValueError("NUL in a value")
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a column; several are joined by ``and``."""

    column: str
    op: Literal["in", "not_in_or_null", "at_most", "null_or_after", "not_null"]
    values: tuple[Value, ...] = ()

    def sql(self) -> str:
        """Return the condition in SQL that DuckDB and PostgreSQL both read."""
        name, listed = quoted(self.column), ", ".join(map(literal, self.values))
        match self.op:
            case "in":
                return f"{name} in ({listed})"
            case "not_in_or_null":
                return f"({name} is null or {name} not in ({listed}))"
            case "at_most":
                return f"{name} <= {listed}"
            case "null_or_after":
                return f"({name} is null or {name} > {listed})"
            case "not_null":
                return f"{name} is not null"


@dataclass(frozen=True, slots=True)
class Query:
    """Some columns of the rows of one table that meet all conditions."""

    table: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()

    def sql(self) -> str:
        """Return the query."""
        return f"select {', '.join(map(quoted, self.columns))}{self._rest()}"

    def count_sql(self) -> str:
        """Return the query that counts the same rows."""
        return f"select count(*){self._rest()}"

    def _rest(self) -> str:
        conditions = " and ".join(condition.sql() for condition in self.where)
        return f" from {quoted(self.table)}" + (f" where {conditions}" if conditions else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What was found in rows as they were written, and how many rows are left out for it."""

    findings: tuple[Finding, ...] = ()
    rows: int = 0


class TableReader(Protocol):
    """One snapshot of a source: all that is read through it belongs to one moment."""

    system: str

    def columns(self, table: str) -> dict[str, str]:
        """Return column names and types of a table; raise ``TableMissing``."""

    def count(self, query: Query) -> int:
        """Return how many rows the query gives."""

    def stream(self, query: Query) -> "AbstractContextManager[pa.RecordBatchReader]":
        """Give the rows in batches; memory stays bounded."""

    def hold_back(self, table: str, *, leave_out: bool) -> HeldBack:
        """Hold the rows against their layout where nobody has yet; a database has by its types.

        With ``leave_out`` the rows with findings are in no count and no stream from then on.
        """


def require_columns(reader: TableReader, query: Query) -> None:
    """Raise :class:`TableMissing` or :class:`ColumnMissing` unless the source has what is asked."""
    there = reader.columns(query.table)
    for column in (*query.columns, *(condition.column for condition in query.where)):
        if column not in there:
            raise ColumnMissing(system=reader.system, table=query.table, column=column)


class TableStore(Protocol):
    """The tables of one system."""

    def reading(self, on: date | None = None) -> AbstractContextManager[TableReader]:
        """Open one snapshot for reading; raise ``StoreUnreachable``.

        ``on`` is the business date of a run, for stores that take a file for it and keep it;
        without one somebody only looks. Databases give what they hold now.
        """

    def apply(self, load: "Load") -> "Applied":
        """Write a load once; an earlier load of the same transfer is returned, not repeated."""

    def remove(self, removal: "Removal") -> "Removed":
        """Delete what a transfer still holds here, once; see ``storage.removing``."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a receiving table."""

    name: str
    kind: Literal["text", "integer", "date", "timestamp", "integers"]
    digits: int | None = None

    @property
    def sql_type(self) -> str:
        """The column's type, in words that DuckDB and PostgreSQL both know."""
        match self.kind:
            case "integer":
                return _integer(self.digits)
            case "integers":
                return _integer(self.digits) + "[]"
            case "text" | "date" | "timestamp":
                return self.kind


def _integer(digits: int | None) -> str:
    if digits is not None and digits <= 4:  # noqa: PLR2004 - what two bytes hold for certain
        return "smallint"
    return "integer" if digits is not None and digits <= 9 else "bigint"  # noqa: PLR2004 - likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Rows for one table, with the identity of the bundle they came in."""

    tenant: str
    transfer: str
    link: str
    business_date: date
    sequence: int
    mode: Literal["full", "difference"]
    base_transfer: str | None  # difference: the transfer that must have been applied last
    table: str
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...]
    rows: int  # rows that must arrive
    deleted: int
    connection: "duckdb.DuckDBPyConnection"
    relation: str  # name of the DuckDB relation with the rows
    deleted_relation: str | None  # and of the one with the keys to delete
    before_commit: Callable[[], None]  # the last word: what it raises takes the load back


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What the target's transaction wrote, now or before."""

    rows: int
    deleted: int
    total: int  # rows in the table afterwards
    already: bool  # whether an earlier attempt had written it


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Which transfer's rows are to go."""

    tenant: str
    transfer: str
    link: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What the target's transaction deleted, now or before."""

    rows: int
    taken_over_by: str | None  # the newer transfer that holds the table, when there is one
    already: bool


APPLIED_TABLE = "kumobashi_applied"
CREATE_APPLIED = f"""
create table if not exists {APPLIED_TABLE} (
  tenant text not null, transfer text not null, link text not null, business_date date not null,
  sequence integer not null, mode text not null, rows bigint not null, deleted bigint not null,
  total bigint not null, applied_at timestamp not null, primary key (tenant, transfer))
"""


DELETED_TABLE = "kumobashi_deleted"
CREATE_DELETED = f"""
create table if not exists {DELETED_TABLE} (
  tenant text not null, transfer text not null, link text not null, rows bigint not null,
  taken_over_by text, deleted_at timestamp not null, primary key (tenant, transfer))
"""


def create_table_sql(load: Load) -> str:
    """Return the statement that makes the receiving table where there is none."""
    columns = [f"{quoted(c.name)} {c.sql_type}" for c in load.columns]
    if load.mode == "difference":
        columns.append(f"primary key ({', '.join(map(quoted, load.key))})")
    return f"create table if not exists {quoted(load.table)} ({', '.join(columns)})"
