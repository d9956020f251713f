"""A system's tables in PostgreSQL: read as Arrow by ADBC, written by COPY through asyncpg.

Both drivers run compiled code; no row becomes a Python object. CSV goes from DuckDB through a pipe
into COPY, because PostgreSQL parses text about as fast as binary and DuckDB writes it in parallel.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime

import adbc_driver_postgresql.dbapi as adbc
import asyncpg
import pyarrow as pa

from kumobashi.storage.applying import Newest, check_order
from kumobashi.storage.errors import LoadIncomplete, StorageFailed, TableMissing, unreachable
from kumobashi.storage.tables import (
    APPLIED_TABLE,
    CREATE_APPLIED,
    Applied,
    ColumnSpec,
    Load,
    Query,
    create_table_sql,
    quoted,
)

_PIPE_CHUNK_BYTES = 1 << 20


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
    def reading(self) -> Iterator["PostgreSQLSnapshot"]:
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
            await target.execute(f"lock table {APPLIED_TABLE} in share row exclusive mode")
            done = await target.fetchrow(
                f"select rows, deleted, total from {APPLIED_TABLE}"
                " where tenant = $1 and transfer = $2",
                load.tenant,
                load.transfer,
            )
            if done:
                return Applied(rows=done[0], deleted=done[1], total=done[2], already=True)
            newest = await target.fetchrow(
                f"select transfer, business_date, sequence from {APPLIED_TABLE}"
                " where tenant = $1 and link = $2"
                " order by business_date desc, sequence desc limit 1",
                load.tenant,
                load.link,
            )
            check_order(load, Newest(*newest) if newest else None)
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
        with _csv_pipe(load, columns, relation) as reading:
            status: str = await target.copy_to_table(
                table, source=_chunks(reading), columns=[c.name for c in columns], format="csv"
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


@contextmanager
def _csv_pipe(load: Load, columns: tuple[ColumnSpec, ...], relation: str) -> Iterator[int]:
    """Let DuckDB write a relation as CSV into a pipe; give the reading end."""
    selected = ", ".join(_csv_value(column) for column in columns)
    reading, writing = os.pipe()
    with suppress(OSError):  # an ordinary pipe holds 64 KiB, and every hand-over costs
        fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _PIPE_CHUNK_BYTES)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            load.connection.cursor().execute(
                f"copy (select {selected} from {relation}) to '/dev/fd/{writing}'"
                " (format csv, header false)"
            )
        except BaseException as error:  # noqa: BLE001 - raised again by the reading side
            failed.append(error)
        finally:
            os.close(writing)

    writer = threading.Thread(target=write, name="csv-to-copy")
    writer.start()
    try:
        yield reading
    finally:
        os.close(reading)
        writer.join()
    if failed:
        raise StorageFailed(reason=type(failed[0]).__name__) from failed[0]


def _csv_value(column: ColumnSpec) -> str:
    name = quoted(column.name)
    if column.kind == "integers":
        return f"case when {name} is not null then '{{' || array_to_string({name}, ',') || '}}' end"
    return name


async def _chunks(descriptor: int) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(os.read, descriptor, _PIPE_CHUNK_BYTES):
        yield chunk


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

    @contextmanager
    def stream(self, query: Query) -> Iterator[pa.RecordBatchReader]:
        """Give the rows in batches, by COPY in binary form."""
        with self.connection.cursor() as cursor:
            cursor.execute(query.sql())
            yield cursor.fetch_record_batch()
