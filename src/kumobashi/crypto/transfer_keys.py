"""The age identity that one sealing of one transfer is made for, and how it travels: wrapped.

The payload is sealed to a fresh identity. The identity goes beside it as a small age file of its
own, sealed to the receiving site; manifest, ledger and evidence hold the hash of its public half.
Whoever destroys the wrapped file has made the sealed data unreadable, wherever a copy of them lies.

>>> site, key = SealKey.generate(), SealKey.generate()
>>> opened = unwrap(wrap(key, site.recipient), site, expected=key_hash(key.recipient))
>>> opened.recipient == key.recipient
True
"""

import io
from hashlib import sha256

from kumobashi.crypto.errors import KeyUnfit, KeyUnlike
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed, seal

LARGEST_WRAPPED = 4096  # bytes; one has about 330
AGE_MAGIC = b"age-encryption.org/v1\n"


def key_hash(recipient: str) -> str:
    """Return ``sha256:`` and the digest of the public half, ``age1…``, as ASCII."""
    return f"sha256:{sha256(recipient.encode('ascii')).hexdigest()}"


def wrap(key: SealKey, recipient: str) -> bytes:
    """Return the identity as an age file that only ``recipient`` opens.

    Raises:
        KeyUnfit: ``recipient`` is none.
    """
    target = io.BytesIO()
    seal(io.BytesIO(key.file_bytes()), target, [recipient])
    return target.getvalue()


def unwrap(document: bytes, own: SealKey, *, expected: str | None = None) -> SealKey:
    """Return the identity inside; ``expected`` is the hash that a signed manifest names.

    Raises:
        NotForUs, SealedDamaged, SealedTruncated: wrapped for another site, or altered.
        KeyUnlike: another identity than the one that is expected, or none.
    """
    target = io.BytesIO()
    open_sealed(io.BytesIO(document), target, own)
    try:
        key = SealKey.parse(target.getvalue())
    except KeyUnfit:
        raise KeyUnlike from None
    if expected is not None and key_hash(key.recipient) != expected:
        raise KeyUnlike
    return key
