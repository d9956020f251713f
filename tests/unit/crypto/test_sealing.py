import io
import os

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto.errors import KeyUnfit, NotForUs, SealedDamaged, SealedTruncated
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed, seal

KEY = SealKey.generate()
CHUNK = 65536  # bytes of plaintext that age authenticates at a time


def _seal(data: bytes, key: SealKey = KEY) -> bytes:
    sealed = io.BytesIO()
    seal(io.BytesIO(data), sealed, [key.recipient])
    return sealed.getvalue()


def _open(sealed: bytes, key: SealKey = KEY, expected_bytes: int | None = None) -> bytes:
    opened = io.BytesIO()
    open_sealed(io.BytesIO(sealed), opened, key, expected_bytes=expected_bytes)
    return opened.getvalue()


PLAIN = "髙﨑𠮷葛󠄀".encode() * 9000  # more than two chunks
SEALED = _seal(PLAIN)


class Trickle(io.RawIOBase):
    """A stream like a pipe: gives less than it is asked for, takes less than it is given."""

    def __init__(self, data: bytes = b"") -> None:
        self.held = bytearray(data)

    def read(self, size: int = -1, /) -> bytes:
        piece = bytes(self.held[: min(size, 777)])
        del self.held[: len(piece)]
        return piece

    def write(self, data: object, /) -> int:
        taken = bytes(data)[:777]  # type: ignore[call-overload]
        self.held += taken
        return len(taken)


class Endless:
    """A source of many bytes that were never in memory together."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0

    def read(self, size: int, /) -> bytes:
        piece = bytes(min(size, self.left))
        self.left -= len(piece)
        self.largest = max(self.largest, len(piece))
        return piece


class Sink:
    """A target that keeps a copy only if it must."""

    def __init__(self, copy: io.BytesIO | None = None) -> None:
        self.copy = copy
        self.size = 0
        self.largest = 0

    def write(self, data: bytes, /) -> None:
        self.size += len(data)
        self.largest = max(self.largest, len(data))
        if self.copy is not None:
            self.copy.write(data)


class Full(io.RawIOBase):
    def write(self, data: object, /) -> int:
        raise OSError(28, "No space left on device")


class Broken(io.RawIOBase):
    def read(self, size: int = -1, /) -> bytes:
        raise KeyError("of the stream")


@given(st.binary(max_size=300))
def test_what_was_sealed_opens_to_the_same(data: bytes) -> None:
    assert _open(_seal(data)) == data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, (1 << 20) + 1])
def test_sizes_around_the_chunks_open_to_the_same(size: int) -> None:
    data = os.urandom(size)
    sealed = _seal(data)

    assert _open(sealed, expected_bytes=len(sealed)) == data


def test_streams_that_give_and_take_little_by_little_work_too() -> None:
    sealed, opened = Trickle(), Trickle()

    seal(Trickle(PLAIN), sealed, [KEY.recipient])
    open_sealed(sealed, opened, KEY)

    assert bytes(opened.held) == PLAIN


def test_each_recipient_opens_and_nobody_else() -> None:
    one, two, stranger = SealKey.generate(), SealKey.generate(), SealKey.generate()
    sealed = io.BytesIO()
    seal(io.BytesIO(b"x"), sealed, [one.recipient, two.recipient])

    assert _open(sealed.getvalue(), one) == _open(sealed.getvalue(), two) == b"x"
    with pytest.raises(NotForUs):
        _open(sealed.getvalue(), stranger)


def test_another_key_is_told_from_damage() -> None:
    with pytest.raises(NotForUs) as refusal:
        _open(SEALED, SealKey.generate(), len(SEALED))

    assert refusal.value.code == "crypto.not_for_us"


@pytest.mark.parametrize("kept", [*range(0, 400, 7), 70_000, -1])
def test_a_file_that_ends_too_early_is_told_as_such(kept: int) -> None:
    with pytest.raises(SealedTruncated) as refusal:
        _open(SEALED[:kept], expected_bytes=len(SEALED))

    assert refusal.value.got == kept % len(SEALED)
    assert refusal.value.retryable


def test_an_end_at_the_border_of_a_chunk_is_found_without_knowing_the_size() -> None:
    sealed = _seal(bytes(2 * CHUNK))

    with pytest.raises(SealedTruncated):
        _open(sealed[: -(CHUNK + 16)])


def test_no_early_end_passes_even_without_knowing_the_size() -> None:
    for kept in [*range(0, 400, 7), 70_000, len(SEALED) - 1]:
        with pytest.raises((SealedTruncated, SealedDamaged)):
            _open(SEALED[:kept])


def _flipped(at: int) -> bytes:
    altered = bytearray(SEALED)
    altered[at] ^= 1
    return bytes(altered)


def test_a_flipped_byte_is_found_wherever_it_is() -> None:
    body = SEALED.index(b"\n---") + 60  # behind the header
    for at in [*range(body, body + 200), 66_000, 140_000, len(SEALED) - 1]:
        with pytest.raises(SealedDamaged):
            _open(_flipped(at), expected_bytes=len(SEALED))


def test_a_flipped_byte_in_the_header_never_passes() -> None:
    for at in range(SEALED.index(b"\n---") + 60):
        with pytest.raises((SealedDamaged, NotForUs, SealedTruncated)):
            _open(_flipped(at), expected_bytes=len(SEALED))


def test_bytes_behind_the_end_are_damage() -> None:
    with pytest.raises(SealedDamaged):
        _open(SEALED + b"x", expected_bytes=len(SEALED))
    with pytest.raises(SealedDamaged):
        _open(SEALED + b"x")


def test_armour_and_other_files_are_no_age_files() -> None:
    armoured = pyrage.encrypt(b"x", [pyrage.x25519.Recipient.from_str(KEY.recipient)], armored=True)

    for data in (armoured, b"PK\x03\x04" + bytes(100)):
        with pytest.raises(SealedDamaged, match="no age file"):
            _open(data)


def test_no_more_than_a_block_is_held_at_a_time() -> None:
    source, sealed = Endless(24 << 20), Sink(io.BytesIO())
    seal(source, sealed, [KEY.recipient])
    assert sealed.copy is not None
    sealed.copy.seek(0)

    opened = Sink()
    open_sealed(sealed.copy, opened, KEY)

    assert opened.size == 24 << 20
    assert max(source.largest, sealed.largest, opened.largest) < (1 << 20) + 2 * CHUNK


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], [KEY.recipient, ""]])
def test_sealing_to_nobody_is_refused_before_anything_is_written(recipients: list[str]) -> None:
    sealed = io.BytesIO()

    with pytest.raises(KeyUnfit):
        seal(io.BytesIO(b"x"), sealed, recipients)

    assert sealed.getvalue() == b""


def test_a_full_disk_stays_a_full_disk() -> None:
    with pytest.raises(OSError, match="No space left") as failure:
        seal(io.BytesIO(PLAIN), Full(), [KEY.recipient])
    assert failure.value.errno == 28

    with pytest.raises(OSError, match="No space left"):
        open_sealed(io.BytesIO(SEALED), Full(), KEY)


def test_what_a_source_raises_comes_through() -> None:
    with pytest.raises(KeyError, match="of the stream"):
        seal(Broken(), io.BytesIO(), [KEY.recipient])
    with pytest.raises(KeyError, match="of the stream"):
        open_sealed(Broken(), io.BytesIO(), KEY)
