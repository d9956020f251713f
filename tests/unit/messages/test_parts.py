import io
from hashlib import sha256
from random import Random
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.canonical import digest
from kumobashi.messages.errors import PartAltered, PartsMissing
from kumobashi.messages.parts import JoinedParts, Part, altered, join, missing, split

WHOLE = "髙﨑𠮷葛󠄀".encode() * 3


class Shelf:
    """Holds the bodies of parts by the digest they should have."""

    def __init__(self, whole: bytes, limit: int) -> None:
        self.whole = whole
        cut = list(split(io.BytesIO(whole), limit))
        self.parts = [part for part, _ in cut]
        self.bodies = {part.digest: body for part, body in cut}
        self.opened: list[int] = []

    def open_part(self, part: Part) -> BinaryIO:
        self.opened.append(part.number)
        return io.BytesIO(self.bodies[part.digest])

    def join(self) -> bytes:
        target = io.BytesIO()
        join(
            self.parts,
            self.bodies,
            self.open_part,
            target,
            whole_digest=digest(self.whole),
            whole_bytes=len(self.whole),
        )
        return target.getvalue()


@given(st.binary(min_size=1), st.integers(1, 50), st.randoms(use_true_random=False))
def test_joining_in_any_order_restores_the_whole(whole: bytes, limit: int, chance: Random) -> None:
    shelf = Shelf(whole, limit)
    chance.shuffle(shelf.parts)

    assert shelf.join() == whole


@given(st.binary(), st.integers(1, 50))
def test_parts_are_full_but_the_last_and_numbered_from_one(whole: bytes, limit: int) -> None:
    cut = list(split(io.BytesIO(whole), limit))

    assert b"".join(body for _, body in cut) == whole
    assert [part.number for part, _ in cut] == list(range(1, len(cut) + 1))
    assert all(len(body) == limit for _, body in cut[:-1])
    for part, body in cut:
        assert 1 <= len(body) <= limit
        assert part.bytes == len(body)
        assert part.digest == f"sha256:{sha256(body).hexdigest()}"


def test_splitting_takes_one_part_at_a_time_from_the_source() -> None:
    source = io.BytesIO(bytes(100))

    next(split(source, 10))

    assert source.tell() == 10


def test_a_source_that_gives_little_at_a_time_makes_the_same_parts() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    assert list(split(Trickle(WHOLE), 10)) == list(split(io.BytesIO(WHOLE), 10))


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_byte_is_a_mistake(limit: int) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        next(split(io.BytesIO(b"x"), limit))


def test_flipping_any_byte_of_any_part_is_found_and_named() -> None:
    for number in range(1, len(Shelf(WHOLE, 7).parts) + 1):
        for at in range(7):
            shelf = Shelf(WHOLE, 7)
            part = shelf.parts[number - 1]
            if at >= part.bytes:
                continue
            body = bytearray(shelf.bodies[part.digest])
            body[at] ^= 1
            shelf.bodies[part.digest] = bytes(body)

            with pytest.raises(PartAltered) as refusal:
                shelf.join()
            assert refusal.value.numbers == str(number)
            assert altered(shelf.parts, shelf.open_part) == [part]


def test_every_altered_part_is_named_whether_flipped_cut_or_lengthened() -> None:
    shelf = Shelf(WHOLE, 10)
    one, two, four = shelf.parts[0], shelf.parts[1], shelf.parts[3]
    shelf.bodies[one.digest] = b"x" * 10
    shelf.bodies[two.digest] = shelf.bodies[two.digest][:-1]
    shelf.bodies[four.digest] += b"x"

    with pytest.raises(PartAltered) as refusal:
        shelf.join()

    assert refusal.value.numbers == "1, 2, 4"
    assert refusal.value.code == "message.part_altered"


def test_every_missing_part_is_named_and_nothing_is_read() -> None:
    shelf = Shelf(WHOLE, 10)
    for number in (4, 2):
        del shelf.bodies[shelf.parts[number - 1].digest]

    with pytest.raises(PartsMissing) as refusal:
        shelf.join()

    assert refusal.value.numbers == "2, 4"
    assert refusal.value.count == 2
    assert refusal.value.digests == [shelf.parts[1].digest, shelf.parts[3].digest]
    assert refusal.value.retryable
    assert shelf.opened == []


def test_a_list_of_thousands_of_parts_stays_readable() -> None:
    shelf = Shelf(bytes(range(100)), 1)
    shelf.bodies = {}

    with pytest.raises(PartsMissing) as refusal:
        shelf.join()

    assert refusal.value.count == 100
    assert refusal.value.numbers.endswith("20, …")


def test_right_parts_of_another_whole_are_found() -> None:
    shelf = Shelf(WHOLE, 10)
    shelf.whole = b"another"

    with pytest.raises(PartAltered) as refusal:
        shelf.join()

    assert refusal.value.numbers == "0"


def test_equal_parts_are_held_once_and_joined_twice() -> None:
    shelf = Shelf(b"ab" * 4, 2)

    assert len(shelf.bodies) == 1
    assert missing(shelf.parts, shelf.bodies) == []
    assert shelf.join() == b"ab" * 4


def test_a_sound_bundle_is_read_once() -> None:
    shelf = Shelf(WHOLE, 10)

    shelf.join()

    assert shelf.opened == [part.number for part in shelf.parts]


def test_joined_parts_close_what_they_opened() -> None:
    shelf = Shelf(WHOLE, 10)
    handed_out: list[BinaryIO] = []

    def open_part(part: Part) -> BinaryIO:
        handed_out.append(shelf.open_part(part))
        return handed_out[-1]

    source = JoinedParts(shelf.parts, open_part)
    while source.read(4):
        pass
    half = JoinedParts(shelf.parts, open_part)
    half.read(4)
    half.close()

    assert all(body.closed for body in handed_out)
