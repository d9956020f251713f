"""SOAP messages for tests, signed by another's program: zeep with xmlsec."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from zeep.wsse import utils
from zeep.wsse.signature import BinarySignature, Signature

ENVELOPE = (
    '<s:Envelope xmlns:s="{space}"><s:Header/><s:Body><listPayments xmlns="urn:example:payments">'
    "<fiscalYear>2026</fiscalYear></listPayments></s:Body></s:Envelope>"
)
V11 = "http://schemas.xmlsoap.org/soap/envelope/"
V12 = "http://www.w3.org/2003/05/soap-envelope"


@dataclass(frozen=True)
class Signer:
    """A system that signs: its files, and its certificate."""

    key: Path
    certificate: Path
    found: x509.Certificate

    def stamped(self, envelope: str, **wish: object) -> bytes:
        """Return an envelope with a timestamp and a signature over it and the body."""
        now = wish.get("now") or datetime.now(UTC)
        assert isinstance(now, datetime)
        root = etree.fromstring(envelope)
        stamp = utils.WSU.Timestamp(
            utils.WSU.Created(now.strftime("%Y-%m-%dT%H:%M:%SZ")),
            utils.WSU.Expires((now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")),
        )
        utils.get_security_header(root).append(stamp)
        self.wsse(**wish).apply(root, {})
        return bytes(etree.tostring(root))

    def wsse(self, **wish: object) -> Signature:
        """Return what signs a zeep client's messages."""
        kind = Signature if wish.get("is_plain") else BinarySignature
        return kind(
            str(self.key),
            str(self.certificate),
            signature_method=wish.get("method", xmlsec.constants.TransformRsaSha256),
            digest_method=wish.get("digest", xmlsec.constants.TransformSha256),
        )


def signer(folder: Path, name: str, *, bits: int = 2048, days: int = 30) -> Signer:
    """Make a key and a certificate that it signs itself."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, SHA256())
    )
    files = folder / f"{name}.key", folder / f"{name}.crt"
    files[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].write_bytes(made.public_bytes(Encoding.PEM))
    return Signer(*files, made)
