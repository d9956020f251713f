"""Addresses open only with row, key and token.key together; codes count for one sending only."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.consent.channels.errors import AddressUnreadable
from kumobashi.consent.channels.sealing import SHELF, Vault, new_code, plain
from kumobashi.consent.channels.states import LIVE, MOVES, PENDING, Channel, State
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.errors import SecretErased

SECRET, OTHER = bytes(range(32)), bytes(32)
TENANT, RECORD = "999997", "019aa8d1-5b7c-7000-8000-0123456789ab"
MAIL = Channel.MAIL
ONCE = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def keys(tmp_path: Path) -> ErasableSecrets:
    return ErasableSecrets(tmp_path / "keys")


@given(address=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
@ONCE
def test_what_was_sealed_opens_as_it_was(keys: ErasableSecrets, address: str) -> None:
    vault = Vault(SECRET, TENANT, keys)
    sealed = vault.seal(RECORD, MAIL, address)
    assert vault.open(RECORD, MAIL, sealed) == address
    assert len(address) < 4 or address.encode() not in sealed


def test_two_addresses_of_like_length_look_alike(keys: ErasableSecrets) -> None:
    vault = Vault(SECRET, TENANT, keys)
    lengths = {len(vault.seal(RECORD, MAIL, "a" * n + "@example.jp")) for n in range(1, 50)}
    assert len(lengths) == 1


def test_nothing_opens_with_less_or_other_than_all_three(keys: ErasableSecrets) -> None:
    vault = Vault(SECRET, TENANT, keys)
    sealed = vault.seal(RECORD, MAIL, "a@example.jp")
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    attempts = [
        (Vault(OTHER, TENANT, keys), RECORD, MAIL, sealed),
        (Vault(SECRET, "999989", keys), RECORD, MAIL, sealed),
        (vault, RECORD, Channel.SMS, sealed),
        (vault, RECORD, MAIL, altered),
        (vault, RECORD, MAIL, b""),
        (vault, RECORD[:-1] + "c", MAIL, sealed),
    ]
    for who, record, channel, body in attempts:
        with pytest.raises(AddressUnreadable):
            who.open(record, channel, body)


def test_an_erased_key_never_comes_back(keys: ErasableSecrets) -> None:
    vault = Vault(SECRET, TENANT, keys)
    sealed = vault.seal(RECORD, MAIL, "a@example.jp")
    kept = keys.get(SHELF, RECORD)
    assert kept
    vault.erase(RECORD)
    with pytest.raises(SecretErased):
        keys.put(SHELF, RECORD, kept)
    with pytest.raises(AddressUnreadable):
        vault.open(RECORD, MAIL, sealed)


@given(code=st.integers(0, 10**8 - 1), other=st.integers(0, 10**8 - 1))
@ONCE
def test_a_code_is_itself_in_any_spelling_and_no_other(
    keys: ErasableSecrets, code: int, other: int
) -> None:
    vault = Vault(SECRET, TENANT, keys)
    said, wide = f"{code:08d}", f"{code:08d}".translate({48 + n: 0xFF10 + n for n in range(10)})
    kept = vault.code_mark(RECORD, 1, said)
    assert vault.is_code(kept, RECORD, 1, f" {said[:4]}-{said[4:]}\n")
    assert vault.is_code(kept, RECORD, 1, wide)
    assert vault.is_code(kept, RECORD, 1, f"{other:08d}") == (code == other)
    assert not vault.is_code(kept, RECORD, 2, said)
    assert not Vault(OTHER, TENANT, keys).is_code(kept, RECORD, 1, said)


@given(st.text(max_size=100))
def test_any_text_may_be_typed_as_a_code(said: str) -> None:
    assert re.fullmatch(r"[0-9]{0,64}", plain(said))


def test_codes_are_eight_digits() -> None:
    assert all(re.fullmatch(r"[0-9]{4}-[0-9]{4}", new_code()) for _ in range(50))


def test_the_table_of_moves_is_whole() -> None:
    assert set(MOVES) == set(State)
    assert {now for now in State if MOVES[now]} == LIVE
    assert {now for now in State if State.EXPIRED in MOVES[now]} == PENDING
    assert {then for moves in MOVES.values() for then in moves} | {State.UNPROVEN} == set(State)
