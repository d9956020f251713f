"""What is read as an envelope, and what is refused before anybody believes it."""

import pytest

from kumobashi.calls.errors import CallFailed
from kumobashi.calls.permission_errors import NotPermitted
from kumobashi.calls.soap.envelopes import Version, read_envelope
from kumobashi.calls.soap.errors import AnswerNotSoap, SoapFailed
from kumobashi.calls.soap.faults import fault, status_of
from kumobashi.calls.soap.wsdl import with_address
from tests.soap_messages import ENVELOPE, V11, V12

TEXT = ENVELOPE.format(space=V11)
XML, XML_12 = "text/xml; charset=utf-8", "application/soap+xml; charset=utf-8"
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_both_versions_in_both_encodings_are_read(version: Version, encoding: str) -> None:
    text = ENVELOPE.format(space=version.namespace)
    charset = encoding.removesuffix("-sig")

    read = read_envelope(text.encode(encoding), f"{version.media_type}; charset={charset}")

    assert read.version is version
    assert read.body[0].tag == "{urn:example:payments}listPayments"
    assert read_envelope(read.encode(), version.media_type).version is version


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (BOMB + TEXT, XML, "soap.dtd_refused"),
        (OUTSIDE + TEXT, XML, "soap.dtd_refused"),
        ('<?xml-stylesheet href="x"?>' + TEXT, XML, "soap.dtd_refused"),
        (TEXT.replace("2026", "&undeclared;"), XML, "soap.envelope_unreadable"),
        (TEXT[:-1], XML, "soap.envelope_unreadable"),
        ("", XML, "soap.envelope_unreadable"),
        ("<a>" * 101 + "</a>" * 101, XML, "soap.envelope_unreadable"),
        (TEXT.replace("<s:Header/>", "<s:Header/><s:Header/>"), XML, "soap.envelope_unreadable"),
        (TEXT.replace("<s:Header/>", "<s:Body/>"), XML, "soap.envelope_unreadable"),
        (TEXT.replace("</s:Body>", "<b/></s:Body>"), XML, "soap.envelope_unreadable"),
        (TEXT.replace("<s:Header/>", "<s:Header/>said"), XML, "soap.envelope_unreadable"),
        (TEXT, XML_12, "soap.version_refused"),
        (ENVELOPE.format(space=V12), XML, "soap.version_refused"),
        (ENVELOPE.format(space="urn:other"), XML, "soap.version_refused"),
        (TEXT, "application/xml", "soap.version_refused"),
        (TEXT, "", "soap.version_refused"),
        (TEXT, "text/xml; charset=shift_jis", "soap.charset_refused"),
        (TEXT, "text/xml; charset=no-such", "soap.charset_refused"),
        ('<?xml version="1.0" encoding="EUC-JP"?>' + TEXT, XML, "soap.charset_refused"),
    ],
)
def test_what_is_no_plain_envelope_is_refused(body: str, content_type: str, code: str) -> None:
    with pytest.raises(SoapFailed) as refused:
        read_envelope(body.encode(), content_type)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        TEXT.replace("2026", "架空").encode("shift_jis"),
        TEXT.encode("utf-16-le"),  # no byte order mark
        b"\xef\xbb\xbf" + TEXT.encode("utf-16"),
    ],
)
def test_bytes_that_are_not_what_they_say_are_refused(body: bytes) -> None:
    with pytest.raises(SoapFailed, match=r"soap\.(charset_refused|envelope_unreadable)"):
        read_envelope(body, XML)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("error", "is_senders"),
    [
        (NotPermitted(asker="\x00\ud800滞納", service="a.b"), True),
        (AnswerNotSoap(reason="\x00滞納"), False),
    ],
    ids=["asker", "answerer"],
)
def test_a_fault_is_an_envelope_that_tells_the_code(
    version: Version, error: CallFailed, is_senders: bool
) -> None:
    read = read_envelope(fault(error, version), version.media_type)

    said = "".join(read.body.itertext())
    assert error.code in said
    assert "\N{REPLACEMENT CHARACTER}滞納" in said
    code = {True: ("Client", "Sender"), False: ("Server", "Receiver")}[is_senders]
    assert code[version is Version.V12] in said
    assert status_of(error, version) == (400 if is_senders and version is Version.V12 else 500)


def test_addresses_of_a_description_lead_here() -> None:
    written = (
        b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
        b'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        b'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"><service name="a"><port><soap:'
        b'address location="http://vendor.example/x"/></port><port><soap12:address location="y"/>'
        b"</port></service></definitions>"
    )

    shown = with_address(written, "http://127.0.0.1:1/soap/a?b=1&c")

    assert shown.count(b'location="http://127.0.0.1:1/soap/a?b=1&amp;c"') == 2
    assert b"vendor.example" not in shown
