"""Seal a stream to a site and open it again: age v1 files for X25519 recipients.

Memory stays bounded whatever the size. Anyone with the key file opens a seal by
``age --decrypt -i seal.key bundle.age``. Streams are read and written chunk by chunk: larger blocks
cost more to allocate than to encrypt.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from kumobashi.crypto import age
from kumobashi.crypto.errors import KeyUnfit, NotForUs, SealedDamaged, SealedTruncated
from kumobashi.crypto.keys import SealKey, recipient_of


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
    try:
        header, key = age.write_header([recipient_of(text) for text in recipients])
    except age.Unfit as problem:
        raise KeyUnfit(reason=str(problem)) from None
    chunks = age.Chunks.under(key)
    _write(target, header)
    for plain, is_last in _chunks(source, b"", age.CHUNK):
        _write(target, chunks.seal(plain, is_last=is_last))


def open_sealed(
    source: Readable, target: Writable, key: SealKey, *, expected_bytes: int | None = None
) -> None:
    """Decrypt ``source`` into ``target``.

    Plaintext is written as it is authenticated, chunk by chunk, so a failure can leave a true
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
    counted = _Counted(source)
    try:
        payload_key, rest = _opened_header(counted, key)
        chunks = age.Chunks.under(payload_key)
        for sealed, is_last in _chunks(counted, rest, age.SEALED_CHUNK):
            _write(target, chunks.open(sealed, is_last=is_last))
    except age.NoKeyFits:
        counted.refuse_cut(expected_bytes)
        raise NotForUs from None
    except age.Unfit as problem:
        counted.refuse_cut(expected_bytes)
        raise SealedDamaged(reason=str(problem)) from None
    except age.EndMissing:
        raise SealedTruncated(got=counted.size) from None
    if expected_bytes is not None and counted.size != expected_bytes:
        raise SealedDamaged(reason="another size than expected")


def _opened_header(source: "_Counted", key: SealKey) -> tuple[bytes, bytes]:
    """Return the payload key, and what of the payload was read already."""
    data = b""
    while (end := age.find_header(data)) is None:
        block = source.read(age.CHUNK)
        if not block:
            raise age.EndMissing
        data += block
    return age.read_header(data[:end], key.secret), data[end:]


def _chunks(source: Readable, held: bytes, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield chunks of ``size`` bytes, the last one perhaps shorter; it says that it is the last.

    ``held`` was read before. Only an empty source gives an empty chunk.
    """
    before = None
    while True:
        while len(held) < size:
            block = source.read(size - len(held))
            if not block:
                if before is not None:
                    yield before, not held
                if held or before is None:
                    yield held, True
                return
            held = held + block if held else block
        if before is not None:
            yield before, False
        before, held = held[:size], held[size:]


def _write(target: Writable, data: bytes) -> None:
    while data:
        taken = target.write(data)
        data = data[len(data) if taken is None else taken :]


class _Counted:
    """Counts what was read."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.size = 0

    def read(self, size: int, /) -> bytes:
        block = self._source.read(size)
        self.size += len(block)
        return block

    def refuse_cut(self, expected_bytes: int | None) -> None:
        """Read on to the end; raise ``SealedTruncated`` when it comes before it should."""
        while self.read(age.CHUNK):
            pass
        if self.size < len(age.MAGIC) or (
            expected_bytes is not None and self.size < expected_bytes
        ):
            raise SealedTruncated(got=self.size)
