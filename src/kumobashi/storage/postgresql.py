"""The state of a gateway in PostgreSQL, which several processes may share.

A few writers, each with a connection of its own, commit whatever waits for them together; work of
one key goes to one writer, so its order is kept and writers do not wait for one another's rows.
PostgreSQL flushes commits that come at the same moment in one write as well.

Every transaction names the municipality first (``set_config('kumobashi.tenant', …, true)``), and
row-level security holds to it. A transaction that ends without an answer is asked for by its id
(``pg_xact_status``), on another connection, after a restart too.

SQLAlchemy's synchronous connection runs on asyncpg inside an event loop of its own, in one thread.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from zlib import crc32

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kumobashi.storage.committing import Outcome, PieceFailed, run_carefully, run_quickly
from kumobashi.storage.errors import (
    OutcomeUnknown,
    OwnStoreFailed,
    RoleTooStrong,
    SpoolFull,
    StoreNotDurable,
    StoreUnreachable,
    unreachable,
)
from kumobashi.storage.replying import Reply, tell
from kumobashi.storage.sqlstates import Kind, kind_of
from kumobashi.storage.state import Asked, T, Work

_MOST_IN_ONE_COMMIT = 256
_NAME = "状態"  # what people call this database
_CONNECT_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 1.0
_SHORT_SECONDS = 0.5
_SESSION = {  # a process that stands still must not hold the others' rows for ever
    "application_name": "kumobashi",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "10s",
    "synchronous_commit": "on",
}
_BEGIN = sa.text(
    "select pg_current_xact_id()::text from set_config('kumobashi.tenant', :tenant, true)"
)
_BEGIN_READING = sa.text("select set_config('kumobashi.tenant', :tenant, true)")
_STATUS = sa.text("select pg_xact_status(cast(:xid as text)::xid8)")
_ROLE = sa.text(
    "select current_user, rolsuper or rolbypassrls from pg_roles where rolname = current_user"
)


class PostgreSQLState:
    """Meets ``StateStore``; ``dsn`` is a libpq URI and never logged."""

    is_shared = True
    micros = "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)"

    def __init__(
        self,
        dsn: str,
        *,
        tenant: str,
        writers: int = 4,
        most: int = _MOST_IN_ONE_COMMIT,
        patience_seconds: float = 20.0,
        starting_seconds: float = 0.0,
    ) -> None:
        """Connect once, to see that the server is there and safe to use.

        ``most`` is how much work goes into one commit; ``patience_seconds`` how long work waits
        for a database that has gone away. Reading does not wait for one, but for the first
        ``starting_seconds``: whoever starts while it restarts need not be started once more.

        Raises:
            StoreUnreachable, RoleTooStrong, StoreNotDurable
        """
        self._dsn = dsn
        self._tenant = tenant
        self._most = most
        self._patience = patience_seconds
        self._is_closed = False
        self._closing = threading.Lock()
        self._starts_until = time.monotonic() + starting_seconds
        self._down_until = 0.0  # monotonic; readers do not queue for a server that is away
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="state-loop", daemon=True)
        self._thread.start()
        self._engine: AsyncEngine = self._in_loop(self._open(writers))
        try:
            self._in_loop(self._check())
        except BaseException:
            self._end_loop()
            raise
        self._queues: list[deque[Asked]] = [deque() for _ in range(writers)]
        self._news = [asyncio.Event() for _ in range(writers)]
        self._writers = [
            asyncio.run_coroutine_threadsafe(self._write_all(number), self._loop)
            for number in range(writers)
        ]

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
        while not self._is_closed:
            try:
                return self._in_loop(self._read(work))
            except StoreUnreachable:
                if time.monotonic() >= self._starts_until:
                    raise
                time.sleep(_LONGEST_PAUSE_SECONDS)
        raise OwnStoreFailed(reason="closed")

    def close(self) -> None:
        """Finish what is queued and let go; closing again does nothing."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._patience = min(self._patience, 2.0)
            for event in self._news:
                self._loop.call_soon_threadsafe(event.set)
        for writer in self._writers:
            writer.result()
        self._end_loop()

    # -- reading --------------------------------------------------------------------------------

    async def _read(self, work: Work[T]) -> T:
        for last in (False, True):  # a pooled connection may have died since it was used
            if time.monotonic() < self._down_until:
                raise unreachable("state", _NAME, TimeoutError())
            began = time.monotonic()
            try:
                async with self._engine.connect() as connection:
                    await connection.execute(_BEGIN_READING, {"tenant": self._tenant})
                    return await connection.run_sync(work)
            except BaseException as error:
                kind = kind_of(error)
                if kind is Kind.OF_WORK:
                    raise
                if kind is not Kind.LOST or last:
                    # Where the answer is no at once, whoever asks next may well find it back.
                    if (now := time.monotonic()) - began > _SHORT_SECONDS:
                        self._down_until = now + _LONGEST_PAUSE_SECONDS
                    raise _named(error, kind) from None
        raise AssertionError  # both rounds return or raise

    # -- writing --------------------------------------------------------------------------------

    def _ask(self, asked: Asked) -> None:
        number = crc32(asked.key.encode()) % len(self._queues)
        with self._closing:
            if not self._is_closed:
                queue = self._queues[number]
                queue.append(asked)
                if len(queue) == 1:  # else the writer has been told and not looked yet
                    self._loop.call_soon_threadsafe(self._news[number].set)
                return
        tell(asked.reply, None, OwnStoreFailed(reason="closed"))

    async def _write_all(self, number: int) -> None:
        queue, news = self._queues[number], self._news[number]
        connection: AsyncConnection | None = None
        while True:
            if not queue:
                if self._is_closed:
                    break
                news.clear()
                if not queue:
                    await news.wait()
                continue
            batch = [queue.popleft() for _ in range(min(len(queue), self._most))]
            outcomes, connection = await self._committed(batch, connection)
            for outcome in outcomes:
                outcome.tell()
        if connection is not None:
            await connection.close()

    async def _committed(
        self, batch: list[Asked], connection: AsyncConnection | None
    ) -> tuple[list[Outcome], AsyncConnection | None]:
        """Commit a batch, waiting for a database that is away; nothing is told before."""
        began, pause = time.monotonic(), 0.02
        carefully, unsettled = False, None
        while True:
            try:
                if connection is None:
                    connection = await self._engine.connect()
                if unsettled is not None:
                    if await _is_committed(connection, unsettled[0]):
                        return unsettled[1], connection
                    unsettled = None
                outcomes, xid = await self._run(connection, batch, carefully=carefully)
                unsettled = (xid, outcomes)  # until we know
                await connection.commit()
            except PieceFailed:
                carefully = True
                await _rolled_back(connection)
            except BaseException as error:  # noqa: BLE001 - told to whoever asked for the work
                kind = kind_of(error)
                if kind is not Kind.LOST:
                    unsettled = None  # an answer, though not the one we wanted
                    await _rolled_back(connection)
                else:
                    await _dropped(connection)
                    connection = None
                if kind in {Kind.OF_WORK, Kind.FULL} or self._is_over(began):
                    named = OutcomeUnknown(system="state", name=_NAME) if unsettled else None
                    return _failed(batch, named or _named(error, kind)), connection
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self._down_until = 0.0
                return outcomes, connection

    async def _run(
        self, connection: AsyncConnection, batch: list[Asked], *, carefully: bool
    ) -> tuple[list[Outcome], str]:
        """Do the work in a transaction that stays open, and return the transaction's id too."""

        def work(held: sa.Connection) -> tuple[list[Outcome], str]:
            xid = held.execute(_BEGIN, {"tenant": self._tenant}).scalar_one()
            run = run_carefully if carefully else run_quickly
            return run(held, batch, lambda error: kind_of(error) is not Kind.OF_WORK), xid

        return await connection.run_sync(work)

    def _is_over(self, began: float) -> bool:
        return time.monotonic() - began > self._patience

    # -- the connection -------------------------------------------------------------------------

    async def _open(self, writers: int) -> AsyncEngine:
        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=writers + 4,
            max_overflow=16,
            pool_timeout=_CONNECT_SECONDS,
        )

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._dsn, timeout=_CONNECT_SECONDS, command_timeout=30, server_settings=_SESSION
        )

    async def _check(self) -> None:
        """Refuse a server that forgets, and a role that sees everything."""
        try:
            async with self._engine.connect() as connection:
                fsync = (await connection.execute(sa.text("show fsync"))).scalar_one()
                pages = (await connection.execute(sa.text("show full_page_writes"))).scalar_one()
                role, sees_all = (await connection.execute(_ROLE)).one()
        except Exception as error:  # noqa: BLE001 - a driver's message may hold an address
            raise _named(error, kind_of(error)) from None
        for setting, value in (("fsync", fsync), ("full_page_writes", pages)):
            if value != "on":
                raise StoreNotDurable(setting=setting, value=value)
        if sees_all:
            raise RoleTooStrong(role=role)

    # -- the thread -----------------------------------------------------------------------------

    def _in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end_loop(self) -> None:
        self._in_loop(self._engine.dispose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _is_committed(connection: AsyncConnection, xid: str) -> bool:
    """Ask how a transaction ended; wait while an abandoned session is still at it."""
    while True:
        status = (await connection.execute(_STATUS, {"xid": xid})).scalar_one()
        await connection.rollback()
        if status != "in progress":
            return bool(status == "committed")
        await asyncio.sleep(0.1)


async def _rolled_back(connection: AsyncConnection | None) -> None:
    if connection is not None:
        with suppress(Exception):  # the next use finds out whether it is still good
            await connection.rollback()


async def _dropped(connection: AsyncConnection | None) -> None:
    if connection is not None:
        with suppress(Exception):  # it is dead; nothing there to be told
            await connection.invalidate()
        with suppress(Exception):
            await connection.close()


def _failed(batch: list[Asked], error: BaseException) -> list[Outcome]:
    return [Outcome(asked=asked, error=error) for asked in batch]


def _named(error: BaseException, kind: Kind) -> BaseException:
    if kind is Kind.FULL:
        return SpoolFull(place="PostgreSQL")
    if kind in {Kind.LOST, Kind.AGAIN}:
        inner = getattr(getattr(error, "orig", error), "__cause__", None) or error
        return unreachable("state", _NAME, inner)
    return OwnStoreFailed(reason=type(error).__name__)
