"""An access token is worth something here, for its client, for minutes, and as it was given."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.calls.linkage.errors import TokenRefused
from kumobashi.calls.linkage.scopes import read_scopes
from kumobashi.calls.linkage.tokens import LIFE, Token, read_token, write_token
from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import SigningKey

KEY = SigningKey.generate()
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TOKEN = Token(
    issuer="https://hall.example/linkage",
    tenant="999997",
    client_id="9jT2bQ0vXw5Yk8LrN3mZs7HcD1fGp4Ae",
    scopes=read_scopes("collection:payments/v1/search:Read collection:payments/v1/search:Create"),
    issued=NOW,
    token="t-1",
)
WRITTEN = write_token(TOKEN, KEY)


def test_it_is_read_as_it_was_written_until_its_time_is_over() -> None:
    assert read_token(WRITTEN, KEY, "999997", NOW) == TOKEN
    assert read_token(WRITTEN, KEY, "999997", NOW + LIFE - timedelta(seconds=1)) == TOKEN
    with pytest.raises(TokenRefused, match="expired"):
        read_token(WRITTEN, KEY, "999997", NOW + LIFE)


def test_another_municipality_or_site_does_not_know_it() -> None:
    with pytest.raises(TokenRefused, match="tenant"):
        read_token(WRITTEN, KEY, "999998", NOW)
    with pytest.raises(TokenRefused):
        read_token(WRITTEN, SigningKey.generate(), "999997", NOW)


def test_what_this_site_signed_for_another_use_is_no_token() -> None:
    payload = canonical({"client_id": TOKEN.client_id, "tenant": "999997"})
    with pytest.raises(TokenRefused):
        read_token(jws.sign(payload, KEY, "kumobashi-receipt+jws"), KEY, "999997", NOW)


@given(st.integers(0, len(WRITTEN) - 1), st.sampled_from("Aa0_-.=+/ \n"))
def test_a_token_with_another_character_anywhere_is_refused(at: int, character: str) -> None:
    changed = WRITTEN[:at] + character + WRITTEN[at + 1 :]
    if changed != WRITTEN:
        with pytest.raises(TokenRefused):
            read_token(changed, KEY, "999997", NOW)
