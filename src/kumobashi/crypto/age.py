"""The file format age v1 (age-encryption.org/v1): header for X25519 recipients, payload in chunks.

The header holds the file key once for each recipient; the payload is cut into chunks of 64 KiB,
each sealed by ChaCha20-Poly1305 under its number, the last one marked. Keys and ciphers come from
``cryptography``; here is only how they are put together, so that a sealed gigabyte costs a second
and not four (``docs/decisions``). ``pyrage`` and the program ``age`` open what this makes, and this
opens what they make: the tests do both.
"""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC: Final = b"age-encryption.org/v1\n"
CHUNK: Final = 1 << 16  # bytes of plaintext that are authenticated together
SEALED_CHUNK: Final = CHUNK + 16
NONCE: Final = 16  # bytes before the first chunk
LARGEST_HEADER: Final = 1 << 16
_LABEL: Final = b"age-encryption.org/v1/X25519"
_FILE_KEY: Final = 16
_COLUMNS: Final = 64
_MAC_LINE: Final = re.compile(rb"^--- ([A-Za-z0-9+/]{43})\n", re.MULTILINE)
_STANZA: Final = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n")


class Unfit(Exception):
    """The bytes are not what the format asks for; the message says what, and quotes nothing."""


class EndMissing(Exception):
    """Everything is right as far as it goes, and then it ends."""


class NoKeyFits(Exception):
    """The header is one, and none of its stanzas opens with the key."""


def write_header(recipients: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return a header for public keys of 32 bytes, with the payload's nonce, and the payload key.

    Raises:
        Unfit: a recipient is no point that a secret can be shared with.
    """
    file_key = os.urandom(_FILE_KEY)
    lines = [MAGIC]
    for recipient in recipients:
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        wrapped = _wrapping(ephemeral, recipient, share + recipient).encrypt(
            bytes(12), file_key, None
        )
        lines.append(b"-> X25519 %s\n%s\n" % (_encoded(share), _encoded(wrapped)))
    lines.append(b"---")
    header = b"".join(lines)
    nonce = os.urandom(NONCE)
    mac = _encoded(_mac(file_key, header))
    return b"%s %s\n%s" % (header, mac, nonce), _payload_key(file_key, nonce)


def find_header(data: bytes) -> int | None:
    """Return how long the header is with the nonce behind it; nothing while its end is not there.

    Raises:
        Unfit: there is no end where one must be.
    """
    found = _MAC_LINE.search(data)
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise Unfit("no age file")
    if found:
        end = found.end() + NONCE
        return end if len(data) >= end else None
    if len(data) > LARGEST_HEADER:
        raise Unfit("no end of the header")
    return None


def read_header(header: bytes, secret: bytes) -> bytes:
    """Return the payload key of a header that :func:`find_header` measured.

    Raises:
        NoKeyFits: sealed to others.
        Unfit: malformed, or altered.
    """
    found = _MAC_LINE.search(header)
    assert found is not None  # noqa: S101 - it was found before
    signed, said = header[: found.start() + 3], _decoded(found[1], 32)
    file_key = None
    own = X25519PrivateKey.from_private_bytes(secret)
    public = own.public_key().public_bytes_raw()
    for kind, arguments, body in _stanzas(header[len(MAGIC) : found.start()]):
        if kind == b"X25519":
            if len(arguments) != 1:
                raise Unfit("a stanza of another form")
            share, wrapped = _decoded(arguments[0], 32), _decoded(body, _FILE_KEY + 16)
            file_key = file_key or _unwrapped(own, share, share + public, wrapped)
    if file_key is None:
        raise NoKeyFits
    if not hmac.compare_digest(_mac(file_key, signed), said):
        raise Unfit("the header was altered")
    return _payload_key(file_key, header[-NONCE:])


@dataclass(slots=True)
class Chunks:
    """Seals or opens one chunk after the other."""

    cipher: ChaCha20Poly1305
    number: int = 0

    @classmethod
    def under(cls, key: bytes) -> "Chunks":
        """Begin a payload."""
        return cls(ChaCha20Poly1305(key))

    def seal(self, plain: bytes, *, is_last: bool) -> bytes:
        """Return the next chunk, sealed."""
        return self.cipher.encrypt(self._nonce(is_last=is_last), plain, None)

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        """Return the next chunk, opened.

        Raises:
            EndMissing: the chunk is right, but not the last one, as it should be.
            Unfit: it was altered.
        """
        try:
            plain = self.cipher.decrypt(self._nonce(is_last=is_last), sealed, None)
        except InvalidTag:
            self.number -= 1
            if is_last and self._goes_on(sealed):
                raise EndMissing from None
            raise Unfit("a chunk was altered") from None
        if is_last and not plain and self.number > 1:
            raise Unfit("an empty chunk at the end")
        return plain

    def _goes_on(self, sealed: bytes) -> bool:
        try:
            self.cipher.decrypt(self._nonce(is_last=False), sealed, None)
        except InvalidTag:
            return False
        return True

    def _nonce(self, *, is_last: bool) -> bytes:
        nonce = self.number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
        self.number += 1
        return nonce


def _stanzas(data: bytes) -> Iterator[tuple[bytes, list[bytes], bytes]]:
    """Yield kind, arguments and joined body of each stanza."""
    at = 0
    while at < len(data):
        found = _STANZA.match(data, at)
        if not found:
            raise Unfit("a stanza of another form")
        kind, *arguments = found[1].split(b" ")
        at, body = found.end(), []
        while True:
            line, end, _ = data[at:].partition(b"\n")
            if not end or len(line) > _COLUMNS:
                raise Unfit("a stanza of another form")
            body.append(line)
            at += len(line) + 1
            if len(line) < _COLUMNS:
                break
        yield kind, arguments, b"".join(body)


def _unwrapped(own: X25519PrivateKey, share: bytes, salt: bytes, wrapped: bytes) -> bytes | None:
    try:
        return _wrapping(own, share, salt).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        return None


def _wrapping(private: X25519PrivateKey, public: bytes, salt: bytes) -> ChaCha20Poly1305:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # a point of low order: everybody would know the secret
        raise Unfit("no secret can be shared") from None
    return ChaCha20Poly1305(_derived(shared, salt, _LABEL))


def _payload_key(file_key: bytes, nonce: bytes) -> bytes:
    return _derived(file_key, nonce, b"payload")


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), header, sha256)


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _encoded(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decoded(text: bytes, size: int) -> bytes:
    """Read base64 without padding, in its only form, of ``size`` bytes."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        data = b""
    if len(data) != size or _encoded(data) != text:
        raise Unfit("base64 of another form")
    return data
