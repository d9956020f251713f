"""The state of one gateway in SQLite: one writer thread, many commits in one fsync.

A durable commit costs milliseconds (``docs/performance.md``), so writers queue and the thread
commits everything that waits at once; a future resolves only when the commit is on disk. Reading
goes on meanwhile (WAL).
"""

import queue
import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import PoolProxiedConnection

from kumobashi.storage.committing import Outcome, PieceFailed, run_carefully, run_quickly
from kumobashi.storage.errors import (
    AlreadyRunning,
    DiskFailed,
    OwnStoreFailed,
    SpoolFull,
    StorageFailed,
)
from kumobashi.storage.replying import Reply, tell
from kumobashi.storage.sole_use import hold
from kumobashi.storage.state import Asked, T, Work

_MOST_IN_ONE_COMMIT = 256
# Primary result codes (sqlite.org/rescode.html) that speak of the file, not of the work:
# BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
_CODES_OF_FILE = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26})
_FULL = 13
_BROKEN = frozenset({8, 10, 14})  # READONLY, IOERR, CANTOPEN


class Beginning(SQLiteDialect_pysqlite):
    """SQLite whose transactions begin when SQLAlchemy begins one, not at the first change.

    A listener for "begin" would do it too, but then every statement looks for listeners.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begin."""
        dbapi_connection.cursor().execute("begin")


_DRIVER = "sqlite+kumobashi"
registry.register("sqlite.kumobashi", __name__, Beginning.__name__)


class SQLiteState:
    """Meets ``StateStore`` with the state file of one gateway process."""

    is_shared = False
    micros = "kumobashi_micros()"

    def __init__(self, path: Path, *, owner: str, most: int = _MOST_IN_ONE_COMMIT) -> None:
        """Open the file; raise ``AlreadyRunning`` while another process has it.

        ``most`` is how much work goes into one commit.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = hold(path.parent / "lock")
        if lock is None:
            raise AlreadyRunning(site=owner)
        self._lock = lock
        self._most = most
        self.engine = open_engine(path)
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._writer = threading.Thread(target=self._write_all, name="state-writer", daemon=True)
        self._writer.start()

    def submit(self, work: Work[T], *, key: str = "") -> Future[T]:
        """Queue work; the future resolves when it is durable, or with what it raised."""
        future: Future[T] = Future()
        self._ask(Asked(work, future, key))
        return future

    def write(self, work: Work[T], *, key: str = "") -> T:
        """Do the work and wait until it is durable."""
        reply: Reply[T] = Reply()
        self._ask(Asked(work, reply, key))
        return reply.result()

    def read(self, work: Work[T]) -> T:
        """Do the work on a connection that sees all that was committed."""
        try:
            with self.engine.connect() as connection:
                return work(connection)
        except sa.exc.DBAPIError as error:
            if _is_of_store(error):
                raise _named(error) from None
            raise

    def close(self) -> None:
        """Finish what is queued and let go of the file; closing again does nothing."""
        with self._closing:
            if not self._is_closed:
                self._queue.put(None)
            self._is_closed = True
        self._writer.join()
        self.engine.dispose()
        self._lock.close()

    def _ask(self, asked: Asked) -> None:
        with self._closing:
            if not self._is_closed:
                self._queue.put(asked)
                return
        # A thread that outlives the gateway must not wait for ever.
        tell(asked.reply, None, OwnStoreFailed(reason="closed"))

    def _write_all(self) -> None:
        with self.engine.connect() as connection:
            while (first := self._queue.get()) is not None:
                batch, stop = [first], False
                while len(batch) < self._most and not self._queue.empty():
                    more = self._queue.get()
                    if more is None:
                        stop = True
                        break
                    batch.append(more)
                for outcome in _committed(connection, batch):
                    outcome.tell()
                if stop:
                    return


def _committed(connection: sa.Connection, batch: list[Asked]) -> list[Outcome]:
    """Return what became of each piece of work; nothing is told before the commit is on disk."""
    try:
        try:
            with connection.begin():
                return run_quickly(connection, batch, _is_of_store)
        except PieceFailed:
            with connection.begin():
                return run_carefully(connection, batch, _is_of_store)
    except BaseException as error:  # noqa: BLE001 - nothing of this batch is durable
        named = _named(error)
        return [Outcome(asked=asked, error=named) for asked in batch]


def _code(error: BaseException) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _is_of_store(error: BaseException) -> bool:
    """Whether the file, not the work, failed."""
    return _code(error) in _CODES_OF_FILE


def _named(error: BaseException) -> BaseException:
    if _code(error) == _FULL:
        return SpoolFull(place="state.db")
    if _code(error) in _BROKEN:
        return DiskFailed(place="state.db")
    return OwnStoreFailed(reason=type(error).__name__)


def open_engine(path: Path) -> sa.Engine:
    """Open the file with the settings that make a commit durable, and check that they hold."""
    engine = sa.create_engine(sa.URL.create(_DRIVER, database=str(path)))

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
        connection.execute("pragma synchronous = full")
        connection.execute("pragma busy_timeout = 10000")
        connection.execute("pragma foreign_keys = on")
        # One process has the file at a time, so its monotonic clock will do.
        connection.create_function("kumobashi_micros", 0, _monotonic_micros)
        level = connection.execute("pragma synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise StorageFailed(reason=f"journal_mode={mode} synchronous={level}")

    return engine


def _monotonic_micros() -> int:
    return time.monotonic_ns() // 1000
