r"""Containers that other people's tools can open: an uncompressed tar, written and read strictly.

Every member is a plain file with a short name; owner, mode and time are always the same, so equal
contents make equal files. Reading looks at headers only, by position, and refuses everything that
such a container never holds before a byte of content is used.

>>> import io
>>> file = io.BytesIO()
>>> with ArchiveWriter(file) as target:
...     target.add("bundle.json", b"{}")
>>> [(member.name, member.size) for member in members(file, Limits())]
[('bundle.json', 2)]
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, Self

from kumobashi.storage.archive_errors import (
    ArchiveDamaged,
    ArchiveKind,
    ArchiveName,
    ArchiveTooLarge,
    ArchiveTooMany,
    ArchiveTwice,
)

_BLOCK: Final = 512
_COPIED: Final = 1 << 20  # bytes at a time
_LARGEST: Final = 8**11 - 1  # what eleven octal digits can say
_MAGIC = b"ustar\x0000"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}(?:/[a-z0-9][a-z0-9._-]{0,80})?")
_OCTAL = re.compile(rb"[0-7]{11}\x00")
_END = bytes(_BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is taken at most."""

    members: int = 60_000
    member_bytes: int = _LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a container, where it lies."""

    name: str
    size: int
    offset: int


class ArchiveWriter:
    """Writes members one after another; the end is written when the block is left in order."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the end, unless something failed."""
        if kind is None:
            self._target.write(_END * 2)

    def add(self, name: str, body: bytes) -> None:
        """Add a small member."""
        self.stream(name, len(body), [body])

    def stream(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """Add a member whose size is known, piece by piece.

        Raises:
            ValueError: the name is none of ours, or the pieces are not ``size`` bytes.
        """
        if not _NAME.fullmatch(name) or not 0 <= size <= _LARGEST:
            raise ValueError(f"not to be put into a container: {name!r}, {size} bytes")
        self._target.write(_header(name, size))
        written = 0
        for piece in pieces:
            self._target.write(piece)
            written += len(piece)
        if written != size:
            raise ValueError(f"{name}: {written} bytes, not {size}")
        self._target.write(bytes(-size % _BLOCK))


def members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Yield the members of a seekable file in their order, each checked before the next is read.

    Raises:
        ArchiveDamaged: a header that is none, a size beyond the file, something behind the end.
        ArchiveName, ArchiveKind, ArchiveTwice, ArchiveTooMany, ArchiveTooLarge
    """
    end = file.seek(0, 2)
    seen: set[str] = set()
    offset = number = 0
    while True:
        file.seek(offset)
        header = file.read(_BLOCK)
        number += 1
        if header == _END:
            rest = file.read(_BLOCK + 1)
            if rest != _END:
                raise ArchiveDamaged(reason="no proper end")
            return
        if number > limits.members:
            raise ArchiveTooMany(limit=limits.members)
        name, size = _read(header, number)
        if name in seen:
            raise ArchiveTwice(number=number)
        if size > limits.member_bytes:
            raise ArchiveTooLarge(number=number, bytes=size, limit=limits.member_bytes)
        padded = size + -size % _BLOCK
        if offset + _BLOCK + padded > end:
            raise ArchiveDamaged(reason=f"member {number} is cut off")
        file.seek(offset + _BLOCK + size)
        if any(file.read(padded - size)):
            raise ArchiveDamaged(reason=f"something behind member {number}")
        seen.add(name)
        yield Member(name=name, size=size, offset=offset + _BLOCK)
        offset += _BLOCK + padded


def body_of(file: BinaryIO, member: Member) -> bytes:
    """Return the whole of a small member; set a limit before."""
    file.seek(member.offset)
    return file.read(member.size)


class Slice:
    """One member as a stream of its own, on a file handle of its own."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self._file = file
        self._left = member.size
        file.seek(member.offset)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes of the member."""
        wished = self._left if size < 0 else min(size, self._left)
        block = self._file.read(wished)
        self._left -= len(block)
        return block

    def close(self) -> None:
        """Close the handle."""
        self._file.close()

    def __enter__(self) -> Self:
        """Give the stream."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _header(name: str, size: int) -> bytes:
    fields = [
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,  # mode, owner, group
        b"%011o\0" % size,
        b"%011o\0" % 0,  # time
        b" " * 8,  # the checksum counts as spaces
        b"0" + bytes(100),  # a plain file, no link
        _MAGIC + bytes(64),
        b"0000000\0" * 2,
        bytes(167),
    ]
    header = b"".join(fields)
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]


def _read(header: bytes, number: int) -> tuple[str, int]:
    if len(header) != _BLOCK:
        raise ArchiveDamaged(reason=f"cut off before member {number}")
    if header[257:265] != _MAGIC:
        raise ArchiveDamaged(reason=f"the header of member {number} is none")
    summed = sum(header[:148]) + 8 * 32 + sum(header[156:])
    if header[148:156] != b"%06o\0 " % summed:
        raise ArchiveDamaged(reason=f"the checksum of member {number}")
    if header[156:157] != b"0" or any(header[157:257]):
        raise ArchiveKind(number=number)
    raw = header[:100].rstrip(b"\0")
    name = raw.decode("ascii", "replace")
    if any(header[345:500]) or not _NAME.fullmatch(name) or ".." in name:
        raise ArchiveName(number=number)
    if not _OCTAL.fullmatch(header[124:136]):
        raise ArchiveDamaged(reason=f"the size of member {number}")
    return name, int(header[124:135], 8)
