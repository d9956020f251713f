import base64
import re
from datetime import UTC, datetime, timedelta
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from kumobashi.crypto import http_signatures as hs
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.errors import (
    BodyAltered,
    NoncesFull,
    SignatureExpired,
    SignatureInvalid,
    SignatureMissing,
    SignatureReplayed,
    UnknownKey,
)
from kumobashi.crypto.keys import SigningKey, VerifyKey

NOW = datetime(2026, 11, 22, 1, 20, tzinfo=UTC)
KEY = SigningKey.generate()
URI = "https://relay.example:8740/peer/v1/transfers/t/1?after=2&wait=20"
CALLER = hs.Caller(site="hall-core", kid=KEY.kid)
BODY = digest("封緘".encode())
COMPONENTS = ("@method", "@authority", "@path", "@query", "content-digest", "kumobashi-site")


def _sign(**changes: Any) -> dict[str, str]:
    facts: dict[str, Any] = {
        "method": "POST",
        "target_uri": URI,
        "content_digest": BODY,
        "site": "hall-core",
        "key": KEY,
        "created": NOW,
        "nonce": "n-1",
    }
    return hs.sign_request(**{**facts, **changes})


def _verify(headers: dict[str, str], **changes: Any) -> hs.Caller:
    facts: dict[str, Any] = {
        "method": "POST",
        "target_uri": URI,
        "headers": headers,
        "keys": {KEY.kid: KEY.public},
        "now": NOW,
        "body_digest": BODY,
        "nonces": hs.NonceMemory(),
    }
    return hs.verify_request(**{**facts, **changes})


def test_a_signed_request_tells_who_signed() -> None:
    assert _verify(_sign()) == CALLER


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"target_uri": URI.replace("relay.", "other.")},
        {"target_uri": URI.replace(":8740", ":8741")},
        {"target_uri": URI.replace("/t/1", "/t/2")},
        {"target_uri": URI.replace("after=2", "after=0")},
        {"target_uri": URI.partition("?")[0]},
    ],
)
def test_a_signature_holds_for_one_request_only(changes: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        _verify(_sign(), **changes)


@pytest.mark.parametrize("name", ["content-digest", "kumobashi-site", "signature-input"])
def test_altered_headers_are_found(name: str) -> None:
    headers = _sign()
    other = _sign(content_digest=hs.EMPTY_BODY, site="evil", nonce="n-2")

    with pytest.raises(SignatureInvalid):
        _verify({**headers, name: other[name]})


@pytest.mark.parametrize("name", [*_sign()])
def test_a_missing_header_is_named(name: str) -> None:
    headers = _sign()
    del headers[name]

    with pytest.raises(SignatureMissing) as refusal:
        _verify(headers)

    assert refusal.value.field == name


def test_a_proxy_that_ends_tls_does_not_break_the_signature() -> None:
    headers = _sign(target_uri="https://Relay.example/peer/v1/transfers")

    assert _verify(headers, target_uri="http://relay.example:80/peer/v1/transfers") == CALLER


def test_another_body_is_found() -> None:
    with pytest.raises(BodyAltered):
        _verify(_sign(), body_digest=digest(b"another"))


def test_a_key_of_another_site_is_unknown() -> None:
    with pytest.raises(UnknownKey):
        _verify(_sign(), keys={})
    with pytest.raises(UnknownKey):
        _verify(_sign(), keys={KEY.kid: SigningKey.generate().public})


@pytest.mark.parametrize("seconds", [-31, 331, 86_400, -86_400])
def test_a_signature_outside_its_window_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureExpired) as refusal:
        _verify(_sign(), now=NOW + timedelta(seconds=seconds))

    assert refusal.value.seconds == seconds
    assert refusal.value.retryable


@pytest.mark.parametrize("seconds", [-30, 0, 300, 330])
def test_clocks_may_be_a_little_apart(seconds: int) -> None:
    assert _verify(_sign(), now=NOW + timedelta(seconds=seconds)) == CALLER


@pytest.mark.parametrize("seconds", [301, 86_400, 0, -1])
def test_a_signature_that_would_hold_too_long_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureInvalid):
        _verify(_sign(expires_in=timedelta(seconds=seconds)))


def test_the_same_request_twice_is_a_replay() -> None:
    nonces, headers = hs.NonceMemory(), _sign()
    _verify(headers, nonces=nonces)

    with pytest.raises(SignatureReplayed):
        _verify(headers, nonces=nonces)
    with pytest.raises(SignatureReplayed):
        _verify(headers, nonces=nonces, now=NOW + timedelta(seconds=330))


def test_a_forged_request_does_not_use_up_a_nonce() -> None:
    nonces, headers = hs.NonceMemory(), _sign()
    with pytest.raises(SignatureInvalid):
        _verify(headers, nonces=nonces, method="PUT")

    assert _verify(headers, nonces=nonces) == CALLER


def test_nonces_are_forgotten_after_the_window_and_never_before() -> None:
    nonces = hs.NonceMemory(limit=2)
    nonces.remember("k", "a", NOW)
    nonces.remember("k", "b", NOW + timedelta(seconds=100))
    with pytest.raises(NoncesFull):
        nonces.remember("k", "c", NOW + timedelta(seconds=300))

    nonces.remember("k", "a", NOW + timedelta(seconds=400))
    with pytest.raises(SignatureReplayed):
        nonces.remember("k", "b", NOW + timedelta(seconds=400))


def test_of_many_threads_with_one_nonce_a_single_one_passes() -> None:
    nonces, passed = hs.NonceMemory(), []

    def attempt() -> None:
        try:
            nonces.remember("k", "n", NOW)
        except SignatureReplayed:
            return
        passed.append(1)

    threads = [Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert passed == [1]


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r'alg="ed25519"', 'alg="hmac-sha256"'),
        (r'"@method" ', ""),
        (r"^kumo=", "other="),
        (r";nonce=\"[^\"]*\"", ""),
        (r";expires=\d+", ""),
        (r"$", ";created=1"),
        (r"$", ";later=1"),
        (r"$", ', kumo2=("@method")'),
        (r";created=(\d+)", r";created=\1.5"),
        (r'"@query" "content', '"@query";req "content'),
    ],
)
def test_other_ways_to_sign_are_refused(pattern: str, replacement: str) -> None:
    headers = _sign()
    altered, count = re.subn(pattern, replacement, headers["signature-input"], count=1)
    assert count == 1

    with pytest.raises(SignatureInvalid):
        _verify({**headers, "signature-input": altered})


@pytest.mark.parametrize("site", ["", "Hall", "a b", "a\nb", "架空", "-a", "a" * 64])
def test_a_site_that_is_no_name_is_refused(site: str) -> None:
    with pytest.raises(SignatureMissing):
        hs.claimed_site({"kumobashi-site": site})


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://relay.example/x",
        "https:///x",
        "https://user@relay.example/x",
        "https://relay.example/x#y",
        "https://relay.example:port/x",
        "https://relay.example/架空",
        "relative",
    ],
)
def test_an_address_that_is_none_of_a_gateway_is_refused(uri: str) -> None:
    with pytest.raises(SignatureInvalid):
        _sign(target_uri=uri)


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        assert key_id == KEY.kid
        return KEY.private.public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        assert key_id == KEY.kid
        return KEY.private


@pytest.mark.parametrize("uri", [URI, "http://[::1]:8740/peer/v1/x", "https://Relay.example:443"])
def test_the_library_reads_what_we_sign(uri: str) -> None:
    now = datetime.now(UTC)
    headers = _sign(target_uri=uri, created=now)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())

    (result,) = verifier.verify(
        SimpleNamespace(method="POST", url=uri, headers=headers), require_components=COMPONENTS
    )

    assert result.nonce == "n-1"
    assert result.parameters["keyid"] == KEY.kid


@pytest.mark.parametrize("uri", [URI, "http://[::1]:8740/peer/v1/x", "https://Relay.example:443"])
def test_we_read_what_the_library_signs(uri: str) -> None:
    headers = {"kumobashi-site": "hall-core", "content-digest": hs.content_digest_header(BODY)}
    message = SimpleNamespace(method="POST", url=uri, headers=headers)
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Resolver()).sign(
        message,
        key_id=KEY.kid,
        created=NOW,
        expires=NOW + timedelta(seconds=60),
        nonce="of-the-library",
        label="kumo",
        tag="any",
        covered_component_ids=COMPONENTS,
        use_existing_digest=True,
    )

    assert _verify({k.lower(): v for k, v in headers.items()}, target_uri=uri).kid == KEY.kid


def test_the_ed25519_example_of_rfc_9421_b_2_6_verifies() -> None:
    public = load_der_public_key(
        base64.b64decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
    )
    authority, path, query = hs._target("https://example.com/foo?param=Value&Pet=dog")
    base = (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        f'"@path": {path}\n'
        f'"@authority": {authority}\n'
        '"content-type": application/json\n'
        '"content-length": 18\n'
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" '
        '"content-length");created=1618884473;keyid="test-key-ed25519"'
    )
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )

    assert VerifyKey(public.public_bytes_raw()).verifies(signature, base.encode())  # type: ignore[union-attr]
    assert query == "?param=Value&Pet=dog"
