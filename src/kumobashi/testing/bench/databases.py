"""One PostgreSQL with two databases: the city's, and the one in the cloud.

Both ends in one server is kinder to nobody: every way that is compared reads and writes the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import adbc_driver_postgresql.dbapi as postgresql

from kumobashi.testing.city import City, write_postgresql
from kumobashi.testing.postgresql import BULK, running

READ = (  # the tables that the link reads
    "resident_registry",
    "resident_tax",
    "national_health_insurance",
    "child_allowance",
    "child_support_allowance",
    "public_assistance",
    "consents",
)
# A vacuum that starts by itself would be counted in whatever way has its turn just then.
_SETTINGS = {**BULK, "autovacuum": "off"}
_TOLD = ("fsync", "synchronous_commit", "full_page_writes", "wal_level", *_SETTINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """The running server: addresses of both ends, its main process, its version and settings."""

    source: str
    target: str
    pid: int
    version: str
    settings: dict[str, str]

    def ask(self, database: str, sql: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with postgresql.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def do(self, database: str, *statements: str) -> None:
        """Run statements, each for itself."""
        with (
            postgresql.connect(database, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)

    def settle(self) -> None:
        """Write out what earlier work left behind, so that it is not counted in the next."""
        self.do(self.target, "checkpoint")


@contextmanager
def serving(folder: Path | None) -> Iterator[Databases]:
    """Start the server with two empty databases; its files stay only in a folder of yours."""
    with running(folder, _SETTINGS) as uri:
        with postgresql.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
            for name in ("hall", "cloud"):
                cursor.execute(f"drop database if exists {name}")
                cursor.execute(f"create database {name}")
            cursor.execute("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
            pid = cursor.fetchall()[0][0]
            cursor.execute("select current_setting('server_version')")
            version = str(cursor.fetchall()[0][0])
            names = ", ".join(f"'{name}'" for name in _TOLD)
            cursor.execute(
                f"select name::text, current_setting(name) from pg_settings where name in ({names})"
            )
            settings = {str(name): str(value) for name, value in cursor.fetchall()}
        yield Databases(
            source=_named(uri, "hall"),
            target=_named(uri, "cloud"),
            pid=int(pid),
            version=version,
            settings=settings,
        )


def load(city: City, databases: Databases) -> dict[str, int]:
    """Write the city's tables into the source and leave nothing for a vacuum to do later."""
    written = write_postgresql(city, databases.source, tables=READ)
    databases.do(databases.source, "vacuum (freeze, analyze)", "checkpoint")
    return written


def _named(uri: str, database: str) -> str:
    return urlsplit(uri)._replace(path=f"/{database}").geturl()
