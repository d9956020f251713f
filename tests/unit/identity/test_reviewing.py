"""Access review: what asks to be looked at is seen, what was said stands, nobody says their own."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kumobashi.identity import Accounts, Role, Scope, Sessions
from kumobashi.identity.admitting import Admitting, name_of
from kumobashi.identity.errors import (
    AccountClosed,
    AccountUnknown,
    FormStale,
    IdentityFailed,
    OwnAccess,
)
from kumobashi.identity.known import Known
from kumobashi.identity.reviewing import EVERY, UNUSED, Access, Remark, Row, breaks, reviewed
from kumobashi.identity.reviews import Reviews
from kumobashi.identity.rules import Rule
from kumobashi.testing.clocks import HandClock
from tests.unit.identity.test_identity import code

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


def access(name: str, role: Role = Role.OPERATOR, **more: Any) -> Access:
    facts: dict[str, Any] = {"shown": name, "since": NOW - DAY, "seen": NOW, **more}
    return Access(name=name, role=role, **facts)


def remarks(*held: Access) -> dict[str, set[Remark]]:
    return {row.access.name: set(row.remarks) for row in reviewed(held, NOW)}


def test_an_account_in_use_that_was_looked_at_lately_has_no_remark() -> None:
    assert remarks(access("sato")) == {"sato": set()}


def test_an_account_is_unused_after_ninety_days_also_if_nobody_ever_came() -> None:
    found = remarks(
        access("on-the-day", seen=NOW - UNUSED, since=NOW - UNUSED),
        access("after-it", seen=NOW - UNUSED - DAY, since=NOW - EVERY),
        access("never", seen=None, since=NOW - UNUSED - DAY),
    )

    assert found == {"on-the-day": set(), "after-it": {Remark.UNUSED}, "never": {Remark.UNUSED}}


def test_a_review_is_overdue_a_year_after_the_last_one() -> None:
    long_ago = NOW - EVERY - DAY
    found = remarks(access("new", since=long_ago), access("seen", since=long_ago, reviewed=NOW))

    assert found == {"new": {Remark.OVERDUE}, "seen": set()}


def test_a_role_that_is_another_than_was_looked_at_is_remarked() -> None:
    found = remarks(access("sato", reviewed=NOW, reviewed_role=Role.VIEWER))

    assert found == {"sato": {Remark.CHANGED}}


def test_two_accounts_of_one_person_that_break_separation_are_both_remarked() -> None:
    found = remarks(
        access("sato", shown="佐藤 花子（情報政策課）"),
        access("city:1", Role.APPROVER, shown="佐藤花子"),
        access("suzuki", shown="鈴木 一郎"),
    )

    both = {Remark.TWICE, Remark.TOGETHER}
    assert found == {"sato": both, "city:1": both, "suzuki": set()}


def test_two_accounts_that_may_do_no_more_together_are_only_named() -> None:
    found = remarks(access("a", shown="佐藤"), access("b", Role.VIEWER, shown="佐藤"))

    assert found == {"a": {Remark.TWICE}, "b": {Remark.TWICE}}


def test_no_role_alone_breaks_separation() -> None:
    assert [role for role in Role if breaks({role})] == []


def test_rows_with_something_to_look_at_come_first() -> None:
    rows = reviewed([access("a"), access("z", seen=NOW - EVERY, since=NOW - UNUSED)], NOW)

    assert [row.access.name for row in rows] == ["z", "a"]


def row_of(book: Accounts, name: str) -> Row:
    return next(row for row in Reviews(book).rows() if row.access.name == name)


def test_what_was_said_stands_with_date_and_name(book: Accounts, clock: HandClock) -> None:
    book.add("sato", shown="", role=Role.OPERATOR)
    clock.at += EVERY + DAY
    assert Remark.OVERDUE in row_of(book, "sato").remarks

    Reviews(book).keep("sato", by="suzuki", role="operator")

    after = row_of(book, "sato")
    assert Remark.OVERDUE not in after.remarks
    assert (after.access.reviewed, after.access.reviewed_by) == (clock.at, "suzuki")


def test_nobody_looks_at_their_own(book: Accounts) -> None:
    book.add("suzuki", shown="", role=Role.APPROVER)

    with pytest.raises(OwnAccess):
        Reviews(book).keep("suzuki", by="suzuki", role="approver")


def test_when_somebody_last_came_is_known_to_the_half_minute(
    book: Accounts, clock: HandClock
) -> None:
    made = book.add("sato", shown="", role=Role.OPERATOR)
    assert row_of(book, "sato").access.seen is None
    clock.at += timedelta(days=3, seconds=17)

    Sessions(book).sign_in("sato", made.password, code(made, clock))

    seen = row_of(book, "sato").access.seen
    assert seen is not None
    assert timedelta() <= clock.at - seen < timedelta(seconds=30)


def test_who_is_taken_away_is_out_and_listed_no_more(book: Accounts, clock: HandClock) -> None:
    made = book.add("sato", shown="", role=Role.OPERATOR)
    value = Sessions(book).sign_in("sato", made.password, code(made, clock))

    Reviews(book).take_away("sato", by="suzuki", role="operator")

    assert Sessions(book).find(value) is None
    assert Reviews(book).rows() == []


@pytest.fixture
def rules() -> list[Rule]:
    return [Rule(role=Role.OPERATOR, when={"groups": ("情報政策課",)})]


@pytest.fixture
def door(book: Accounts, rules: list[Rule]) -> Admitting:
    return Admitting(book, rules=lambda: rules, factors=frozenset)


def known(*groups: str) -> Known:
    return Known(
        provider="city-login",
        subject="248289761001",
        shown="佐藤 花子",
        attributes={"groups": groups},
        methods=frozenset({"mfa"}),
        at=NOW,
    )


def test_a_role_that_changes_counts_from_that_day(
    book: Accounts, clock: HandClock, rules: list[Rule], door: Admitting
) -> None:
    door.admit(known("情報政策課"))
    clock.at += 5 * DAY
    rules[0] = Rule(role=Role.VIEWER, when={"groups": ("情報政策課",)})
    door.admit(known("情報政策課"))

    found = row_of(book, name_of("city-login", "248289761001")).access

    assert (found.role, found.since, found.provider) == (Role.VIEWER, clock.at, "city-login")


def test_a_form_drawn_before_a_role_changed_does_nothing(
    book: Accounts, clock: HandClock, rules: list[Rule], door: Admitting
) -> None:
    door.admit(known("情報政策課"))
    name = name_of("city-login", "248289761001")
    clock.at += DAY
    rules[0] = Rule(role=Role.APPROVER, when={"groups": ("情報政策課",)})
    door.admit(known("情報政策課"))

    with pytest.raises(FormStale):
        Reviews(book).keep(name, by="suzuki", role="operator")
    assert row_of(book, name).access.reviewed is None


def test_who_a_review_shut_out_the_provider_does_not_let_in_again(
    book: Accounts, door: Admitting
) -> None:
    value = door.admit(known("情報政策課"))
    Reviews(book).take_away(name_of("city-login", "248289761001"), by="suzuki", role="operator")

    assert Sessions(book).find(value) is None
    with pytest.raises(AccountClosed):
        door.admit(known("情報政策課"))


def test_of_many_who_take_the_same_account_away_one_does(book: Accounts, tmp_path: Path) -> None:
    book.add("sato", shown="", role=Role.OPERATOR)
    said: list[str] = []
    begin = threading.Barrier(8)

    def take(by: str) -> None:
        own = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=book.clock)
        begin.wait()
        try:
            Reviews(own).take_away("sato", by=by, role="operator")
            said.append("done")
        except IdentityFailed as error:
            said.append(error.code)
        finally:
            own.close()

    threads = [threading.Thread(target=take, args=(f"one-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == sorted(["done", *[AccountUnknown.code] * 7])


def test_a_vendor_bound_to_nothing_is_remarked_until_bound(book: Accounts) -> None:
    book.add("vendor-a", shown="", role=Role.VENDOR)
    assert Remark.UNBOUND in row_of(book, "vendor-a").remarks

    book.bind("vendor-a", Scope(systems=frozenset({"care"})))

    assert Remark.UNBOUND not in row_of(book, "vendor-a").remarks
