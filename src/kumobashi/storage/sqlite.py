"""The state of one gateway in SQLite: one writer thread, many commits in one fsync.

A durable commit costs milliseconds (``docs/performance.md``), so writers queue and the thread
commits everything that waits at once; each piece of work runs in a savepoint of its own, and its
future resolves only when the commit is on disk. Reading goes on meanwhile (WAL).
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from kumobashi.storage.errors import AlreadyRunning, SpoolFull, StorageFailed
from kumobashi.storage.sole_use import hold

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
_MOST_IN_ONE_COMMIT = 256


class StateStore:
    """The state file of one gateway process; ``close`` it at the end."""

    def __init__(self, path: Path, *, owner: str) -> None:
        """Open the file; raise ``AlreadyRunning`` while another process has it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = hold(path.parent / "lock")
        if lock is None:
            raise AlreadyRunning(site=owner)
        self._lock = lock
        self.engine = open_engine(path)
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._writer = threading.Thread(target=self._write_all, name="state-writer", daemon=True)
        self._writer.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue work; the future resolves when it is durable, or with what it raised."""
        future: Future[T] = Future()
        with self._closing:
            if self._is_closed:  # a thread that outlives the gateway must not wait for ever
                future.set_exception(StorageFailed(reason="closed"))
            else:
                self._queue.put((work, future))
        return future

    def write(self, work: Work[T]) -> T:
        """Do the work and wait until it is durable."""
        return self.submit(work).result()

    def read(self, work: Work[T]) -> T:
        """Do the work on a connection that sees all that was committed."""
        with self.engine.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Finish what is queued and let go of the file."""
        with self._closing:
            self._is_closed = True
            self._queue.put(None)
        self._writer.join()
        self.engine.dispose()
        self._lock.close()

    def _write_all(self) -> None:
        with self.engine.connect() as connection:
            while (first := self._queue.get()) is not None:
                batch, stop = [first], False
                while len(batch) < _MOST_IN_ONE_COMMIT and not self._queue.empty():
                    more = self._queue.get()
                    if more is None:
                        stop = True
                        break
                    batch.append(more)
                _commit_together(connection, batch)
                if stop:
                    return


def _commit_together(connection: sa.Connection, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
    done: list[tuple[Future[Any], Any]] = []
    try:
        with connection.begin():
            for work, future in batch:
                try:
                    with connection.begin_nested():
                        done.append((future, work(connection)))
                except sa.exc.OperationalError:
                    raise  # the disk, not the work
                except BaseException as error:  # noqa: BLE001 - handed to whoever asked for the work
                    future.set_exception(error)
    except BaseException as error:  # noqa: BLE001 - nothing of this batch is durable
        for _, future in batch:
            if not future.done():
                future.set_exception(_named(error))
        return
    for future, result in done:
        future.set_result(result)


def _named(error: BaseException) -> BaseException:
    text = str(error).lower()
    if "full" in text:
        return SpoolFull(place="state.db")
    return StorageFailed(reason=type(error).__name__)


def open_engine(path: Path) -> sa.Engine:
    """Open the file with the settings that make a commit durable, and check that they hold."""
    engine = sa.create_engine(sa.URL.create("sqlite+pysqlite", database=str(path)))

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
        connection.execute("pragma synchronous = full")
        connection.execute("pragma busy_timeout = 10000")
        connection.execute("pragma foreign_keys = on")
        level = connection.execute("pragma synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise StorageFailed(reason=f"journal_mode={mode} synchronous={level}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("begin")

    return engine
