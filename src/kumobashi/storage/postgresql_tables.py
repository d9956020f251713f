"""A system's tables in PostgreSQL: read as Arrow by ADBC, written by COPY through asyncpg.

All of it is compiled code; no row becomes a Python object. Arrow batches become the binary form of
COPY, which PostgreSQL reads in three quarters of the time that it takes for CSV.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime

import adbc_driver_postgresql.dbapi as adbc
import asyncpg
import pyarrow as pa

from kumobashi.storage.applying import Newest, check_order
from kumobashi.storage.copy_binary import HEADER, TRAILER, encode
from kumobashi.storage.errors import (
    LoadIncomplete,
    RowsRemain,
    StorageFailed,
    TableMissing,
    unreachable,
)
from kumobashi.storage.removing import Standing, decide
from kumobashi.storage.tables import (
    APPLIED_TABLE,
    CREATE_APPLIED,
    CREATE_DELETED,
    DELETED_TABLE,
    Applied,
    ColumnSpec,
    HeldBack,
    Load,
    Query,
    Removal,
    Removed,
    create_table_sql,
    quoted,
)

_BATCH_ROWS = 32_768  # encoded and sent at once: about 6 MB


class PostgreSQLTables:
    """Meets ``TableStore``; ``dsn`` is a libpq URI and never logged."""

    def __init__(
        self, system: str, dsn: str, schema: str = "public", *, name: str | None = None
    ) -> None:
        self.system = system
        self.name = name or system  # what people call it
        self.schema = schema
        self._dsn = dsn

    @contextmanager
    def reading(self, on: date | None = None) -> Iterator["PostgreSQLSnapshot"]:  # noqa: ARG002 - a database has one state
        """Open one snapshot: a repeatable-read, read-only transaction."""
        try:
            connection = adbc.connect(self._dsn)
        except (adbc.Error, OSError) as error:
            raise unreachable(self.system, self.name, error) from None
        try:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
                cursor.execute(f"set local search_path to {quoted(self.schema)}")
            yield PostgreSQLSnapshot(self.system, connection)
        finally:
            connection.close()

    def apply(self, load: Load) -> Applied:
        """Write the rows and the bundle's identity in one transaction."""
        return asyncio.run(self._apply(load))

    async def _apply(self, load: Load) -> Applied:
        async with self._connected() as target, target.transaction():
            await target.execute(CREATE_APPLIED)
            await target.execute(CREATE_DELETED)
            await target.execute(f"lock table {APPLIED_TABLE} in share row exclusive mode")
            done = await target.fetchrow(
                f"select rows, deleted, total from {APPLIED_TABLE}"
                " where tenant = $1 and transfer = $2",
                load.tenant,
                load.transfer,
            )
            if done:
                return Applied(rows=done[0], deleted=done[1], total=done[2], already=True)
            check_order(load, await self._newest(target, load.tenant, load.link))
            await target.execute(create_table_sql(load))
            deleted = 0
            if load.mode == "full":
                await target.execute(f"truncate {quoted(load.table)}")
            else:
                deleted = await self._delete(target, load)
            count = await self._copy(target, load.table, load.columns, load.relation, load)
            if count != load.rows:
                raise LoadIncomplete(expected=load.rows, got=count)
            total = count
            if load.mode == "difference":
                total = await target.fetchval(f"select count(*) from {quoted(load.table)}")
            await target.execute(
                f"insert into {APPLIED_TABLE} values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
                load.tenant,
                load.transfer,
                load.link,
                load.business_date,
                load.sequence,
                load.mode,
                count,
                deleted,
                total,
                datetime.now(UTC).replace(tzinfo=None),
            )
            load.before_commit()
            return Applied(rows=count, deleted=deleted, total=total, already=False)

    def remove(self, removal: Removal) -> Removed:
        """Delete the rows and note it in one transaction; a second time returns what is noted."""
        return asyncio.run(self._remove(removal))

    async def _remove(self, removal: Removal) -> Removed:
        key = (removal.tenant, removal.transfer)
        async with self._connected() as target, target.transaction():
            await target.execute(CREATE_APPLIED)
            await target.execute(CREATE_DELETED)
            await target.execute(f"lock table {APPLIED_TABLE} in share row exclusive mode")
            noted = await target.fetchrow(
                f"select rows, taken_over_by from {DELETED_TABLE}"
                " where tenant = $1 and transfer = $2",
                *key,
            )
            if noted:
                return Removed(rows=noted[0], taken_over_by=noted[1], already=True)
            known = await target.fetchval(
                f"select 1 from {APPLIED_TABLE} where tenant = $1 and transfer = $2", *key
            )
            newest = await self._newest(target, removal.tenant, removal.link)
            decided = decide(
                removal.transfer, Standing(newest.transfer if newest else None, bool(known))
            )
            rows = 0
            if decided.takes_rows:
                table = quoted(removal.table)
                status = await target.execute(f"delete from {table}")
                rows = int(status.split()[-1])
                if left := await target.fetchval(f"select count(*) from {table}"):
                    raise RowsRemain(rows=left)
            await target.execute(
                f"insert into {DELETED_TABLE} values ($1, $2, $3, $4, $5, $6)",
                *key,
                removal.link,
                rows,
                decided.taken_over_by,
                datetime.now(UTC).replace(tzinfo=None),
            )
            return Removed(rows=rows, taken_over_by=decided.taken_over_by, already=False)

    async def _newest(self, target: asyncpg.Connection, tenant: str, link: str) -> Newest | None:
        found = await target.fetchrow(
            "select a.transfer, a.business_date, a.sequence, d.transfer is not null"
            f" from {APPLIED_TABLE} a left join {DELETED_TABLE} d"
            " on d.tenant = a.tenant and d.transfer = a.transfer"
            " where a.tenant = $1 and a.link = $2"
            " order by a.business_date desc, a.sequence desc limit 1",
            tenant,
            link,
        )
        return Newest(*found) if found else None

    async def _delete(self, target: asyncpg.Connection, load: Load) -> int:
        specs = tuple(column for column in load.columns if column.name in load.key)
        key = ", ".join(quoted(column.name) for column in specs)
        typed = ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in specs)
        deleted = 0
        for relation in (load.deleted_relation, load.relation):
            if relation is None:
                continue
            await target.execute(f"create temp table kumobashi_keys ({typed}) on commit drop")
            await self._copy(target, "kumobashi_keys", specs, relation, load)
            status = await target.execute(
                f"delete from {quoted(load.table)}"
                f" where ({key}) in (select {key} from kumobashi_keys)"
            )
            await target.execute("drop table kumobashi_keys")
            if relation == load.deleted_relation:
                deleted = int(status.split()[-1])
        return deleted

    async def _copy(
        self,
        target: asyncpg.Connection,
        table: str,
        columns: tuple[ColumnSpec, ...],
        relation: str,
        load: Load,
    ) -> int:
        status: str = await target.copy_to_table(
            table,
            source=_encoded(load, columns, relation),
            columns=[column.name for column in columns],
            format="binary",
        )
        return int(status.rsplit(maxsplit=1)[-1])

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            connection = await asyncpg.connect(
                self._dsn, server_settings={"search_path": quoted(self.schema)}, timeout=10
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise unreachable(self.system, self.name, error) from None
        try:
            yield connection
        except asyncpg.PostgresConnectionError as error:
            raise unreachable(self.system, self.name, error) from None
        except asyncpg.PostgresError as error:
            # The server's message may quote a row; its class and code do not.
            reason = f"{type(error).__name__} {error.sqlstate or ''}".strip()
            raise StorageFailed(reason=reason) from None
        finally:
            await connection.close(timeout=10)


async def _encoded(
    load: Load, columns: tuple[ColumnSpec, ...], relation: str
) -> AsyncIterator[bytes]:
    """Give a relation in the binary form of COPY, one piece for each batch of rows."""
    selected = ", ".join(quoted(column.name) for column in columns)
    rows = load.connection.cursor().sql(f"select {selected} from {relation}")
    batches = rows.to_arrow_reader(_BATCH_ROWS)

    def next_piece() -> bytes | None:
        batch = next(batches, None)
        return None if batch is None else encode(batch, columns)

    yield HEADER
    while (piece := await asyncio.to_thread(next_piece)) is not None:
        yield piece
    yield TRAILER


class PostgreSQLSnapshot:
    """Meets ``TableReader``."""

    def __init__(self, system: str, connection: adbc.Connection) -> None:
        self.system = system
        self.connection = connection

    def columns(self, table: str) -> dict[str, str]:
        """Return column names and types."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "select column_name::text, data_type::text from information_schema.columns"
                " where table_schema = current_schema() and table_name = $1"
                " order by ordinal_position",
                (table,),
            )
            rows = cursor.fetchall()
        if not rows:
            raise TableMissing(system=self.system, table=table)
        return dict(rows)

    def count(self, query: Query) -> int:
        """Return how many rows the query gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(query.count_sql())
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def hold_back(self, table: str, *, leave_out: bool) -> HeldBack:  # noqa: ARG002 - the port
        """Find nothing: the columns' types have been checked by whoever wrote them."""
        return HeldBack()

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the rows in batches, by COPY in binary form."""
        with self.connection.cursor() as cursor:
            cursor.execute(query.sql())
            yield cursor.fetch_record_batch()
