"""The log in SQL: numbered after the commit, never changed, and its roots those of its records."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import parse, read
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.errors import EntryUnfit, LogForked, SizeBeyond
from kumobashi.evidence.keeping import Keeper
from kumobashi.evidence.log import (
    Nodes,
    append,
    prove_consistency,
    sequence,
    size_of,
    stored,
    waiting_in,
)
from kumobashi.evidence.merkle import Frontier, consistency, inclusion, leaf_hash, root, subtree
from kumobashi.evidence.sql import checkpoints, entries, waiting
from kumobashi.exchange.migrating import migrate
from kumobashi.storage.sqlite import SQLiteState

TENANT, SITE = "999997", "hall-core"
AT = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)


class Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return AT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteState]:
    held = SQLiteState(tmp_path / "state.db", owner=SITE)
    migrate(held)
    yield held
    held.close()


@pytest.fixture
def keeper(store: SQLiteState) -> Keeper:
    return Keeper(store, tenant=TENANT, site=SITE, key=SigningKey.generate(), clock=Standing())


def write(store: SQLiteState, count: int, first: int = 0) -> None:
    def work(connection: sa.Connection) -> None:
        for number in range(first, first + count):
            append(connection, TENANT, Entry(event="test.made", at=AT, facts={"number": number}))

    store.write(work)


def leaves(store: SQLiteState) -> list[bytes]:
    return store.read(lambda held: [leaf_hash(body) for _, _, body in stored(held, TENANT)])


def test_what_is_committed_and_has_no_number_is_seen_and_survives(
    store: SQLiteState, tmp_path: Path
) -> None:
    write(store, 3)
    store.close()

    again = SQLiteState(tmp_path / "state.db", owner=SITE)
    assert again.read(lambda held: (size_of(held, TENANT), waiting_in(held, TENANT))) == (0, 3)
    keeper = Keeper(again, tenant=TENANT, site=SITE, key=SigningKey.generate(), clock=Standing())
    assert keeper.number() == 3

    assert again.read(lambda held: (size_of(held, TENANT), waiting_in(held, TENANT))) == (3, 0)
    again.close()


def test_an_entry_is_written_only_if_its_transaction_is(store: SQLiteState) -> None:
    def work(connection: sa.Connection) -> None:
        append(connection, TENANT, Entry(event="test.made", at=AT))
        raise LookupError

    with pytest.raises(LookupError):
        store.write(work)

    assert store.read(lambda held: waiting_in(held, TENANT)) == 0


def test_roots_and_proofs_from_the_database_are_those_of_all_leaves(
    store: SQLiteState, keeper: Keeper
) -> None:
    sizes = (1, 255, 256, 257, 300, 512, 700)
    for size in sizes:
        write(store, size - store.read(lambda held: size_of(held, TENANT)))
        keeper.number()
        all_ = leaves(store)
        assert len(all_) == size
        edge = Frontier()
        for leaf in all_:
            edge.add(leaf)

        def look(held: sa.Connection, size: int = size, all_: list[bytes] = all_) -> None:
            node = Nodes(held, TENANT)
            assert root(size, node) == edge.root()  # noqa: B023 - called at once
            for index in {0, size // 2, size - 1}:
                plain = inclusion(index, size, lambda at, i: subtree(all_, at, i))
                assert inclusion(index, size, node) == plain
            for old in {1, (size + 1) // 2, size}:
                plain = consistency(old, size, lambda at, i: subtree(all_, at, i))
                assert consistency(old, size, node) == plain

        store.read(look)


def test_large_subtrees_are_kept_on_every_level(
    store: SQLiteState, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kumobashi.evidence.log._TILE", 2)
    monkeypatch.setattr("kumobashi.evidence.log._TILE_LEAVES", 4)
    for size in (3, 4, 5, 17, 64, 65, 70):
        write(store, size - store.read(lambda held: size_of(held, TENANT)))
        keeper.number()
        all_ = leaves(store)
        edge = Frontier()
        for leaf in all_:
            edge.add(leaf)

        assert store.read(lambda held, n=size: root(n, Nodes(held, TENANT))) == edge.root()  # type: ignore[misc]
    levels = store.read(
        lambda held: held.execute(
            sa.text("select level, count(*) from evidence_nodes group by level order by level")
        ).all()
    )
    assert [tuple(row) for row in levels] == [(2, 17), (4, 4), (6, 1)]


def test_two_who_number_at_once_leave_no_gap_and_nothing_twice(store: SQLiteState) -> None:
    write(store, 10)

    assert store.write(lambda held: sequence(held, TENANT, 4)) == 4
    assert store.write(lambda held: sequence(held, TENANT)) == 6

    numbers = store.read(lambda held: [number for number, _, _ in stored(held, TENANT)])
    assert numbers == list(range(10))


@pytest.mark.parametrize(
    "change",
    [
        "update evidence_entries set body = x'00' where number = 1",
        "delete from evidence_entries where number = 1",
        "update evidence_checkpoints set note = 'x'",
        "delete from evidence_checkpoints",
        "update evidence_waiting set body = x'00'",
        "delete from evidence_waiting",
    ],
)
def test_the_database_itself_refuses_every_change(
    store: SQLiteState, keeper: Keeper, change: str, tmp_path: Path
) -> None:
    write(store, 3)
    keeper.sign()
    write(store, 1)
    store.close()

    stranger = sqlite3.connect(tmp_path / "state.db")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        stranger.execute(change)
    stranger.close()


def test_checkpoints_are_signed_when_there_is_something_new(
    store: SQLiteState, keeper: Keeper
) -> None:
    assert keeper.sign() is None
    write(store, 3)
    first = keeper.sign()
    assert first is not None
    assert keeper.sign() == first
    write(store, 2)
    second = keeper.sign()

    key = keeper._key
    assert second is not None
    checked = read(second, {key.kid: key.public}, origin=keeper.origin, site=SITE)
    assert (parse(first).size, checked.size) == (3, 5)
    assert store.read(lambda held: len(prove_consistency(held, TENANT, 3))) > 0


def test_nothing_is_signed_on_top_of_records_that_were_changed(
    store: SQLiteState, keeper: Keeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(store, 3)
    before = keeper.sign()
    write(store, 1)
    with sqlite3.connect(tmp_path / "state.db") as stranger:
        stranger.execute("drop trigger evidence_entries_no_update")
        stranger.execute("update evidence_entries set body = x'00' where number = 1")
    stranger.close()

    with pytest.raises(LogForked):
        keeper.sign()
    keeper.sign_or_tell()
    keeper.sign_or_tell()

    assert [record.message for record in caplog.records] == ["evidence not signed"]
    notes = store.read(lambda held: held.execute(sa.select(checkpoints.c.note)).scalars().all())
    assert list(notes) == [before]


def test_a_proof_beyond_the_log_is_refused(store: SQLiteState, keeper: Keeper) -> None:
    write(store, 3)
    keeper.number()

    for old, new in ((4, None), (0, 3), (2, 1), (1, 4)):
        with pytest.raises(SizeBeyond):
            store.read(lambda held, a=old, b=new: prove_consistency(held, TENANT, a, b))  # type: ignore[misc]


def test_logs_of_two_municipalities_never_meet(store: SQLiteState, keeper: Keeper) -> None:
    write(store, 2)
    store.write(lambda held: append(held, "999989", Entry(event="test.made", at=AT)))
    keeper.number()

    assert store.read(lambda held: (size_of(held, "999989"), waiting_in(held, "999989"))) == (0, 1)
    tables = store.read(
        lambda held: [
            held.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (entries, waiting)
        ]
    )
    assert tables == [2, 1]


@pytest.mark.parametrize(
    "facts",
    [
        {"link": "架空 太郎"},
        {"name": "somebody"},
        {"counts": {"rows": "12"}},
        {"attempt": "1"},
        {"code": "two words"},
        {"checkpoint": "free text"},
        {"transfer": "a" * 201},
        {"attempt": True},
    ],
)
def test_a_record_can_hold_no_sentence_and_no_name(facts: dict[str, object]) -> None:
    with pytest.raises(EntryUnfit) as refused:
        Entry(event="test.made", at=AT, facts=facts).encode()  # type: ignore[arg-type]

    assert all(str(value) not in str(refused.value) for value in facts.values() if value != "1")
