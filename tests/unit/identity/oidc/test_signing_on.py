"""Signing on at a provider: the whole way, and every answer that must not be believed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from kumobashi.crypto import base64url
from kumobashi.crypto.keys import SigningKey
from kumobashi.identity import Accounts
from kumobashi.identity.errors import (
    IdentityFailed,
    ProviderAway,
    ProviderRefused,
    ProviderUnfit,
    SignOnStale,
)
from kumobashi.identity.known import Known
from kumobashi.identity.oidc.client import Client
from kumobashi.identity.oidc.providers import Provider
from kumobashi.identity.oidc.signing_on import SigningOn
from kumobashi.identity.ways import LIFE, MOST, Ways
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.openid_provider import ISSUER, SimulatedProvider

BACK = "https://console.city.example.jp/sign-in/city-login/back"
SKEW = 60  # seconds that clocks may differ


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.fixture
def there(clock: HandClock) -> SimulatedProvider:
    return SimulatedProvider(clock)


def client(**more: Any) -> Client:
    said: dict[str, Any] = {"secret": "s3cr:t/ü", "provider": "city-login", "name": "庁内認証基盤"}
    said |= {"issuer": ISSUER, "client_id": "kumobashi", "back": BACK, "after": f"{BACK}/../.."}
    return Client(**(said | more))


@pytest.fixture
def signing_on(there: SimulatedProvider, book: Accounts, clock: HandClock) -> SigningOn:
    return SigningOn(Provider(client(), clock, there), Ways(book))


async def through(signing_on: SigningOn, there: SimulatedProvider) -> Known:
    """Go the whole way as somebody whom the provider recognises."""
    departure = await signing_on.begin()
    return await signing_on.finish(there.recognise(departure.address), departure.browser)


async def test_who_was_recognised_comes_back_known(
    signing_on: SigningOn, there: SimulatedProvider, clock: HandClock
) -> None:
    known = await through(signing_on, there)

    assert (known.subject, known.shown, known.session) == ("s-1", "佐藤", "session-1")
    assert known.methods == {"pwd", "otp"}
    assert known.attributes["groups"] == ("情報政策課",)
    assert known.at == clock.now() - timedelta(seconds=5)


async def test_the_browser_carries_no_secret_of_the_way(signing_on: SigningOn) -> None:
    departure = await signing_on.begin()

    said = parse_qs(urlsplit(departure.address).query)
    assert said["code_challenge_method"] == ["S256"]
    assert said["redirect_uri"] == [BACK]
    assert "code_verifier" not in said
    assert departure.browser not in departure.address


async def test_a_name_and_a_secret_are_encoded_for_basic(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    await through(signing_on, there)

    basic = there.forms[-1]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic).decode() == "kumobashi:s3cr%3At%2F%C3%BC"
    assert "client_secret" not in there.forms[-1]


async def test_a_secret_goes_into_the_form_where_only_that_is_taken(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]

    await through(signing_on, there)

    assert there.forms[-1]["client_secret"] == "s3cr:t/ü"


async def test_a_private_key_proves_the_console_and_is_not_sent(
    there: SimulatedProvider, book: Accounts, clock: HandClock
) -> None:
    key = ECKey.generate_key("P-256", parameters={"kid": "ours"})
    there.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    ours = client(secret=json.dumps(key.as_dict(private=True)))
    signing_on = SigningOn(Provider(ours, clock, there), Ways(book))

    await through(signing_on, there)

    sent = there.forms[-1]["client_assertion"]
    claims = json.loads(base64.urlsafe_b64decode(sent.split(".")[1] + "=="))
    assert claims["aud"] == ISSUER
    assert claims["exp"] - claims["iat"] == 60
    assert "client_secret" not in there.forms[-1]
    assert "Authorization" not in there.forms[-1]


async def test_a_request_is_pushed_where_the_provider_takes_it(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.metadata["pushed_authorization_request_endpoint"] = f"{ISSUER}/par"

    departure = await signing_on.begin()

    assert set(parse_qs(urlsplit(departure.address).query)) == {"client_id", "request_uri"}
    known = await signing_on.finish(there.recognise(departure.address), departure.browser)
    assert known.subject == "s-1"


# --- state, browser, issuer ----------------------------------------


async def test_a_way_is_taken_once(signing_on: SigningOn, there: SimulatedProvider) -> None:
    departure = await signing_on.begin()
    answer = there.recognise(departure.address)
    await signing_on.finish(answer, departure.browser)

    with pytest.raises(SignOnStale):
        await signing_on.finish(answer, departure.browser)


async def test_an_answer_for_one_browser_does_nothing_in_another(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    attacker, victim = await signing_on.begin(), await signing_on.begin()
    answer = there.recognise(attacker.address)

    with pytest.raises(SignOnStale):
        await signing_on.finish(answer, victim.browser)
    with pytest.raises(SignOnStale):  # and nothing is left of it
        await signing_on.finish(answer, attacker.browser)


async def test_a_state_that_nobody_began_is_refused(signing_on: SigningOn) -> None:
    departure = await signing_on.begin()

    for state in ("", "x" * 43, "x" * 10_000):
        with pytest.raises(SignOnStale):
            await signing_on.finish({"state": state, "code": "c"}, departure.browser)


async def test_a_way_ends_by_itself(
    signing_on: SigningOn, there: SimulatedProvider, clock: HandClock
) -> None:
    departure = await signing_on.begin()
    answer = there.recognise(departure.address)
    clock.at += LIFE + timedelta(seconds=1)

    with pytest.raises(SignOnStale):
        await signing_on.finish(answer, departure.browser)


async def test_a_way_to_one_provider_is_none_to_another(
    signing_on: SigningOn, there: SimulatedProvider, book: Accounts, clock: HandClock
) -> None:
    other = SigningOn(Provider(client(provider="other-login"), clock, there), Ways(book))
    departure = await signing_on.begin()

    with pytest.raises(SignOnStale):
        await other.finish(there.recognise(departure.address), departure.browser)


def test_ways_are_bounded_and_the_oldest_go_first(book: Accounts, clock: HandClock) -> None:
    ways = Ways(book)
    first = ways.begin("city-login", "first")
    for _ in range(MOST):
        clock.at += timedelta(milliseconds=1)
        last = ways.begin("city-login", "browser")

    with pytest.raises(SignOnStale):
        ways.take("city-login", first.state, "first")
    assert ways.take("city-login", last.state, "browser").nonce == last.nonce


@pytest.mark.parametrize("said", ["https://evil.example", ISSUER + "/", ""])
async def test_an_answer_of_another_issuer_sends_its_code_nowhere(
    signing_on: SigningOn, there: SimulatedProvider, said: str
) -> None:
    departure = await signing_on.begin()
    answer = there.recognise(departure.address) | {"iss": said}

    with pytest.raises(ProviderUnfit, match="iss of the answer"):
        await signing_on.finish(answer, departure.browser)
    assert there.forms == []


async def test_a_provider_that_says_its_issuer_must_say_it_each_time(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.metadata["authorization_response_iss_parameter_supported"] = True
    departure = await signing_on.begin()
    answer = there.recognise(departure.address)
    del answer["iss"]

    with pytest.raises(ProviderUnfit, match="iss of the answer"):
        await signing_on.finish(answer, departure.browser)


async def test_who_turned_back_is_told_so_and_no_sentence_of_theirs_is_shown(
    signing_on: SigningOn,
) -> None:
    for error, shown in (("access_denied", "access_denied"), ("<b>call 090</b>", "error")):
        departure = await signing_on.begin()
        state = parse_qs(urlsplit(departure.address).query)["state"][0]
        with pytest.raises(ProviderRefused) as refused:
            await signing_on.finish({"state": state, "error": error}, departure.browser)
        assert refused.value.reason == shown


# --- codes and PKCE ----------------------------------------


async def test_a_code_of_another_way_is_refused_by_its_verifier(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    mine, stolen = await signing_on.begin(), await signing_on.begin()
    answer = there.recognise(mine.address)
    injected = answer | {"code": there.recognise(stolen.address)["code"]}

    with pytest.raises(ProviderUnfit, match="token invalid_grant"):
        await signing_on.finish(injected, mine.browser)


async def test_a_token_of_another_way_is_refused_by_its_nonce(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.claims["nonce"] = "of another way"

    with pytest.raises(ProviderUnfit, match="nonce"):
        await through(signing_on, there)


@pytest.mark.parametrize("methods", [["plain"], [], "S256"])
async def test_a_provider_that_would_drop_the_challenge_is_not_asked(
    signing_on: SigningOn, there: SimulatedProvider, methods: object
) -> None:
    there.metadata["code_challenge_methods_supported"] = methods

    with pytest.raises(ProviderUnfit, match="code_challenge_methods_supported"):
        await signing_on.begin()


# --- what the provider says of itself ----------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("issuer", ISSUER + "/"),
        ("issuer", "https://evil.example"),
        ("issuer", None),
        ("authorization_endpoint", "http://login.city.example.jp/authorize"),
        ("token_endpoint", "http://login.city.example.jp/token"),
        ("token_endpoint", "https://user@login.city.example.jp/token"),
        ("jwks_uri", "file:///etc/passwd"),
        ("userinfo_endpoint", ["https://login.city.example.jp/userinfo"]),
        ("end_session_endpoint", "javascript:alert(1)"),
        ("id_token_signing_alg_values_supported", ["HS256", "none"]),
    ],
)
async def test_a_provider_that_says_such_things_of_itself_is_not_asked(
    signing_on: SigningOn, there: SimulatedProvider, name: str, said: object
) -> None:
    there.metadata[name] = said

    with pytest.raises(ProviderUnfit, match=name):
        await signing_on.begin()


# --- signatures ----------------------------------------


def _none(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        return f"{_part({'alg': 'none'})}.{_part(claims)}."

    return sign


def _hs256_with_public_key(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
    pem = there.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(claims: dict[str, Any]) -> str:
        signed = f"{_part({'alg': 'HS256', 'kid': 'k1'})}.{_part(claims)}"
        mac = hmac.digest(pem, signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def _another_key(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
    there.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    return there.signed


def _hostile(**header: object) -> Callable[[SimulatedProvider], Callable[[dict[str, Any]], str]]:
    def make(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
        there.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
        own = {"jwk": there.key.as_dict(private=False)} if "jwk" in header else {}
        return lambda claims: there.signed(claims, **(header | own))

    return make


def _altered(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        head, _, signature = there.signed(claims).split(".")
        return f"{head}.{_part(claims | {'sub': 'somebody else'})}.{signature}"

    return sign


def _twice(there: SimulatedProvider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        head = b'{"alg":"none","alg":"RS256","kid":"k1"}'
        _, body, signature = there.signed(claims).split(".")
        return f"{base64.urlsafe_b64encode(head).rstrip(b'=').decode()}.{body}.{signature}"

    return sign


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(_none, id="alg-none"),
        pytest.param(_hs256_with_public_key, id="hs256-with-the-public-key"),
        pytest.param(_another_key, id="another-key-of-the-same-name"),
        pytest.param(_altered, id="altered-claims"),
        pytest.param(_twice, id="a-header-with-alg-twice"),
        pytest.param(_hostile(kid="../../dev/null"), id="kid-path"),
        pytest.param(_hostile(kid="x' OR '1'='1"), id="kid-sql"),
        pytest.param(_hostile(jku="https://evil.example/jwks"), id="jku"),
        pytest.param(_hostile(x5u="https://evil.example/cert"), id="x5u"),
        pytest.param(_hostile(jwk=True), id="a-key-in-the-header"),
        pytest.param(lambda there: lambda said: there.signed(said, crit=["x"], x=1), id="crit"),
        pytest.param(lambda _there: lambda _claims: "a" * 300_000, id="oversized"),
        pytest.param(lambda _there: lambda _claims: "..", id="empty-parts"),
    ],
)
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    signing_on: SigningOn,
    there: SimulatedProvider,
    attack: Callable[[SimulatedProvider], Callable[[dict[str, Any]], str]],
) -> None:
    there.sign = attack(there)

    with pytest.raises(ProviderUnfit, match=r"token|keys"):
        await through(signing_on, there)
    assert not {path for path in there.asked if path not in _PATHS}


_PATHS = {"/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"}


async def test_a_shared_key_among_those_of_the_provider_signs_nothing(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    shared = OctKey.generate_key(256, parameters={"kid": "k1"})
    there.jwks = {"keys": [shared.as_dict(private=True)]}
    there.sign = _hs256_with_public_key(there)

    with pytest.raises(ProviderUnfit):
        await through(signing_on, there)


async def test_a_key_for_one_algorithm_is_not_used_for_another(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.jwks["keys"][0]["alg"] = "PS256"

    with pytest.raises(ProviderUnfit, match="token alg"):
        await through(signing_on, there)


async def test_a_claim_that_is_said_twice_is_refused(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    def twice(claims: dict[str, Any]) -> str:

        text = json.dumps(claims)[:-1] + ',"sub":"somebody else"}'
        return jws.serialize_compact({"alg": "RS256", "kid": "k1"}, text, there.key)

    there.sign = twice
    with pytest.raises(ProviderUnfit, match="token json"):
        await through(signing_on, there)


async def test_a_new_key_is_read_once_a_minute_and_no_more(
    signing_on: SigningOn, there: SimulatedProvider, clock: HandClock
) -> None:
    await through(signing_on, there)
    there.key = RSAKey.generate_key(2048, parameters={"kid": "k2", "use": "sig"})
    there.jwks["keys"].append(there.key.as_dict(private=False))
    clock.at += timedelta(minutes=1)

    known = await through(signing_on, there)
    assert known.subject == "s-1"

    before = there.asked.count("/jwks")
    there.key = RSAKey.generate_key(2048, parameters={"kid": "forged"})
    for _ in range(5):
        with pytest.raises(ProviderUnfit, match="token kid"):
            await through(signing_on, there)
    assert there.asked.count("/jwks") == before


# --- claims ----------------------------------------


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["kumobashi", "another-client"]}, "azp"),
        ({"azp": "another-client"}, "azp"),
        ({"aud": ["kumobashi", "other"], "azp": "other"}, "azp"),
        ({"exp": 1}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": "9999999999"}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": 1}, "iat"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 1}, "nonce"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
        ({"at_hash": 1}, "at_hash"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": ["s-1"]}, "sub"),
        ({"amr": "otp"}, "amr"),
        ({"acr": ["2"]}, "acr"),
        ({"events": {}}, "events"),
    ],
)
async def test_a_token_with_such_claims_is_refused_by_the_name_of_the_check(
    signing_on: SigningOn, there: SimulatedProvider, claims: dict[str, Any], check: str
) -> None:
    there.claims = claims

    with pytest.raises(ProviderUnfit) as refused:
        await through(signing_on, there)
    assert refused.value.check == check


@pytest.mark.parametrize(
    ("name", "seconds", "is_taken"),
    [
        ("exp", -SKEW + 1, True),
        ("exp", -SKEW, False),
        ("iat", SKEW, True),
        ("iat", SKEW + 1, False),
        ("nbf", SKEW, True),
        ("nbf", SKEW + 1, False),
        ("auth_time", SKEW, True),
        ("auth_time", SKEW + 1, False),
    ],
)
async def test_clocks_may_differ_by_a_minute(
    signing_on: SigningOn,
    there: SimulatedProvider,
    clock: HandClock,
    name: str,
    seconds: int,
    *,
    is_taken: bool,
) -> None:
    now = int(clock.now().timestamp())
    there.claims = {"iat": now - 120} if name == "exp" else {}
    there.claims[name] = now + seconds

    if is_taken:
        assert (await through(signing_on, there)).subject == "s-1"
    else:
        with pytest.raises(ProviderUnfit, match=name):
            await through(signing_on, there)


async def test_user_info_of_somebody_else_is_refused(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.user["sub"] = "s-2"

    with pytest.raises(ProviderUnfit, match="userinfo sub"):
        await through(signing_on, there)


async def test_what_was_signed_counts_before_what_was_only_said(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.claims["groups"] = ["税務課"]

    assert (await through(signing_on, there)).attributes["groups"] == ("税務課",)


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"]
)
async def test_a_provider_that_dies_on_the_way_is_named_and_nothing_is_left(
    there: SimulatedProvider, book: Accounts, clock: HandClock, path: str
) -> None:
    signing_on = SigningOn(Provider(client(), clock, there), Ways(book))
    departure = await signing_on.begin()
    answer = there.recognise(departure.address)
    there.is_away = lambda asked: asked == path
    clock.at += timedelta(hours=2) if path.startswith("/.well") else timedelta()

    expected: type[IdentityFailed] = SignOnStale if path.startswith("/.well") else ProviderAway
    with pytest.raises(expected):
        await signing_on.finish(answer, departure.browser)
    there.is_away = lambda _asked: False
    with pytest.raises(SignOnStale):
        await signing_on.finish(answer, departure.browser)


async def test_a_provider_that_is_away_is_told_before_anybody_is_sent_there(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.is_away = lambda _path: True

    with pytest.raises(ProviderAway):
        await signing_on.begin()


async def test_no_refusal_quotes_what_was_said(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    there.claims = {"sub": "山田太郎" * 100}

    with pytest.raises(ProviderUnfit) as refused:
        await through(signing_on, there)
    assert "山田" not in str(refused.value) + refused.value.say("ja") + refused.value.remedy("ja")


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
async def test_keys_of_other_kinds_are_taken(
    signing_on: SigningOn, there: SimulatedProvider, algorithm: str
) -> None:
    key = (
        ECKey.generate_key("P-256", parameters={"kid": "k"})
        if algorithm == "ES256"
        else RSAKey.generate_key(2048, parameters={"kid": "k"})
    )
    there.jwks = {"keys": [key.as_dict(private=False)]}

    def sign(claims: dict[str, Any]) -> str:
        header = {"alg": algorithm, "kid": "k"}
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[algorithm])

    there.sign = sign
    assert (await through(signing_on, there)).subject == "s-1"


async def test_an_ed25519_key_is_taken_and_forged_signatures_of_it_are_not(
    signing_on: SigningOn, there: SimulatedProvider
) -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    there.jwks = {"keys": [key.public.jwk()]}
    there.claims["at_hash"] = None  # the simulated one is of SHA-256
    signs = key

    def sign(claims: dict[str, Any]) -> str:
        text = f"{_part({'alg': 'EdDSA', 'kid': key.kid})}.{_part(claims)}"
        return f"{text}.{base64url.encode(signs.sign(text.encode()))}"

    there.sign = sign
    assert (await through(signing_on, there)).subject == "s-1"
    signs = other
    with pytest.raises(ProviderUnfit, match="token signature"):
        await through(signing_on, there)
