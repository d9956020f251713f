"""What every store of a gateway's state must keep to: the file, and a real PostgreSQL."""

import asyncio
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.row_security import secure, unsecured
from kumobashi.kernel import KumobashiError
from kumobashi.storage.errors import (
    OutcomeUnknown,
    RoleTooStrong,
    SpoolFull,
    StorageFailed,
    StoreUnreachable,
)
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore
from kumobashi.testing.faults.tables import ask_postgresql
from kumobashi.testing.postgresql import application_database, running
from kumobashi.testing.town import run_postgresql
from tests.contract.states import TENANT, States

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
notes = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("turn", sa.Integer),
)


@pytest.fixture
def store(opened: Callable[[], StateStore]) -> Iterator[StateStore]:
    made = opened()
    made.write(notes.create)
    yield made
    made.close()


def insert(number: int, turn: int | None = None) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.execute(sa.insert(notes).values(id=number, turn=turn))


def ids(store: StateStore) -> list[int]:
    query = sa.select(notes.c.id).order_by(notes.c.id)
    return store.read(lambda connection: list(connection.execute(query).scalars()))


@contextmanager
def busy(store: StateStore, key: str = "") -> Iterator[None]:
    """Occupy the writer of ``key``, so that what is queued meanwhile is committed together."""
    started, go_on = threading.Event(), threading.Event()

    def work(_connection: sa.Connection) -> None:
        started.set()
        go_on.wait(10)

    future = store.submit(work, key=key)
    assert started.wait(10)
    try:
        yield
    finally:
        go_on.set()
        future.result(10)


# -- durability, isolation, order -----------------------------------------------------------------


def test_what_write_returned_is_seen_by_others_and_after_opening_again(
    store: StateStore, opened: Callable[[], StateStore]
) -> None:
    result = store.write(lambda held: held.execute(sa.insert(notes).values(id=1)).rowcount)

    assert (result, ids(store)) == (1, [1])
    store.close()
    again = opened()
    assert ids(again) == [1]
    again.close()


def test_one_failing_work_does_not_hurt_the_others(store: StateStore) -> None:
    def half_done(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=99))
        raise RuntimeError

    with busy(store):
        futures = [store.submit(insert(number)) for number in (1, 2, 2)]
        failing = store.submit(half_done)
        wrong = store.submit(lambda held: held.execute(sa.text("select * from nowhere")))
        futures.append(store.submit(insert(3)))

    kinds = [type(future.exception(10)) for future in futures]
    assert kinds == [type(None), type(None), sa.exc.IntegrityError, type(None)]
    assert isinstance(failing.exception(10), RuntimeError)
    assert isinstance(wrong.exception(10), sa.exc.DBAPIError)
    assert ids(store) == [1, 2, 3], "what the failing work wrote before it failed is gone"


def test_work_of_one_key_is_done_in_order_and_sees_what_came_before(store: StateStore) -> None:
    with busy(store, "k"):
        first = store.submit(insert(7), key="k")
        second = store.submit(lambda held: held.execute(sa.select(notes.c.id)).scalar(), key="k")
    assert (first.exception(10), second.result(10)) == (None, 7)

    last = {"a": 0, "b": 0}

    def follow(name: str, number: int) -> Callable[[sa.Connection], None]:
        def work(connection: sa.Connection) -> None:
            row = sa.select(sa.func.max(notes.c.turn)).where(notes.c.id >= 100)
            connection.execute(row).scalar()
            last[name] = number if last[name] in {number - 1, number} else -1

        return work

    futures = [store.submit(follow(key, n), key=key) for n in range(1, 101) for key in last]
    wait(futures, 20)
    assert last == {"a": 100, "b": 100}


def test_many_threads_at_once(store: StateStore) -> None:
    def write(first: int) -> None:
        for number in range(first, 400, 8):
            store.write(insert(number), key=str(number))

    threads = [threading.Thread(target=write, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ids(store) == list(range(400))


def test_what_waits_is_committed_together(store: StateStore) -> None:
    engine = (
        store._engine.sync_engine if isinstance(store, PostgreSQLState) else store.engine  # type: ignore[attr-defined]
    )
    commits: list[object] = []
    sa.event.listen(engine, "commit", commits.append)

    with busy(store):
        futures = [store.submit(insert(number)) for number in range(200)]
    wait(futures, 20)

    assert len(commits) <= 2, "that of the one before, and one for all"
    assert ids(store) == list(range(200))


def test_readers_see_nothing_that_is_not_committed(store: StateStore) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=5))
        inside.set()
        go_on.wait(10)

    future = store.submit(slow)
    inside.wait(10)
    # The one thread that speaks to PostgreSQL is held up by this work; ask from beside it.
    seen = ids(store) if isinstance(store, SQLiteState) else beside(store)

    assert seen == []
    go_on.set()
    future.result(10)
    assert ids(store) == [5]


def beside(store: StateStore) -> list[int]:
    assert isinstance(store, PostgreSQLState)
    return [row[0] for row in ask_postgresql(store._dsn, "select id from notes")]


def test_reading_does_not_write(store: StateStore) -> None:
    with suppress(sa.exc.DBAPIError):
        store.read(lambda connection: connection.execute(sa.insert(notes).values(id=1)))

    assert ids(store) == []


def test_the_clock_of_the_store_goes_forward(store: StateStore) -> None:
    def now(connection: sa.Connection) -> int:
        return int(connection.execute(sa.text(f"select {store.micros}")).scalar_one())

    first = store.read(now)
    time.sleep(0.02)

    assert 20_000 <= store.read(now) - first < 5_000_000


# -- the end ---------------------------------------------------------------------------------------


def test_closing_finishes_what_is_queued_and_lets_go(opened: Callable[[], StateStore]) -> None:
    store = opened()
    store.write(notes.create)
    with busy(store):
        futures = [store.submit(insert(number)) for number in range(300)]
        closing = threading.Thread(target=store.close)
        closing.start()
    closing.join(20)

    assert all(future.done() and future.exception() is None for future in futures)
    again = opened()
    assert len(ids(again)) == 300
    again.close()


def test_what_is_asked_after_the_end_fails_and_does_not_hang(
    opened: Callable[[], StateStore],
) -> None:
    store = opened()
    store.close()
    store.close()

    assert isinstance(store.submit(lambda _held: None).exception(5), StorageFailed)


# -- no space --------------------------------------------------------------------------------------


def test_a_full_disk_refuses_with_its_code_and_takes_more_once_there_is_space(
    store: StateStore,
) -> None:
    full = fills_up(store)

    with pytest.raises(SpoolFull) as refused:
        store.write(full)

    assert refused.value.retryable
    store.write(space_again)
    store.write(insert(1))
    assert ids(store) == [1]


def fills_up(store: StateStore) -> Callable[[sa.Connection], object]:
    if isinstance(store, PostgreSQLState):  # what the server says when its disk is full

        def told(connection: sa.Connection) -> object:
            return connection.exec_driver_sql(
                "do $$ begin raise exception using errcode = '53100'; end $$"
            )

        return told

    def fill(connection: sa.Connection) -> object:  # the file may not grow any more
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
        return connection.execute(
            sa.insert(notes), [{"id": number} for number in range(100, 20_000)]
        )

    return fill


def space_again(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("pragma max_page_count = 1073741823")


def test_sqlite_without_space_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    store.write(notes.create)
    store.write(lambda held: held.exec_driver_sql("pragma max_page_count = 40"))
    kept = []
    for number in range(100_000):
        try:
            store.write(
                lambda held, number=number: held.exec_driver_sql(  # type: ignore[misc]
                    "insert into notes values (?, 0)", (number,)
                )
            )
        except SpoolFull:
            break
        kept.append(number)
        if number % 50 == 0:
            store.write(lambda held: held.exec_driver_sql("create table if not exists x (a)"))
            with suppress(SpoolFull):
                store.write(
                    lambda held: held.exec_driver_sql("insert into x values (zeroblob(8000))")
                )
    store.close()

    with sqlite3.connect(tmp_path / "state.db") as connection:
        found = [row[0] for row in connection.execute("select id from notes order by id")]
    connection.close()
    assert found == kept


# -- a database that goes away ---------------------------------------------------------------------


def terminate(dsn: str, admin: str) -> None:
    run_postgresql(
        admin,
        "select pg_terminate_backend(pid) from pg_stat_activity"
        f" where datname = '{urlsplit(dsn).path[1:]}' and application_name = 'kumobashi'",
    )


@pytest.fixture
def dsn(stores: States) -> str:
    return stores.database()


def test_a_connection_lost_before_the_commit_is_made_anew_and_the_work_done_once(
    stores: States, dsn: str
) -> None:
    store = PostgreSQLState(dsn, tenant=TENANT)
    store.write(notes.create)
    runs = []

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=1))
        runs.append(1)
        if len(runs) == 1:
            terminate(dsn, stores.server)

    store.write(work)

    assert (len(runs), ids(store)) == (2, [1])
    store.close()


def test_reading_survives_connections_that_died_in_the_pool(stores: States, dsn: str) -> None:
    store = PostgreSQLState(dsn, tenant=TENANT)
    store.write(notes.create)
    assert ids(store) == []

    terminate(dsn, stores.server)

    assert ids(store) == []
    store.close()


class Cutting:
    """Stands between client and server; cuts the line when a COMMIT passes, before or after it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.cut = ""  # "", "before" or "after"
        self.cuts = 0
        self._server = Path(parse_qs(urlsplit(dsn).query)["host"][0]) / ".s.PGSQL.5432"
        self._path = folder / ".s.PGSQL.5432"
        self.dsn = urlsplit(dsn)._replace(query=f"host={folder}").geturl()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self._tasks: set[asyncio.Task[None]] = set()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(self._server)
        except OSError:
            writer.close()
            return
        towards = asyncio.create_task(self._pump(reader, back, writer))
        answers = asyncio.create_task(self._pump(there, writer, None))
        await asyncio.wait([towards, answers], return_when=asyncio.FIRST_COMPLETED)
        for task in (towards, answers):
            task.cancel()
        for end in (writer, back):
            end.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: asyncio.StreamWriter | None,
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                if client is not None and b"COMMIT" in piece and self.cut:
                    how, self.cut = self.cut, ""
                    self.cuts += 1
                    if how == "after":
                        client.transport.abort()
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0.3)
                    return
                writer.write(piece)
                await writer.drain()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._open.close)
        time.sleep(0.1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def line(dsn: str) -> Iterator[Cutting]:
    folder = Path(tempfile.mkdtemp(prefix="kumo-line-"))
    cutting = Cutting(dsn, folder)
    yield cutting
    cutting.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("_round", range(3))
def test_a_commit_without_an_answer_is_asked_for_and_done_once(
    line: Cutting, when: str, _round: int
) -> None:
    store = PostgreSQLState(line.dsn, tenant=TENANT)
    store.write(notes.create)
    runs: list[int] = []

    def work(connection: sa.Connection) -> None:
        runs.append(1)
        connection.execute(sa.insert(notes).values(id=len(runs)))

    line.cut = when
    with busy(store):
        first, second = store.submit(work), store.submit(insert(77))
    assert (first.exception(20), second.exception(20)) == (None, None)

    assert line.cuts == 1
    assert len(ids(store)) == 2, "never twice, though the work has another id at each run"
    store.close()


def test_a_commit_that_nobody_can_be_asked_about_is_told_as_unknown(
    dsn: str, line: Cutting
) -> None:
    store = PostgreSQLState(line.dsn, tenant=TENANT, patience_seconds=0.5)
    store.write(notes.create)

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=1))
        line.cut = "after"
        line._server = Path("/nowhere")  # and nobody lets us in again

    with pytest.raises(OutcomeUnknown) as unknown:
        store.write(work)

    assert unknown.value.retryable
    assert ask_postgresql(dsn, "select count(*) from notes") == [(1,)], "it was committed"
    store.close()


def test_work_waits_for_a_restart_of_the_database_and_goes_on_by_itself() -> None:
    folder = Path(tempfile.mkdtemp(prefix="kumo-pg-"))
    try:
        with running(folder) as server:
            dsn = application_database(server, "restarted")
            store = PostgreSQLState(dsn, tenant=TENANT, patience_seconds=60)
            store.write(notes.create)
            store.write(insert(1))
        waiting = [store.submit(insert(number), key=str(number)) for number in range(2, 12)]
        with pytest.raises(StoreUnreachable) as away:
            ids(store)
        assert not any(future.done() for future in waiting)
        with running(folder):
            assert [future.exception(30) for future in waiting] == [None] * 10
            time.sleep(1.1)  # readers ask again after a second
            assert ids(store) == list(range(1, 12))
            store.close()
    finally:
        shutil.rmtree(folder)
    assert away.value.retryable
    assert "kumo-pg" not in str(away.value)
    assert dsn not in str(away.value)


def test_whoever_is_starting_reads_as_soon_as_the_database_is_back() -> None:
    folder = Path(tempfile.mkdtemp(prefix="kumo-pg-"))
    try:
        with running(folder) as server:
            dsn = application_database(server, "starting")
            store = PostgreSQLState(dsn, tenant=TENANT, starting_seconds=60)
            store.write(notes.create)
            store.write(insert(1))
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(ids, store)
            time.sleep(1.0)
            assert not reading.done()
            with running(folder):
                assert reading.result(30) == [1]
                store.close()
    finally:
        shutil.rmtree(folder)


def test_work_that_waits_too_long_is_told_and_the_store_can_be_closed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="kumo-pg-"))
    try:
        with running(folder) as server:
            dsn = application_database(server, "away")
            store = PostgreSQLState(dsn, tenant=TENANT, patience_seconds=0.3)
            store.write(notes.create)
        with pytest.raises(StoreUnreachable):
            store.write(insert(1))
        store.close()
    finally:
        shutil.rmtree(folder)


def test_two_writers_that_wait_for_each_other_are_both_done(dsn: str) -> None:
    store = PostgreSQLState(dsn, tenant=TENANT, writers=2)
    other = PostgreSQLState(dsn, tenant=TENANT, writers=2)
    store.write(notes.create)
    store.write(insert(1, 0))
    store.write(insert(2, 0))
    both = threading.Barrier(2)
    met: dict[int, bool] = {}

    def cross(first: int, then: int) -> Callable[[sa.Connection], None]:
        def add(connection: sa.Connection, number: int) -> None:
            where = notes.c.id == number
            connection.execute(sa.update(notes).where(where).values(turn=notes.c.turn + 1))

        def work(connection: sa.Connection) -> None:
            add(connection, first)
            if not met.setdefault(first, False):
                met[first] = True
                both.wait(10)
            add(connection, then)

        return work

    futures = [store.submit(cross(1, 2)), other.submit(cross(2, 1))]

    assert [future.exception(20) for future in futures] == [None, None]
    turns = sa.select(notes.c.turn)
    assert store.read(lambda held: list(held.execute(turns).scalars())) == [2, 2]
    store.close()
    other.close()


# -- one municipality's rows -----------------------------------------------------------------------


def test_a_role_above_the_rules_is_refused(stores: States) -> None:
    with pytest.raises(RoleTooStrong):
        PostgreSQLState(stores.server, tenant=TENANT)


def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    with pytest.raises(KumobashiError) as away:
        PostgreSQLState("postgresql://u:geheim@127.0.0.1:1/x", tenant=TENANT)

    assert isinstance(away.value, StoreUnreachable)
    assert "geheim" not in str(away.value)


@pytest.fixture
def two_towns(dsn: str) -> Iterator[tuple[PostgreSQLState, PostgreSQLState]]:
    mine, theirs = (PostgreSQLState(dsn, tenant=code) for code in ("999997", "999989"))
    migrate(mine)
    for store, code in ((mine, "999997"), (theirs, "999989")):
        store.write(receipt(code))
    yield mine, theirs
    mine.close()
    theirs.close()


def receipt(tenant: str, number: int = 0) -> Callable[[sa.Connection], Any]:
    return lambda connection: connection.execute(
        sa.text("insert into receipts values (:tenant, 't', 1, 'in', :number, 'opened', 'jws', 0)"),
        {"tenant": tenant, "number": number},
    )


def test_every_table_with_a_tenant_is_secured(
    two_towns: tuple[PostgreSQLState, PostgreSQLState],
) -> None:
    mine, _ = two_towns
    assert mine.read(unsecured) == []


def test_a_table_that_was_forgotten_is_found(
    two_towns: tuple[PostgreSQLState, PostgreSQLState],
) -> None:
    mine, _ = two_towns
    mine.write(lambda held: held.exec_driver_sql("create table later (tenant text)"))
    assert mine.read(unsecured) == ["later"]

    mine.write(lambda held: secure(held, "later"))

    assert mine.read(unsecured) == []


@pytest.mark.parametrize(
    "query",
    [
        "select * from receipts where tenant = '999989'",
        "select * from receipts r where exists (select from receipts where tenant <> '999997')",
        "select * from (table receipts) r where tenant <> '999997'",
        "with x as (update receipts set jws = 'x' where tenant = '999989' returning *) table x",
        "with x as (delete from receipts where tenant <> '999997' returning *) table x",
        "select * from receipts where tenant <> '999997' for update",
    ],
)
def test_another_towns_rows_are_neither_seen_nor_changed(
    two_towns: tuple[PostgreSQLState, PostgreSQLState], query: str
) -> None:
    mine, theirs = two_towns

    assert mine.write(lambda held: held.execute(sa.text(query)).all()) == []

    rows = theirs.read(lambda held: held.execute(sa.text("select tenant, jws from receipts")).all())
    assert [tuple(row) for row in rows] == [("999989", "jws")]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into receipts values ('999989', 't', 1, 'in', 9, 'opened', 'jws', 0)",
        "update receipts set tenant = '999989', number = 8",
    ],
)
def test_nothing_is_written_under_another_towns_name(
    two_towns: tuple[PostgreSQLState, PostgreSQLState], statement: str
) -> None:
    mine, _ = two_towns
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        mine.write(lambda held: held.exec_driver_sql(statement))


def test_without_a_name_nothing_is_there(
    two_towns: tuple[PostgreSQLState, PostgreSQLState], dsn: str
) -> None:
    assert ask_postgresql(dsn, "select * from receipts") == []
    assert (
        ask_postgresql(
            dsn, "select * from receipts", "select set_config('kumobashi.tenant', '', false)"
        )
        == []
    )


def test_the_name_ends_with_the_transaction(
    two_towns: tuple[PostgreSQLState, PostgreSQLState],
) -> None:
    mine, _ = two_towns

    async def left_over() -> list[object]:
        async with mine._engine.connect() as connection:
            found = await connection.execute(
                sa.text("select current_setting('kumobashi.tenant', true)")
            )
            return list(found.scalars())

    mine.read(lambda held: held.execute(sa.text("select 1")))
    assert mine._in_loop(left_over()) in ([""], [None])


def test_migrations_of_several_processes_at_once_are_done_once(dsn: str) -> None:
    opened = [PostgreSQLState(dsn, tenant=TENANT) for _ in range(4)]
    threads = [threading.Thread(target=migrate, args=(store,)) for store in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert opened[0].read(unsecured) == []
    assert ask_postgresql(dsn, "select count(*) from alembic_version") == [(1,)]
    for store in opened:
        store.close()
