"""What the cloud keeps: jobs, rows and tokens, in one SQLite file."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CREATE = """
create table if not exists jobs (
  number integer primary key, id text unique, kind text, object text, operation text, key text,
  state text, created real, moved real, created_by text, query text, uploaded integer,
  processed integer, failed integer, error text, gone integer not null default 0);
create table if not exists results (
  job text, number integer, which text, row text, id text, error text, created integer);
create index if not exists results_of on results (job, which, number);
create table if not exists rows (
  number integer primary key, object text, key text, row text, unique (object, key));
create table if not exists tokens (token text primary key, ends real);
create table if not exists faults (
  number integer primary key, place text, how text, times integer, after integer, seconds real);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptJob:
    """One job as it is kept."""

    number: int
    id: str
    kind: str  # ingest or query
    object: str
    operation: str
    key: str
    state: str
    created: float
    moved: float
    created_by: str
    query: str
    uploaded: bool
    processed: int
    failed: int
    error: str


class Database:
    """One connection, one lock; each ``with changing()`` is one transaction on the disk."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_CREATE)
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a transaction."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def add_job(self, kind: str, said: Mapping[str, str], created_by: str) -> KeptJob:
        """Keep a new job."""
        now = time.time()
        with self.changing() as connection:
            ((number,),) = connection.execute("select coalesce(max(number), 0) + 1 from jobs")
            state = "Open" if kind == "ingest" else "UploadComplete"
            connection.execute(
                "insert into jobs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', 0)",
                [
                    number,
                    f"750{number:012}AAA",
                    kind,
                    said.get("object", ""),
                    said.get("operation", ""),
                    said.get("externalIdFieldName", ""),
                    state,
                    now,
                    now,
                    created_by,
                    said.get("query", ""),
                ],
            )
        return self.job(f"750{number:012}AAA") or _never()

    def job(self, id_: str) -> KeptJob | None:
        """Return a job."""
        found = self.jobs("id = ? and gone = 0", id_)
        return found[0] if found else None

    def jobs(self, where: str, *values: object) -> list[KeptJob]:
        """Return jobs, the newest first."""
        names = list(KeptJob.__slots__)
        rows = self.ask(
            f"select {', '.join(names)} from jobs where {where} order by number desc",
            *values,
        )
        return [KeptJob(**dict(zip(names, row, strict=True))) for row in rows]

    def move(self, id_: str, state: str, **changes: object) -> None:
        """Change a job."""
        said = {"state": state, "moved": time.time(), **changes}
        sets = ", ".join(f"{name} = ?" for name in said)
        with self.changing() as connection:
            connection.execute(f"update jobs set {sets} where id = ?", [*said.values(), id_])

    def forget_job(self, id_: str) -> None:
        """Forget a job and its results; only tests see that it was there."""
        with self.changing() as connection:
            connection.execute("update jobs set gone = 1 where id = ?", [id_])
            connection.execute("delete from results where job = ?", [id_])

    def take_fault(self, at: str, hows: tuple[str, ...] = ()) -> tuple[str, float] | None:
        """Return what goes wrong this time, and count it."""
        with self.changing() as connection:
            for number, how, times, after, seconds in connection.execute(
                "select number, how, times, after, seconds from faults where place = ?", [at]
            ).fetchall():
                if hows and how not in hows:
                    continue
                if after > 0:
                    connection.execute(
                        "update faults set after = after - 1 where number = ?", [number]
                    )
                    continue
                if times > 0:
                    connection.execute(
                        "update faults set times = times - 1 where number = ?", [number]
                    )
                    return how, seconds
        return None

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        """Let these things go wrong, and no others."""
        with self.changing() as connection:
            connection.execute("delete from faults")
            connection.executemany(
                "insert into faults (place, how, times, after, seconds)"
                " values (:at, :how, :times, :after, :seconds)",
                faults,
            )

    def set_rows(self, table: str, key: str, rows: list[dict[str, Any]]) -> None:
        """Let a table hold these rows and no others."""
        with self.changing() as connection:
            connection.execute("delete from rows where object = ?", [table])
            connection.executemany(
                "insert into rows (object, key, row) values (?, ?, ?)",
                [(table, row[key], json.dumps(row)) for row in rows],
            )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table's rows in the order in which they came."""
        found = self.ask("select number, row from rows where object = ? order by number", table)
        return [{"Id": row_id(number), **json.loads(row)} for number, row in found]


def row_id(number: int) -> str:
    """Return the cloud's own name of a row."""
    return f"a0B{number:012}AAA"


def number_of(id_: str) -> int:
    """Return the number of a row by its name; 0 for what is none."""
    digits = id_[3:15]
    return int(digits) if digits.isdigit() else 0


def _never() -> KeptJob:
    raise AssertionError("a job that was kept a moment ago")
