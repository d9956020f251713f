"""The certificates by which systems that sign with WS-Security prove who they are at their gateway.

Beside the tokens: ``private/<site>/systems/<system>.crt``, one PEM certificate. Our own key and
certificate, which sign the answers to them, are ``private/<site>/soap.key`` and ``soap.crt``.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kumobashi.calls.soap.errors import CertificateUnfit
from kumobashi.calls.soap.signatures import fingerprint
from kumobashi.crypto.private_files import read_private, write_private
from kumobashi.service.call_tokens import folder_of

_LARGEST: Final = 64 * 1024
_BITS: Final = 3072
_LIVES: Final = timedelta(days=3 * 365)


class CallCertificates:
    """The certificates of one site's systems, read again when a file changes."""

    def __init__(self, workspace: Path, site: str) -> None:
        self._folder = folder_of(workspace, site)
        self._own = workspace / "private" / site
        self._stamp: dict[Path, int] = {}
        self._found: dict[bytes, x509.Certificate] = {}
        self._systems: dict[bytes, str] = {}

    def registered(self) -> dict[bytes, x509.Certificate]:
        """Return the certificates by their SHA-256."""
        self._look()
        return self._found

    def system_of(self, certificate: x509.Certificate) -> str | None:
        """Return whose certificate it is."""
        return self._systems.get(fingerprint(certificate))

    def own(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate] | None:
        """Return what signs answers; nothing where no system signs."""
        try:
            key = load_pem_private_key(read_private(self._own / "soap.key", expected="key"), None)
            found = x509.load_pem_x509_certificate((self._own / "soap.crt").read_bytes())
        except FileNotFoundError:
            return None
        return (key, found) if isinstance(key, rsa.RSAPrivateKey) else None

    def _look(self) -> None:
        stamp = {path: path.stat().st_mtime_ns for path in self._folder.glob("*.crt")}
        if stamp == self._stamp:
            return
        found: dict[bytes, x509.Certificate] = {}
        systems: dict[bytes, str] = {}
        for path in sorted(stamp):
            try:
                one = read_certificate(path)
            except CertificateUnfit:
                continue  # nobody gets in by it; `call certificate` told whoever put it there
            if fingerprint(one) in found:  # one certificate cannot speak for two systems
                del systems[fingerprint(one)]
                continue
            found[fingerprint(one)], systems[fingerprint(one)] = one, path.stem
        self._stamp, self._systems = stamp, systems
        self._found = {mark: one for mark, one in found.items() if mark in systems}


def read_certificate(path: Path) -> x509.Certificate:
    """Return the one certificate of a PEM file.

    Raises:
        CertificateUnfit: there is none, more than one, or a private key.
    """
    try:
        body = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        if b"PRIVATE KEY" in body:
            raise CertificateUnfit(file=path.name, reason="PRIVATE KEY")
        (found,) = x509.load_pem_x509_certificates(body)
    except (OSError, ValueError):
        raise CertificateUnfit(file=path.name, reason="PEM, 1 certificate") from None
    return found


def register(
    workspace: Path, site: str, system: str, file: Path, now: datetime
) -> x509.Certificate:
    """Let a system prove itself by a certificate; one that it had counts no more.

    Makes what signs the answers, where that is not there yet.

    Raises:
        CertificateUnfit: it is none, or its time is over.
    """
    found = read_certificate(file)
    if found.not_valid_after_utc <= now:
        ended = found.not_valid_after_utc.date().isoformat()
        raise CertificateUnfit(file=file.name, reason=f"{ended}")
    folder = folder_of(workspace, site)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = folder / f"{system}.crt"
    for other in folder.glob("*.crt"):
        if other != mine and fingerprint(read_certificate(other)) == fingerprint(found):
            raise CertificateUnfit(file=file.name, reason=other.stem)
    mine.write_bytes(found.public_bytes(Encoding.PEM))
    _make_own(workspace / "private" / site, site, now)
    return found


def _make_own(folder: Path, site: str, now: datetime) -> None:
    if (folder / "soap.crt").exists():
        return
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"kumobashi {site}")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIVES)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "soap.key").unlink(missing_ok=True)  # of a try that did not end
    write_private(folder / "soap.key", pem)
    (folder / "soap.crt").write_bytes(made.public_bytes(Encoding.PEM))
