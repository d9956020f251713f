"""The state store: many writers in one commit, none hurt by another, nothing lost when killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.storage.errors import AlreadyRunning
from kumobashi.storage.sole_use import hold
from kumobashi.storage.sqlite import SQLiteState

notes = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteState]:
    opened = SQLiteState(tmp_path / "state.db", owner="here")
    opened.write(notes.create)
    yield opened
    opened.close()


def insert(number: int) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.execute(sa.insert(notes).values(id=number))


def ids(store: SQLiteState) -> list[int]:
    query = sa.select(notes.c.id).order_by(notes.c.id)
    return store.read(lambda connection: list(connection.execute(query).scalars()))


def held_back(store: SQLiteState) -> threading.Event:
    """Occupy the writer until the event is set, so that what is queued meanwhile goes together."""
    started, go_on = threading.Event(), threading.Event()

    def work(_connection: sa.Connection) -> None:
        started.set()
        go_on.wait(10)

    store.submit(work)
    started.wait(10)
    return go_on


def test_one_failing_work_does_not_hurt_the_others(store: SQLiteState) -> None:
    go_on = held_back(store)
    futures = [store.submit(insert(number)) for number in (1, 2, 2, 3)]

    def half_done(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=99))
        raise RuntimeError

    failing = store.submit(half_done)
    go_on.set()

    assert [type(future.exception(10)) for future in futures] == [
        type(None),
        type(None),
        sa.exc.IntegrityError,
        type(None),
    ]
    assert isinstance(failing.exception(10), RuntimeError)
    assert ids(store) == [1, 2, 3], "what the failing work wrote before it failed is gone"


def test_many_writers_at_once(store: SQLiteState) -> None:
    def write(first: int) -> None:
        for number in range(first, 400, 8):
            store.write(insert(number))

    threads = [threading.Thread(target=write, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ids(store) == list(range(400))


def test_work_reads_what_the_work_before_it_wrote(store: SQLiteState) -> None:
    go_on = held_back(store)
    first = store.submit(insert(7))
    second = store.submit(lambda connection: connection.execute(sa.select(notes.c.id)).scalar())
    go_on.set()

    assert (first.exception(10), second.result(10)) == (None, 7)


def test_readers_see_nothing_that_is_not_committed(store: SQLiteState) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id=5))
        inside.set()
        go_on.wait(10)

    future = store.submit(slow)
    inside.wait(10)

    assert ids(store) == []
    go_on.set()
    future.result(10)
    assert ids(store) == [5]


def test_what_one_piece_of_work_reads_is_of_one_moment(store: SQLiteState) -> None:
    count = sa.select(sa.func.count()).select_from(notes)

    def work(connection: sa.Connection) -> tuple[int, int]:
        first = connection.execute(count).scalar_one()
        store.write(insert(1))
        return first, connection.execute(count).scalar_one()

    assert store.read(work) == (0, 0)
    assert ids(store) == [1]


def test_a_second_process_is_refused(store: SQLiteState, tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning):
        SQLiteState(tmp_path / "state.db", owner="here")


def test_closing_finishes_what_is_queued_and_lets_go(tmp_path: Path) -> None:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    store.write(notes.create)
    go_on = held_back(store)
    futures = [store.submit(insert(number)) for number in range(300)]
    threading.Timer(0.05, go_on.set).start()

    store.close()

    assert all(future.done() for future in futures)
    again = SQLiteState(tmp_path / "state.db", owner="here")
    assert len(ids(again)) == 300
    again.close()


def test_what_is_asked_after_the_end_fails_and_does_not_hang(tmp_path: Path) -> None:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    store.close()

    future = store.submit(lambda _connection: None)

    assert future.exception(5) is not None


_WRITES = """
import sys, sqlalchemy as sa
from pathlib import Path
from kumobashi.storage.sole_use import hold
from kumobashi.storage.sqlite import SQLiteState
store = SQLiteState(Path(sys.argv[1]), owner="x")
store.write(lambda c: c.exec_driver_sql("create table notes (id integer primary key)"))
for number in range(100000):
    store.write(lambda c: c.exec_driver_sql(f"insert into notes values ({number})"))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(60)]
        os.kill(process.pid, signal.SIGKILL)
        seen += [int(line) for line in process.stdout.read().split()]

    with sqlite3.connect(path) as connection:
        kept = [row[0] for row in connection.execute("select id from notes order by id")]
        sound = connection.execute("pragma integrity_check").fetchone()
    connection.close()
    assert kept[: len(seen)] == seen
    assert len(kept) <= len(seen) + 1, "at most one more than was acknowledged"
    assert sound == ("ok",)


def test_a_killed_process_lets_go_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holding = (
        "import sys, time; from pathlib import Path; from kumobashi.storage.sole_use import hold;"
        " held = hold(Path(sys.argv[1])); print(bool(held), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        assert hold(path) is None

        other.kill()
        other.wait(10)

    file = hold(path)
    assert file
    file.close()


def test_a_folder_may_be_called_what_an_address_would_misread(tmp_path: Path) -> None:
    folder = tmp_path / "架空市?mode=ro#1 %41"

    SQLiteState(folder / "state.db", owner="here").close()

    assert (folder / "state.db").is_file()
