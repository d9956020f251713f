"""Signing on at a SAML provider: the whole way, and every answer that must not be believed.

Each attack is a document of a provider with a real key, and goes the whole way: begun here, carried
by a browser, brought back as a form.
"""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from kumobashi.crypto.private_files import write_private
from kumobashi.identity import Accounts
from kumobashi.identity.errors import (
    IdentityFailed,
    ProviderRefused,
    ProviderSwapped,
    ProviderUnfit,
    SignOnStale,
)
from kumobashi.identity.saml.keys import RSA_SHA256, OwnKey
from kumobashi.identity.saml.names import Names
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signing_on import Recognised, SamlSigningOn
from kumobashi.identity.ways import LIFE, Ways
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.saml_provider import (
    ENTITY,
    SimulatedSaml,
    encrypt_xml,
    key_of,
    message_in,
    pem_of,
    sign_xml,
)

BASE = "https://console.city.example.jp"
SKEW = 60  # seconds that clocks may differ
SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
EVIL = "u-admin"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.fixture
def there(clock: HandClock) -> SimulatedSaml:
    return SimulatedSaml(clock)


def service(there: SimulatedSaml) -> Service:
    return Service(
        provider="hall",
        entity=f"{BASE}/sign-in/hall/metadata",
        back=f"{BASE}/sign-in/hall/back",
        parted=f"{BASE}/sign-out/hall/back",
        issuer=ENTITY,
        certificates=frozenset(there.fingerprints),
    )


def made(there: SimulatedSaml, book: Accounts, *, at: Service | None = None) -> SamlSigningOn:
    on = SamlSigningOn(
        at or service(there),
        Ways(book),
        Names(book),
        described=there.metadata,
        keys=_keys(book),
        clock=book.clock,
    )
    there.knows = on.metadata()
    return on


def _keys(book: Accounts) -> Path:
    """Give the folder of our own key, made once for all tests of this file."""
    folder = book.path.parent / "saml"
    if not folder.exists():
        write_private(folder / "sp.pem", pem_of(key_of("console")))
    return folder


@pytest.fixture
def on(there: SimulatedSaml, book: Accounts) -> SamlSigningOn:
    return made(there, book)


def through(on: SamlSigningOn, there: SimulatedSaml) -> Recognised:
    """Go the whole way as somebody whom the provider recognises."""
    departure = on.begin()
    return on.finish(there.recognise(departure.address), departure.browser)


# --- the way --------------------------------------------------------


def test_who_was_recognised_comes_back_known(
    on: SamlSigningOn, there: SimulatedSaml, clock: HandClock
) -> None:
    got = through(on, there)

    assert (got.known.subject, got.known.shown) == ("u-17", "山田太郎")
    assert got.known.attributes["groups"] == ("情報政策課",)
    assert got.known.methods >= {"otp", "mfa"}
    assert got.known.at == clock.now()
    assert got.signed.name.form == there.form


def test_what_is_asked_is_signed_short_and_says_nothing_of_anybody(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    departure = on.begin()

    said = parse_qs(urlsplit(departure.address).query)
    assert len(said["RelayState"][0]) <= 80
    assert departure.browser not in departure.address
    root = etree.fromstring(message_in(departure.address))
    assert root.get("AssertionConsumerServiceURL") == f"{BASE}/sign-in/hall/back"
    with pytest.raises(ProviderUnfit):  # the provider looks at the signature
        there.recognise(departure.address.replace("SAMLRequest=", "SAMLRequest=A"))


def test_a_context_is_asked_for_where_the_file_says_so(
    there: SimulatedSaml, book: Accounts
) -> None:
    at = replace(service(there), contexts=("https://refeds.org/profile/mfa",))
    message = message_in(made(there, book, at=at).begin().address)
    assert "https://refeds.org/profile/mfa</" in message


def test_of_a_provider_with_passing_names_an_attribute_names_people(
    there: SimulatedSaml, book: Accounts
) -> None:
    there.form = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    there.attributes["uid"] = ["yamada"]
    with pytest.raises(ProviderUnfit, match="transient"):
        through(made(there, book), there)

    got = through(made(there, book, at=replace(service(there), subject="uid")), there)
    assert (got.known.subject, got.signed.name.text) == ("yamada", "u-17")


@pytest.mark.parametrize("values", [[], ["a", "b"], [" a"], [""]])
def test_the_attribute_that_names_people_is_there_once(
    there: SimulatedSaml, book: Accounts, values: list[str]
) -> None:
    there.attributes["uid"] = values
    with pytest.raises(ProviderUnfit, match="name"):
        through(made(there, book, at=replace(service(there), subject="uid")), there)


def test_a_look_alike_is_somebody_else(on: SamlSigningOn, there: SimulatedSaml) -> None:
    """A Cyrillic letter makes another account, not the one it looks like."""
    there.name = "аdmin"
    assert through(on, there).known.subject != "admin"


@pytest.mark.parametrize(
    ("context", "said", "is_second"),
    [
        ("urn:oasis:names:tc:SAML:2.0:ac:classes:Password", [], False),
        ("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified", [], False),
        ("https://refeds.org/profile/mfa", [], True),
        ("http://schemas.microsoft.com/claims/multipleauthn", [], True),
        (
            "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
            ["http://schemas.microsoft.com/claims/multipleauthn"],
            True,
        ),
    ],
)
def test_a_second_factor_is_what_the_provider_says_it_saw(
    on: SamlSigningOn, there: SimulatedSaml, context: str, said: list[str], is_second: bool
) -> None:
    there.context = context
    there.attributes["http://schemas.microsoft.com/claims/authnmethodsreferences"] = said
    methods = through(on, there).known.methods
    assert ("mfa" in methods) == is_second
    assert context in methods


# --- of which browser, once -----------------------------------------


def test_a_way_is_taken_once(on: SamlSigningOn, there: SimulatedSaml) -> None:
    departure = on.begin()
    answer = there.recognise(departure.address)
    on.finish(answer, departure.browser)
    with pytest.raises(SignOnStale):
        on.finish(answer, departure.browser)


def test_another_browser_gets_nobody_in(on: SamlSigningOn, there: SimulatedSaml) -> None:
    answer = there.recognise(on.begin().address)
    with pytest.raises(SignOnStale):
        on.finish(answer, on.begin().browser)


def test_a_way_ends(on: SamlSigningOn, there: SimulatedSaml, clock: HandClock) -> None:
    departure = on.begin()
    clock.at += LIFE + timedelta(seconds=1)
    with pytest.raises(SignOnStale):
        on.finish(there.recognise(departure.address), departure.browser)


@pytest.mark.parametrize("relay", ["", "x", "x" * 5000])
def test_what_was_not_begun_here_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, relay: str
) -> None:
    departure = on.begin()
    answer = there.recognise(departure.address) | {"RelayState": relay}
    with pytest.raises(SignOnStale):
        on.finish(answer, departure.browser)


def test_an_answer_to_another_way_of_the_same_browser_is_refused(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    first, second = on.begin(), on.begin()
    answer = there.recognise(first.address)
    relay = parse_qs(urlsplit(second.address).query)["RelayState"][0]
    with pytest.raises(ProviderUnfit, match="request"):
        on.finish(answer | {"RelayState": relay}, second.browser)


def _same_assertion(there: SimulatedSaml, number: str = "_one-and-the-same") -> None:
    there.edit_assertion = lambda xml: re.sub(r' ID="[^"]+"', f' ID="{number}"', xml, count=1)


def test_an_assertion_counts_once_also_after_a_restart(
    there: SimulatedSaml, book: Accounts, clock: HandClock
) -> None:
    _same_assertion(there)
    through(made(there, book), there)
    again = Accounts(book.path.parent, tenant="999997", site="hall-core", clock=clock)
    try:
        with pytest.raises(ProviderUnfit, match="used"):
            through(made(there, again), there)
    finally:
        again.close()


def test_an_assertion_counts_once_also_between_two_processes(
    there: SimulatedSaml, book: Accounts
) -> None:
    _same_assertion(there, "_of-another-process")
    number = "assertion _of-another-process"
    script = (
        "import sys; from datetime import timedelta; from pathlib import Path\n"
        "from kumobashi.identity import Accounts; from kumobashi.identity.ways import Ways\n"
        "from kumobashi.testing.clocks import HandClock; from datetime import datetime, UTC\n"
        "clock = HandClock(datetime(2026, 11, 24, tzinfo=UTC))\n"
        "book = Accounts(Path(sys.argv[1]), tenant='999997', site='hall-core', clock=clock)\n"
        "until = clock.now() + timedelta(minutes=6)\n"
        "sys.exit(0 if Ways(book).is_first('hall', sys.argv[2], until=until) else 3)"
    )
    command = [sys.executable, "-c", script, str(book.path.parent), number]
    assert subprocess.run(command, check=False).returncode == 0
    with pytest.raises(ProviderUnfit, match="used"):
        through(made(there, book), there)


# --- what is said ---------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "new", "check"),
    [
        (r"<saml:Issuer>[^<]+", "<saml:Issuer>https://other.example/saml", "issuer"),
        (r"<saml:Audience>[^<]+", "<saml:Audience>https://other.example", "audience"),
        (r"<saml:AudienceRestriction>.*</saml:AudienceRestriction>", "", "audience"),
        (r'Recipient="[^"]+"', 'Recipient="https://other.example/back"', "recipient"),
        (r' Recipient="[^"]+"', "", "recipient"),
        (r'InResponseTo="[^"]+"', 'InResponseTo="_other"', "request"),
        (r' InResponseTo="[^"]+"', "", "request"),
        ("cm:bearer", "cm:holder-of-key", "confirmation"),
        ("cm:bearer", "cm:sender-vouches", "confirmation"),
        ("<saml:SubjectConfirmation .*</saml:SubjectConfirmation>", "", "form"),
        ("<saml:AuthnStatement.*</saml:AuthnStatement>", "", "form"),
        ("<saml:Conditions.*</saml:Conditions>", "", "form"),
        ("u-17<", " u-17<", "name"),
        ("u-17<", "u-17&#10;<", "name"),
        ("u-17<", "u\u200b-17<", "name"),
        ("u-17<", "u\u202e-17<", "name"),
        ("u-17<", f"{'u' * 257}<", "name"),
        ("u-17<", "<", "name"),
        (r'SessionIndex="', 'SessionNotOnOrAfter="2026-11-23T00:00:00Z" SessionIndex="', "time"),
    ],
)
def test_what_was_said_otherwise_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, pattern: str, new: str, check: str
) -> None:
    def edit(xml: str) -> str:
        changed = re.sub(pattern, new, xml)
        assert changed != xml
        return changed

    there.edit_assertion = edit
    with pytest.raises(ProviderUnfit, match=check):
        through(on, there)


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(-30 - SKEW - 1, False), (-30 - SKEW + 31, True), (300 + SKEW - 1, True), (361, False)],
)
def test_an_answer_counts_for_its_time_and_a_minute_of_skew(
    on: SamlSigningOn, there: SimulatedSaml, clock: HandClock, seconds: int, counts: bool
) -> None:
    departure = on.begin()
    answer = there.recognise(departure.address)
    clock.at += timedelta(seconds=seconds)
    if counts:
        assert on.finish(answer, departure.browser).known.subject == "u-17"
    else:
        with pytest.raises(ProviderUnfit, match="time"):
            on.finish(answer, departure.browser)


@pytest.mark.parametrize(
    ("pattern", "new", "check"),
    [
        (r' Destination="[^"]+"', ' Destination="https://other.example/back"', "destination"),
        (r' Destination="[^"]+"', "", "destination"),
        (r' InResponseTo="[^"]+"', ' InResponseTo="_other"', "response, request"),
        (r' InResponseTo="[^"]+"', "", "response, request"),
        (r"<saml:Issuer>[^<]+", "<saml:Issuer>https://other.example/saml", "issuer"),
        ('Version="2.0"', 'Version="1.1"', "response"),
    ],
)
def test_a_response_to_somebody_else_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, pattern: str, new: str, check: str
) -> None:
    there.edit_response = lambda xml: re.sub(pattern, new, xml, count=1)
    with pytest.raises(ProviderUnfit, match=check):
        through(on, there)


@pytest.mark.parametrize(
    ("status", "reason"), [("Responder", "Responder"), ("AuthnFailed", "AuthnFailed")]
)
def test_nobody_recognised_is_said_by_its_name(
    on: SamlSigningOn, there: SimulatedSaml, status: str, reason: str
) -> None:
    there.edit_response = lambda xml: xml.replace(":status:Success", f":status:{status}")
    with pytest.raises(ProviderRefused, match=reason):
        through(on, there)


# --- what is signed -------------------------------------------------


def _parts(xml: str) -> tuple[str, str, str, str, str]:
    """Return head, signed assertion, its signature, the assertion bare, an evil one, tail."""
    start, end = xml.index("<saml:Assertion"), xml.index("</saml:Assertion>") + 17
    good = xml[start:end]
    signature = good[good.index("<ds:Signature") : good.index("</ds:Signature>") + 15]
    bare = good.replace(signature, "")
    evil = re.sub(r' ID="[^"]+"', ' ID="_evil"', bare, count=1).replace("u-17<", f"{EVIL}<")
    assert EVIL in evil
    return xml[:start], good, signature, bare, evil


def _in(evil: str, inner: str) -> str:
    return evil.replace("</saml:Assertion>", f"{inner}</saml:Assertion>")


def _wrapped(shape: str) -> Callable[[str], str]:
    def edit(xml: str) -> str:
        head, good, signature, bare, evil = _parts(xml)
        other = re.sub(r' ID="[^"]+"', ' ID="_evil-response"', head, count=1)
        end = "</ds:Signature>"
        within = signature.replace(end, f"{bare}{end}")
        objected = signature.replace(end, f"<ds:Object>{bare}</ds:Object>{end}")
        inner = {
            "XSW1": evil + signature + xml,
            "XSW2": xml + signature + evil,
            "XSW3": evil + good,
            "XSW4": _in(evil, good),
            "XSW5": _in(evil, signature) + bare,
            "XSW6": _in(evil, within),
            "XSW7": f"<samlp:Extensions>{good}</samlp:Extensions>" + _in(evil, signature),
            "XSW8": _in(evil, objected),
        }[shape]
        return (other if shape in {"XSW1", "XSW2"} else head) + inner + "</samlp:Response>"

    return edit


@pytest.mark.parametrize("shape", [f"XSW{number}" for number in range(1, 9)])
def test_a_wrapped_signature_covers_nobody_else(
    on: SamlSigningOn, there: SimulatedSaml, shape: str
) -> None:
    there.edit_response = _wrapped(shape)
    with pytest.raises(ProviderUnfit):
        through(on, there)


def _signed_response(xml: str) -> str:
    return sign_xml(xml, key_of("idp"))


def _bare(xml: str) -> str:
    return xml.replace(_parts(xml)[2], "")


def _replaced(old: str, new: str) -> Callable[[str], str]:
    def edit(xml: str) -> str:
        assert old in xml
        return xml.replace(old, new)

    return edit


DAMAGED: dict[str, Callable[[str], str]] = {
    "nothing is signed": _bare,
    "only the response is signed": lambda xml: _signed_response(_bare(xml)),
    "one letter of an attribute": _replaced("山田太郎", "山田大郎"),
    "a comment in the NameID": _replaced("u-17<", "u-17<!-- -->8<"),
    "a comment in an attribute": _replaced("山田太郎", "山田<!-- -->太郎"),
    "an instruction in the NameID": _replaced("u-17<", "u-17<?x?>8<"),
    "several assertions": lambda xml: xml.replace(_parts(xml)[1], _parts(xml)[1] * 2),
    "the same ID twice": _replaced("<samlp:Status>", '<samlp:Extensions ID="_x" Id="_x"/>'),
    "an empty URI": lambda xml: re.sub(r'URI="#[^"]+"', 'URI=""', xml),
    "no URI": lambda xml: re.sub(r' URI="#[^"]+"', "", xml),
    "another URI": lambda xml: re.sub(
        r'URI="#[^"]+"', f'URI="#{re.findall(" ID=.([^ ]+?).[ >]", xml)[0]}"', xml
    ),
    "an address as URI": lambda xml: re.sub(
        r'URI="#[^"]+"', 'URI="https://other.example/a.xml"', xml
    ),
    "XPath": _replaced(
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
    ),
    "XSLT": _replaced(
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
    ),
    "c14n with comments": _replaced("xml-exc-c14n#", "xml-exc-c14n#WithComments"),
    "inclusive c14n": _replaced("2001/10/xml-exc-c14n#", "TR/2001/REC-xml-c14n-20010315"),
    "HMAC": _replaced("2001/04/xmldsig-more#rsa-sha256", "2001/04/xmldsig-more#hmac-sha256"),
    "rsa-sha1 by name": _replaced("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", SHA1),
    "SHA-1 digest by name": _replaced(
        "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"
    ),
    "DTD": lambda xml: f"<!DOCTYPE x>{xml}",
    "XXE": lambda xml: (
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + xml.replace("u-17<", "&e;<")
    ),
    "entity bomb": lambda xml: (
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 9)).replace(
            "&a0;", "&a;"
        )
        + f"]>{xml}"
    ),
    "deep": _replaced("<samlp:Status>", "<a>" * 40 + "</a>" * 40 + "<samlp:Status>"),
    "wide": _replaced("<samlp:Status>", "<a/>" * 5000 + "<samlp:Status>"),
    "encrypted": lambda xml: xml.replace(
        _parts(xml)[1], "<saml:EncryptedAssertion><x/></saml:EncryptedAssertion>"
    ),
    "no XML": lambda _xml: "SAML",
    "cut off in the middle": lambda xml: xml[: len(xml) // 2],
    "no assertion": lambda xml: xml.replace(_parts(xml)[1], ""),
    "another thing": lambda xml: xml.replace("samlp:Response", "samlp:ArtifactResponse"),
}


@pytest.mark.parametrize("edit", DAMAGED.values(), ids=DAMAGED)
def test_a_document_that_was_tampered_with_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, edit: Callable[[str], str]
) -> None:
    there.edit_response = edit
    with pytest.raises(ProviderUnfit):
        through(on, there)


def test_the_same_id_twice_is_refused(on: SamlSigningOn, there: SimulatedSaml) -> None:
    def edit(xml: str) -> str:
        number = re.findall(r'<saml:Assertion [^>]*ID="([^"]+)"', xml)[0]
        return xml.replace("<samlp:Status>", f'<samlp:Extensions ID="{number}"/><samlp:Status>')

    there.edit_response = edit
    with pytest.raises(ProviderUnfit, match="id"):
        through(on, there)


def test_a_response_that_is_signed_too_is_believed_for_its_assertion(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    there.edit_response = _signed_response
    assert through(on, there).known.subject == "u-17"


def _signed_by_hand(xml: str, key: OwnKey) -> str:
    """Sign with a list of prefixes, which the library that signs elsewhere does not write."""
    root = etree.fromstring(xml)
    covered = etree.tostring(
        root, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=["xs"]
    )
    exclusive, ds = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2000/09/xmldsig#"
    digest = base64.b64encode(hashlib.sha256(covered).digest()).decode()
    info = (
        f'<ds:SignedInfo xmlns:ds="{ds}"><ds:CanonicalizationMethod Algorithm="{exclusive}"/>'
        f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/><ds:Reference URI="#{root.get("ID")}">'
        f'<ds:Transforms><ds:Transform Algorithm="{ds}enveloped-signature"/><ds:Transform '
        f'Algorithm="{exclusive}"><ec:InclusiveNamespaces xmlns:ec="{exclusive}" '
        'PrefixList="xs"/></ds:Transform></ds:Transforms><ds:DigestMethod '
        f'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{digest}'
        "</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
    said = etree.tostring(etree.fromstring(info), method="c14n", exclusive=True)
    value = base64.b64encode(key.sign(said)).decode()
    signature = (
        f'<ds:Signature xmlns:ds="{ds}">{info}<ds:SignatureValue>{value}</ds:SignatureValue>'
        "</ds:Signature>"
    )
    return xml.replace("</saml:Issuer>", f"</saml:Issuer>{signature}", 1)


def test_an_assertion_in_the_manner_of_shibboleth_is_believed(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    """Prefixes that values use are named inside the transform (exclusive c14n, 3)."""
    spaces = (
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    there.edit_assertion = lambda xml: xml.replace(
        "<saml:Assertion ", f"<saml:Assertion {spaces} "
    ).replace("<saml:AttributeValue>", '<saml:AttributeValue xsi:type="xs:string">')
    there.sign = _signed_by_hand
    assert through(on, there).known.shown == "山田太郎"


def test_a_key_that_the_document_brings_along_is_not_looked_at(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    there.sign = lambda xml, _key: sign_xml(xml, key_of("somebody"))
    with pytest.raises(ProviderUnfit, match="signature"):
        through(on, there)


def test_an_approved_certificate_beside_another_signature_does_not_help(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    theirs = OwnKey(key_of("somebody").key, key_of("idp").certificate)
    there.sign = lambda xml, _key: sign_xml(xml, theirs)
    with pytest.raises(ProviderUnfit, match="signature"):
        through(on, there)


class _OldSigner(XMLSigner):
    """Signs with what was broken in 2005; the library refuses unless it is told twice."""

    def check_deprecated_methods(self) -> None:
        """Let it."""


@pytest.mark.parametrize("method", [SignatureMethod.RSA_SHA1])
def test_a_real_sha1_signature_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, method: SignatureMethod
) -> None:
    def sign(xml: str, key: OwnKey) -> str:
        root = etree.fromstring(xml)
        signer = _OldSigner(
            signature_algorithm=method,
            digest_algorithm="sha1",
            c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
        )
        signed = signer.sign(
            root, key=key.key, cert=[key.certificate], reference_uri=root.get("ID")
        )
        return str(etree.tostring(signed, encoding="unicode"))

    there.sign = sign
    with pytest.raises(ProviderUnfit, match="signature"):
        through(on, there)


@pytest.mark.parametrize("said", ["", "%%%", "あ", "A" * 100_001])
def test_what_is_no_base64_or_too_long_is_refused(
    on: SamlSigningOn, there: SimulatedSaml, said: str
) -> None:
    departure = on.begin()
    answer = there.recognise(departure.address) | {"SAMLResponse": said}
    with pytest.raises(IdentityFailed):
        on.finish(answer, departure.browser)


def test_a_refusal_names_nobody(on: SamlSigningOn, there: SimulatedSaml) -> None:
    there.edit_response = _replaced("山田太郎", "山田大郎")
    with pytest.raises(ProviderUnfit) as error:
        through(on, there)
    assert "山田" not in error.value.say("ja") + error.value.remedy("ja")
    assert "u-17" not in error.value.say("ja") + str(error.value)


def test_any_byte_that_is_flipped_is_refused_or_changes_nothing(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    """Walk over a whole response; what still comes through says the same of the same person."""
    expected = through(on, there).known
    kept = 0
    for at in range(0, 5200, 53):
        departure = on.begin()
        answer = there.recognise(departure.address)
        whole = bytearray(base64.b64decode(answer["SAMLResponse"]))
        whole[at % len(whole)] ^= 0x01
        answer["SAMLResponse"] = base64.b64encode(whole).decode()
        try:
            got = on.finish(answer, departure.browser).known
        except IdentityFailed:
            continue
        kept += 1
        assert (got.subject, got.shown) == (expected.subject, expected.shown)
        assert got.attributes == expected.attributes
        assert got.methods == expected.methods
    assert kept < 30, "what stands outside of the assertion, or in KeyInfo"


# --- metadata -------------------------------------------------------


def test_during_a_roll_over_both_keys_count(there: SimulatedSaml, book: Accounts) -> None:
    there.keys = [key_of("idp"), key_of("idp-next")]
    on = made(there, book)
    through(on, there)
    there.keys.reverse()
    assert through(on, there).known.subject == "u-17"


def test_a_key_that_nobody_approved_does_not_count_though_the_metadata_name_it(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    there.keys.append(key_of("idp-next"))
    there.sign = lambda xml, _key: sign_xml(xml, key_of("idp-next"))
    with pytest.raises(ProviderUnfit, match="signature"):
        through(on, there)


def test_swapped_metadata_are_refused_with_what_they_have_now(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    there.keys = [key_of("somebody")]
    with pytest.raises(ProviderSwapped) as error:
        on.begin()
    assert there.fingerprints[0] in error.value.remedy("ja")


def test_metadata_of_another_provider_are_refused(on: SamlSigningOn, there: SimulatedSaml) -> None:
    there.entity = "https://other.example/saml"
    with pytest.raises(ProviderSwapped):
        on.begin()


@pytest.mark.parametrize(
    ("until", "counts"),
    [("2026-11-24T00:00:01Z", True), ("2026-11-23T23:59:59Z", False), ("someday", False)],
)
def test_metadata_end(on: SamlSigningOn, there: SimulatedSaml, until: str, counts: bool) -> None:
    there.until = until
    if counts:
        assert through(on, there).known.subject == "u-17"
    else:
        with pytest.raises(ProviderUnfit, match="validUntil"):
            on.begin()


@pytest.mark.parametrize(
    "edit",
    [
        lambda xml: (
            f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
            f"{xml}{xml.replace('_m', '_n')}</md:EntitiesDescriptor>"
        ),
        lambda xml: xml.replace(
            "</md:EntityDescriptor>",
            xml[xml.index("<md:IDPSSO") : xml.index("</md:EntityD")] + "</md:EntityDescriptor>",
        ),
        lambda xml: xml.replace("<md:IDPSSO", "<md:SPSSO").replace("</md:IDPSSO", "</md:SPSSO"),
        lambda xml: xml.replace("https://login.city.example.jp/sso", "http://login.example/sso"),
        lambda xml: xml.replace("https://login.city.example.jp/sso", "javascript:alert(1)"),
        lambda xml: xml.replace("HTTP-Redirect", "HTTP-POST"),
        lambda xml: xml.replace(":2.0:protocol", ":1.1:protocol"),
        lambda xml: f"<!DOCTYPE x>{xml}",
        lambda xml: xml[:200],
        lambda xml: xml.replace("Certificate>MII", "Certificate>MI"),
        lambda _xml: "",
    ],
)
def test_metadata_that_say_something_else_are_refused(
    on: SamlSigningOn, there: SimulatedSaml, edit: Callable[[str], str]
) -> None:
    before = there.metadata().decode()
    assert edit(before) != before
    there.edit_metadata = edit
    with pytest.raises(ProviderUnfit):
        on.begin()


def test_metadata_with_a_signature_count_where_its_certificate_was_approved(
    there: SimulatedSaml, book: Accounts
) -> None:
    publisher = key_of("publisher")
    signed = sign_xml(there.metadata().decode(), publisher)
    plain = there.metadata()
    pin = hashlib.sha256(_der(publisher)).hexdigest()
    on = made(there, book, at=replace(service(there), described_by=pin))
    for said, error in (
        (signed, None),
        (signed.replace("/sso", "/sS0"), ProviderUnfit),
        (plain.decode(), ProviderSwapped),
        (sign_xml(plain.decode(), key_of("somebody")), ProviderSwapped),
    ):
        there.edit_metadata = partial(_instead, said)
        if error is None:
            assert on.begin().address.startswith("https://login.city.example.jp/sso?")
        else:
            with pytest.raises(error):
                on.begin()


def _instead(said: str, _xml: str) -> str:
    return said


def _der(key: OwnKey) -> bytes:
    return key.certificate.public_bytes(Encoding.DER)


# --- encrypted ------------------------------------------------------


def _sealed(**how: Any) -> Callable[[str, OwnKey], str]:
    to = how.pop("to", "console")
    return lambda xml, key: encrypt_xml(sign_xml(xml, key), key_of(to).certificate, **how)


@pytest.fixture
def opening(there: SimulatedSaml, book: Accounts) -> SamlSigningOn:
    return made(there, book, at=replace(service(there), is_encrypted=True))


def test_an_encrypted_assertion_is_opened_where_the_file_says_so(
    opening: SamlSigningOn, there: SimulatedSaml
) -> None:
    assert b'use="encryption"' in there.knows
    there.sign = _sealed()
    got = through(opening, there)
    assert (got.known.subject, got.known.shown) == ("u-17", "山田太郎")


def test_elsewhere_it_is_refused_and_no_key_is_offered(
    on: SamlSigningOn, there: SimulatedSaml
) -> None:
    assert b'use="encryption"' not in there.knows
    there.sign = _sealed()
    with pytest.raises(ProviderUnfit, match="encrypted"):
        through(on, there)


@pytest.mark.parametrize(
    "how",
    [
        {"to": "somebody"},
        {"data": "http://www.w3.org/2001/04/xmlenc#aes256-cbc"},
        {"data": "http://www.w3.org/2009/xmlenc11#aes128-gcm"},
        {"data": ""},
        {"transport": "http://www.w3.org/2001/04/xmlenc#rsa-1_5", "padding": PKCS1v15()},
        {"padding": PKCS1v15()},
        {"transport": ""},
    ],
)
def test_what_was_encrypted_in_another_way_is_refused(
    opening: SamlSigningOn, there: SimulatedSaml, how: dict[str, Any]
) -> None:
    there.sign = _sealed(**how)
    with pytest.raises(ProviderUnfit, match="encrypted"):
        through(opening, there)


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (lambda xml: re.sub("<xenc:CipherValue>.{4}", "<xenc:CipherValue>AAAA", xml), "encrypted"),
        (lambda xml: re.sub("CipherValue>[^<]{4,}<", "CipherValue>AAAA<", xml), "encrypted"),
        (lambda xml: re.sub("CipherValue>[^<]{4,}<", "CipherValue><", xml), "encrypted"),
        (lambda xml: xml.replace("xenc:CipherValue", "xenc:CipherReference"), "encrypted"),
        (lambda xml: re.sub(r"<xenc:EncryptedKey>.*</xenc:EncryptedKey>", "", xml), "encrypted"),
        (
            lambda xml: re.sub(r"(<saml:EncryptedA.*</saml:EncryptedAssertion>)", r"\1\1", xml),
            "assertions",
        ),
    ],
)
def test_what_was_encrypted_and_then_changed_is_refused(
    opening: SamlSigningOn, there: SimulatedSaml, edit: Callable[[str], str], check: str
) -> None:
    there.sign = _sealed()
    there.edit_response = edit
    with pytest.raises(ProviderUnfit, match=check):
        through(opening, there)


def test_what_was_encrypted_has_to_be_signed_too(
    opening: SamlSigningOn, there: SimulatedSaml
) -> None:
    """Anybody can encrypt to us: our key is published."""
    ours = key_of("console").certificate
    there.sign = lambda xml, _key: encrypt_xml(xml, ours)
    with pytest.raises(ProviderUnfit, match="signature"):
        through(opening, there)
    there.sign = lambda xml, key: encrypt_xml(f"<x>{sign_xml(xml, key)}</x>", ours)
    with pytest.raises(ProviderUnfit, match="assertions"):
        through(opening, there)
    there.sign = lambda xml, key: encrypt_xml(f"<!DOCTYPE x>{sign_xml(xml, key)}", ours)
    with pytest.raises(ProviderUnfit, match="doctype"):
        through(opening, there)


@pytest.mark.parametrize("size", [128, 256])
def test_what_another_program_has_encrypted_is_opened(
    opening: SamlSigningOn, there: SimulatedSaml, size: int
) -> None:
    """Use the bindings of xmlsec, which know nothing of how we read."""

    def sign(xml: str, key: OwnKey) -> str:
        space = "urn:oasis:names:tc:SAML:2.0:assertion"
        named = f'<x:EncryptedAssertion xmlns:x="{space}">'  # the assertion keeps names of its own
        outer = etree.fromstring(f"{named}{sign_xml(xml, key)}</x:EncryptedAssertion>")
        assertion = outer[0]
        said = xmlsec.constants
        cipher = {128: said.TransformAes128Gcm, 256: said.TransformAes256Gcm}[size]
        data = xmlsec.template.encrypted_data_create(
            outer, cipher, type=said.TypeEncElement, ns="xenc"
        )
        xmlsec.template.encrypted_data_ensure_cipher_value(data)
        info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
        wrapped = xmlsec.template.add_encrypted_key(info, said.TransformRsaOaep)
        xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
        keys = xmlsec.KeysManager()
        pem = key_of("console").certificate.public_bytes(Encoding.PEM)
        keys.add_key(xmlsec.Key.from_memory(pem, said.KeyDataFormatCertPem))
        context = xmlsec.EncryptionContext(keys)
        context.key = xmlsec.Key.generate(said.KeyDataAes, size, said.KeyDataTypeSession)
        context.encrypt_xml(data, assertion)
        return str(etree.tostring(outer, encoding="unicode"))

    there.sign = sign
    assert through(opening, there).known.shown == "山田太郎"
