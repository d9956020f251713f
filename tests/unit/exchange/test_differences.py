"""Differences: what is computed, applied to the base, makes the whole; digests tell rows apart."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.packing import OPERATION
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.storage.erasable import ErasableSecrets

KEY = ("key",)
COLUMNS = ("key", "a", "b")
Table = dict[str, tuple[Any, Any]]


def working(rows: Table) -> duckdb.DuckDBPyConnection:
    work = duckdb.connect()
    work.execute("create table released (key varchar, a varchar, b integer[])")
    for key, (a, b) in rows.items():
        work.execute("insert into released values (?, ?, ?)", [key, a, b])
    return work


def snapshots_in(folder: Path, site: SealKey | None = None) -> Snapshots:
    keys = TransferKeys(ErasableSecrets(folder / "keys"), site or SealKey.generate())
    return Snapshots(folder / "snapshots", keys)


def difference(folder: Path, before: Table, after: Table) -> list[tuple[Any, ...]]:
    snapshots = snapshots_in(folder)
    with working(before) as work:
        snapshots.keep(work, "a-link", "t1", KEY, room=folder)
    with working(after) as work:
        counted = snapshots.compare(work, "a-link", "t1", KEY, COLUMNS, room=folder)
        rows = work.execute(f"select {OPERATION}, key, a, b from changed").fetchall()
    assert counted.rows == sum(row[0] == "put" for row in rows)
    assert counted.deleted == sum(row[0] == "delete" for row in rows)
    return rows


def applied(before: Table, rows: list[tuple[Any, ...]]) -> Table:
    after = dict(before)
    for operation, key, *_ in rows:
        if operation == "delete":
            del after[key]
    for operation, key, a, b in rows:
        if operation == "put":
            after[key] = (a, b)
    return after


tables = st.dictionaries(
    st.text(max_size=3).filter(lambda text: "\0" not in text),
    st.tuples(
        st.none() | st.text(max_size=3).filter(lambda text: "\0" not in text),
        st.none() | st.lists(st.integers(0, 3), max_size=2),
    ),
    max_size=6,
)


@settings(max_examples=50)
@given(before=tables, after=tables)
def test_base_and_difference_make_the_whole(
    tmp_path_factory: pytest.TempPathFactory, before: Table, after: Table
) -> None:
    rows = difference(tmp_path_factory.mktemp("d"), before, after)

    assert applied(before, rows) == after
    unchanged = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    assert unchanged.isdisjoint({row[1] for row in rows}), "nothing that did not change"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("", None), (None, None)),
        (("null", None), (None, None)),
        (("1", [1]), ("1", [1, 1])),
        (("x", []), ("x", None)),
        (('","b":[1]', None), ("", [1])),
        (("辻", None), ("辻\U000e0100", None)),
    ],
)
def test_rows_that_differ_a_little_differ(
    tmp_path: Path, one: tuple[Any, Any], other: tuple[Any, Any]
) -> None:
    assert difference(tmp_path, {"k": one}, {"k": other}) == [("put", "k", *other)]


def test_a_deleted_row_carries_its_key_only(tmp_path: Path) -> None:
    assert difference(tmp_path, {"k": ("secret", [1])}, {}) == [("delete", "k", None, None)]


def test_nothing_of_a_row_can_be_read_where_a_snapshot_rests(tmp_path: Path) -> None:
    with working({"resident-0123": ("very private", [1])}) as work:
        snapshots_in(tmp_path).keep(work, "a-link", "t1", KEY, room=tmp_path)

    (path,) = tmp_path.rglob("*.parquet.age")
    assert not list(tmp_path.rglob("*.parquet"))
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"very private" not in file.read_bytes()
        assert b"resident-0123" not in file.read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_old_snapshots_are_forgotten(tmp_path: Path) -> None:
    snapshots = snapshots_in(tmp_path)
    with working({}) as work:
        for transfer in ("t1", "t2"):
            snapshots.keep(work, "a-link", transfer, KEY, room=tmp_path)

    snapshots.forget_but("a-link", {"t2"})

    assert not snapshots.exists("a-link", "t1")
    assert snapshots.exists("a-link", "t2")


def test_a_snapshot_without_its_key_is_no_base_any_more(tmp_path: Path) -> None:
    snapshots = snapshots_in(tmp_path)
    with working({"k": ("a", None)}) as work:
        snapshots.keep(work, "a-link", "t1", KEY, room=tmp_path)
    (tmp_path / "keys" / "snapshots" / "t1.age").unlink()

    assert not snapshots.exists("a-link", "t1")


def test_what_an_older_release_left_readable_goes(tmp_path: Path) -> None:
    snapshots = snapshots_in(tmp_path)
    with working({}) as work:
        snapshots.keep(work, "a-link", "t1", KEY, room=tmp_path)
        snapshots.keep(work, "a-link", "t9", KEY, room=tmp_path)
    folder = tmp_path / "snapshots" / "a-link"
    (readable := folder / "t0.parquet").write_bytes(b"resident-0123")
    (by_md5 := folder / "t8.parquet.age").write_bytes(b"age")
    (current,) = folder.glob("t9.*")
    by_another_duckdb = current.rename(folder / "t9.duckdb-1.4.0.parquet.age")

    assert (snapshots.drop_older(), snapshots.drop_older()) == (3, 0)
    assert not any(path.exists() for path in (readable, by_md5, by_another_duckdb))
    assert not snapshots.exists("a-link", "t9")
    assert snapshots.exists("a-link", "t1")
    snapshots.forget("a-link", "t1")
    assert not snapshots.exists("a-link", "t1")
    assert not list((tmp_path / "keys" / "snapshots").iterdir())
