"""The forms on the wire: what is written is read back, and nothing else is read at all."""

from datetime import UTC, date, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import OKPKey

from kumobashi.calls.binary_http import Answer, Request
from kumobashi.calls.errors import HeaderUnreadable, MessageMalformed
from kumobashi.calls.header import CallHeader
from kumobashi.calls.permission_errors import OperationNotPermitted
from kumobashi.calls.permits import CallLink, Operation
from kumobashi.calls.signing import PATH, sign_call
from kumobashi.calls.wire import CALL_TYPE, end_to_end
from kumobashi.crypto import base64url, jwe
from kumobashi.crypto.errors import NotForUs, SealFailed
from kumobashi.crypto.keys import SealKey, SigningKey, recipient_of
from kumobashi.kernel import from_micros, new_id

IDENT = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
HEADERS = st.builds(
    CallHeader,
    call=st.uuids().map(str),
    tenant=st.from_regex(r"[0-9]{6}", fullmatch=True),
    link=IDENT,
    asker=IDENT,
    asking_site=IDENT,
    answerer=IDENT,
    answering_site=IDENT,
    service=IDENT,
    version=IDENT,
    unit=IDENT | st.just(""),
    kind=IDENT | st.just(""),
    purpose=IDENT,
    agreement=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    plan=st.binary().map(lambda data: f"sha256:{sha256(data).hexdigest()}"),
    correlation=st.uuids().map(str),
    sent=st.integers(10**14, 10**17 - 1).map(from_micros),
    budget_ms=st.integers(0, 10**9 - 1),
    is_test=st.booleans(),
)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(tuple)
HEADER = CallHeader(
    call="01930000-0000-7000-8000-000000000001",
    tenant="999997",
    link="payment-status",
    asker="arrears",
    asking_site="hall",
    answerer="collection",
    answering_site="cloud",
    service="payments",
    version="v1",
    unit="",
    kind="",
    purpose="arrears",
    agreement="8架総第123号",
    plan="sha256:" + 64 * "0",
    correlation="01930000-0000-7000-8000-000000000002",
    sent=datetime(2026, 11, 23, tzinfo=UTC),
    budget_ms=30_000,
)


@given(HEADERS)
def test_a_header_is_read_as_it_was_written(header: CallHeader) -> None:
    text = header.encode()
    assert text.isascii()
    assert CallHeader.decode(text) == header


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + " ",
        lambda text: text.replace("format=1", "format=2"),
        lambda text: text.replace(', tenant="999997"', ""),
        lambda text: text.replace('asker="arrears"', 'asker="arrears", asker="welfare"'),
        lambda text: text.replace('link="', 'link="../'),
        lambda text: text.replace("test=?0", "test=?2"),
        lambda text: text.replace("budget=30000", "budget=030000"),
        lambda text: text.replace("%E6%9E%B6", "%e6%9e%b6"),
        lambda text: text.replace("%E6%9E%B6", "%E6%9E"),
        lambda _text: "a" * 3000,
        lambda _text: "",
    ],
)
def test_another_form_of_a_header_is_not_read(change: Any) -> None:
    with pytest.raises(HeaderUnreadable):
        CallHeader.decode(change(HEADER.encode()))


@given(
    st.builds(
        Request,
        method=st.from_regex(r"[A-Z]{1,10}", fullmatch=True),
        path=st.from_regex(r"/[!-~]{0,40}", fullmatch=True),
        headers=FIELDS,
        body=st.binary(max_size=300),
    )
)
def test_a_request_is_read_as_it_was_written(request: Request) -> None:
    assert Request.decode(request.encode()) == request


@given(
    st.builds(Answer, status=st.integers(200, 599), headers=FIELDS, body=st.binary(max_size=70_000))
)
def test_an_answer_is_read_as_it_was_written(answer: Answer) -> None:
    assert Answer.decode(answer.encode()) == answer


@given(st.binary(max_size=200), st.integers(0, 200))
def test_other_bytes_are_refused_and_never_crash(data: bytes, cut: int) -> None:
    whole = Answer(status=200, headers=(("a", "b"),), body=data).encode()
    for wrong in (data, whole[: min(cut, len(whole) - 2)], b"\x01" + data):
        try:
            found = Answer.decode(wrong)
        except MessageMalformed:
            continue
        assert found.encode().rstrip(b"\x00") == wrong.rstrip(b"\x00")


def test_what_belongs_to_one_connection_stays_there() -> None:
    given_ = [
        ("Connection", "close, X-Secret"),
        ("X-Secret", "1"),
        ("Host", "a"),
        ("Cookie", "a"),
        ("Authorization", "a"),
        ("Transfer-Encoding", "chunked"),
        ("Kumobashi-Asker", "forged"),
        ("Signature", "x"),
        ("Content-Type", "text/plain"),
        ("If-Match", '"7"'),
    ]
    assert end_to_end(given_) == (("content-type", "text/plain"), ("if-match", '"7"'))


def _permits(template: str) -> CallLink:
    return CallLink(
        link="l",
        asker="a",
        answerer="b",
        service="s",
        sites=("x",),
        operations=(Operation(version="v1", name="o", method="GET", path=template),),
        purpose="p",
        plan="",
    )


@pytest.mark.parametrize(
    "path", ["/p/17/items", "/p/%E5%B1%B1/items", "/p/a.b/items", "/p/..a/items", "/p/a=b;c/items"]
)
def test_a_parameter_is_one_segment(path: str) -> None:
    assert _permits("/p/{p}/items").operation("v1", "GET", path, on=date(2026, 11, 21)).name == "o"


@pytest.mark.parametrize(
    "path",
    [
        "/p//items",
        "/p/./items",
        "/p/../items",
        "/p/%2e%2e/items",
        "/p/%2E/items",
        "/p/a%2Fb/items",
        "/p/a%5cb/items",
        "/p/a\\b/items",
        "/p/a%00/items",
        "/p/a b/items",
        "/p/a/items/",
        "/P/a/items",
        "/p/a/items?x",
        "//p/a/items",
    ],
)
def test_a_path_that_could_be_read_as_another_is_not_permitted(path: str) -> None:
    with pytest.raises(OperationNotPermitted):
        _permits("/p/{p}/items").operation("v1", "GET", path, on=date(2026, 11, 21))


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> Any:
        assert key_id == self._key.kid
        return Ed25519PublicKey.from_public_bytes(self._key.public.raw)


def test_another_library_finds_our_signature_good() -> None:
    """http-message-signatures reads RFC 9421 by itself; it knows nothing of our fields."""
    key, body = SigningKey.generate(), b"asked"
    header = CallHeader.decode(HEADER.encode())
    proof = sign_call(
        header, f"sha256:{sha256(body).hexdigest()}", CALL_TYPE, key, datetime.now(UTC)
    )
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(key))
    message = SimpleNamespace(
        method="POST", url=f"https://cloud.example{PATH}", headers=dict(proof.fields), body=body
    )
    (found,) = verifier.verify(message)
    assert {'"@method"', '"@path"', '"content-digest"', '"kumobashi-call"'} <= set(
        found.covered_components
    )
    message.headers["kumobashi-call"] = header.encode().replace("arrears", "welfare")
    with pytest.raises(InvalidSignature):
        verifier.verify(message)


@given(st.binary(max_size=300))
def test_another_library_opens_what_we_seal_and_we_what_it_seals(body: bytes) -> None:
    key = SealKey.generate()
    own = OKPKey.import_key(
        {
            "kty": "OKP",
            "crv": "X25519",
            "x": base64url.encode(recipient_of(key.recipient)),
            "d": base64url.encode(key.secret),
        }
    )
    token = jwe.seal(body, key.recipient, content_type=CALL_TYPE)
    opened = joserfc_jwe.decrypt_compact(token, own, algorithms=["ECDH-ES", "A256GCM"])
    assert opened.plaintext == body
    assert jwe.open_sealed(token, key) == jwe.Opened(CALL_TYPE, body)


def test_a_changed_or_foreign_token_is_not_opened() -> None:
    key = SealKey.generate()
    token = jwe.seal(b"asked", key.recipient, content_type=CALL_TYPE)
    with pytest.raises(NotForUs):
        jwe.open_sealed(token, SealKey.generate())
    for at in range(len(token)):
        if token[at : at + 1] == b".":
            changed = token[:at] + token[at + 1 :]
        else:
            other = b"A" if token[at : at + 1] != b"A" else b"B"
            changed = token[:at] + other + token[at + 1 :]
        with pytest.raises(SealFailed):
            jwe.open_sealed(changed, key)
    for wrong in (token + b"=", token + b".", b"", b"a.b.c.d.e", token.replace(b"..", b".QQ.")):
        with pytest.raises(SealFailed):
            jwe.open_sealed(wrong, key)


def test_ids_of_calls_fit_the_header() -> None:
    assert (
        CallHeader.decode(HEADER.encode().replace(HEADER.call, new_id())).link == "payment-status"
    )
