"""Signing out: what a provider says by itself is checked as strictly, and counts once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kumobashi.identity import Accounts, Role, Sessions
from kumobashi.identity.admitting import Admitting
from kumobashi.identity.errors import ProviderAway, ProviderUnfit
from kumobashi.identity.known import Known
from kumobashi.identity.oidc.claims import LOGOUT_EVENT
from kumobashi.identity.oidc.client import Client
from kumobashi.identity.oidc.providers import Provider
from kumobashi.identity.oidc.signing_out import farewell, hear_ended
from kumobashi.identity.rules import Rule
from kumobashi.identity.ways import Ways
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.openid_provider import ISSUER, SimulatedProvider

CONSOLE = "https://console.city.example.jp"


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


@pytest.fixture
def provider(clock: HandClock, there: SimulatedProvider) -> Provider:
    client = Client(
        provider="city-login",
        name="庁内認証基盤",
        issuer=ISSUER,
        client_id="kumobashi",
        back=f"{CONSOLE}/sign-in/city-login/back",
        after=f"{CONSOLE}/sign-in",
    )
    return Provider(client, clock, there)


@pytest.fixture
def doorkeeper(book: Accounts) -> Admitting:
    rule = Rule(role=Role.VIEWER, when={"groups": ("*",)})
    return Admitting(book, rules=lambda: [rule], factors=frozenset)


def entered(doorkeeper: Admitting, clock: HandClock, *, subject: str, session: str) -> str:
    return doorkeeper.admit(
        Known(
            provider="city-login",
            subject=subject,
            shown="佐藤",
            attributes={"groups": ("職員",)},
            methods=frozenset({"pwd"}),
            at=clock.now(),
            session=session,
        )
    )


def logout_token(there: SimulatedProvider, claims: dict[str, Any], **header: object) -> str:
    right: dict[str, Any] = {
        "nonce": None,
        "jti": "n-1",
        "events": {LOGOUT_EVENT: {}},
        "auth_time": None,
    }
    there.claims = right | claims
    return there.signed(there.good(None), **({"typ": "logout+jwt"} | header))


async def test_the_session_that_the_provider_ended_is_over_and_no_other(
    provider: Provider,
    there: SimulatedProvider,
    book: Accounts,
    doorkeeper: Admitting,
    clock: HandClock,
) -> None:
    first = entered(doorkeeper, clock, subject="s-1", session="a")
    second = entered(doorkeeper, clock, subject="s-1", session="b")
    other = entered(doorkeeper, clock, subject="s-2", session="c")

    token = logout_token(there, {"sid": "a"})
    assert await hear_ended(provider, Ways(book), doorkeeper, token) == 1

    found = [Sessions(book).find(value) is not None for value in (first, second, other)]
    assert found == [False, True, True]


async def test_all_sessions_of_somebody_end_where_no_session_is_named(
    provider: Provider,
    there: SimulatedProvider,
    book: Accounts,
    doorkeeper: Admitting,
    clock: HandClock,
) -> None:
    for session in "ab":
        entered(doorkeeper, clock, subject="s-1", session=session)

    token = logout_token(there, {"sid": None})
    assert await hear_ended(provider, Ways(book), doorkeeper, token) == len("ab")


async def test_a_logout_token_counts_once(
    provider: Provider, there: SimulatedProvider, book: Accounts, doorkeeper: Admitting
) -> None:
    token = logout_token(there, {})
    await hear_ended(provider, Ways(book), doorkeeper, token)

    with pytest.raises(ProviderUnfit, match="jti, used"):
        await hear_ended(provider, Ways(book), doorkeeper, token)


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"exp": 1}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": 1}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": 7}, "jti"),
        ({"events": None}, "events"),
        ({"events": [LOGOUT_EVENT]}, "events"),
        ({"events": {LOGOUT_EVENT: True}}, "events"),
        ({"events": {"https://evil.example": {}}}, "events"),
        ({"nonce": "n"}, "nonce"),
        ({"sub": None, "sid": None}, "sub, sid"),
    ],
)
async def test_a_logout_token_with_such_claims_ends_nothing(
    provider: Provider,
    there: SimulatedProvider,
    book: Accounts,
    doorkeeper: Admitting,
    clock: HandClock,
    claims: dict[str, Any],
    check: str,
) -> None:
    value = entered(doorkeeper, clock, subject="s-1", session="session-1")

    with pytest.raises(ProviderUnfit) as refused:
        await hear_ended(provider, Ways(book), doorkeeper, logout_token(there, claims))
    assert refused.value.check == check
    assert Sessions(book).find(value) is not None


async def test_an_id_token_or_one_of_another_type_ends_nothing(
    provider: Provider, there: SimulatedProvider, book: Accounts, doorkeeper: Admitting
) -> None:
    for token in (
        there.signed(there.good("n")),
        logout_token(there, {}, typ="at+jwt"),
        logout_token(there, {}, typ="JWE"),
        "",
        "x" * 100_000,
    ):
        with pytest.raises(ProviderUnfit):
            await hear_ended(provider, Ways(book), doorkeeper, token)


async def test_a_browser_is_sent_to_the_page_of_the_provider_for_signing_out(
    provider: Provider,
) -> None:
    address = await farewell(provider)

    assert address is not None
    said = parse_qs(urlsplit(address).query)
    assert said["post_logout_redirect_uri"] == [f"{CONSOLE}/sign-in"]


async def test_a_provider_without_such_a_page_is_left_alone(
    provider: Provider, there: SimulatedProvider
) -> None:
    del there.metadata["end_session_endpoint"]

    assert await farewell(provider) is None


async def test_keys_that_cannot_be_had_end_nothing_and_may_be_tried_again(
    provider: Provider, there: SimulatedProvider, book: Accounts, doorkeeper: Admitting
) -> None:
    token = logout_token(there, {})
    there.is_away = lambda path: path == "/jwks"

    with pytest.raises(ProviderAway):
        await hear_ended(provider, Ways(book), doorkeeper, token)
    there.is_away = lambda _path: False
    assert await hear_ended(provider, Ways(book), doorkeeper, token) == 0
