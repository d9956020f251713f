"""Addresses in one form: what people type is found, and nothing climbs out of its place."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.consent.channels.addresses import address_of
from kumobashi.consent.channels.errors import AddressUnfit
from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.smtp import message_of
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import Office, page_of
from kumobashi.kernel import SystemClock

MAIL = Channel.MAIL
OFFICE = Office(municipality="架空市", name="市民課", phone="000-000-0002", hours="平日")
NASTY = st.text(
    st.one_of(
        st.sampled_from("\r\n\t\0\x0b\x85\u2028\u202e\u200b,;:<>()[]\"\\@%! .'-_+ａＡ＠．。"),
        st.characters(min_codepoint=33, max_codepoint=126),
        st.characters(),
    ),
    max_size=40,
)


def fit(channel: Channel, said: str) -> str | None:
    try:
        return address_of(channel, said)
    except AddressUnfit:
        return None


def test_the_mistake_does_not_repeat_what_was_said() -> None:
    for channel in Channel:
        with pytest.raises(AddressUnfit) as unfit:
            address_of(channel, "kakuu taro\x00")
        assert "kakuu" not in f"{unfit.value} {unfit.value.facts} {unfit.value.problem()}"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("taro@example.jp", "taro@example.jp"),
        ("　ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ ", "taro@example.jp"),
        ("Taro@EXAMPLE.JP", "Taro@example.jp"),
        ("a..b.@example.jp", "a..b.@example.jp"),
        ("o'brien+x@example.jp", "o'brien+x@example.jp"),
        ("taro@ドメイン名例.example", "taro@xn--eckwd4c7cu47r2wf.example"),
        ("taro@か\u3099く.example", f"taro@{'がく'.encode('idna').decode()}.example"),
    ],
)
def test_what_people_type_is_one_address(said: str, kept: str) -> None:
    assert address_of(MAIL, said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "", "@", "a@", "@example.jp", "a", "a@b", "a@b@example.jp", "a b@example.jp",
        "a@example.jp\nBcc: b@example.jp", "a@example.jp\r\n", "a\r\n@example.jp",
        "a@example.jp,b@example.jp", "a@example.jp;b@example.jp", "<a@example.jp>",
        '"a b"@example.jp', "a%b@example.jp", "b!a@example.jp", "a@[127.0.0.1]", "a@127.0.0.1",
        "a@-x.jp", "a@x..jp", "a@example.jp.", "a@exa_mple.jp", "花子@example.jp",
        "a\u202e@example.jp", "a\u200b@example.jp", f"{'a' * 65}@example.jp",
        f"a@{'b' * 64}.jp", f"a@{'.'.join(['b' * 60] * 5)}.jp", "x" * 2_000,
    ],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(said: str) -> None:
    with pytest.raises(AddressUnfit):
        address_of(MAIL, said)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("090-0000-0000", "09000000000"),
        ("０８０ー００００ー００００", "08000000000"),
        ("+81 70 0000 0000", "07000000000"),
        ("(060)0000-0000", "06000000000"),
    ],
)
def test_mobile_numbers_have_one_form(said: str, kept: str) -> None:
    assert address_of(Channel.SMS, said) == kept


@pytest.mark.parametrize(
    "said", ["03-0000-0000", "0900000000", "090000000001", "110", "+1 90", "᠙"]
)
def test_what_is_no_mobile_number_is_refused(said: str) -> None:
    with pytest.raises(AddressUnfit):
        address_of(Channel.SMS, said)


def test_variants_of_characters_stay_on_paper() -> None:
    where = "架空市架空町1-2 𠮷田 邉\U000e0101子 \ue000"  # a variation selector, a 外字
    assert address_of(Channel.POST, where) == where
    assert address_of(Channel.POST, "架空市 １丁目　髙橋") == "架空市 １丁目 髙橋"


@pytest.mark.parametrize("channel", list(Channel))
@given(said=NASTY)
def test_every_form_is_the_form_of_itself_and_holds_no_control(channel: Channel, said: str) -> None:
    kept = fit(channel, said)
    if kept is not None:
        assert address_of(channel, kept) == kept
        assert not {"Cc", "Cf", "Cs"} & {unicodedata.category(char) for char in kept}


@given(local=NASTY, domain=st.one_of(NASTY, st.just("example.jp")))
def test_whatever_fits_makes_a_mail_to_one_receiver(local: str, domain: str) -> None:
    kept = fit(MAIL, f"{local}@{domain}")
    if kept is None:
        return
    now = SystemClock().now()
    letter = CodeLetter(record="r", channel=MAIL, address=kept, code="c", until=now, at=now)
    message = message_of(letter, OFFICE, sender="no-reply@city.example.jp")
    head = message.as_bytes().split(b"\r\n\r\n")[0]
    (to,) = message["To"].addresses
    assert f"{to.username}@{to.domain}" == kept
    assert head.count(b"\r\nTo: ") == 1
    assert b"\nBcc" not in head
    assert message.keys() == [
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
        "X-Auto-Response-Suppress", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip


@given(st.text(max_size=60))
def test_names_of_offices_do_not_climb_into_headers_or_pages(name: str) -> None:
    office = Office(
        municipality=f"架空市\r\nBcc: x@example.jp{name}", name=name, phone="1", hours=""
    )
    now = SystemClock().now()
    letter = CodeLetter(
        record="r", channel=MAIL, address="<b>&a@example.jp", code="c", until=now, at=now
    )
    page = page_of(letter, office)
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;a" in page
    from dataclasses import replace

    from kumobashi.consent.channels.wording import subject_of

    assert "\n" not in subject_of(replace(office, municipality="架空市\r\nBcc: x"))
