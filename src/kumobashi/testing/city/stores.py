"""Write the city where systems keep their data: embedded files, or a real PostgreSQL.

Table and system names come from the schema, never from outside; paths are quoted.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import adbc_driver_postgresql.dbapi as postgresql

from kumobashi.testing.city.city import City
from kumobashi.testing.city.data_times import COLLECTING, data_times
from kumobashi.testing.city.schema import SYSTEMS, TABLES, Table

_ROWS_AT_ONCE = 100_000
_WRITERS = 2  # tables written at the same time
_POSTGRESQL_TYPES = {"VARCHAR": "text", "SMALLINT[]": "smallint[]", "INTEGER[]": "integer[]"}


def write_embedded(city: City, path_by_system: Mapping[str, Path]) -> dict[str, int]:
    """Write one DuckDB file per system, each table in the order of its key; return rows by table.

    A file that exists is replaced. Systems that only receive get their tables, empty.
    """
    written = {}
    for system, path in path_by_system.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        city.connection.execute(f"attach '{_escaped(path)}' as store")
        try:
            for table in SYSTEMS[system]:
                city.connection.execute(f"create table store.{table.name} ({table.ddl()})")
                if not table.is_received:
                    city.connection.execute(
                        f"insert into store.{table.name} {_ordered(f'memory.{table.name}', table)}"
                    )
                    written[table.name] = _rows(city, f"store.{table.name}")
            if system == COLLECTING:
                city.connection.execute(data_times("store."))
        finally:
            city.connection.execute("detach store")
    return written


def write_postgresql(
    city: City,
    dsn: str,
    schema: str = "public",
    *,
    unlogged: bool = False,
    tables: Sequence[str] | None = None,
) -> dict[str, int]:
    """Write the tables (all that hold rows, or ``tables``) to PostgreSQL; return rows by table.

    What has the same name there is replaced. Each table gets its primary key and is analysed.
    """
    chosen = [TABLES[name] for name in (city.tables if tables is None else tables)]
    kind = "unlogged table" if unlogged else "table"
    with postgresql.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f'create schema if not exists "{schema}"')
        connection.commit()
    with ThreadPoolExecutor(_WRITERS) as writers:
        counts = writers.map(lambda table: _write(city, dsn, schema, kind, table), chosen)
        return dict(zip((table.name for table in chosen), counts, strict=True))


def _write(city: City, dsn: str, schema: str, kind: str, table: Table) -> int:
    name = f'"{schema}"."{table.name}"'
    with postgresql.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {name}")
        cursor.execute(f"create {kind} {name} ({table.ddl(_POSTGRESQL_TYPES)})")
        count = 0
        if not table.is_received:
            with city.connection.cursor() as reading:
                rows = reading.sql(_ordered(table.name, table)).to_arrow_reader(_ROWS_AT_ONCE)
                count = cursor.adbc_ingest(table.name, rows, mode="append", db_schema_name=schema)
        cursor.execute(f"alter table {name} add primary key ({', '.join(table.key)})")
        connection.commit()
        cursor.execute(f"analyze {name}")
        connection.commit()
    return count


def _ordered(source: str, table: Table) -> str:
    return f"from {source} order by {', '.join(table.key)}"


def _rows(city: City, name: str) -> int:
    return int(city.connection.execute(f"select count(*) from {name}").fetchall()[0][0])


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
