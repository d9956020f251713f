"""The spool: a part is there whole or not at all, and only under its own digest."""

import contextlib
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.storage.errors import PartUnlike, SpoolFull, StorageFailed
from kumobashi.storage.spool import Spool


def name_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def files(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.root.rglob("*") if path.is_file())


def test_a_part_that_was_kept_is_held_and_read_back(spool: Spool) -> None:
    spool.put("t", 1, name_of(b"abc"), b"abc")

    assert spool.held("t", 1) == {name_of(b"abc")}
    assert spool.has("t", 1, name_of(b"abc"))
    assert not spool.has("t", 1, name_of(b"abd"))
    assert spool.size("t", 1, name_of(b"abc")) == 3
    with spool.open("t", 1, name_of(b"abc")) as part:
        assert part.read() == b"abc"
    assert spool.held("t", 2) == spool.held("u", 1) == frozenset()


def test_other_bytes_under_that_name_are_not_kept(spool: Spool) -> None:
    with pytest.raises(PartUnlike):
        spool.put("t", 1, name_of(b"abc"), b"abd")

    assert files(spool) == []


def test_what_was_not_kept_leaves_nothing(spool: Spool) -> None:
    with spool.incoming("t", 1, name_of(b"abc")) as part:
        part.write(b"abc")
    assert files(spool) == []

    with (
        contextlib.suppress(KeyboardInterrupt),
        spool.incoming("t", 1, name_of(b"abc")) as part,
    ):
        part.write(b"ab")
        raise KeyboardInterrupt
    assert files(spool) == []


def test_a_half_written_file_of_a_crash_is_no_part(spool: Spool) -> None:
    spool.put("t", 1, name_of(b"abc"), b"abc")
    (spool.root / "t/1" / f"{name_of(b'x')}.0.tmp").write_bytes(b"x")

    assert spool.held("t", 1) == {name_of(b"abc")}


def test_the_same_part_twice_at_once_is_one_part(spool: Spool) -> None:
    digest = name_of(b"abc")
    with spool.incoming("t", 1, digest) as first, spool.incoming("t", 1, digest) as second:
        first.write(b"abc")
        second.write(b"abc")
        first.keep()
        second.keep()

    assert files(spool) == [f"{digest}.part"]


def test_forgetting_one_attempt_leaves_the_others(spool: Spool) -> None:
    for attempt in (1, 2):
        spool.put("t", attempt, name_of(b"a"), b"a")
    spool.put("u", 1, name_of(b"a"), b"a")

    spool.forget("t", 1)
    assert spool.held("t", 1) == frozenset()
    assert spool.held("t", 2) == {name_of(b"a")}
    spool.forget("t")
    assert spool.held("t", 2) == frozenset()
    assert spool.held("u", 1) == {name_of(b"a")}
    spool.forget("never there")


def test_what_is_here_is_listed_by_transfer(spool: Spool) -> None:
    for transfer in ("a", "b", "c"):
        spool.put(transfer, 1, name_of(b"x"), b"x")
    spool.forget("b")

    assert spool.transfers() == {"a", "c"}


@pytest.mark.parametrize(
    ("number", "failure"),
    [(errno.ENOSPC, SpoolFull), (errno.EDQUOT, SpoolFull), (errno.EIO, StorageFailed)],
)
def test_a_failing_disk_is_told_and_nothing_is_kept(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, number: int, failure: type[Exception]
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(failure):
        spool.put("t", 1, name_of(b"abc"), b"abc")

    assert spool.held("t", 1) == frozenset()
    assert files(spool) == []


def test_everything_is_flushed_before_it_counts(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        seen.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        real_fsync(descriptor)

    def replace(self: Path, target: Any) -> Path:
        seen.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    spool.put("t", 1, name_of(b"abc"), b"abc")

    assert seen[:3] == ["file", "rename", "folder"]


@given(pieces=st.lists(st.binary(max_size=50), max_size=8))
def test_pieces_make_the_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"))
    whole = b"".join(pieces)
    with spool.incoming("t", 1, name_of(whole)) as part:
        for piece in pieces:
            part.write(piece)
        part.keep()

    with spool.open("t", 1, name_of(whole)) as held:
        assert held.read() == whole
