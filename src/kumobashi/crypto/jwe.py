r"""What only the receiving site reads: a compact JWE, ECDH-ES over X25519 with A256GCM.

One form and no choices (RFC 7516, RFC 7518 section 4.6, RFC 8037): a new ephemeral key each time,
the key agreed directly, so the second part is empty; no compression, no ``crit``. The sealing key
of the site opens it; ``kid`` names the recipient as the directory writes it. Whatever else a token
claims is refused before any key is used.

>>> from kumobashi.crypto.keys import SealKey
>>> key = SealKey.generate()
>>> token = seal(b"asked", key.recipient, content_type="message/bhttp")
>>> open_sealed(token, key)
Opened(content_type='message/bhttp', body=b'asked')
>>> token.count(b".")
4
"""

import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from kumobashi.crypto import base64url
from kumobashi.crypto.errors import NotForUs, SealedDamaged
from kumobashi.crypto.keys import SealKey, recipient_of

MEDIA_TYPE = "application/jose"
_ENC = b"A256GCM"
_KEY_BYTES = 32
_IV_BYTES, _TAG_BYTES = 12, 16
_OTHER_INFO = (  # RFC 7518, 4.6.2: no PartyUInfo, no PartyVInfo, 256 bits
    len(_ENC).to_bytes(4, "big") + _ENC + bytes(8) + (256).to_bytes(4, "big")
)
_HEADER = re.compile(
    r'\{"alg":"ECDH-ES","cty":"([a-z0-9.+/-]{1,80})","enc":"A256GCM",'
    r'"epk":\{"crv":"X25519","kty":"OKP","x":"([A-Za-z0-9_-]{43})"\},'
    r'"kid":"(age1[a-z0-9]{20,80})"\}'
)
_LONGEST_HEADER = 600


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a token."""

    content_type: str
    body: bytes


def seal(body: bytes, recipient: str, *, content_type: str) -> bytes:
    """Return a token that only the holder of ``recipient`` (``age1…``) opens."""
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(_public(recipient))
    header = _encoded(
        {
            "alg": "ECDH-ES",
            "cty": content_type,
            "enc": "A256GCM",
            "epk": {
                "crv": "X25519",
                "kty": "OKP",
                "x": base64url.encode(ephemeral.public_key().public_bytes_raw()),
            },
            "kid": recipient,
        }
    )
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(_derived(shared)).encrypt(iv, body, header)
    parts = (b"", iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    return b".".join((header, *(base64url.encode(part).encode("ascii") for part in parts)))


def open_sealed(token: bytes, key: SealKey) -> Opened:
    """Open a token.

    Raises:
        NotForUs: sealed to another recipient.
        SealedDamaged: not of this form, or changed.
    """
    try:
        header, wrapped, iv, text, tag = token.split(b".")
        if wrapped or len(header) > _LONGEST_HEADER:
            raise SealedDamaged(reason="JWE")
        said = _HEADER.fullmatch(base64url.decode(header.decode("ascii")).decode("ascii"))
        if said is None:
            raise SealedDamaged(reason="JWE")
        pieces = [base64url.decode(part.decode("ascii")) for part in (iv, text, tag)]
        ephemeral = base64url.decode(said[2])
    except ValueError:
        raise SealedDamaged(reason="JWE") from None
    if said[3] != key.recipient:
        raise NotForUs
    if len(pieces[0]) != _IV_BYTES or len(pieces[2]) != _TAG_BYTES:
        raise SealedDamaged(reason="JWE")
    try:
        shared = _private(key.secret).exchange(X25519PublicKey.from_public_bytes(ephemeral))
        body = AESGCM(_derived(shared)).decrypt(pieces[0], pieces[1] + pieces[2], header)
    except (InvalidTag, ValueError):  # a point of small order gives no secret
        raise SealedDamaged(reason="JWE") from None
    return Opened(said[1], body)


@lru_cache(maxsize=8)
def _private(secret: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(secret)


@lru_cache(maxsize=1024)
def _public(recipient: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(recipient_of(recipient))


def _derived(shared: bytes) -> bytes:
    return ConcatKDFHash(SHA256(), _KEY_BYTES, _OTHER_INFO).derive(shared)


def _encoded(header: dict[str, object]) -> bytes:
    text = json.dumps(header, separators=(",", ":"))
    return base64url.encode(text.encode("ascii")).encode("ascii")
