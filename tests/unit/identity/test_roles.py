"""Roles: who operates need not read, who is bound sees their own, who was shut out stays out."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.identity import Accounts, Deed, Role, Scope, Sessions, may
from kumobashi.identity.errors import AccountExists, AccountUnknown, SignInRefused
from kumobashi.identity.roles import ABOUT_A_PERSON, MAY
from kumobashi.testing.clocks import HandClock
from tests.unit.identity.test_identity import code


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.mark.parametrize(
    "role", [Role.SHARED_OFFICE, Role.DATA_CENTRE, Role.VENDOR, Role.ACCOUNT_ADMIN, Role.VIEWER]
)
def test_who_is_not_of_the_municipality_s_offices_learns_of_no_person(role: Role) -> None:
    assert not MAY[role] & ABOUT_A_PERSON


def test_a_data_centre_operates_and_cannot_read() -> None:
    can = MAY[Role.DATA_CENTRE]

    assert {Deed.OPERATE, Deed.SEE_SITES, Deed.SEE_FAULTS} <= can
    assert not can & {Deed.SEE_CONTENT, Deed.SEE_AGREEMENTS, Deed.RELEASE, Deed.PROPOSE, Deed.AUDIT}


def test_a_shared_office_approves_nothing() -> None:
    approving = {deed for deed in Deed if deed.value.startswith(("approve", "decide", "answer"))}

    assert approving
    assert not MAY[Role.SHARED_OFFICE] & approving


def test_who_manages_accounts_does_nothing_else() -> None:
    assert MAY[Role.ACCOUNT_ADMIN] == {Deed.SEE_ACCESS, Deed.REVIEW_ACCESS}


def test_nobody_who_acts_on_links_says_who_may() -> None:
    acting = {Deed.OPERATE, Deed.PROPOSE, Deed.RELEASE}

    assert not [role for role in Role if may(role, Deed.REVIEW_ACCESS) and MAY[role] & acting]


def test_a_vendor_whose_account_is_bound_to_nothing_sees_nothing(book: Accounts) -> None:
    book.add("vendor-a", shown="", role=Role.VENDOR)

    scope = book.get("vendor-a").scope

    assert scope is not None
    assert not scope.covers("resident-to-tax", {"resident", "tax"})


def test_an_account_is_bound_to_what_was_said_last(book: Accounts) -> None:
    book.add("vendor-a", shown="", role=Role.VENDOR)
    book.bind("vendor-a", Scope(systems=frozenset({"care"})))
    bound = book.bind("vendor-a", Scope(links=frozenset({"resident-to-tax"})))

    assert bound.scope == Scope(links=frozenset({"resident-to-tax"}))


def test_who_was_shut_out_is_out_at_the_next_request(book: Accounts, clock: HandClock) -> None:
    made = book.add("sato", shown="", role=Role.OPERATOR)
    value = Sessions(book).sign_in("sato", made.password, code(made, clock))
    assert Sessions(book).find(value)

    book.shut("sato", by="suzuki")

    assert Sessions(book).find(value) is None
    clock.at += timedelta(seconds=31)
    with pytest.raises(SignInRefused):
        Sessions(book).sign_in("sato", made.password, code(made, clock))
    with pytest.raises(AccountUnknown):
        book.get("sato")


def test_the_name_of_who_was_shut_out_is_not_given_again(book: Accounts) -> None:
    book.add("sato", shown="", role=Role.OPERATOR)
    book.shut("sato", by="suzuki")

    with pytest.raises(AccountExists):
        book.add("sato", shown="", role=Role.VIEWER)


def test_shutting_the_last_account_out_does_not_open_the_console(book: Accounts) -> None:
    book.add("sato", shown="", role=Role.OPERATOR)
    book.shut("sato", by="sato")

    assert book.list() == []
    assert not book.is_empty


def test_a_file_of_before_opens(book: Accounts, clock: HandClock) -> None:
    book.add("sato", shown="", role=Role.OPERATOR)
    book.close()
    with sqlite3.connect(book.path) as old:
        for table in ("account_scopes", "closed_accounts", "role_changes", "access_reviews"):
            old.execute(f"drop table {table}")

    again = Accounts(book.path.parent, tenant="999997", site="hall-core", clock=clock)

    assert [one.name for one in again.list()] == ["sato"]
    again.close()
