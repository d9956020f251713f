"""Files of a medium: one size, opened by one site, and nothing in their number but its order."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumobashi.courier.blocks import (
    FILE_BYTES,
    PLAIN_BYTES,
    open_block,
    padded_blocks,
    seal_block,
)
from kumobashi.courier.errors import MediumDamaged, MediumForeign
from kumobashi.crypto.keys import SealKey

KEY, OTHER = SealKey.generate(), SealKey.generate()
_FEW = settings(max_examples=5, deadline=None)  # each seals 4 MiB


@_FEW
@given(st.binary(max_size=5000))
def test_opening_undoes_sealing_and_every_file_has_one_size(plain: bytes) -> None:
    file = seal_block(plain, KEY.recipient)

    assert len(file) == FILE_BYTES
    opened = open_block(file, KEY, name="00000001.BIN", site="public-cloud")
    assert opened == plain.ljust(PLAIN_BYTES, b"\0")


def test_a_full_block_fits() -> None:
    plain = bytes(range(256)) * (PLAIN_BYTES // 256)

    assert open_block(seal_block(plain, KEY.recipient), KEY, name="x", site="s") == plain


def test_equal_contents_make_files_that_have_nothing_in_common() -> None:
    one, two = (seal_block(b"x", KEY.recipient) for _ in range(2))

    same = sum(a == b for a, b in zip(one[300:], two[300:], strict=True))
    assert abs(same / len(one) - 1 / 256) < 0.001


def test_another_site_cannot_open_it() -> None:
    with pytest.raises(MediumForeign):
        open_block(seal_block(b"x", KEY.recipient), OTHER, name="x", site="s")


@_FEW
@given(st.integers(0, 9 * FILE_BYTES), st.integers(1, 255))
def test_no_change_of_a_byte_that_counts_goes_unseen(place: int, change: int) -> None:
    file = bytearray(seal_block(b"x", KEY.recipient))
    length = int.from_bytes(file[:4], "big")
    at = place % (length + 4)
    file[at] ^= change

    with pytest.raises((MediumDamaged, MediumForeign)):
        open_block(bytes(file), KEY, name="x", site="s")


@_FEW
@given(st.integers(0, FILE_BYTES - 1))
def test_a_file_that_ends_early_is_refused(size: int) -> None:
    with pytest.raises(MediumDamaged):
        open_block(seal_block(b"x", KEY.recipient)[:size], KEY, name="x", site="s")


@given(st.integers(1, 10_000_000))
def test_the_number_of_files_grows_by_an_eighth_at_most_and_tells_few_bits(count: int) -> None:
    padded = padded_blocks(count)

    assert count <= padded <= math.ceil(count * 1.12)
    assert padded_blocks(padded) == padded
    assert padded_blocks(count + 1) >= padded
    # What is left of the number: as many bits as its length has (Padmé).
    length = padded.bit_length()
    assert padded & -padded >= 1 << max(0, length - 1 - length.bit_length())
