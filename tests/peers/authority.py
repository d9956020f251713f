"""A certificate authority of nobody: what an entrance and those who come to it show each other."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes

    def at(self, folder: Path, name: str = "client") -> None:
        """Write both where somebody looks for them."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.crt").write_bytes(self.certificate)
        (folder / f"{name}.key").write_bytes(self.key)
        (folder / f"{name}.key").chmod(0o600)


class Authority:
    """Makes certificates, good and bad."""

    def __init__(self, name: str = "架空市 試験用認証局") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _called(name)
        self._own = self._signed(self._name, self._key.public_key(), 30, is_authority=True)

    @property
    def pem(self) -> bytes:
        """What others believe it by."""
        return self._own.public_bytes(Encoding.PEM)

    def certify(self, name: str, *, days: int = 30) -> Pair:
        """Return a pair for 127.0.0.1 that is good for ``days`` more."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_called(name), key.public_key(), days)
        return Pair(
            made.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        days: int,
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(here, critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(self._key, SHA256())
        )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
