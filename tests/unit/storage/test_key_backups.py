"""Backups of keys: a file of their own with an end; nothing erased comes back."""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.kernel import new_id, to_micros
from kumobashi.storage.erasable import ErasableSecrets, latest_backup_end
from kumobashi.storage.errors import BackupEnded, BackupUnreadable
from kumobashi.storage.key_backups import back_up, bring_back, destroy_ended

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ONE, TWO = (f"019aa8d1-5b7c-7000-8000-0123456789a{n}-1" for n in "ab")


@pytest.fixture
def store(tmp_path: Path) -> ErasableSecrets:
    made = ErasableSecrets(tmp_path / "keys")
    made.put("in", ONE, b"one")
    made.put("in", TWO, b"two")
    return made


def test_what_was_lost_comes_back_what_was_erased_does_not(
    store: ErasableSecrets, tmp_path: Path
) -> None:
    made = back_up(store, tmp_path / "b", site="hall-core", now=NOW, keep=7 * DAY)
    store.drop("in", ONE)
    store.erase("in", TWO)

    done = bring_back(store, made.path, site="hall-core", now=NOW + DAY)

    assert (done.restored, done.there, done.erased) == (1, 0, 1)
    assert (store.get("in", ONE), store.get("in", TWO)) == (b"one", None)
    assert bring_back(store, made.path, site="hall-core", now=NOW).there == 1
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_backup_ends_and_is_destroyed_then(store: ErasableSecrets, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    old = back_up(store, folder, site="hall-core", now=NOW, keep=DAY)
    new = back_up(store, folder, site="hall-core", now=NOW + DAY, keep=DAY)
    other = back_up(store, folder, site="public-cloud", now=NOW, keep=DAY)
    with old.path.open("rb") as held_open:
        assert destroy_ended(folder, site="hall-core", now=NOW + DAY) == [old.path]
        assert b"one" not in held_open.read(), "it was overwritten"

    assert sorted(folder.iterdir()) == sorted([new.path, other.path])
    with pytest.raises(BackupEnded):
        bring_back(store, new.path, site="hall-core", now=NOW + 2 * DAY)


def test_the_last_end_of_the_backups_that_may_hold_a_key_is_known(
    store: ErasableSecrets, tmp_path: Path
) -> None:
    back_up(store, tmp_path / "b", site="hall-core", now=NOW, keep=30 * DAY)
    back_up(store, tmp_path / "b", site="hall-core", now=NOW + DAY, keep=2 * DAY)

    assert latest_backup_end(store, to_micros(NOW)) == NOW + 30 * DAY
    assert latest_backup_end(store, to_micros(NOW + DAY)) == NOW + 3 * DAY
    assert latest_backup_end(store, to_micros(NOW + 2 * DAY)) is None


@pytest.mark.parametrize(
    "name", ["../../private/seal", "in/../../x", "/in/x", "strange/" + ONE, "in/" + ONE + "/x"]
)
def test_a_path_that_climbs_restores_nothing(
    store: ErasableSecrets, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "bad.tar"
    about = {"site": "hall-core", "made": "x", "until": "2030-01-01T00:00:00.000000Z"}
    with tarfile.open(path, "w") as tar:
        for entry, content in (("about.json", json.dumps(about).encode()), (name, b"x")):
            member = tarfile.TarInfo(entry)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(BackupUnreadable):
        bring_back(store, path, site="hall-core", now=NOW)

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("content", [b"", b"no tar at all", bytes(10_240)])
def test_what_is_no_backup_is_refused(
    store: ErasableSecrets, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.tar"
    path.write_bytes(content)

    with pytest.raises(BackupUnreadable):
        bring_back(store, path, site="hall-core", now=NOW)


def test_another_sites_backup_is_refused(store: ErasableSecrets, tmp_path: Path) -> None:
    made = back_up(store, tmp_path / "b", site="public-cloud", now=NOW, keep=DAY)

    with pytest.raises(BackupUnreadable):
        bring_back(store, made.path, site="hall-core", now=NOW)


def test_every_name_that_a_store_gives_comes_back(tmp_path: Path) -> None:
    """Snapshots of later attempts and receipts of deletions have names of their own form."""
    store = ErasableSecrets(tmp_path / "keys")
    names = [
        ("in", f"{new_id()}-2"),
        ("out", f"{new_id()}-1"),
        ("snapshots", new_id()),
        ("snapshots", f"{new_id()}.2"),
        ("proofs", f"{new_id()}-1"),
    ]
    for shelf, name in names:
        store.put(shelf, name, b"secret")
    made = back_up(store, tmp_path / "k", site="here", now=NOW, keep=timedelta(days=1))
    other = ErasableSecrets(tmp_path / "other")

    bring_back(other, made.path, site="here", now=NOW)

    assert sorted((shelf, name) for shelf, name, _ in other.everything()) == sorted(names)
