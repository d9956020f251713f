"""Only the element that an approved certificate signed comes out; every wrapping is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.saml import signed_assertion

_NS = 'xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
_P = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"'


def _pair() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
    )
    return key, built.sign(key, hashes.SHA256())


KEY, CERT = _pair()


def _assertion(name: str = "山田太郎", identity: str = "_a1") -> str:
    return (
        f'<a:Assertion {_NS} ID="{identity}" Version="2.0"><a:Issuer>idp</a:Issuer><a:Subject>'
        f"<a:NameID>{name}</a:NameID></a:Subject></a:Assertion>"
    )


def _signed(xml: str, identity: str, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    )
    root = signer.sign(
        etree.fromstring(xml), key=key, cert=[CERT], reference_uri=identity, id_attribute="ID"
    )
    return str(etree.tostring(root, encoding="unicode"))


def _response(*inner: str) -> str:
    return f'<p:Response {_P} ID="_r1" Version="2.0">{"".join(inner)}</p:Response>'


def _take(xml: str) -> etree._Element:
    return signed_assertion(xml.encode(), certificates=[CERT], provider="hall")


GOOD = _signed(_assertion(), "_a1")
EVIL = _assertion("admin", "_e1")
SIGNATURE = GOOD[GOOD.index("<ds:Signature") : GOOD.index("</a:Assertion>")]
BARE = GOOD.replace(SIGNATURE, "")


def test_a_signed_assertion_comes_out_whole() -> None:
    got = _take(_response(GOOD))
    assert got.findtext(".//{*}NameID") == "山田太郎"


def test_a_second_key_of_a_roll_over_does() -> None:
    got = signed_assertion(
        _response(GOOD).encode(), certificates=[_pair()[1], CERT], provider="hall"
    )
    assert got.get("ID") == "_a1"


def _evil_with(inner: str, at: str = "</a:Assertion>") -> str:
    return EVIL.replace(at, f"{inner}{at}")


REFUSED = {
    "XSW1": f'<p:Response {_P} ID="_e">{EVIL}{SIGNATURE}{_response(GOOD)}</p:Response>',
    "XSW2": f'<p:Response {_P} ID="_e">{EVIL}{_response(GOOD)}{SIGNATURE}</p:Response>',
    "XSW3": _response(EVIL, GOOD),
    "XSW4": _response(_evil_with(GOOD)),
    "XSW5": _response(_evil_with(SIGNATURE), BARE),
    "XSW6": _response(_evil_with(SIGNATURE.replace("</ds:Signature>", f"{BARE}</ds:Signature>"))),
    "XSW7": _response(f"<p:Extensions>{BARE}</p:Extensions>", _evil_with(SIGNATURE)),
    "XSW8": _response(
        _evil_with(
            SIGNATURE.replace("</ds:Signature>", f"<ds:Object>{BARE}</ds:Object></ds:Signature>")
        )
    ),
    "response signed, assertion not": _signed(_response(_assertion()), "_r1"),
    "unsigned": _response(_assertion()),
    "one letter": _response(GOOD.replace("山田太郎", "山田大郎")),
    "comment": _response(GOOD.replace("山田太郎", "山田<!-- -->太郎")),
    "another key": _response(_signed(_assertion(), "_a1", _pair()[0])),
    "DTD": "<!DOCTYPE x>" + _response(GOOD),
    "XXE": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + _response(GOOD),
    "UTF-7 prolog": '<?xml version="1.0" encoding="utf-7"?><x/>',
    "deep": "<a>" * 100 + "</a>" * 100,
    "huge": _response("x" * 300_000),
    "same ID twice": _response('<p:Extensions ID="_a1"/>', GOOD),
    "empty URI": _response(GOOD.replace('URI="#_a1"', 'URI=""')),
    "other URI": _response(GOOD.replace('URI="#_a1"', 'URI="#_r1"')),
    "inclusive c14n": _response(
        GOOD.replace("2001/10/xml-exc-c14n#", "TR/2001/REC-xml-c14n-20010315")
    ),
    "HMAC": _response(
        GOOD.replace("2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#hmac-sha1")
    ),
    "cut off": _response(GOOD)[:-40],
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_it_is_refused(document: str) -> None:
    with pytest.raises(ProviderUnfit):
        _take(document)
