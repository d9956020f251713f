"""How a client proves itself: every way in which an assertion may be wrong."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kumobashi.calls.linkage.clients import (
    LIFE,
    Assertions,
    Client,
    client_id_of,
    open_hs256,
    read_client,
    secret_fits,
)
from kumobashi.calls.linkage.errors import ClientUnfit, ClientUnproven
from kumobashi.crypto import base64url
from tests.unit.crypto import wycheproof
from tests.unit.crypto.test_jws import HOLD_A_QUESTION_MARK, SAME_AS_THE_VALID_357

CLIENT = Client("9jT2bQ0vXw5Yk8LrN3mZs7HcD1fGp4Ae", "s" * 32, "arrears")
HERE = frozenset({"https://hall.example/linkage/token"})
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def _made(client: Client = CLIENT, header: Any = None, **changes: Any) -> str:
    """Return an assertion that is right but for some claims; ``...`` leaves one out."""
    at = int(NOW.timestamp())
    claims = {
        "iss": client.client_id, "sub": client.client_id, "aud": next(iter(HERE)), "jti": "j",
        "iat": at, "exp": at + 60,
    } | changes  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not ...}
    head = base64url.encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{base64url.encode(json.dumps(kept).encode())}"
    import hmac

    mac = hmac.digest(client.secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64url.encode(mac)}"


def _check(assertion: str, **more: Any) -> None:
    started = more.get("started", NOW - timedelta(hours=1))
    Assertions(started).check(assertion, CLIENT, HERE, NOW)


def test_a_right_one_counts_once() -> None:
    held = Assertions(NOW - timedelta(hours=1))
    held.check(_made(), CLIENT, HERE, NOW)
    with pytest.raises(ClientUnproven):
        held.check(_made(), CLIENT, HERE, NOW)
    held.check(_made(jti="another"), CLIENT, HERE, NOW)
    assert client_id_of(_made()) == CLIENT.client_id


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "0" * 32},
        {"sub": "0" * 32},
        {"aud": "https://other.example/linkage/token"},
        {"aud": []},
        {"aud": [next(iter(HERE)), "https://other.example"]},
        {"aud": ...},
        {"exp": int(NOW.timestamp())},
        {"exp": int(NOW.timestamp()) + 3600},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": ...},
        {"iat": int(NOW.timestamp()) + 3600, "exp": int(NOW.timestamp()) + 3660},
        {"iat": int((NOW - 2 * LIFE).timestamp())},
        {"iat": ...},
        {"nbf": int(NOW.timestamp()) + 3600},
        {"jti": ""},
        {"jti": "j" * 129},
        {"jti": 7},
        {"jti": ...},
    ],
)
def test_claims_that_are_not_right_prove_nobody(changes: dict[str, Any]) -> None:
    with pytest.raises(ClientUnproven):
        _check(_made(**changes))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "jku": "https://other.example"},
        {"alg": "HS256", "b64": False},
    ],
)
def test_the_key_decides_the_algorithm(header: dict[str, Any]) -> None:
    with pytest.raises(ClientUnproven):
        _check(_made(header=header))


def test_another_secret_or_one_from_before_the_start_proves_nobody() -> None:
    with pytest.raises(ClientUnproven):
        _check(_made(replace(CLIENT, secret="t" * 32)))
    with pytest.raises(ClientUnproven):
        _check(_made(), started=NOW + timedelta(seconds=1))


@pytest.mark.parametrize("change", ["{}=", "{}.", ".{}", " {}", "{}\n", "{}.{}"])
def test_only_the_one_compact_form_is_read(change: str) -> None:
    with pytest.raises(ClientUnproven):
        _check(change.replace("{}", _made()))


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("a" * 31, "s" * 32), ("a" * 33, "s" * 32), ("a" * 31 + "-", "s" * 32), ("a" * 32, "s" * 31)],
)
def test_ids_and_secrets_have_the_profiles_form(client_id: str, secret: str) -> None:
    with pytest.raises(ClientUnfit):
        Client(client_id, secret, "arrears")


def test_a_file_in_another_form_is_no_client() -> None:
    for text in (b"", b"[]", b"{}", b'{"client_id": 7, "client_secret": null}'):
        with pytest.raises(ClientUnfit):
            read_client(text, "arrears")
    assert secret_fits(CLIENT, CLIENT.secret)
    assert not secret_fits(CLIENT, "t" * 32)
    assert not secret_fits(None, "-" * 32)


def test_every_vector_of_wycheproof_with_an_hmac_key_is_judged_right() -> None:
    judged = 0
    for group in wycheproof.groups("json_web_signature_test.json"):
        key = group.get("private") or {}
        if key.get("kty") != "oct":
            continue
        padded = key["k"] + "=" * (-len(key["k"]) % 4)
        secret = base64.urlsafe_b64decode(padded)
        for vector in group["tests"]:
            number = vector["tcId"]
            if number in SAME_AS_THE_VALID_357:
                continue  # the same text twice; the file says both of it
            judged += 1
            try:
                open_hs256(str(vector["jws"]), secret)
                is_taken = True
            except ClientUnproven:
                is_taken = False
            is_right = vector["result"] == "valid" and number not in HOLD_A_QUESTION_MARK
            assert is_taken is is_right, (number, vector["comment"])
    assert judged > 20
