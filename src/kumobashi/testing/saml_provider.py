"""A SAML 2.0 provider with real keys: it checks what it is asked, and answers as told, or wrongly.

A test changes what is said before it is signed (``edit_assertion``), what happens to it afterwards
(``edit_response``), and who signs how (``sign``). ``application`` is the same provider for a
browser: whoever comes is recognised at once.
"""

import base64
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kumobashi.identity.saml.keys import OwnKey, fingerprint
from kumobashi.identity.saml.redirecting import REQUEST, RESPONSE, read_redirect, signed_address
from kumobashi.kernel import Clock

ENTITY = "https://login.city.example.jp/saml"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_NAMES = (
    'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
    'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
)
_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_MINUTES = timedelta(minutes=5)


@cache
def key_of(name: str) -> OwnKey:
    """Return a key that many tests share: making one takes longer than a test."""
    key = rsa.generate_private_key(65537, 2048)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(called, called, key.public_key(), 7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return OwnKey(key, made)


def pem_of(key: OwnKey) -> bytes:
    """Return a key with its certificate, as a file holds them."""
    plain = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return plain + key.certificate.public_bytes(Encoding.PEM)


def encoded(certificate: x509.Certificate) -> str:
    """Return a certificate as XML carries it."""
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def sign_xml(xml: str, key: OwnKey, *, method: SignatureMethod | None = None) -> str:
    """Sign the root of ``xml`` as SAML has it."""
    root = etree.fromstring(xml)
    signer = XMLSigner(
        signature_algorithm=method or SignatureMethod.RSA_SHA256, c14n_algorithm=_EXCLUSIVE
    )
    signed = signer.sign(
        root,
        key=key.key,
        cert=[key.certificate],
        reference_uri=root.get("ID"),
        id_attribute="ID",
    )
    return str(etree.tostring(signed, encoding="unicode"))


def encrypt_xml(
    xml: str,
    certificate: x509.Certificate,
    *,
    data: str = "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    transport: str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    padding: AsymmetricPadding | None = None,
) -> str:
    """Encrypt an assertion; the names of the algorithms are said, whatever was done."""
    secret, nonce = AESGCM.generate_key(256), secrets.token_bytes(12)
    sealed = nonce + AESGCM(secret).encrypt(nonce, xml.encode(), None)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("RSA alone encrypts")
    oaep = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    wrapped = key.encrypt(secret, padding or oaep)
    said = {name: base64.b64encode(value).decode() for name, value in
            (("key", wrapped), ("data", sealed))}  # fmt: skip
    return (
        '<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">'
        f'<xenc:EncryptionMethod Algorithm="{data}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/'
        f'09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{transport}"/>'
        f"<xenc:CipherData><xenc:CipherValue>{said['key']}</xenc:CipherValue></xenc:CipherData>"
        "</xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>"
        f"{said['data']}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
        "</saml:EncryptedAssertion>"
    )


@dataclass(slots=True)
class Asked:
    """What a console asked, as far as an answer needs it."""

    number: str
    back: str
    entity: str
    relay: str


@dataclass
class SimulatedSaml:
    """A provider; ``knows`` is the console's own metadata."""

    clock: Clock
    entity: str = ENTITY
    base: str = "https://login.city.example.jp"
    keys: list[OwnKey] = field(default_factory=lambda: [key_of("idp")])
    knows: bytes = b""
    name: str = "u-17"
    form: str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    context: str = f"{_CLASSES}TimeSyncToken"
    attributes: dict[str, list[str]] = field(
        default_factory=lambda: {"displayName": ["山田太郎"], "groups": ["情報政策課"]}
    )
    edit_assertion: Callable[[str], str] = str
    edit_response: Callable[[str], str] = str
    edit_metadata: Callable[[str], str] = str
    sign: Callable[[str, OwnKey], str] = sign_xml
    until: str = ""  # of the metadata
    sessions: int = 0
    parted: list[str] = field(default_factory=list)  # whom consoles have signed out

    @property
    def fingerprints(self) -> list[str]:
        """The certificates to approve."""
        return [fingerprint(key.certificate) for key in self.keys]

    def metadata(self) -> bytes:
        """Return what this provider says of itself."""
        described = "".join(
            '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
            f"<ds:X509Data><ds:X509Certificate>{encoded(key.certificate)}</ds:X509Certificate>"
            "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for key in self.keys
        )
        until = f' validUntil="{self.until}"' if self.until else ""
        return self.edit_metadata(
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'ID="_m" entityID="{self.entity}"{until}><md:IDPSSODescriptor '
            'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            f"<!-- as people write it -->{described}"
            f'<md:SingleLogoutService Binding="{_BINDING}" Location="{self.base}/slo"/>'
            f'<md:SingleSignOnService Binding="{_BINDING}" Location="{self.base}/sso"/>'
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        ).encode()

    def recognise(self, address: str) -> dict[str, str]:
        """Be the browser of somebody who is recognised; return the form that comes back."""
        return self.answer(self._asked(address))

    def answer(self, asked: Asked) -> dict[str, str]:
        """Return the form for what was asked."""
        signed = self.sign(self.edit_assertion(self.assertion(asked)), self.keys[0])
        said = self.edit_response(self.response(asked, signed))
        return {
            "SAMLResponse": base64.b64encode(said.encode()).decode(),
            "RelayState": asked.relay,
        }

    def assertion(self, asked: Asked) -> str:
        """Return an assertion that is right, and not yet signed."""
        now = self.clock.now()
        start, end = _at(now - timedelta(seconds=30)), _at(now + _MINUTES)
        self.sessions += 1
        attributes = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{escape(v)}</saml:AttributeValue>" for v in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        return (
            f'<saml:Assertion {_NAMES} ID="_{secrets.token_hex(16)}" Version="2.0" '
            f'IssueInstant="{_at(now)}"><saml:Issuer>{self.entity}</saml:Issuer><saml:Subject>'
            f'<saml:NameID Format="{self.form}" SPNameQualifier="{asked.entity}">{self.name}'
            "</saml:NameID><saml:SubjectConfirmation "
            'Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
            f'NotOnOrAfter="{end}" Recipient="{asked.back}" InResponseTo="{asked.number}"/>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}">'
            f"<saml:AudienceRestriction><saml:Audience>{asked.entity}</saml:Audience>"
            "</saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_at(now)}" SessionIndex="_s{self.sessions}">'
            f"<saml:AuthnContext><saml:AuthnContextClassRef>{self.context}"
            "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
            f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
        )

    def response(self, asked: Asked, inner: str, status: str = "Success") -> str:
        """Return the response around an assertion."""
        return (
            f'<samlp:Response {_NAMES} ID="_{secrets.token_hex(16)}" Version="2.0" '
            f'IssueInstant="{_at(self.clock.now())}" Destination="{asked.back}" '
            f'InResponseTo="{asked.number}"><saml:Issuer>{self.entity}</saml:Issuer>'
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:'
            f'{status}"/></samlp:Status>{inner}</samlp:Response>'
        )

    def sign_out(self, session: str | None = None, **more: str) -> str:
        """Return where a browser goes whom this provider signs out at the console."""
        said = {
            "to": self._of_console("SingleLogoutService"),
            "issuer": self.entity,
            "name": self.name,
            "form": self.form,
            "at": _at(self.clock.now()),
            "id": f"_{secrets.token_hex(16)}",
        } | more
        index = f"<samlp:SessionIndex>{session}</samlp:SessionIndex>" if session else ""
        message = (
            f'<samlp:LogoutRequest {_NAMES} ID="{said["id"]}" Version="2.0" '
            f'IssueInstant="{said["at"]}" Destination="{said["to"]}"><saml:Issuer>'
            f'{said["issuer"]}</saml:Issuer><saml:NameID Format="{said["form"]}" '
            f'SPNameQualifier="{self._known().get("entityID")}">{said["name"]}</saml:NameID>'
            f"{index}</samlp:LogoutRequest>"
        )
        to = self._of_console("SingleLogoutService")
        return signed_address(to, REQUEST, message.encode(), self.keys[0], relay="there")

    def sign_out_asked(self, address: str) -> str:
        """Be where a console sends a browser to be signed out; return where it goes back to."""
        query = urlsplit(address).query
        said = read_redirect(query, certificates=self._certificates(), provider="console")
        root = etree.fromstring(said.message)
        self.parted.append(str(root.findtext(f"{_SAML}NameID")))
        to = self._of_console("SingleLogoutService")
        message = (
            f'<samlp:LogoutResponse {_NAMES} ID="_{secrets.token_hex(16)}" Version="2.0" '
            f'IssueInstant="{_at(self.clock.now())}" Destination="{to}" '
            f'InResponseTo="{root.get("ID")}"><saml:Issuer>{self.entity}</saml:Issuer>'
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
            "</samlp:Status></samlp:LogoutResponse>"
        )
        return signed_address(to, RESPONSE, message.encode(), self.keys[0], relay=said.relay)

    def application(self) -> Starlette:
        """Return this provider as a browser meets it."""

        def sso(request: Request) -> Response:
            asked = self._asked(str(request.url))
            fields = "".join(
                f'<input type="hidden" name="{name}" value="{escape(value)}">'
                for name, value in self.answer(asked).items()
            )
            form = f'<form method="post" action="{escape(asked.back)}">{fields}<button></form>'
            return HTMLResponse(f"<!doctype html><title>IdP</title>{form}")

        def slo(request: Request) -> Response:
            if RESPONSE in parse_qs(request.url.query):
                said = read_redirect(
                    request.url.query, certificates=self._certificates(), provider="console"
                )
                return HTMLResponse(said.message.decode())
            return RedirectResponse(self.sign_out_asked(str(request.url)), 303)

        return Starlette(routes=[Route("/sso", sso), Route("/slo", slo)])

    def _asked(self, address: str) -> Asked:
        said = read_redirect(
            urlsplit(address).query, certificates=self._certificates(), provider="console"
        )
        root = etree.fromstring(said.message)
        back = self._of_console("AssertionConsumerService")
        if (
            root.tag != f"{_PROTOCOL}AuthnRequest"
            or root.get("AssertionConsumerServiceURL") != back
        ):
            raise ValueError("another console")
        entity = root.findtext(f"{_SAML}Issuer")
        if entity != self._known().get("entityID") or root.get("Destination") != f"{self.base}/sso":
            raise ValueError("another console")
        return Asked(str(root.get("ID")), back, str(entity), said.relay or "")

    def _known(self) -> etree._Element:
        return etree.fromstring(self.knows)

    def _of_console(self, kind: str) -> str:
        return str(self._known().find(f".//{{*}}{kind}").get("Location"))

    def _certificates(self) -> list[x509.Certificate]:
        return [
            x509.load_der_x509_certificate(base64.b64decode(one.text))
            for one in self._known().iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
        ]


def message_in(address: str) -> str:
    """Return the message in an address, believing nobody."""
    said = parse_qs(urlsplit(address).query)
    packed = base64.b64decode((said.get(REQUEST) or said[RESPONSE])[0])
    return zlib.decompress(packed, -zlib.MAX_WBITS).decode()


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
