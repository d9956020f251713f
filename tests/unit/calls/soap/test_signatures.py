"""WS-Security signatures of another's program are believed only for what they cover."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from kumobashi.calls.soap.envelopes import read_envelope
from kumobashi.calls.soap.errors import SignatureUnfit
from kumobashi.calls.soap.signatures import (
    WSSE,
    WSU,
    Signatures,
    fingerprint,
    has_security,
    sign,
    without_security,
)
from tests.soap_messages import ENVELOPE, V11, V12, Signer, signer

TEXT = ENVELOPE.format(space=V11)
ID = f"{{{WSU}}}Id"
BODY, HEADER = f"{{{V11}}}Body", f"{{{V11}}}Header"


@pytest.fixture(scope="module")
def arrears(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("keys"), "arrears")


def _checked(body: bytes, who: Signer, *, now: datetime | None = None) -> Any:
    content_type = "application/soap+xml" if V12.encode() in body else "text/xml"
    registered = {fingerprint(who.found): who.found}
    return Signatures().signer(
        read_envelope(body, content_type), registered, now or datetime.now(UTC)
    )


@pytest.mark.parametrize("space", [V11, V12])
@pytest.mark.parametrize("is_plain", [True, False])
def test_a_signed_envelope_is_its_signers(arrears: Signer, space: str, is_plain: bool) -> None:
    body = arrears.stamped(ENVELOPE.format(space=space), is_plain=is_plain)

    assert _checked(body, arrears) == arrears.found

    read = read_envelope(body, "text/xml" if space == V11 else "application/soap+xml")
    assert not has_security(without_security(read))
    assert "".join(read.body.itertext()) == "2026"


def test_the_same_message_counts_once(arrears: Signer) -> None:
    body, known = arrears.stamped(TEXT), {fingerprint(arrears.found): arrears.found}
    signatures, now = Signatures(), datetime.now(UTC)
    signatures.signer(read_envelope(body, "text/xml"), known, now)

    with pytest.raises(SignatureUnfit, match="replayed"):
        signatures.signer(read_envelope(body, "text/xml"), known, now)


def test_a_message_that_the_process_before_may_have_taken_does_not_count(arrears: Signer) -> None:
    body, known = arrears.stamped(TEXT), {fingerprint(arrears.found): arrears.found}
    now = datetime.now(UTC)
    anew = Signatures(now + timedelta(seconds=2))

    with pytest.raises(SignatureUnfit, match="before the start"):
        anew.signer(read_envelope(body, "text/xml"), known, now + timedelta(seconds=3))


@pytest.mark.parametrize(
    ("minutes", "reason"), [(-6, "expired"), (2, "ahead")], ids=["old", "of the future"]
)
def test_only_a_fresh_message_counts(arrears: Signer, minutes: int, reason: str) -> None:
    body = arrears.stamped(TEXT, now=datetime.now(UTC) + timedelta(minutes=minutes))

    with pytest.raises(SignatureUnfit, match=reason):
        _checked(body, arrears)


def test_a_certificate_that_is_not_registered_is_nobodys(arrears: Signer, tmp_path: Path) -> None:
    other = signer(tmp_path, "other")

    with pytest.raises(SignatureUnfit, match="not registered"):
        _checked(other.stamped(TEXT), arrears)


@pytest.mark.parametrize(("bits", "days"), [(1024, 30), (2048, -1)], ids=["short", "expired"])
def test_a_key_that_is_too_short_or_old_proves_nothing(
    tmp_path: Path, bits: int, days: int
) -> None:
    weak = signer(tmp_path, "weak", bits=bits, days=days)

    with pytest.raises(SignatureUnfit):
        _checked(weak.stamped(TEXT), weak)


@pytest.mark.parametrize(
    "wish",
    [{"method": xmlsec.constants.TransformRsaSha1}, {"digest": xmlsec.constants.TransformSha1}],
    ids=["method", "digest"],
)
def test_sha_1_proves_nothing(arrears: Signer, wish: dict[str, Any]) -> None:
    with pytest.raises(SignatureUnfit):
        _checked(arrears.stamped(TEXT, **wish), arrears)


def _moved_into_header(root: Any) -> None:
    """The signed body lies in the header, and another one is in its place."""
    body, header = root.find(BODY), root.find(HEADER)
    etree.SubElement(header, "wrapper").append(body)
    etree.SubElement(root, BODY)[:] = [etree.Element("{urn:example:payments}deletePayments")]


def _with_the_same_id(root: Any) -> None:
    """As before, and the new body claims the id of the old one."""
    signed = root.find(BODY).get(ID)
    _moved_into_header(root)
    root.find(BODY).set(ID, signed)


def _with_the_same_plain_id(root: Any) -> None:
    """As before, by an attribute that some readers take for an id too."""
    signed = root.find(BODY).get(ID)
    _moved_into_header(root)
    root.find(BODY).set("Id", signed)


def _body_changed(root: Any) -> None:
    root.find(BODY)[0][0].text = "2027"


def _time_changed(root: Any) -> None:
    stamp = next(root.iter(f"{{{WSU}}}Created"))
    stamp.text = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.001Z")


def _time_not_signed(root: Any) -> None:
    next(root.iter(f"{{{WSU}}}Timestamp")).set(ID, "other")


def _two_securities(root: Any) -> None:
    etree.SubElement(root.find(HEADER), f"{{{WSSE}}}Security")


def _signature_outside(root: Any) -> None:
    signature = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    root.find(HEADER).append(signature)


def _signature_twice(root: Any) -> None:
    signature = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    signature.getparent().append(etree.fromstring(etree.tostring(signature)))


def _transformed(root: Any) -> None:
    transform = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Transform"))
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")


def _algorithm_confused(root: Any) -> None:
    method = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"))
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")


@pytest.mark.parametrize(
    "deed",
    [
        _moved_into_header,
        _with_the_same_id,
        _with_the_same_plain_id,
        _body_changed,
        _time_changed,
        _time_not_signed,
        _two_securities,
        _signature_outside,
        _signature_twice,
        _transformed,
        _algorithm_confused,
    ],
    ids=lambda deed: deed.__name__.strip("_"),
)
def test_what_the_signature_does_not_cover_is_refused(
    arrears: Signer, deed: Callable[[Any], None]
) -> None:
    root = etree.fromstring(arrears.stamped(TEXT))
    assert _checked(etree.tostring(root), arrears) == arrears.found
    deed(root)

    with pytest.raises(SignatureUnfit):
        _checked(etree.tostring(root), arrears)


@pytest.mark.parametrize("space", [V11, V12])
def test_another_program_verifies_what_is_signed_here(arrears: Signer, space: str) -> None:
    kind = "text/xml" if space == V11 else "application/soap+xml"
    key = load_pem_private_key(arrears.key.read_bytes(), None)
    envelope = read_envelope(ENVELOPE.format(space=space).encode(), kind)

    signed = sign(envelope, key, arrears.found, datetime.now(UTC)).encode()  # type: ignore[arg-type]

    arrears.wsse().verify(etree.fromstring(signed))
    assert _checked(signed, arrears) == arrears.found
