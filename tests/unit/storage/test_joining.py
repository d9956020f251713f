"""Work of one kind is done at once; the order of a key stays; one that fails hurts none."""

import threading
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.storage.joining import Joint, Refused, gathered
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import Asked

notes = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


class OddRefused(Exception):
    """Said before anything was written."""


@dataclass(frozen=True, eq=False)
class Note(Joint[int]):
    """Adds a number; an odd one is refused, one that is there already fails while it is written."""

    number: int
    sort: str = "a"
    done: list[list[int]] = field(default_factory=list)  # which were done together

    @property
    def kind(self) -> Hashable:
        return self.sort

    @classmethod
    def together(cls, connection: sa.Connection, pieces: Sequence[Self]) -> Sequence[int | Refused]:
        even = [{"id": one.number} for one in pieces if one.number % 2 == 0]
        if even:
            connection.execute(sa.insert(notes), even)
        pieces[0].done.append([one.number for one in pieces])
        return [Refused(OddRefused()) if one.number % 2 else one.number for one in pieces]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteState]:
    opened = SQLiteState(tmp_path / "state.db", owner="here")
    opened.write(notes.create)
    yield opened
    opened.close()


def ended(store: SQLiteState, works: Sequence[Note]) -> list[int | type]:
    """Do all of it in one commit, and return what each was told."""
    started, go_on = threading.Event(), threading.Event()

    def busy(_connection: sa.Connection) -> None:
        started.set()
        go_on.wait(10)

    store.submit(busy)
    assert started.wait(10)
    futures = [store.submit(work, key=str(work.number)) for work in works]
    go_on.set()
    return [type(f.exception(10)) if f.exception(10) else f.result() for f in futures]


def ids(store: SQLiteState) -> list[int]:
    query = sa.select(notes.c.id).order_by(notes.c.id)
    return store.read(lambda connection: list(connection.execute(query).scalars()))


def test_what_waits_is_done_at_once_and_a_refused_one_fails_alone(store: SQLiteState) -> None:
    done: list[list[int]] = []

    told = ended(store, [Note(number, done=done) for number in (2, 3, 4)])

    assert (told, ids(store), done) == ([2, OddRefused, 4], [2, 4], [[2, 3, 4]])


def test_where_it_is_unclear_whose_a_failure_is_each_is_done_by_itself(store: SQLiteState) -> None:
    done: list[list[int]] = []
    store.write(Note(4))

    told = ended(store, [Note(number, done=done) for number in (2, 4, 5, 6)])

    assert (told, ids(store)) == ([2, sa.exc.IntegrityError, OddRefused, 6], [2, 4, 6])
    assert done == [[2], [5], [6]]


def test_alone_it_returns_or_raises(store: SQLiteState) -> None:
    assert store.write(Note(8)) == 8
    with pytest.raises(OddRefused):
        store.write(Note(9))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from("xyz")), min_size=1))
def test_each_is_done_once_with_its_kind_and_in_the_order_of_its_key(
    asked: list[tuple[str | None, str]],
) -> None:
    batch = [
        Asked(Note(0, sort) if sort else lambda _connection: None, Future(), key)
        for sort, key in asked
    ]

    groups = gathered(batch)

    places = [place for group in groups for place in group]
    assert sorted(places) == list(range(len(batch)))
    for key in "xyz":
        mine = [place for place in places if asked[place][1] == key]
        assert mine == sorted(mine)
    for group in groups:
        sorts = [asked[place][0] for place in group]
        assert len(set(sorts)) == 1
        assert sorts[0] or len(sorts) == 1


def test_one_may_come_earlier_than_it_was_asked_for_with_its_kind() -> None:
    asked = [("a", "x"), (None, "y"), ("a", "z"), ("a", "y"), ("b", "q"), ("a", "q")]
    batch = [Asked(Note(0, s) if s else lambda _c: None, Future(), key) for s, key in asked]

    assert gathered(batch) == [[0, 2], [1], [3], [4], [5]]
