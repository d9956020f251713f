"""A signed assertion counts only if it was said to us, now, as an answer to this browser."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.saml.believing import Asked, Believed, believe

NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
ASKED = Asked(provider="hall", issuer="idp", audience="us", recipient="http://us/acs", request="_q")
GOOD = (
    '<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"><Issuer>idp</Issuer>'
    '<Subject><NameID>u-17</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:'
    'bearer"><SubjectConfirmationData Recipient="http://us/acs" InResponseTo="_q" '
    'NotOnOrAfter="2026-11-24T00:05:00Z"/></SubjectConfirmation></Subject>'
    '<Conditions NotBefore="2026-11-23T23:59:00Z" NotOnOrAfter="2026-11-24T00:05:00Z">'
    "<AudienceRestriction><Audience>us</Audience></AudienceRestriction></Conditions>"
    '<AuthnStatement AuthnInstant="2026-11-23T23:59:30Z" SessionIndex="s-1"><AuthnContext>'
    "<AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"
    "</AuthnContextClassRef></AuthnContext></AuthnStatement><AttributeStatement>"
    '<Attribute Name="urn:oid:2.16.840.1.113730.3.1.241" FriendlyName="displayName">'
    "<AttributeValue>山田太郎</AttributeValue></Attribute></AttributeStatement></Assertion>"
)


def _believe(xml: str, now: datetime = NOW) -> Believed:
    return believe(etree.fromstring(xml), ASKED, now=now)


def test_it_says_who_how_and_in_which_session() -> None:
    got = _believe(GOOD)
    assert (got.known.subject, got.known.shown, got.known.session) == ("u-17", "山田太郎", "s-1")
    assert got.known.methods >= {"otp", "mfa"}
    assert got.known.attributes["urn:oid:2.16.840.1.113730.3.1.241"] == ("山田太郎",)


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("<Issuer>idp", "<Issuer>other", "issuer"),
        ("<Audience>us", "<Audience>them", "audience"),
        ("<Audience>us</Audience>", "", "audience"),
        ("http://us/acs", "http://them/acs", "recipient"),
        ('InResponseTo="_q"', 'InResponseTo="_other"', "request"),
        ('InResponseTo="_q" ', "", "request"),
        ("cm:bearer", "cm:sender-vouches", "confirmation"),
        ("u-17", " u-17", "name"),
        (
            "<NameID>",
            '<NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">',
            "name",
        ),
        ("u-17", "u-\u200b17", "name"),
        ("u-17", "", "name"),
        ('NotOnOrAfter="2026-11-24T00:05:00Z">', 'NotOnOrAfter="2026-11-24T00:05:00">', "time"),
        ('NotOnOrAfter="2026-11-24T00:05:00Z">', 'NotOnOrAfter="never Z">', "time"),
    ],
)
def test_what_was_said_otherwise_is_refused(old: str, new: str, check: str) -> None:
    assert old in GOOD
    with pytest.raises(ProviderUnfit, match=check):
        _believe(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(("minutes", "counts"), [(-3, False), (-2, True), (5, True), (6, False)])
def test_time_is_bounded_on_both_sides_with_a_minute_of_skew(minutes: int, counts: bool) -> None:
    now = NOW + timedelta(minutes=minutes)
    xml = GOOD.replace("2026-11-23T23:59:30Z", "2026-11-23T23:50:00Z")
    if counts:
        assert _believe(xml, now).assertion == "_a"
    else:
        with pytest.raises(ProviderUnfit, match="time"):
            _believe(xml, now)
