"""The keys of a site: one to sign, one to open seals, one to make tokens; public halves of others.

Each private key lives in a file of its own that only its owner may read. The signing key is PKCS #8
in PEM (``openssl pkey`` reads it), the sealing key an identity file of age, the token key base64.
Printing a private key prints its public name, never its secret.

>>> key = SigningKey.generate()
>>> VerifyKey.from_jwk(key.public.jwk()).kid == key.kid
True
>>> TokenKey(bytes(32)).token("0000000001")
'67bd39c32f4f8d1a028ce9238863d30a'
"""

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pyrage import IdentityError, RecipientError, x25519

from kumobashi.crypto import base64url, bech32
from kumobashi.crypto.errors import KeyUnfit, KeyUnreadable
from kumobashi.crypto.private_files import read_private, write_private

_KEY_BYTES = 32  # Ed25519 points and token keys
_HMAC_BLOCK = 64  # bytes of a SHA-256 block (RFC 2104)
_TOKEN_BYTES = 16  # 128 bits


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The public half of a signing key; its algorithm is EdDSA with Ed25519 and nothing else."""

    raw: bytes

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint with SHA-256, in base64url."""
        # Written out in its canonical form: it is asked for with every request.
        members = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url.encode(self.raw)}"}}'
        return base64url.encode(sha256(members.encode("ascii")).digest())

    def jwk(self) -> dict[str, str]:
        """Return the key as a JWK (RFC 8037)."""
        return {
            "alg": "EdDSA",
            "crv": "Ed25519",
            "kid": self.kid,
            "kty": "OKP",
            "use": "sig",
            "x": base64url.encode(self.raw),
        }

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """Read a JWK strictly.

        Raises:
            KeyUnfit: of another kind or algorithm, private, for another use, or not what its own
                ``kid`` says.
        """
        if "d" in jwk:
            raise KeyUnfit(reason="it holds the private half")
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            raise KeyUnfit(reason="not an Ed25519 key")
        if jwk.get("alg", "EdDSA") != "EdDSA" or jwk.get("use", "sig") != "sig":
            raise KeyUnfit(reason="meant for another algorithm or use")
        if jwk.get("key_ops", ["verify"]) != ["verify"]:
            raise KeyUnfit(reason="not meant to verify")
        x = jwk.get("x")
        try:
            raw = base64url.decode(x) if isinstance(x, str) else b""
        except ValueError:
            raise KeyUnfit(reason="x is not base64url") from None
        if len(raw) != _KEY_BYTES:
            raise KeyUnfit(reason="x is not 32 bytes")
        key = cls(raw)
        if jwk.get("kid", key.kid) != key.kid:
            raise KeyUnfit(reason="kid is not its thumbprint")
        return key

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether ``signature`` was made over ``message`` with the private half."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key a site signs manifests, receipts and requests with."""

    private: Ed25519PrivateKey = field(repr=False)
    public: VerifyKey
    kid: str

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls._of(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file; refuse one that others can read."""
        data = read_private(path, expected="Ed25519 (PKCS #8, PEM)")
        try:
            private = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyUnreadable(path=str(path), expected="Ed25519 (PKCS #8, PEM)")
        return cls._of(private)

    def save(self, path: Path) -> None:
        """Write a new key file that only its owner can read."""
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over ``message``."""
        return self.private.sign(message)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey) -> Self:
        public = VerifyKey(private.public_key().public_bytes_raw())
        return cls(private=private, public=public, kid=public.kid)


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key that opens what was sealed to a site: an X25519 identity of age."""

    identity: x25519.Identity = field(repr=False)
    recipient: str  # "age1…", the public half

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls._of(x25519.Identity.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an identity file as ``age-keygen`` writes it, with exactly one X25519 identity."""
        data = read_private(path, expected="age X25519 identity")
        try:
            return cls.parse(data)
        except KeyUnfit:
            raise KeyUnreadable(path=str(path), expected="age X25519 identity") from None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the content of an identity file; raise ``KeyUnfit`` when it is none."""
        try:
            lines = [line.strip() for line in data.decode("ascii").splitlines()]
            (secret,) = [line for line in lines if line and not line.startswith("#")]
            return cls._of(x25519.Identity.from_str(secret))
        except (UnicodeDecodeError, ValueError, IdentityError):
            raise KeyUnfit(reason="no age X25519 identity") from None

    def save(self, path: Path) -> None:
        """Write a new identity file that only its owner can read."""
        write_private(path, self.file_bytes())

    def file_bytes(self) -> bytes:
        """Return the secret as the content of an identity file."""
        return f"# public key: {self.recipient}\n{self.identity}\n".encode("ascii")

    @property
    def secret(self) -> bytes:
        """The 32 bytes of the private half."""
        return bech32.decode("age-secret-key-", str(self.identity))

    @classmethod
    def _of(cls, identity: x25519.Identity) -> Self:
        return cls(identity=identity, recipient=str(identity.to_public()))


def recipient_of(text: str) -> bytes:
    """Return the 32 bytes of the public half of a sealing key, ``age1…``.

    Raises:
        KeyUnfit: it is none.
    """
    try:
        x25519.Recipient.from_str(text)
        return bech32.decode("age", text)
    except (RecipientError, ValueError):
        raise KeyUnfit(reason="not an age X25519 recipient") from None


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The key of one destination's tokens: they stand for resident numbers and for nobody else's.

    HMAC-SHA256 (RFC 2104) cut to 128 bits. The bulk path does the same in SQL with
    :meth:`hmac_pads`; :meth:`token` is what it is checked against.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key of another length."""
        if len(self.secret) != _KEY_BYTES:
            raise KeyUnfit(reason="a token key has 32 bytes")

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file; refuse one that others can read."""
        data = read_private(path, expected="32 bytes in base64")
        try:
            return cls(base64.b64decode(data.strip(), validate=True))
        except (binascii.Error, KeyUnfit):
            raise KeyUnreadable(path=str(path), expected="32 bytes in base64") from None

    def save(self, path: Path) -> None:
        """Write a new key file that only its owner can read."""
        write_private(path, base64.b64encode(self.secret) + b"\n")

    def hmac_pads(self) -> tuple[bytes, bytes]:
        """Return both blocks of HMAC, as in ``sha256(outer + sha256(inner + text))``."""
        block = self.secret.ljust(_HMAC_BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)

    def token(self, resident_no: str) -> str:
        """Return the token of a resident number, 32 hexadecimal digits."""
        return hmac.digest(self.secret, resident_no.encode(), "sha256")[:_TOKEN_BYTES].hex()
