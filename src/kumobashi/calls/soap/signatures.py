"""WS-Security X.509: who signed an envelope, and the signature of an answer.

A signature proves something only if it covers *the* body of *this* envelope and a fresh timestamp.
So ids stand once in a document, references lead to body and timestamp and nowhere else, nothing is
transformed but by exclusive canonicalization, and keys are those of registered certificates: what a
message brings along tells which one, and is not believed.
"""

import base64
import binascii
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from kumobashi.calls.soap.envelopes import Envelope
from kumobashi.calls.soap.errors import SignatureUnfit
from kumobashi.kernel import to_wire

_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE: Final = f"{_WSS}-wssecurity-secext-1.0.xsd"
WSU: Final = f"{_WSS}-wssecurity-utility-1.0.xsd"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_X509: Final = f"{_WSS}-x509-token-profile-1.0#X509v3"
_BASE64: Final = f"{_WSS}-soap-message-security-1.0#Base64Binary"
_SECURITY: Final = f"{{{WSSE}}}Security"
_ID: Final = f"{{{WSU}}}Id"
_IDS: Final = {"Id", "ID", "id"}
_SMALLEST_RSA: Final = 2048
WINDOW: Final = timedelta(minutes=5)
_SKEW: Final = timedelta(seconds=60)
_MOST_KEPT: Final = 100_000
_STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_METHODS: Final = frozenset(
    one
    for one in SignatureMethod
    if one.name.startswith(("RSA_SHA", "ECDSA_SHA")) and not one.name.endswith(("SHA1", "SHA224"))
)
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)


def has_security(envelope: Envelope) -> bool:
    """Whether anybody claims to have signed."""
    return envelope.header is not None and envelope.header.find(_SECURITY) is not None


def without_security(envelope: Envelope) -> Envelope:
    """Take the header block away that was meant for this gateway and is done with."""
    header = envelope.header
    for block in header.findall(_SECURITY):
        header.remove(block)
    if not len(header):
        envelope.root.remove(header)
    return envelope


@dataclass
class Signatures:
    """Checks signatures, and takes none twice.

    Nor any that was made before ``started``: the process before may have taken it.
    """

    started: datetime | None = None
    _seen: dict[bytes, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def signer(
        self, envelope: Envelope, registered: Mapping[bytes, x509.Certificate], now: datetime
    ) -> x509.Certificate:
        """Return the certificate, one of the ``registered`` by SHA-256, that signed an envelope.

        Raises:
            SignatureUnfit: it proves nothing, is too old, or has come before.
        """
        security = _only(envelope.header.findall(_SECURITY), "Security")
        signature = _only(envelope.root.findall(f".//{{{_DS}}}Signature"), "Signature")
        if signature.getparent() is not security:
            raise SignatureUnfit(reason="Signature, outside of Security")
        certificate = _certificate(security, signature, registered)
        stamp = _only(security.findall(f"{{{WSU}}}Timestamp"), "Timestamp")
        _check_references(envelope, signature, stamp)
        _check_keys(certificate, now)
        _check_mathematics(envelope, certificate, now)
        until = _until(stamp, now)
        if self.started and _time(stamp, "Created") < self.started.replace(microsecond=0):
            raise SignatureUnfit(reason="Created, before the start")
        value = _only(signature.findall(f"{{{_DS}}}SignatureValue"), "SignatureValue")
        with self._lock:
            self._take(base64.b64decode("".join(value.itertext())), until, now)
        return certificate

    def _take(self, value: bytes, until: datetime, now: datetime) -> None:
        if self._seen.get(value, now) > now:
            raise SignatureUnfit(reason="replayed")
        if len(self._seen) >= _MOST_KEPT:
            self._seen = {held: end for held, end in self._seen.items() if end > now}
            if len(self._seen) >= _MOST_KEPT:
                raise SignatureUnfit(reason="too many at once")
        self._seen[value] = until


def sign(
    envelope: Envelope, key: rsa.RSAPrivateKey, certificate: x509.Certificate, now: datetime
) -> Envelope:
    """Sign the body of an answer and a timestamp with RSA and SHA-256; the certificate goes along.

    A security header that the answering system put there is replaced: it was meant for us.
    """
    root, version = envelope.root, envelope.version
    if has_security(envelope):
        without_security(envelope)
    header = envelope.header
    if header is None:
        header = etree.Element(version.tag("Header"))
        root.insert(0, header)
    security = etree.SubElement(header, _SECURITY, nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(version.tag("mustUnderstand"), "1")
    token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", {_ID: "kumobashi-x509"})
    token.set("ValueType", _X509)
    token.set("EncodingType", _BASE64)
    token.text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")
    stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", {_ID: "kumobashi-time"})
    etree.SubElement(stamp, f"{{{WSU}}}Created").text = to_wire(now)
    etree.SubElement(stamp, f"{{{WSU}}}Expires").text = to_wire(now + WINDOW)
    envelope.body.set(_ID, "kumobashi-body")
    key_info = etree.Element(f"{{{_DS}}}KeyInfo")
    reference = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference", nsmap={None: WSSE})
    etree.SubElement(
        reference, f"{{{WSSE}}}Reference", {"URI": "#kumobashi-x509", "ValueType": _X509}
    )
    signer = XMLSigner(
        SignatureConstructionMethod.detached,
        SignatureMethod.RSA_SHA256,
        DigestAlgorithm.SHA256,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    found = signer.sign(
        root, key=key, reference_uri=["#kumobashi-body", "#kumobashi-time"], key_info=key_info
    )
    security.append(found)
    return envelope


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return the SHA-256 of a certificate."""
    return certificate.fingerprint(SHA256())


def _only(found: list[Any], what: str) -> Any:  # noqa: ANN401 - lxml has no types
    if len(found) != 1:
        raise SignatureUnfit(reason=f"{what} × {len(found)}")
    return found[0]


def _certificate(
    security: Any,  # noqa: ANN401 - lxml has no types
    signature: Any,  # noqa: ANN401 - the same
    registered: Mapping[bytes, x509.Certificate],
) -> x509.Certificate:
    tokens = [
        *security.findall(f"{{{WSSE}}}BinarySecurityToken"),
        *signature.findall(f".//{{{_DS}}}X509Certificate"),
    ]
    token = _only(tokens, "certificate")
    try:
        der = base64.b64decode("".join("".join(token.itertext()).split()), validate=True)
        brought = x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        raise SignatureUnfit(reason="certificate, unreadable") from None
    found = registered.get(fingerprint(brought))
    if found is None:
        raise SignatureUnfit(reason="certificate, not registered here")
    return found


def _check_references(envelope: Envelope, signature: Any, stamp: Any) -> None:  # noqa: ANN401
    """See that body and timestamp of this envelope are what is signed, each by an id of its own."""
    ids = [
        value
        for one in envelope.root.iter(etree.Element)
        for name, value in one.attrib.items()
        if etree.QName(name).localname in _IDS
    ]
    if len(ids) != len(set(ids)):
        raise SignatureUnfit(reason="an Id stands twice")
    signed = _only(signature.findall(f"{{{_DS}}}SignedInfo"), "SignedInfo")
    references = signed.findall(f"{{{_DS}}}Reference")
    needed = {f"#{one.get(_ID)}" for one in (envelope.body, stamp)}
    if "#None" in needed or sorted(one.get("URI") or "" for one in references) != sorted(needed):
        raise SignatureUnfit(reason="it must cover Body and Timestamp, and nothing else")
    methods = [signed.find(f"{{{_DS}}}CanonicalizationMethod")]
    for reference in references:
        transforms = reference.findall(f"{{{_DS}}}Transforms/{{{_DS}}}Transform")
        methods.append(_only(transforms, "Transform"))
    if any(one is None or one.get("Algorithm") != _EXCLUSIVE for one in methods):
        raise SignatureUnfit(reason="canonicalization")


def _check_keys(certificate: x509.Certificate, now: datetime) -> None:
    key = certificate.public_key()
    is_fit = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA
    )
    if not is_fit:
        raise SignatureUnfit(reason=f"key, RSA {_SMALLEST_RSA} or EC")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureUnfit(reason="certificate, expired or not valid yet")


def _check_mathematics(envelope: Envelope, certificate: x509.Certificate, now: datetime) -> None:
    wish = SignatureConfiguration(
        location=f"./{envelope.version.tag('Header')}/{_SECURITY}/",
        expect_references=2,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=now,
    )
    try:
        XMLVerifier().verify(envelope.root, x509_cert=certificate, expect_config=wish)
    except (SignXMLException, ValueError, TypeError) as error:
        raise SignatureUnfit(reason=type(error).__name__) from None


def _until(stamp: Any, now: datetime) -> datetime:  # noqa: ANN401 - lxml has no types
    """Return until when a signature counts."""
    created = _time(stamp, "Created")
    expires = _time(stamp, "Expires")
    if created > now + _SKEW:
        raise SignatureUnfit(reason="Created lies ahead")
    until = min(expires, created + WINDOW)
    if until <= now:
        raise SignatureUnfit(reason="Timestamp, expired")
    return until


def _time(stamp: Any, name: str) -> datetime:  # noqa: ANN401 - lxml has no types
    found = _only(stamp.findall(f"{{{WSU}}}{name}"), name)
    said = _STAMP.fullmatch("".join(found.itertext()).strip())
    if said is None:
        raise SignatureUnfit(reason=name)
    zone = "+00:00" if said[3] == "Z" else said[3]
    try:
        return datetime.fromisoformat(said[1] + zone).astimezone(UTC)
    except ValueError:
        raise SignatureUnfit(reason=name) from None
