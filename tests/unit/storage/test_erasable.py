"""The key store: what is put is there, what is erased is gone and does not come back."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kumobashi.storage.erasable import ERASED, ErasableSecrets
from kumobashi.storage.errors import SecretErased

SECRET = b"AGE-SECRET-KEY-OF-NOBODY"


def test_a_secret_that_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    ErasableSecrets(tmp_path / "keys").put("in", "t-1", SECRET)

    store = ErasableSecrets(tmp_path / "keys")

    assert store.get("in", "t-1") == SECRET
    assert store.names("in") == ["t-1"]
    assert store.get("out", "t-1") is None
    assert list(store.everything()) == [("in", "t-1", SECRET)]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.put("in", "t-1", SECRET)
    store.erase("in", "t-2")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").rglob("*")}

    assert modes == {"in": 0o700, "t-1.age": 0o600, ERASED: 0o600}


@pytest.mark.parametrize("way", ["drop", "erase"])
def test_what_is_destroyed_was_overwritten_before_it_was_unlinked(tmp_path: Path, way: str) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.put("in", "t-1", SECRET)
    with (tmp_path / "keys" / "in" / "t-1.age").open("rb") as held_open:
        getattr(store, way)("in", "t-1")

        assert held_open.read() != SECRET, "the bytes on disk are others now"
        assert os.fstat(held_open.fileno()).st_nlink == 0
    assert store.get("in", "t-1") is None
    getattr(store, way)("in", "t-1")  # twice is as good as once


def test_what_was_erased_does_not_come_back_what_was_dropped_may(tmp_path: Path) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.drop("in", "t-1")
    store.put("in", "t-1", SECRET)
    store.erase("in", "t-1")

    with pytest.raises(SecretErased):
        ErasableSecrets(tmp_path / "keys").put("in", "t-1", SECRET)
    store.put("in", "t-11", SECRET)  # another name that begins alike

    assert store.erased() == {"in/t-1"}


def test_putting_again_destroys_the_older_one(tmp_path: Path) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.put("in", "t-1", SECRET)
    with (tmp_path / "keys" / "in" / "t-1.age").open("rb") as held_open:
        store.put("in", "t-1", b"another")

        assert held_open.read() != SECRET
    assert store.get("in", "t-1") == b"another"


def test_what_a_crash_left_half_erased_is_finished_at_the_next_start(tmp_path: Path) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.put("in", "t-1", SECRET)
    (tmp_path / "keys" / "in" / "t-1.age").rename(tmp_path / "keys" / "in" / "t-1.0.going")

    ErasableSecrets(tmp_path / "keys")

    assert list((tmp_path / "keys" / "in").iterdir()) == []


@pytest.mark.parametrize("destroy", [ErasableSecrets.drop, ErasableSecrets.erase])
def test_what_a_crash_left_half_written_is_named_and_goes_with_its_name(
    tmp_path: Path, destroy: Callable[[ErasableSecrets, str, str], None]
) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.put("in", "t-1", SECRET)
    folder = tmp_path / "keys" / "in"
    (folder / "t-1.0.tmp").write_bytes(SECRET)
    (folder / "t-2.0.tmp").write_bytes(SECRET)

    assert store.names("in") == ["t-1", "t-2"]
    assert [name for _, name, _ in store.everything()] == ["t-1"]
    destroy(store, "in", "t-1")

    assert [path.name for path in folder.iterdir()] == ["t-2.0.tmp"]


def test_another_process_that_erases_meanwhile_wins(tmp_path: Path) -> None:
    store, other = (ErasableSecrets(tmp_path / "keys") for _ in range(2))
    store.put("in", "t-1", SECRET)
    other.erase("in", "t-1")

    with pytest.raises(SecretErased):
        store.put("in", "t-1", SECRET)
    store.drop("in", "t-1")

    assert other.get("in", "t-1") is None


def test_a_torn_line_in_the_list_of_the_erased_harms_no_other(tmp_path: Path) -> None:
    store = ErasableSecrets(tmp_path / "keys")
    store.erase("in", "t-1")
    with (tmp_path / "keys" / ERASED).open("ab") as file:
        file.write(b"\nin/t-")

    store = ErasableSecrets(tmp_path / "keys")
    store.erase("in", "t-2")

    assert {"in/t-1", "in/t-2"} <= store.erased()
