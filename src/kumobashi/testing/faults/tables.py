"""Read tables where they stand, past every line of the code that filled them.

>>> digest_of(("架空 花子", None, 7)) == digest_of(("架空 花子", None, 7))
True
>>> digest_of(("1", None)) == digest_of((1, None))
False
"""

import hashlib
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql
import duckdb

Row = tuple[Any, ...]
_PATIENCE_SECONDS = 20.0
_GONE = "select transfer, link from kumobashi_deleted"
_MARKERS = "select transfer, link, business_date, sequence from kumobashi_applied order by {}"


def digest_of(values: Sequence[object]) -> str:
    """Return 20 hexadecimal digits that stand for a row; types count, their names do not."""
    shown = "\x1f".join(f"{type(value).__name__[:1]}{value}" for value in values)
    return hashlib.sha256(shown.encode("utf-8")).hexdigest()[:20]


def ask_duckdb(path: Path, query: str) -> list[Row]:
    """Return rows of a DuckDB file; an absent file or table has none."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while path.exists():
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.IOException:  # a gateway has it open for a moment
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
            continue
        try:
            return connection.execute(query).fetchall()
        except duckdb.CatalogException:
            return []
        finally:
            connection.close()
    return []


def ask_postgresql(dsn: str, query: str, before: str = "") -> list[Row]:
    """Return rows of a PostgreSQL database, none of an absent table; ``before`` is said first."""
    with postgresql.connect(dsn) as connection, connection.cursor() as cursor:
        try:
            if before:
                cursor.execute(before)
            cursor.execute(query)
            return [tuple(row) for row in cursor.fetchall()]
        except postgresql.ProgrammingError as error:
            if "does not exist" in str(error):
                return []
            raise


def ask_sqlite(path: Path, query: str) -> list[Row]:
    """Return rows of an SQLite file that others may write; an absent file or table has none."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


@dataclass(frozen=True, slots=True)
class Store:
    """Where tables stand: ``kind`` is duckdb, sqlite or postgresql, ``at`` a path or an address."""

    kind: str
    at: str

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Store":
        """Read what a description says."""
        return cls(kind=str(said["kind"]), at=str(said["at"]))

    def ask(self, query: str) -> list[Row]:
        """Return what a query gives."""
        match self.kind:
            case "duckdb":
                return ask_duckdb(Path(self.at), query)
            case "sqlite":
                return ask_sqlite(Path(self.at), query)
            case "postgresql":
                return ask_postgresql(self.at, query)
            case _:
                raise ValueError(f"no kind of store: {self.kind!r}")


@dataclass(frozen=True, slots=True)
class Marker:
    """One load as the receiving database remembers it."""

    transfer: str
    link: str
    day: str
    sequence: int


def markers(store: Store) -> list[Marker]:
    """Return the loads in the order in which they were written."""
    # Nothing is ever deleted from that table, so the place of a row is its order.
    place = "ctid" if store.kind == "postgresql" else "rowid"
    return [
        Marker(str(t), str(ln), str(d), int(n)) for t, ln, d, n in store.ask(_MARKERS.format(place))
    ]


@dataclass(frozen=True, slots=True)
class Gone:
    """One load that the receiving database remembers as deleted."""

    transfer: str
    link: str


def gone(store: Store) -> list[Gone]:
    """Return the loads that were deleted; none where no deletion ever came."""
    return [Gone(str(t), str(link)) for t, link in store.ask(_GONE)]


def rows_by_key(
    store: Store, table: str, key: str, columns: Sequence[str]
) -> list[tuple[str, str]]:
    """Return key and digest of every row; a key that stands there twice comes twice."""
    listed = ", ".join(columns)
    return [
        (str(row[0]), digest_of(row)) for row in store.ask(f"select {key}, {listed} from {table}")
    ]
