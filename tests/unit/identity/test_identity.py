"""Accounts and sessions: refusals are counted, codes taken once, sessions end by themselves."""

import base64
import stat
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.identity import Accounts, Deed, Enrolment, Role, Sessions, may, passwords
from kumobashi.identity.errors import (
    AccountExists,
    AccountNameUnfit,
    AccountUnknown,
    FormStale,
    LockedOut,
    NotPermitted,
    PasswordWeak,
    SignInRefused,
)
from kumobashi.identity.roles import MAY
from kumobashi.identity.sessions import IDLE, LOCKED, LONGEST, MOST_FAILURES
from kumobashi.testing.clocks import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 22, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.fixture
def sato(book: Accounts) -> Enrolment:
    return book.add("sato", shown="佐藤（情報政策課）", role=Role.OPERATOR)


def code(enrolment: Enrolment, clock: HandClock) -> str:
    key = base64.b32decode(enrolment.secret)
    return TOTP(key, 6, SHA1(), 30).generate(int(clock.at.timestamp())).decode()  # noqa: S303 - what authenticators know


# RFC 6238, appendix B, SHA-1, the last six of eight digits.
@pytest.mark.parametrize(
    ("now", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(now: int, expected: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()

    assert passwords.step_of(expected, secret, now=now, after=0) == now // 30
    assert passwords.step_of(expected, secret, now=now + 90, after=0) is None


def test_nobody_is_there_before_somebody_is_added(book: Accounts) -> None:
    assert book.is_empty
    assert not book.path.exists()
    assert Sessions(book).find("anything") is None


def test_the_file_is_for_its_owner_and_holds_no_password(book: Accounts, sato: Enrolment) -> None:
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600
    kept = b"".join(path.read_bytes() for path in book.path.parent.iterdir())
    assert sato.password.encode() not in kept
    assert sato.address.startswith("otpauth://totp/")


def test_three_right_things_open_a_session(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)

    value = sessions.sign_in("sato", sato.password, code(sato, clock))

    session = sessions.find(value)
    assert session is not None
    assert (session.account.shown, session.account.role) == ("佐藤（情報政策課）", Role.OPERATOR)
    assert value.encode() not in b"".join(p.read_bytes() for p in book.path.parent.iterdir())
    sessions.end(value)
    assert sessions.find(value) is None


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
def test_a_refusal_does_not_say_what_was_wrong(
    book: Accounts, sato: Enrolment, clock: HandClock, wrong: str
) -> None:
    given = {"name": "sato", "password": sato.password, "code": code(sato, clock)}
    given[wrong] = "000000" if wrong == "code" and given["code"] != "000000" else "wrong-wrong"

    with pytest.raises(SignInRefused) as refused:
        Sessions(book).sign_in(given["name"], given["password"], given["code"])

    assert refused.value.facts == {}


def test_a_code_is_taken_once(book: Accounts, sato: Enrolment, clock: HandClock) -> None:
    sessions = Sessions(book)
    used = code(sato, clock)
    sessions.sign_in("sato", sato.password, used)

    with pytest.raises(SignInRefused):
        sessions.sign_in("sato", sato.password, used)


def test_after_many_refusals_even_the_right_ones_wait(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    for _ in range(MOST_FAILURES):
        with pytest.raises(SignInRefused):
            sessions.sign_in("sato", "wrong-wrong-wrong", "123")

    with pytest.raises(LockedOut) as locked:
        sessions.sign_in("sato", sato.password, code(sato, clock))
    assert locked.value.minutes == 15
    assert book.get("sato").is_locked

    clock.at += LOCKED + timedelta(seconds=1)
    assert sessions.sign_in("sato", sato.password, code(sato, clock))


def test_a_reset_opens_the_lock_and_ends_sessions(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    value = sessions.sign_in("sato", sato.password, code(sato, clock))

    again = book.reset("sato")

    assert sessions.find(value) is None
    assert again.secret != sato.secret
    assert sessions.sign_in("sato", again.password, code(again, clock))
    with pytest.raises(AccountUnknown):
        book.reset("nobody")


def test_a_session_ends_when_nobody_looks_and_at_the_end_of_the_day(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    value = sessions.sign_in("sato", sato.password, code(sato, clock))
    clock.at += IDLE
    assert sessions.find(value)
    clock.at += IDLE
    assert sessions.find(value)  # looking kept it
    clock.at += IDLE + timedelta(seconds=1)
    assert sessions.find(value) is None

    value = sessions.sign_in("sato", sato.password, code(sato, clock))
    for _ in range(LONGEST // IDLE):
        clock.at += IDLE
        assert sessions.find(value)
    clock.at += timedelta(seconds=1)
    assert sessions.find(value) is None


def test_a_page_that_refreshes_by_itself_keeps_nobody_signed_in(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    value = sessions.sign_in("sato", sato.password, code(sato, clock))

    clock.at += IDLE
    assert sessions.find(value, by_itself=True)
    clock.at += timedelta(seconds=1)

    assert sessions.find(value, by_itself=True) is None


def test_a_form_of_another_session_is_refused(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    first = sessions.find(sessions.sign_in("sato", sato.password, code(sato, clock)))
    clock.at += timedelta(minutes=1)
    second = sessions.find(sessions.sign_in("sato", sato.password, code(sato, clock)))
    assert first is not None
    assert second is not None

    first.check_form(first.form)
    with pytest.raises(FormStale):
        first.check_form(second.form)
    with pytest.raises(FormStale):
        first.check_form("")


@pytest.mark.parametrize("name", ["", "a", "Sato", "佐藤", "../sato", "-sato", "s" * 33, "a b"])
def test_unfit_names_make_no_account(book: Accounts, name: str) -> None:
    with pytest.raises(AccountNameUnfit):
        book.add(name, shown="", role=Role.VIEWER)


def test_a_name_is_given_once_and_a_short_password_never(book: Accounts, sato: Enrolment) -> None:
    with pytest.raises(AccountExists):
        book.add("sato", shown="", role=Role.VIEWER)
    with pytest.raises(PasswordWeak):
        book.add("suzuki", shown="", role=Role.VIEWER, password="short")
    assert [account.name for account in book.list()] == ["sato"]


def test_accounts_of_another_municipality_do_not_count(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    other = Accounts(book.path.parent, tenant="999989", site="hall-core", clock=clock)
    assert other.is_empty
    with pytest.raises(SignInRefused):
        Sessions(other).sign_in("sato", sato.password, code(sato, clock))
    other.close()


def test_who_proposes_never_approves() -> None:
    assert not [role for role in Role if {Deed.PROPOSE, Deed.APPROVE} <= MAY[role]]
    assert [role for role in Role if not may(role, Deed.LOOK)] == [Role.ACCOUNT_ADMIN]


def test_a_deed_beyond_the_role_names_who_may(
    book: Accounts, sato: Enrolment, clock: HandClock
) -> None:
    sessions = Sessions(book)
    session = sessions.find(sessions.sign_in("sato", sato.password, code(sato, clock)))
    assert session is not None

    session.check_may(Deed.PROPOSE)
    with pytest.raises(NotPermitted) as refused:
        session.check_may(Deed.APPROVE)
    assert "承認" in refused.value.remedy("ja")


@given(st.text(max_size=12))
def test_no_text_but_the_code_is_a_code(text: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    right = {"755224", "287082", "359152"}  # steps 0 to 2
    typed = unicodedata.normalize("NFKC", text).replace(" ", "")

    assert (passwords.step_of(text, secret, now=59, after=-1) is not None) == (typed in right)
