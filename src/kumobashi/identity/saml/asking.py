"""What this console says to a provider: who is it, sign them out, they are signed out."""

from datetime import datetime
from typing import Final

from lxml import etree

from kumobashi.identity.saml.believing import NameId
from kumobashi.identity.saml.metadata import POST
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signed import ASSERTION, PROTOCOL

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_NAMES: Final = {"samlp": PROTOCOL, "saml": ASSERTION}


def authn_request(service: Service, *, to: str, number: str, now: datetime) -> bytes:
    """Return the question who somebody is."""
    root = _message("AuthnRequest", service, to, number, now)
    root.set("AssertionConsumerServiceURL", service.back)
    root.set("ProtocolBinding", POST)
    etree.SubElement(root, f"{{{PROTOCOL}}}NameIDPolicy", AllowCreate="true")
    if service.contexts:
        wanted = etree.SubElement(root, f"{{{PROTOCOL}}}RequestedAuthnContext", Comparison="exact")
        for one in service.contexts:
            etree.SubElement(wanted, f"{{{ASSERTION}}}AuthnContextClassRef").text = one
    return bytes(etree.tostring(root))


def logout_request(
    service: Service, *, to: str, number: str, now: datetime, name: NameId, session: str | None
) -> bytes:
    """Return the wish that somebody be signed out everywhere."""
    root = _message("LogoutRequest", service, to, number, now)
    named = etree.SubElement(root, f"{{{ASSERTION}}}NameID")
    named.text = name.text
    for attribute, value in (
        ("Format", name.form),
        ("NameQualifier", name.qualifier),
        ("SPNameQualifier", name.sp_qualifier),
    ):
        if value is not None:
            named.set(attribute, value)
    if session is not None:
        etree.SubElement(root, f"{{{PROTOCOL}}}SessionIndex").text = session
    return bytes(etree.tostring(root))


def logout_response(
    service: Service, *, to: str, number: str, now: datetime, answers: str
) -> bytes:
    """Return the word that somebody is signed out here."""
    root = _message("LogoutResponse", service, to, number, now)
    root.set("InResponseTo", answers)
    status = etree.SubElement(root, f"{{{PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode", Value=SUCCESS)
    return bytes(etree.tostring(root))


def _message(kind: str, service: Service, to: str, number: str, now: datetime) -> etree._Element:
    root = etree.Element(
        f"{{{PROTOCOL}}}{kind}",
        nsmap=_NAMES,
        ID=number,
        Version="2.0",
        IssueInstant=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        Destination=to,
    )
    etree.SubElement(root, f"{{{ASSERTION}}}Issuer").text = service.entity
    return root
