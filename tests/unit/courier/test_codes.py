"""Confirmation codes: a slip is found, a guess is hopeless, and a code is of one transfer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.courier.codes import LENGTH, LETTERS, Spoken, code_of, parse, read_code
from kumobashi.courier.errors import CodeMistyped
from kumobashi.messages.receipts import Stage

SPOKEN = Spoken(
    tenant="999997",
    transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
    attempt=1,
    manifest_digest="sha256:" + "0" * 64,
)
secrets = st.binary(min_size=32, max_size=32)
digests = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
stages = st.sampled_from([Stage.APPLIED, Stage.REFUSED])
places = st.integers(0, LENGTH - 1)


def plain(code: str) -> str:
    return code.replace("-", "")


@given(secrets, digests, stages)
def test_a_code_says_the_stage_and_how_the_receipt_begins(
    secret: bytes, digest: str, stage: Stage
) -> None:
    code = code_of(secret, SPOKEN, stage, digest)

    said = read_code(code, secret, SPOKEN)

    assert said is not None
    assert said.stage is stage
    assert said.fits(digest)
    assert digest.removeprefix("sha256:").startswith(said.receipt_begins)


@given(secrets, digests, places, st.sampled_from(LETTERS))
def test_every_single_slip_is_found(secret: bytes, digest: str, place: int, letter: str) -> None:
    code = plain(code_of(secret, SPOKEN, Stage.APPLIED, digest))
    slipped = code[:place] + letter + code[place + 1 :]

    if slipped == code:
        assert read_code(slipped, secret, SPOKEN)
    else:
        with pytest.raises(CodeMistyped):
            read_code(slipped, secret, SPOKEN)


@given(secrets, digests, places, places)
def test_every_swap_of_two_characters_is_found(
    secret: bytes, digest: str, one: int, other: int
) -> None:
    code = plain(code_of(secret, SPOKEN, Stage.APPLIED, digest))
    letters = list(code)
    letters[one], letters[other] = letters[other], letters[one]
    swapped = "".join(letters)

    if swapped == code:
        assert read_code(swapped, secret, SPOKEN)
    else:
        with pytest.raises(CodeMistyped):
            read_code(swapped, secret, SPOKEN)


@given(secrets, secrets, digests)
def test_a_code_of_something_else_confirms_nothing(
    secret: bytes, another: bytes, digest: str
) -> None:
    code = code_of(secret, SPOKEN, Stage.APPLIED, digest)

    for other in (
        replace(SPOKEN, attempt=2),
        replace(SPOKEN, transfer="019aa8d1-5b7c-7000-8000-0123456789ac"),
        replace(SPOKEN, tenant="999989"),
        replace(SPOKEN, manifest_digest="sha256:" + "1" * 64),
    ):
        assert read_code(code, secret, other) is None
    assert (read_code(code, another, SPOKEN) is None) == (another != secret)


@given(secrets, digests)
def test_what_is_heard_as_another_letter_is_read_as_meant(secret: bytes, digest: str) -> None:
    code = code_of(secret, SPOKEN, Stage.APPLIED, digest)
    heard = code.lower().replace("0", "o").replace("1", "l").replace("-", " ")

    assert read_code(heard, secret, SPOKEN) == read_code(code, secret, SPOKEN)


@given(st.text(max_size=40))
def test_no_text_is_taken_for_a_code_by_chance_of_its_form(typed: str) -> None:
    try:
        symbols = parse(typed)
    except CodeMistyped:
        return
    assert len(symbols) == LENGTH


def test_a_stage_that_is_no_end_has_no_code() -> None:
    with pytest.raises(ValueError, match="delivered"):
        code_of(bytes(32), SPOKEN, Stage.DELIVERED, "sha256:" + "ab" * 32)


def test_a_kind_that_is_not_used_confirms_nothing() -> None:
    for number in range(2, 32):
        symbols = [number, *[0] * (LENGTH - 2)]
        for last in range(32):
            typed = "".join(LETTERS[symbol] for symbol in [*symbols, last])
            try:
                assert read_code(typed, bytes(32), SPOKEN) is None
            except CodeMistyped:
                continue
