"""Every place elsewhere keeps the same promises: whole, once, this version, and clear failures."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from kumobashi.conversion.errors import FileChanged
from kumobashi.conversion.remote.errors import ConditionIgnored, NameTaken
from kumobashi.conversion.remote.object_storage import ObjectStorage
from kumobashi.conversion.remote.places import RemotePlace
from kumobashi.conversion.remote.sftp import SftpPlace
from kumobashi.kernel import new_id
from kumobashi.storage.errors import FolderUnreachable
from tests.peers.file_server import file_server
from tests.peers.object_storage import SECRET_KEY, rclone, seaweedfs

pytestmark = pytest.mark.slow
Made = Callable[[], RemotePlace]


@pytest.fixture(scope="module", params=["s3", "sftp"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("place")
    with ExitStack() as stack:
        if request.param == "s3":
            storage = stack.enter_context(seaweedfs(folder))
            yield lambda: storage.below(f"to/{new_id()}")
        else:
            server = stack.enter_context(file_server(folder))
            yield lambda: server.below(new_id())


@pytest.fixture
def place(made: Made) -> RemotePlace:
    return made()


def file_of(folder: Path, body: bytes) -> Path:
    path = folder / new_id()
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_what_was_put_is_fetched_as_it_was(place: RemotePlace, tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    with place.opened() as folder:
        folder.put(file_of(tmp_path, body), "架空_20261121.csv")
        (listed,) = folder.listed()
        folder.fetch(listed, tmp_path / "back")

        assert (listed.name, listed.size) == ("架空_20261121.csv", size)
        assert (tmp_path / "back").read_bytes() == body
        assert folder.digest(listed.name) == hashlib.sha256(body).hexdigest()
        assert folder.digest("none.csv") is None


def test_a_name_is_used_once(place: RemotePlace, tmp_path: Path) -> None:
    first, other = file_of(tmp_path, b"first"), file_of(tmp_path, b"other")
    with place.opened() as folder:
        folder.put(first, "t.csv")
        folder.put(first, "t.csv")  # a crash came before anybody noted it
        with pytest.raises(NameTaken) as refused:
            folder.put(other, "t.csv")
        folder.fetch(folder.listed()[0], tmp_path / "back")

        assert "t.csv" in refused.value.say()
        assert (tmp_path / "back").read_bytes() == b"first"
        assert [one.name for one in folder.listed()] == ["t.csv"]  # nothing is left beside it


def test_an_older_one_of_ours_is_replaced(place: RemotePlace, tmp_path: Path) -> None:
    older, newer = file_of(tmp_path, b"older"), file_of(tmp_path, b"newer")
    with place.opened() as folder:
        folder.put(older, "t.csv")
        folder.put(newer, "t.csv", {hashlib.sha256(b"older").hexdigest()})
        folder.fetch(folder.listed()[0], tmp_path / "back")

        assert (tmp_path / "back").read_bytes() == b"newer"


def test_another_version_is_not_taken_for_the_listed_one(
    place: RemotePlace, tmp_path: Path
) -> None:
    with place.opened() as folder:
        folder.put(file_of(tmp_path, b"one"), "t.csv")
        (listed,) = folder.listed()
        folder.remove("t.csv")
        with pytest.raises(FileChanged):
            folder.fetch(listed, tmp_path / "gone")
        folder.put(file_of(tmp_path, b"another one"), "t.csv")
        with pytest.raises(FileChanged):
            folder.fetch(listed, tmp_path / "other")
        folder.remove("none.csv")
        folder.remove("t.csv")

        assert list(folder.listed()) == []


def test_a_key_that_is_not_known_is_refused_in_words_without_secrets(place: RemotePlace) -> None:
    wrong: RemotePlace
    if isinstance(place, ObjectStorage):
        wrong = replace(place, secret_key="not-that-one")
    elif isinstance(place, SftpPlace):
        import asyncssh

        other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
        wrong = replace(place, key=other)
    with pytest.raises(FolderUnreachable) as refused, wrong.opened() as folder:
        folder.listed()

    assert refused.value.retryable
    said = str(refused.value.problem())
    assert SECRET_KEY not in said
    assert "not-that-one" not in said
    assert "PRIVATE KEY" not in repr(wrong)


def test_a_place_that_does_not_answer_is_tried_again_later(place: RemotePlace) -> None:
    away: RemotePlace
    if isinstance(place, ObjectStorage):
        away = replace(place, endpoint="http://127.0.0.1:1")
    elif isinstance(place, SftpPlace):
        away = replace(place, port=1)
    with pytest.raises(FolderUnreachable) as refused, away.opened() as folder:
        folder.listed()

    assert refused.value.retryable


def test_a_server_with_another_key_gets_nothing(made: Made) -> None:
    import asyncssh

    place = made()
    if not isinstance(place, SftpPlace):
        pytest.skip("object storage is known by its certificate")
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with (
        pytest.raises(FolderUnreachable) as refused,
        replace(place, host_key=" ".join(other.split()[:2])).opened(),
    ):
        pass

    assert "another key" in refused.value.say("en")


def test_a_storage_that_overwrites_is_found_out_before_anything_is_written(tmp_path: Path) -> None:
    with rclone(tmp_path) as storage:
        place = storage.below("to")
        with place.opened() as folder:
            with pytest.raises(ConditionIgnored) as refused:
                folder.put(file_of(tmp_path, b"one"), "t.csv")

            assert list(folder.listed()) == []
    assert "上書き" in refused.value.say()
