"""Signing on asks the provider's list: who is out stays out, and is out at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kumobashi.identity import Accounts, Role, Sessions
from kumobashi.identity.admitting import Admitting
from kumobashi.identity.errors import AccountClosed, RoleMissing
from kumobashi.identity.known import Known
from kumobashi.identity.rules import Rule
from kumobashi.testing.clocks import HandClock
from tests.unit.identity.scim.conftest import Provider

SUBJECT = "248289761001"


@pytest.fixture
def door(book: Accounts) -> Admitting:
    rules = [Rule(role=Role.VIEWER, when={"groups": ("職員",)})]
    return Admitting(book, rules=lambda: rules, factors=frozenset)


def known(clock: HandClock, subject: str = SUBJECT, **attributes: str) -> Known:
    said = {name: (value,) for name, value in {"groups": "職員", **attributes}.items()}
    return Known(
        provider="city-login",
        subject=subject,
        shown="佐藤 花子",
        attributes=said,
        methods=frozenset({"mfa"}),
        at=clock.now(),
    )


def role(book: Accounts, cookie: str) -> Role | None:
    session = Sessions(book).find(cookie)
    return session.account.role if session else None


def off(provider: Provider, person: str) -> None:
    provider.patch(f"/Users/{person}", {"op": "replace", "path": "active", "value": False})


def test_whom_the_list_never_had_comes_in_by_rules(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    provider.add("somebody-else", externalId="another")

    assert role(book, door.admit(known(clock))) is Role.VIEWER


def test_a_group_of_the_list_counts_before_rules(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    provider.group("operator", provider.add("sato", externalId=SUBJECT))

    assert role(book, door.admit(known(clock))) is Role.OPERATOR


def test_groups_of_two_roles_give_none(
    door: Admitting, clock: HandClock, provider: Provider
) -> None:
    sato = provider.add("sato", externalId=SUBJECT)
    provider.group("operator", sato)
    provider.group("approver", sato)

    with pytest.raises(RoleMissing):
        door.admit(known(clock))


@pytest.mark.parametrize("by", ["identifier", "name"])
@pytest.mark.parametrize("how", ["inactive", "removed", "replaced"])
def test_whom_the_list_puts_out_while_signed_in_is_out_at_once(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider, by: str, how: str
) -> None:
    sato = provider.add("sato", externalId=SUBJECT if by == "identifier" else "object-7")
    them = known(clock, preferred_username="Sato")
    cookie = door.admit(them)
    assert role(book, cookie) is Role.VIEWER

    if how == "inactive":
        off(provider, sato)
    elif how == "removed":
        provider.ask("DELETE", f"/Users/{sato}")
    else:
        held = {**provider.get(f"/Users/{sato}"), "active": False}
        provider.ask("PUT", f"/Users/{sato}", held)

    assert role(book, cookie) is None
    assert provider.changes[-1].ended == 1
    with pytest.raises(AccountClosed):
        door.admit(them)


def test_another_persons_session_goes_on(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    sato = provider.add("sato", externalId=SUBJECT)
    provider.add("suzuki", externalId="another")
    door.admit(known(clock))
    other = door.admit(known(clock, "another"))

    off(provider, sato)

    assert role(book, other) is Role.VIEWER


def test_a_role_that_the_list_takes_away_takes_the_session_with_it(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    sato = provider.add("sato", externalId=SUBJECT)
    group = provider.group("operator", sato)
    cookie = door.admit(known(clock))

    provider.ask("DELETE", f"/Groups/{group}")

    assert role(book, cookie) is None
    assert role(book, door.admit(known(clock))) is Role.VIEWER


def test_a_group_that_becomes_another_role_ends_the_sessions_of_its_members(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    group = provider.group("operator", provider.add("sato", externalId=SUBJECT))
    cookie = door.admit(known(clock))

    said = {"op": "replace", "path": "displayName", "value": "auditor"}
    provider.patch(f"/Groups/{group}", said)

    assert role(book, cookie) is None
    assert role(book, door.admit(known(clock))) is Role.AUDITOR


def test_a_name_that_was_given_to_somebody_else_does_not_open_for_the_one_before(
    door: Admitting, clock: HandClock, provider: Provider
) -> None:
    first = provider.add("sato", externalId="object-7")
    before = known(clock, "first-subject", preferred_username="sato")
    door.admit(before)
    provider.ask("DELETE", f"/Users/{first}")
    provider.add("sato", externalId="object-8")
    door.admit(known(clock, "second-subject", preferred_username="sato"))

    with pytest.raises(AccountClosed):
        door.admit(before)


def test_who_comes_back_to_the_list_comes_in_again(
    book: Accounts, door: Admitting, clock: HandClock, provider: Provider
) -> None:
    them = known(clock, preferred_username="sato")
    first = provider.add("sato", externalId="object-7")
    door.admit(them)
    provider.ask("DELETE", f"/Users/{first}")
    clock.at += timedelta(days=30)
    provider.add("sato", externalId="object-7")

    assert role(book, door.admit(them)) is Role.VIEWER


def test_another_providers_list_says_nothing(
    book: Accounts,
    door: Admitting,
    clock: HandClock,
    asking: Callable[[str], Provider],
) -> None:
    theirs = asking("vendor-login")
    off(theirs, theirs.add("sato", externalId=SUBJECT))

    assert role(book, door.admit(known(clock, preferred_username="sato"))) is Role.VIEWER


def test_taking_the_word_active_away_lets_nobody_in(
    door: Admitting, clock: HandClock, provider: Provider
) -> None:
    sato = provider.add("sato", externalId=SUBJECT)
    off(provider, sato)

    provider.patch(f"/Users/{sato}", {"op": "remove", "path": "active"})

    with pytest.raises(AccountClosed):
        door.admit(known(clock))
