"""The files on a medium: all of one size, each an age file of its own, filled up with chance.

    4 bytes, big-endian: n │ n bytes: an age file for the receiving site │ random bytes to 4 MiB

A finder sees files of the same size whose number is rounded up, and nothing else. The fill is
random because zeros would show where the age file ends.

>>> [padded_blocks(count) for count in (1, 2, 9, 100, 1000)]
[1, 2, 10, 104, 1024]
"""

import io
import os
from typing import Final

from kumobashi.courier.errors import MediumDamaged, MediumForeign
from kumobashi.crypto.errors import NotForUs, SealFailed
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed, seal

FILE_BYTES: Final = 4 << 20  # of every file on a medium
PLAIN_BYTES: Final = FILE_BYTES - (64 << 10)  # of content in one file; age adds less than the rest
_LENGTH_BYTES: Final = 4


def padded_blocks(count: int) -> int:
    """Return how many files stand for ``count`` of them, at most 12 % more (Padmé).

    The number tells only its order of magnitude and a few bits: Nikitin et al., "Reducing metadata
    leakage from encrypted files", PETS 2019, section 4.
    """
    if count < 2:  # noqa: PLR2004 - one is one
        return 1
    exponent = count.bit_length() - 1
    low = (1 << max(0, exponent - exponent.bit_length())) - 1
    return (count + low) & ~low


def seal_block(plain: bytes, recipient: str) -> bytes:
    """Return the whole file for one piece of content of at most ``PLAIN_BYTES``."""
    if len(plain) > PLAIN_BYTES:
        raise ValueError(f"a block holds {PLAIN_BYTES} bytes, not {len(plain)}")
    sealed = io.BytesIO()
    seal(io.BytesIO(plain.ljust(PLAIN_BYTES, b"\0")), sealed, [recipient])
    body = sealed.getvalue()
    file = len(body).to_bytes(_LENGTH_BYTES, "big") + body
    return file + os.urandom(FILE_BYTES - len(file))


def open_block(file: bytes, key: SealKey, *, name: str, site: str) -> bytes:
    """Return the ``PLAIN_BYTES`` of a file.

    Raises:
        MediumForeign: sealed to another site; damage in the age header looks the same.
        MediumDamaged: of another size, or altered behind the header.
    """
    size = int.from_bytes(file[:_LENGTH_BYTES], "big")
    if len(file) != FILE_BYTES or size > FILE_BYTES - _LENGTH_BYTES:
        raise MediumDamaged(file=name)
    plain = io.BytesIO()
    body = file[_LENGTH_BYTES : _LENGTH_BYTES + size]
    try:
        open_sealed(io.BytesIO(body), plain, key, expected_bytes=size)
    except NotForUs:
        raise MediumForeign(site=site) from None
    except SealFailed:
        raise MediumDamaged(file=name) from None
    if plain.tell() != PLAIN_BYTES:
        raise MediumDamaged(file=name)
    return plain.getvalue()
