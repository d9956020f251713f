"""What a provider's metadata say, as they lie in a file of the workspace; and what ours say.

People approve two things of a provider in ``sign-on/<provider>.yaml``: its entityID, and the
SHA-256 of each certificate it may sign with. A file that names another provider, or none of these
certificates, is refused: whoever swaps the file alone gets nobody in. During a roll-over two
certificates are approved. Dates in certificates are not looked at: what counts is the approval.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from kumobashi.identity.addresses import is_sealed
from kumobashi.identity.errors import ProviderSwapped, ProviderUnfit
from kumobashi.identity.saml.keys import fingerprint
from kumobashi.identity.saml.opening import OFFERED
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signed import DS, PROTOCOL, covered, read_bounded

METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_MOST_CERTIFICATES: Final = 8
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What of a provider's metadata is used."""

    certificates: tuple[x509.Certificate, ...]  # approved ones, that sign
    sign_on: str
    sign_out: str | None  # for requests
    signed_out: str | None  # for answers


def read_metadata(document: bytes, service: Service, *, now: datetime) -> Metadata:
    """Return what the metadata of the provider say.

    Raises:
        ProviderSwapped: they name another provider, or none of the approved certificates.
        ProviderUnfit: they are over, or not as they may be.
    """

    def demand(is_so: bool, check: str) -> None:  # noqa: FBT001 - reads as a claim
        if not is_so:
            raise ProviderUnfit(provider=service.provider, check=check)

    root = read_bounded(document, provider=service.provider, is_commented=True)
    if service.described_by is not None:
        root = _signed(root, service)
    demand(root.tag == f"{{{METADATA}}}EntityDescriptor", "metadata, one provider")
    if root.get("entityID") != service.issuer:
        raise ProviderSwapped(provider=service.provider, found="entityID")
    roles = root.findall(f"{{{METADATA}}}IDPSSODescriptor")
    demand(len(roles) == 1, "metadata, one provider")
    for one in (root, roles[0]):
        until = _until(one.get("validUntil"))
        demand(until is None or now < until, "metadata, validUntil")
    demand(PROTOCOL in (roles[0].get("protocolSupportEnumeration") or "").split(), "metadata, 2.0")
    addresses = {
        (kind, name): _address(roles[0], kind, name, service)
        for kind, name in (
            ("SingleSignOnService", "Location"),
            ("SingleLogoutService", "Location"),
            ("SingleLogoutService", "ResponseLocation"),
        )
    }
    sign_on = addresses["SingleSignOnService", "Location"]
    demand(sign_on is not None, "metadata, HTTP-Redirect")
    sign_out = addresses["SingleLogoutService", "Location"]
    return Metadata(
        certificates=_approved(roles[0], service),
        sign_on=str(sign_on),
        sign_out=sign_out,
        signed_out=addresses["SingleLogoutService", "ResponseLocation"] or sign_out,
    )


def own_metadata(service: Service, certificates: Sequence[x509.Certificate]) -> bytes:
    """Return what a provider has to know of this console."""
    root = etree.Element(
        f"{{{METADATA}}}EntityDescriptor",
        nsmap={"md": METADATA, "ds": DS},
        entityID=service.entity,
    )
    role = etree.SubElement(
        root,
        f"{{{METADATA}}}SPSSODescriptor",
        protocolSupportEnumeration=PROTOCOL,
        AuthnRequestsSigned="true",
        WantAssertionsSigned="true",
    )
    uses = ("signing", "encryption") if service.is_encrypted else ("signing",)
    for use, certificate in ((use, one) for use in uses for one in certificates):
        described = etree.SubElement(role, f"{{{METADATA}}}KeyDescriptor", use=use)
        held = etree.SubElement(
            etree.SubElement(described, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data"
        )
        etree.SubElement(held, f"{{{DS}}}X509Certificate").text = base64.b64encode(
            certificate.public_bytes(Encoding.DER)
        ).decode()
        for method in OFFERED if use == "encryption" else ():
            etree.SubElement(described, f"{{{METADATA}}}EncryptionMethod", Algorithm=method)
    etree.SubElement(
        role, f"{{{METADATA}}}SingleLogoutService", Binding=REDIRECT, Location=service.parted
    )
    etree.SubElement(role, f"{{{METADATA}}}NameIDFormat").text = _PERSISTENT
    etree.SubElement(
        role,
        f"{{{METADATA}}}AssertionConsumerService",
        Binding=POST,
        Location=service.back,
        index="0",
        isDefault="true",
    )
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _signed(root: etree._Element, service: Service) -> etree._Element:
    """Return the metadata as the approved certificate signed them."""
    brought = _certificates(root.findall(f"{{{DS}}}Signature"), service)
    known = [one for one in brought if fingerprint(one) == service.described_by]
    if not known:
        raise ProviderSwapped(provider=service.provider, found=_shown(brought))
    return covered(root, root, certificates=known[:1], provider=service.provider)


def _approved(role: etree._Element, service: Service) -> tuple[x509.Certificate, ...]:
    described = [
        one
        for one in role.findall(f"{{{METADATA}}}KeyDescriptor")
        if one.get("use") in {None, "signing"}
    ]
    found = _certificates(described, service)
    approved = tuple(one for one in found if fingerprint(one) in service.certificates)
    if not approved:
        raise ProviderSwapped(provider=service.provider, found=_shown(found))
    for one in approved:
        key = one.public_key()
        is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS) or (
            isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
        )
        if not is_strong:
            raise ProviderUnfit(provider=service.provider, check="metadata, key")
    return approved


def _certificates(parents: Sequence[etree._Element], service: Service) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    for parent in parents:
        for one in parent.iter(f"{{{DS}}}X509Certificate"):
            try:
                der = base64.b64decode("".join((one.text or "").split()), validate=True)
                certificate = x509.load_der_x509_certificate(der)
            except (binascii.Error, ValueError):
                raise ProviderUnfit(
                    provider=service.provider, check="metadata, certificate"
                ) from None
            if certificate not in found:
                found.append(certificate)
    if len(found) > _MOST_CERTIFICATES:
        raise ProviderUnfit(provider=service.provider, check="metadata, certificate")
    return found


def _address(role: etree._Element, kind: str, name: str, service: Service) -> str | None:
    for one in role.findall(f"{{{METADATA}}}{kind}"):
        if one.get("Binding") == REDIRECT and (address := one.get(name)):
            if not is_sealed(address):
                raise ProviderUnfit(provider=service.provider, check=f"metadata, {kind}")
            return str(address)
    return None


def _until(text: str | None) -> datetime | None:
    """Return when metadata end; what cannot be read has ended."""
    if text is None:
        return None
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _shown(certificates: Sequence[x509.Certificate]) -> str:
    return ", ".join(fingerprint(one) for one in certificates) or "-"
