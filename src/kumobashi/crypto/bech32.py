"""Read Bech32 (BIP 173), as age writes its keys: a name, a one, the data, six characters to check.

>>> decode("a", "A12UEL5L")  # the first valid one of BIP 173
b''
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final

_CHARACTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKED: Final = 6


def decode(name: str, text: str) -> bytes:
    """Return the data of a text in lower or in upper case; raise ``ValueError``."""
    lower = text.lower()
    if text not in (lower, text.upper()) or not lower.startswith(f"{name}1"):
        raise ValueError(f"not under the name {name}")
    values = [_CHARACTERS.find(character) for character in lower[len(name) + 1 :]]
    if len(values) < _CHECKED or -1 in values:
        raise ValueError("a character that is none of the thirty-two")
    if _remainder([*_spread(name), *values]) != 1:
        raise ValueError("the check does not fit")
    return _bytes(values[:-_CHECKED])


def _spread(name: str) -> list[int]:
    return [*(ord(c) >> 5 for c in name), 0, *(ord(c) & 31 for c in name)]


def _remainder(values: Iterable[int]) -> int:
    def step(held: int, value: int) -> int:
        top = held >> 25
        held = (held & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            if top >> place & 1:
                held ^= factor
        return held

    return reduce(step, values, 1)


def _bytes(values: Iterable[int]) -> bytes:
    """Return bytes of groups of five bits; what is left over must be less than a group, and 0."""
    held = bits = 0
    found = bytearray()
    for value in values:
        held, bits = held << 5 | value, bits + 5
        if bits >= 8:  # noqa: PLR2004 - a byte
            bits -= 8
            found.append(held >> bits)
            held &= (1 << bits) - 1
    if bits >= 5 or held:  # noqa: PLR2004 - a group
        raise ValueError("bits that are left over")
    return bytes(found)
