"""Return the one assertion that a provider signed, and nothing that merely stands beside it.

The form is looked at before the signature: one response, one assertion as its child, one signature
as a child of that, over that element. What came in is then put away; a caller sees what the
signature covered, parsed anew, so that what is checked and what is used cannot be two things.
"""

from collections import Counter
from collections.abc import Sequence

from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.saml.keys import OwnKey
from kumobashi.identity.saml.opening import opened

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = f"{DS}enveloped-signature"
_LARGEST_BYTES = 256 * 1024
_DEEPEST = 32
_MOST_ELEMENTS = 4000
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def read_bounded(document: bytes, *, provider: str, is_commented: bool = False) -> etree._Element:
    """Parse what came from outside: UTF-8, small, flat, and without DTD, comments or instructions.

    Of a file that people keep, comments are left out instead.

    Raises:
        ProviderUnfit: it is none of that.
    """
    if len(document) > _LARGEST_BYTES:
        raise ProviderUnfit(provider=provider, check="size")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=is_commented,
    )  # fmt: skip
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ProviderUnfit(provider=provider, check="doctype")
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ProviderUnfit(provider=provider, check="xml") from None
    _look_over(root, provider)
    return root


def signed_assertion(
    response: bytes,
    *,
    certificates: Sequence[Certificate],
    provider: str,
    keys: Sequence[OwnKey] = (),
) -> etree._Element:
    """Return the assertion of ``response`` that one of ``certificates`` signed.

    The assertion itself has to be signed; a signature over the response alone does not do. Keys and
    certificates that the document brings along are not looked at. One that is encrypted is opened
    with ``keys`` first; without any it is refused.

    Raises:
        ProviderUnfit: the form is another, or nobody known has signed it.
    """
    root = read_bounded(response, provider=provider)
    if root.tag != f"{{{PROTOCOL}}}Response":
        raise ProviderUnfit(provider=provider, check="response")
    found = list(root.iter(f"{{{ASSERTION}}}Assertion", f"{{{ASSERTION}}}EncryptedAssertion"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise ProviderUnfit(provider=provider, check="assertions")
    if found[0].tag == f"{{{ASSERTION}}}Assertion":
        return covered(root, found[0], certificates=certificates, provider=provider)
    inner = read_bounded(opened(found[0], keys, provider=provider), provider=provider)
    if [inner] != list(inner.iter(f"{{{ASSERTION}}}Assertion")):
        raise ProviderUnfit(provider=provider, check="assertions")
    return covered(inner, inner, certificates=certificates, provider=provider)


def covered(
    root: etree._Element,
    element: etree._Element,
    *,
    certificates: Sequence[Certificate],
    provider: str,
) -> etree._Element:
    """Return ``element`` of the document ``root`` as one of ``certificates`` signed it.

    Raises:
        ProviderUnfit: its signature is another's, of another form, or over something else.
    """
    _demand_plain_signature(root, element, provider)
    alone = etree.tostring(element, with_tail=False)
    for certificate in certificates:
        if (said := _covered(alone, certificate)) is not None:
            again = read_bounded(said, provider=provider)
            if again.tag != element.tag:
                raise ProviderUnfit(provider=provider, check="signature")
            return again
    raise ProviderUnfit(provider=provider, check="signature")


def _look_over(root: etree._Element, provider: str) -> None:
    if root.getroottree().docinfo.doctype:
        raise ProviderUnfit(provider=provider, check="doctype")
    ids: Counter[str] = Counter()
    stack = [(root, 1)]
    seen = 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_ELEMENTS:
            raise ProviderUnfit(provider=provider, check="size")
        if not isinstance(node.tag, str):  # a comment would cut a text in two
            raise ProviderUnfit(provider=provider, check="comment")
        ids.update(v for k, v in node.attrib.items() if str(k).lower() == "id")
        stack += [(child, depth + 1) for child in node]
    if any(count > 1 for count in ids.values()):
        raise ProviderUnfit(provider=provider, check="id")


def _demand_plain_signature(root: etree._Element, element: etree._Element, provider: str) -> None:
    signatures = list(root.iter(f"{{{DS}}}Signature"))
    ours = [one for one in signatures if one.getparent() is element]
    if len(ours) != 1 or any(one.getparent() not in (root, element) for one in signatures):
        raise ProviderUnfit(provider=provider, check="signature")
    references = list(ours[0].iter(f"{{{DS}}}Reference"))
    identity = element.get("ID")
    if (
        len(references) != 1
        or not identity
        or references[0].get("URI") != f"#{identity}"
        or any(True for _ in ours[0].iter(f"{{{DS}}}Object"))
    ):
        raise ProviderUnfit(provider=provider, check="reference")
    transforms = [one.get("Algorithm") for one in ours[0].iter(f"{{{DS}}}Transform")]
    if transforms != [_ENVELOPED, _EXCLUSIVE]:
        raise ProviderUnfit(provider=provider, check="transform")
    methods = [one.get("Algorithm") for one in ours[0].iter(f"{{{DS}}}CanonicalizationMethod")]
    if methods != [_EXCLUSIVE]:
        raise ProviderUnfit(provider=provider, check="transform")


def _covered(alone: bytes, certificate: Certificate) -> bytes | None:
    asked = SignatureConfiguration(
        location="./",
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        expect_references=1,
        default_reference_c14n_method=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    try:
        result = XMLVerifier().verify(
            alone, x509_cert=certificate, expect_config=asked, id_attribute="ID"
        )
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, LookupError):
        return None
    one = result[0] if isinstance(result, list) else result
    return None if one.signed_xml is None else one.signed_data
