"""Notices of withdrawal: read as they were written, refused when touched, receipted one by one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.errors import SignatureInvalid, UnknownKey
from kumobashi.crypto.keys import SigningKey
from kumobashi.messages.errors import FieldWrong, FormatUnknown, MessageForeign
from kumobashi.messages.media_types import WITHDRAWAL_TYP
from kumobashi.messages.standings import Stands, TieStanding
from kumobashi.messages.withdrawals import (
    MOST_ENTRIES,
    Withdrawal,
    WithdrawalEnvelope,
    WithdrawalNotice,
    WithdrawalReceipt,
    sign_notice,
    sign_withdrawal_receipt,
    verify_notice,
    verify_withdrawal_receipt,
)

AT = datetime(2026, 11, 22, 1, 20, tzinfo=UTC)
KEY, OTHER = SigningKey.generate(), SigningKey.generate()
KEYS = {KEY.kid: KEY.public}
ENTRY = Withdrawal(token="8f" * 16, epoch=None, is_withdrawn=True, sequence=3)
NOTICE = WithdrawalNotice(
    tenant="999997",
    from_site="hall-core",
    to_site="public-cloud",
    link="notice-attributes",
    to_system="notice-cloud",
    last=3,
    at=AT,
    entries=(ENTRY,),
)
ENTRIES = st.builds(
    Withdrawal,
    token=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    epoch=st.none() | st.just("2026Q4"),
    is_withdrawn=st.booleans(),
    sequence=st.integers(1, 1 << 50),
)


def envelope(notice: WithdrawalNotice, key: SigningKey = KEY) -> WithdrawalEnvelope:
    return WithdrawalEnvelope(
        tenant=notice.tenant,
        from_site=notice.from_site,
        to_site=notice.to_site,
        notice=sign_notice(notice, key),
    )


TIES = st.builds(
    TieStanding,
    tie=st.uuids(version=4).map(str),
    token=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    stands=st.sampled_from(Stands),
    terms=st.binary(min_size=1, max_size=40_000),
    service=st.just("child-health"),
    clause=st.text("条例第4号", min_size=1, max_size=200),
    first=st.dates(),
    last=st.none() | st.dates(),
    sequence=st.integers(1, 1 << 50),
)


@given(st.lists(TIES, min_size=1, max_size=5))
def test_a_notice_of_ties_is_read_as_it_was_written(ties: list[TieStanding]) -> None:
    notice = replace(NOTICE, link=None, entries=(), ties=tuple(ties))
    assert verify_notice(envelope(notice), KEYS) == notice
    with pytest.raises(FieldWrong, match="entries"):
        WithdrawalNotice.decode(replace(notice, entries=(ENTRY,)).encode())


@given(st.lists(ENTRIES, max_size=5), st.integers(1, 1 << 50))
def test_what_is_signed_is_what_is_read(entries: list[Withdrawal], last: int) -> None:
    notice = replace(NOTICE, entries=tuple(entries), last=last)
    told = WithdrawalEnvelope.decode(envelope(notice).encode())
    assert verify_notice(told, KEYS) == notice


def test_fields_of_a_later_release_are_kept() -> None:
    notice = replace(NOTICE, extra={"later": 1})
    assert WithdrawalNotice.decode(notice.encode()) == notice


@pytest.mark.parametrize("field", ["tenant", "from_site", "to_site"])
def test_an_envelope_that_says_other_sites_is_refused(field: str) -> None:
    other = {"tenant": "999989"}.get(field, "asp-relay")
    with pytest.raises(MessageForeign):
        verify_notice(replace(envelope(NOTICE), **{field: other}), KEYS)


def test_a_notice_of_another_key_or_kind_is_refused() -> None:
    with pytest.raises(UnknownKey):
        verify_notice(envelope(NOTICE, OTHER), KEYS)
    as_manifest = jws.sign(NOTICE.encode(), KEY, "kumobashi-manifest+jws")
    with pytest.raises(SignatureInvalid):
        verify_notice(replace(envelope(NOTICE), notice=as_manifest), KEYS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 2}, FormatUnknown),
        ({"tenant": "999990"}, FieldWrong),
        ({"link": "../x"}, FieldWrong),
        ({"last": 0}, FieldWrong),
        (
            {"entries": [{"token": "x y", "epoch": None, "withdrawn": True, "sequence": 1}]},
            FieldWrong,
        ),
        ({"entries": [{"token": "x", "epoch": None, "withdrawn": 1, "sequence": 1}]}, FieldWrong),
        ({"entries": [{"token": "x", "withdrawn": True, "sequence": 1}]}, FieldWrong),
        ({"entries": {}}, FieldWrong),
    ],
)
def test_what_is_signed_and_wrong_is_refused(
    change: dict[str, object], error: type[Exception]
) -> None:
    said = {
        "format": 1,
        "tenant": "999997",
        "from_site": "hall-core",
        "to_site": "public-cloud",
        "link": "notice-attributes",
        "to_system": "notice-cloud",
        "last": 3,
        "at": "2026-11-22T01:20:00.000000Z",
        "entries": [],
    }
    token = jws.sign(canonical(said | change), KEY, WITHDRAWAL_TYP)
    with pytest.raises(error):
        verify_notice(replace(envelope(NOTICE), notice=token), KEYS)


def test_a_notice_has_an_end() -> None:
    long = replace(NOTICE, entries=(ENTRY,) * (MOST_ENTRIES + 1))
    with pytest.raises(FieldWrong):
        verify_notice(envelope(long), KEYS)


def test_a_receipt_is_for_one_notice_and_of_one_site() -> None:
    token = sign_notice(NOTICE, KEY)
    receipt = WithdrawalReceipt(
        tenant="999997",
        site="public-cloud",
        link="notice-attributes",
        notice_digest=digest(token.encode("ascii")),
        last=3,
        entries=1,
        at=AT,
    )
    signed = sign_withdrawal_receipt(receipt, KEY)
    assert verify_withdrawal_receipt(signed, KEYS, token) == receipt
    with pytest.raises(MessageForeign):
        verify_withdrawal_receipt(signed, KEYS, sign_notice(replace(NOTICE, last=4), KEY))
    with pytest.raises(UnknownKey):
        verify_withdrawal_receipt(sign_withdrawal_receipt(receipt, OTHER), KEYS, token)
    with pytest.raises(SignatureInvalid):
        verify_withdrawal_receipt(token, KEYS, token)
