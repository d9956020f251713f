"""Bytes that are cut while they come are the same bytes, whatever the pieces and the limit."""

import hashlib
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.exchange.beside import Beside
from kumobashi.exchange.cutting import Cutting
from kumobashi.messages.parts import JoinedParts
from kumobashi.storage.errors import SpoolFull
from kumobashi.storage.spool import Incoming, Spool

KEY = ("t", 1)


@given(pieces=st.lists(st.binary(max_size=40)), limit=st.integers(min_value=1, max_value=50))
def test_the_parts_joined_are_what_came(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        with Cutting(spool, *KEY, limit) as cutting:
            for piece in pieces:
                cutting.write(piece)
            parts = cutting.finish()

        def opened(part: object) -> object:
            return spool.open(*KEY, part.digest.removeprefix("sha256:"))  # type: ignore[attr-defined]

        joined = JoinedParts(parts, opened)  # type: ignore[arg-type]
        read = b"".join(iter(lambda: joined.read(17), b""))
        names = {path.name for path in Path(folder).rglob("*") if path.is_file()}

    assert read == whole
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert all(part.bytes == limit for part in parts[:-1])
    assert cutting.bytes == len(whole)
    assert cutting.digest == f"sha256:{hashlib.sha256(whole).hexdigest()}"
    assert names == {f"{part.digest.removeprefix('sha256:')}.part" for part in parts}


def test_nothing_half_written_is_left_when_it_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Cutting(Spool(tmp_path), *KEY, 10) as cutting:  # noqa: PT012
        cutting.write(b"x" * 25)
        raise KeyError

    assert not list(tmp_path.rglob("*.tmp"))


def test_a_disk_that_fills_up_while_a_part_is_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_part: Incoming) -> str:
        raise SpoolFull(place="spool")

    monkeypatch.setattr(Incoming, "keep", full)
    with pytest.raises(SpoolFull), Cutting(Spool(tmp_path), *KEY, 10) as cutting:  # noqa: PT012
        cutting.write(b"x" * 10)
        cutting.finish()

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@given(st.lists(st.binary(max_size=5), max_size=300))
def test_beside_takes_all_blocks_in_their_order_in_another_thread(blocks: list[bytes]) -> None:
    taken: list[bytes] = []
    threads = set()

    def take(block: bytes) -> None:
        taken.append(block)
        threads.add(threading.current_thread().name)

    with Beside(take, "taking") as beside:
        for block in blocks:
            beside.write(block)

    assert taken == blocks
    assert threads <= {"taking"}


def test_what_the_other_thread_raises_comes_and_nobody_waits_for_ever() -> None:
    def take(block: bytes) -> None:
        if block == b"5":
            raise SpoolFull(place="spool")

    with pytest.raises(SpoolFull), Beside(take, "taking") as beside:  # noqa: PT012
        for number in range(10_000):
            beside.write(b"%d" % number)
    with pytest.raises(SpoolFull), Beside(take, "taking") as beside:
        beside.write(b"5")


def test_an_error_of_the_block_itself_comes_first() -> None:
    def take(_block: bytes) -> None:
        raise SpoolFull(place="spool")

    with pytest.raises(KeyError), Beside(take, "taking") as beside:  # noqa: PT012
        beside.write(b"x")
        raise KeyError
