"""Permits and arrivals, the same in every store: every move, every refusal, once each."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from kumobashi.courier.arrivals import Arrivals
from kumobashi.courier.book import Book
from kumobashi.courier.errors import (
    MediumKnown,
    MediumMissing,
    PermitMove,
    PermitOver,
    PermitUnknown,
    SamePerson,
)
from kumobashi.courier.index import Kind
from kumobashi.courier.permits import MOVES, MediumWritten, Permit, State, Wish
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.contract.states import TENANT
from tests.unit.courier.test_page import INDEX

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DUE = date(2026, 11, 25)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def book(store: StateStore, clock: HandClock) -> Book:
    return Book(store, tenant=TENANT, site="hall-core", clock=clock)


def asked(book: Book) -> Permit:
    wish = Wish(labels=("USB-1", "USB-2"), purpose="回線の障害", return_by=DUE, by="sato")
    return book.ask(
        kind=Kind.BUNDLE,
        link="a-link",
        transfer="019aa8d1-5b7c-7000-8000-0123456789ab",
        attempt=1,
        to_site="public-cloud",
        wish=wish,
    )


def medium(number: int) -> MediumWritten:
    return MediumWritten(
        number=number,
        label=f"USB-{number}",
        medium=f"019aa8d1-5b7c-7000-8000-00000000000{number}",
        first_part=1,
        last_part=2,
        is_whole=False,
    )


DEEDS: dict[State, Callable[[Book, str], Permit]] = {
    State.APPROVED: lambda book, permit: book.decide(permit, is_approved=True, by="suzuki"),
    State.DECLINED: lambda book, permit: book.decide(permit, is_approved=False, by="suzuki"),
    State.TAKEN: lambda book, permit: book.begin(permit, medium(1)),
    State.RETURNED: lambda book, permit: book.close(permit, is_lost=False, by="sato"),
    State.LOST: lambda book, permit: book.close(permit, is_lost=True, by="sato"),
}
WAYS: dict[State, list[State]] = {
    State.ASKED: [],
    State.DECLINED: [State.DECLINED],
    State.APPROVED: [State.APPROVED],
    State.TAKEN: [State.APPROVED, State.TAKEN],
    State.RETURNED: [State.APPROVED, State.TAKEN, State.RETURNED],
    State.LOST: [State.APPROVED, State.TAKEN, State.LOST],
}


def in_state(book: Book, state: State) -> Permit:
    permit = asked(book)
    for then in WAYS[state]:
        permit = DEEDS[then](book, permit.permit)
    assert permit.state is state
    return permit


def test_every_move_is_made_or_refused_as_the_table_says(book: Book) -> None:
    for now in State:
        for then, deed in DEEDS.items():
            permit = in_state(book, now)
            if then in MOVES[now]:
                assert deed(book, permit.permit).state is then
            else:
                with pytest.raises(PermitMove):
                    deed(book, permit.permit)
                assert book.get(permit.permit) == permit


def test_a_permit_comes_back_as_it_was_asked_for(book: Book) -> None:
    permit = asked(book)

    assert book.get(permit.permit) == permit
    assert book.get(permit.permit[-8:]) == permit
    assert book.all()[0] == permit
    assert repr(permit.secret) not in repr(permit)
    for wrong in ("", permit.permit[-3:], "019aa8d1-5b7c-7000-8000-000000000000"):
        with pytest.raises(PermitUnknown):
            book.get(wrong)


def test_whoever_asked_may_not_decide(book: Book) -> None:
    permit = asked(book)

    for is_approved in (True, False):
        with pytest.raises(SamePerson):
            book.decide(permit.permit, is_approved=is_approved, by="sato")
    assert book.get(permit.permit).state is State.ASKED


def test_behind_the_day_of_return_nothing_is_approved_or_written(
    book: Book, clock: HandClock
) -> None:
    waits, approved = asked(book), in_state(book, State.APPROVED)
    out = in_state(book, State.TAKEN)
    clock.at = datetime(2026, 11, 25, 14, 59, tzinfo=UTC)  # the last minute of the day in Japan
    assert book.overdue() == []
    clock.at += timedelta(minutes=1)

    with pytest.raises(PermitOver):
        DEEDS[State.APPROVED](book, waits.permit)
    for permit in (approved, out):
        with pytest.raises(PermitOver):
            DEEDS[State.TAKEN](book, permit.permit)
    assert [one.permit for one in book.overdue()] == [out.permit]
    DEEDS[State.RETURNED](book, out.permit)
    assert book.overdue() == []


def test_of_two_who_decide_at_once_one_is_told_that_it_is_decided(book: Book) -> None:
    permit = asked(book).permit

    def decide(is_approved: bool) -> str:
        try:
            return book.decide(permit, is_approved=is_approved, by="suzuki").state.value
        except PermitMove:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(decide, [True, True, True, True]))

    assert sorted(said) == ["approved", "refused", "refused", "refused"]


def test_a_medium_is_begun_once_and_finished_once(book: Book) -> None:
    permit = in_state(book, State.APPROVED).permit
    for _ in range(2):
        book.begin(permit, medium(1))
    book.begin(permit, medium(2))
    for _ in range(2):
        found = book.finish(permit, medium(2).medium, index="sha256:" + "0" * 64)

    assert [(one.number, one.is_whole) for one in found.media] == [(1, False), (2, True)]


def test_evidence_says_what_happened_and_no_purpose(book: Book, store: StateStore) -> None:
    permit = in_state(book, State.RETURNED)
    book.count_wrong_code(permit.permit)
    query = sa.text("select body from evidence_waiting order by entry")
    bodies = store.read(lambda held: [bytes(row[0]) for row in held.execute(query)])

    said = [json.loads(body) for body in bodies]
    assert [(one["event"], one["by"]) for one in said] == [
        ("courier.asked", "account:sato"),
        ("courier.approved", "account:suzuki"),
        ("courier.begun", "local-api"),
        ("courier.returned", "account:sato"),
        ("courier.code_wrong", "operator"),
    ]
    assert "回線" not in b"".join(bodies).decode()
    assert all(one["permit"] == permit.permit for one in said)


def test_a_medium_is_read_to_its_end_once(store: StateStore, clock: HandClock) -> None:
    arrivals = Arrivals(store, tenant=TENANT, clock=clock)
    with pytest.raises(MediumMissing):
        arrivals.end(INDEX.medium)

    first, again = (arrivals.begin(INDEX, "index") for _ in range(2))
    for _ in range(2):
        arrivals.end(INDEX.medium)

    assert first == again
    assert first.secret == INDEX.secret
    assert arrivals.brought_from("hall-core") == [(INDEX.transfer, 1)]
    assert arrivals.brought_from("elsewhere") == []
    with pytest.raises(MediumKnown):
        arrivals.begin(INDEX, "index")
