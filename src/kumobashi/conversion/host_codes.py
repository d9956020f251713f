r"""The charsets of hosts: EBCDIC with Japanese, one byte and two bytes mixed by shift codes.

The tables are those that this machine's C library has (``iconv``); glibc has them, others may not,
and then the failure says so. Each is asked once for every code and kept as a dictionary, so that a
code that has no character, and a character that has no code, is found where it stands.

>>> host = host_charset("ibm939")
>>> host.encode("A千葉").hex(" ")
'c1 0e 45 4c 45 f9 0f'
>>> host.decode(bytes.fromhex("c10e454c45f90f"))
'A千葉'
"""

import ctypes
import ctypes.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from kumobashi.conversion.errors import HostCharsetMissing

HostCharset = Literal["ibm930", "ibm939"]
SHIFT_OUT, SHIFT_IN = b"\x0e", b"\x0f"  # to two bytes, and back to one
_PIECES = re.compile(rb"\x0e([^\x0f]*)\x0f|([^\x0e\x0f]+)|(.)", re.DOTALL)
_FIRST, _LAST = 0x40, 0xFE  # of each of the two bytes


class NotInCharset(ValueError):
    """What has no counterpart: ``got`` is a character, or bytes in hexadecimal."""

    def __init__(self, got: str, position: int) -> None:
        self.got = got
        self.position = position  # from 0
        super().__init__("no counterpart")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCodes:
    """The tables of one charset, both ways."""

    single: Mapping[int, str]
    double: Mapping[bytes, str]
    to_single: Mapping[str, bytes]
    to_double: Mapping[str, bytes]

    def decode(self, raw: bytes) -> str:
        """Return the text of mixed bytes; raise :class:`NotInCharset`."""
        text = []
        for piece in _PIECES.finditer(raw):
            wide, narrow, stray = piece.groups()
            if stray is not None:
                raise NotInCharset(f"0x{stray.hex()}", piece.start())
            if wide is not None:
                text.append(self.decode_wide(wide, piece.start() + 1))
                continue
            for place, code in enumerate(narrow, piece.start()):
                if code not in self.single:
                    raise NotInCharset(f"0x{code:02x}", place)
                text.append(self.single[code])
        return "".join(text)

    def decode_wide(self, raw: bytes, start: int = 0) -> str:
        """Return the text of bytes that are all in pairs."""
        if len(raw) % 2:
            raise NotInCharset(f"0x{raw[-1:].hex()}", start + len(raw) - 1)
        pairs = [raw[at : at + 2] for at in range(0, len(raw), 2)]
        for number, pair in enumerate(pairs):
            if pair not in self.double:
                raise NotInCharset(f"0x{pair.hex()}", start + 2 * number)
        return "".join(self.double[pair] for pair in pairs)

    def encode(self, text: str) -> bytes:
        """Return mixed bytes, shifted where two bytes begin and end."""
        found, is_wide = bytearray(), False
        for place, char in enumerate(text):
            code = self.to_single.get(char) or self.to_double.get(char)
            if code is None:
                raise NotInCharset(char, place)
            if is_wide != (len(code) == 2):  # noqa: PLR2004 - bytes of a code
                found += SHIFT_IN if is_wide else SHIFT_OUT
                is_wide = not is_wide
            found += code
        return bytes(found + SHIFT_IN if is_wide else found)

    def encode_wide(self, text: str) -> bytes:
        """Return bytes that are all in pairs, without shift codes."""
        for place, char in enumerate(text):
            if char not in self.to_double:
                raise NotInCharset(char, place)
        return b"".join(self.to_double[char] for char in text)


@cache
def host_charset(name: HostCharset) -> HostCodes:
    """Return a charset's tables; raise :class:`HostCharsetMissing` where the machine lacks it."""
    ask = _converter(name)
    single = {
        code: text
        for code in range(256)
        if bytes([code]) not in {SHIFT_OUT, SHIFT_IN} and (text := ask(bytes([code])))
    }
    double = {}
    for first in range(_FIRST, _LAST + 1):
        for second in range(_FIRST, _LAST + 1):
            pair = bytes((first, second))
            if text := ask(SHIFT_OUT + pair + SHIFT_IN):
                double[pair] = text
    # Where two codes mean one character, the first is written: the same each time.
    to_double = {text: pair for pair, text in reversed(double.items()) if len(text) == 1}
    to_single = {text: bytes([code]) for code, text in reversed(single.items()) if len(text) == 1}
    return HostCodes(single=single, double=double, to_single=to_single, to_double=to_double)


class _Converter:
    """One open ``iconv``; gives nothing for bytes that have no character."""

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._library = library
        self._handle = handle

    def __call__(self, raw: bytes) -> str:
        source = ctypes.create_string_buffer(raw, len(raw))
        target = ctypes.create_string_buffer(16)
        at, left = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_size_t(len(raw))
        to, room = ctypes.c_void_p(ctypes.addressof(target)), ctypes.c_size_t(len(target))
        self._library.iconv(self._handle, None, None, None, None)  # back to the first state
        failed = self._library.iconv(
            self._handle, ctypes.byref(at), ctypes.byref(left), ctypes.byref(to), ctypes.byref(room)
        )
        if failed or left.value:
            return ""
        return target.raw[: len(target) - room.value].decode("utf-16-le")


def _converter(name: HostCharset) -> _Converter:
    try:
        library = ctypes.CDLL(None)
        library.iconv_open.restype = ctypes.c_void_p
        library.iconv.restype = ctypes.c_ssize_t
        library.iconv.argtypes = [ctypes.c_void_p] * 5
        handle = library.iconv_open(b"UTF-16LE", name.upper().encode())
    except (AttributeError, OSError, TypeError):
        raise HostCharsetMissing(charset=name) from None
    if handle is None or handle == ctypes.c_void_p(-1).value:
        raise HostCharsetMissing(charset=name)
    return _Converter(library, handle)
