"""The key with which this site signs what it asks of providers; made when it is first needed.

``private/<site>/saml/sp.pem`` signs. Every ``sp*.pem`` beside it is published, so that a provider
knows the next key before it is used.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kumobashi.crypto.errors import KeyUnreadable
from kumobashi.crypto.private_files import read_private, write_private

FILE: Final = "sp.pem"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_EXPECTED: Final = "a private key and its certificate, PEM"
_BITS: Final = 3072
_LIFE: Final = timedelta(days=3650)
_BEFORE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of ours with its certificate."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def algorithm(self) -> str:
        """The name of its algorithm, as XML signatures have it."""
        return RSA_SHA256 if isinstance(self.key, rsa.RSAPrivateKey) else ECDSA_SHA256

    def sign(self, message: bytes) -> bytes:
        """Return a signature; one of ECDSA is r and s side by side (XML Signature 1.1, 6.4.3)."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, PKCS1v15(), hashes.SHA256())
        size = (self.key.curve.key_size + 7) // 8
        pair = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(size, "big") for number in pair)


class OwnKeys:
    """The keys of a folder; read again when a file has changed, as checking one takes long."""

    def __init__(self, folder: Path, *, name: str) -> None:
        self._folder = folder
        self._name = name
        self._held: tuple[object, Sequence[OwnKey]] = (None, ())

    def read(self, *, now: datetime) -> Sequence[OwnKey]:
        """Return the key that signs, and then those that are only published.

        Raises:
            KeyTooOpen, KeyUnreadable: what lies there cannot be used.
        """
        first = self._folder / FILE
        if not first.exists():
            _make(first, self._name, now)
        paths = [first, *sorted(p for p in self._folder.glob("sp-*.pem") if p.is_file())]
        state = [(path, _state(path)) for path in paths]
        held_state, keys = self._held
        if held_state != state:
            keys = tuple(_read(path) for path in paths)
            self._held = (state, keys)
        return keys


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, as the workspace has it."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        raise KeyUnreadable(path=str(path), expected=_EXPECTED) from None
    return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def _read(path: Path) -> OwnKey:
    data = read_private(path, expected=_EXPECTED)
    try:
        key = load_pem_private_key(data, None)
        certificate = x509.load_pem_x509_certificate(data)
    except (ValueError, TypeError):
        raise KeyUnreadable(path=str(path), expected=_EXPECTED) from None
    if (
        not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise KeyUnreadable(path=str(path), expected=_EXPECTED)
    return OwnKey(key, certificate)


def _make(path: Path, name: str, now: datetime) -> None:
    """Make a key; of two processes that make one at once, the last one's stays, and both read it.

    Nobody has been told of the other: what is published is read from the file as well.
    """
    key = rsa.generate_private_key(65537, _BITS)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _LIFE)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(draft, plain + certificate.public_bytes(Encoding.PEM))
    draft.replace(path)
