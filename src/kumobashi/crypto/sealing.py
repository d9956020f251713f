"""Seal a stream to a site and open it again: age v1 files for X25519 recipients.

Memory stays bounded whatever the size. Anyone with the key file opens a seal by
``age --decrypt -i seal.key bundle.age``.

pyrage asks for 8 KiB at a time and takes the interpreter lock each time; beside a busy thread that
made it 150 times slower. So streams are read and written in blocks of a megabyte here.
"""

from collections.abc import Sequence
from typing import Never, Protocol

import pyrage

from kumobashi.crypto.errors import KeyUnfit, NotForUs, SealedDamaged, SealedTruncated, SealFailed
from kumobashi.crypto.keys import SealKey, recipient_of

_BLOCK = 1 << 20  # bytes
_MAGIC = b"age-encryption.org/v1\n"
_NOT_OURS = "No matching keys found"
_CUT = ("age file is truncated", "failed to fill whole buffer", "Incomplete header")


class Readable(Protocol):
    """A source of bytes: a file, a decompressor, the joined parts of a bundle."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""


class Writable(Protocol):
    """A target of bytes: a file, a decompressor."""

    def write(self, data: bytes, /) -> int | None:
        """Take the bytes; return how many, or ``None`` for all."""


def seal(source: Readable, target: Writable, recipients: Sequence[str]) -> None:
    """Encrypt ``source`` into ``target`` so that each of ``recipients`` (``age1…``) can open it.

    What the streams raise comes through unchanged; then ``target`` holds a useless beginning.

    Raises:
        KeyUnfit: a recipient is none, or there are none.
    """
    if not recipients:
        raise KeyUnfit(reason="no recipient")
    keys = [recipient_of(text) for text in recipients]
    reader, writer = _Reader(source), _Writer(target)
    try:
        pyrage.encrypt_io(reader, writer, keys)
        writer.flush()
    except (pyrage.EncryptError, OSError) as problem:
        _raise_stream_failure(reader, writer)
        raise SealFailed(reason=str(problem)) from None


def open_sealed(
    source: Readable, target: Writable, key: SealKey, *, expected_bytes: int | None = None
) -> None:
    """Decrypt ``source`` into ``target``.

    Plaintext is written as it is authenticated, block by block, so a failure can leave a true
    beginning in ``target``: **use what is in ``target`` only after this returned.** What the
    streams raise comes through unchanged.

    ``expected_bytes`` is the size of the whole sealed file, where it is known: with it, a file
    that ends too early is told from one that was altered in its last block.

    Raises:
        NotForUs: sealed to other keys. Damage inside the list of recipients looks the same to age;
            compare the digest of the sealed bytes first, as a receiver of bundles does.
        SealedTruncated: the end is missing.
        SealedDamaged: altered, lengthened, or no age file.
    """
    reader, writer = _Reader(source), _Writer(target)
    if not reader.starts_with(_MAGIC):
        _raise_for(reader, expected_bytes, "no age file")
    try:
        pyrage.decrypt_io(reader, writer, [key.identity])
        writer.flush()
    except (pyrage.DecryptError, OSError) as problem:
        _raise_stream_failure(reader, writer)
        _raise_for(reader, expected_bytes, str(problem))
    if expected_bytes is not None and reader.size() != expected_bytes:
        raise SealedDamaged(reason="another size than expected")


def _raise_for(reader: "_Reader", expected_bytes: int | None, reason: str) -> Never:
    got = reader.size()
    if got < len(_MAGIC) or (expected_bytes is not None and got < expected_bytes):
        raise SealedTruncated(got=got) from None
    if reason.startswith(_NOT_OURS):
        raise NotForUs from None
    if reason.startswith(_CUT):
        raise SealedTruncated(got=got) from None
    raise SealedDamaged(reason=reason.splitlines()[0]) from None


def _raise_stream_failure(reader: "_Reader", writer: "_Writer") -> None:
    """Raise what a stream raised, which pyrage wraps into errors of its own."""
    if failure := reader.failure or writer.failure:
        raise failure from None


class _Reader:
    """Reads large blocks and hands out what is asked for; remembers how the source failed."""

    def __init__(self, source: Readable) -> None:
        self.failure: Exception | None = None
        self._source = source
        self._block = b""
        self._at = 0
        self._taken = 0  # bytes got from the source

    def read(self, size: int = -1) -> bytes:
        if self._at == len(self._block):
            self._fill()
        end = len(self._block) if size < 0 else self._at + size
        piece = self._block[self._at : end]
        self._at += len(piece)
        return piece

    def starts_with(self, magic: bytes) -> bool:
        """Tell whether the source begins so, without taking anything from it."""
        while len(self._block) < len(magic):
            start = self._block
            self._fill()
            if not self._block:
                self._block = start
                break
            self._block = start + self._block
        return self._block.startswith(magic)

    def size(self) -> int:
        """Return the bytes of the whole source, reading on to its end."""
        while block := self._source.read(_BLOCK):
            self._taken += len(block)
        return self._taken

    def _fill(self) -> None:
        try:
            self._block = self._source.read(_BLOCK)
        except Exception as failure:
            self.failure = failure
            raise
        self._at = 0
        self._taken += len(self._block)


class _Writer:
    """Gathers small pieces into large blocks; remembers how the target failed."""

    def __init__(self, target: Writable) -> None:
        self.failure: Exception | None = None
        self._target = target
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= _BLOCK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        try:
            while held:
                taken = self._target.write(held)
                held = held[len(held) if taken is None else taken :]
        except Exception as failure:
            self.failure = failure
            raise
