"""Agreements, the same in every store: the way to force, many at once, stopped in time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from kumobashi.agreements import Act, Book, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.auditing import audit
from kumobashi.agreements.errors import (
    AgreementChanged,
    AgreementEnded,
    AgreementFailed,
    AgreementForged,
)
from kumobashi.agreements.moves import read_move
from kumobashi.agreements.reading import tokens_of
from kumobashi.agreements.sql import agreements, moves
from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.deeds import CLOSING, Deeds
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.permitting import Needed
from kumobashi.exchange.row_security import unsecured
from kumobashi.exchange.states import Out
from kumobashi.service.agreeing import Gate, Stopping
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.contract.states import TENANT
from tests.unit.agreements import people

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
LINK = people.APPLICATION.link
DAY = "2026-11-22"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(people.NOW)


@pytest.fixture
def book(store: StateStore, clock: HandClock) -> Book:
    return people.book_of(store, clock, SigningKey.generate())


@pytest.fixture
def gate(store: StateStore, book: Book, clock: HandClock) -> Gate:
    return Gate(store, book.trusted, clock)


@pytest.fixture
def ledger(store: StateStore, gate: Gate, clock: HandClock) -> Ledger:
    made = Ledger(store, TENANT, clock)
    made.permits = gate
    return made


@pytest.fixture
def stopping(book: Book, gate: Gate, ledger: Ledger) -> Stopping:
    return Stopping(book, gate, ledger, Deeds(ledger), site=people.SITE)


def cut_off(book: Book, agreement: str, number: int) -> None:
    """Undo a withdrawal as somebody would who has the database: what is left fits together."""
    mine = moves.c.agreement == agreement
    row = sa.update(agreements).where(agreements.c.agreement == agreement)

    def forge(held: sa.Connection) -> None:
        held.execute(sa.delete(moves).where(mine, moves.c.number == number))
        held.execute(row.values(state=State.IN_FORCE.value))

    book.store.write(forge)
    assert book.get(agreement).state is State.IN_FORCE


def begun(ledger: Ledger, on: str = DAY) -> str:
    row, is_new = ledger.start(
        LINK, on, mode="full", plan_hash=people.HASH, again=False, needed=Needed()
    )
    assert is_new
    return row.transfer


def test_every_state_is_kept_and_read_as_it_was(book: Book) -> None:
    for state in State:
        made = people.in_state(book, state)
        assert book.get(made.agreement) == made
        assert book.get(made.agreement[-10:]) == made
    found = book.store.read(lambda held: audit(held, book.trusted))
    assert (found.agreements, found.faults) == (len(State), ())


def test_two_who_decide_at_once_do_not_both(book: Book) -> None:
    for _ in range(5):
        made = people.in_state(book, State.GENERAL_AFFAIRS_CONCUR)
        wishes = [Wish(act=Act.APPROVE), Wish(act=Act.REFUSE)]

        def decide(wish: Wish, agreement: str = made.agreement) -> bool:
            try:
                book.act(agreement, wish, people.YAMADA, seen=4)
            except AgreementChanged:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(decide, wishes)) == [False, True]
        assert len([m for m in book.get(made.agreement).moves if m.number == 5]) == 1


def test_numbers_given_at_once_are_each_given_once(book: Book) -> None:
    drafts = [people.in_state(book, State.DRAFT).agreement for _ in range(12)]

    def submit(agreement: str) -> str:
        return book.act(agreement, Wish(act=Act.SUBMIT), people.TANAKA).name

    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(submit, drafts))
    assert sorted(names) == sorted(f"8架総第{n}号" for n in range(1, 13))


def test_what_began_under_an_agreement_is_not_closed_once_it_is_withdrawn(
    book: Book, ledger: Ledger
) -> None:
    made = people.in_state(book, State.IN_FORCE)
    transfer = begun(ledger)
    ledger.move_out(transfer, Out.SEALED)
    book.act(made.agreement, Wish(act=Act.WITHDRAW), people.SUZUKI)

    with pytest.raises(AgreementEnded):
        Deeds(ledger).begin_to_close(transfer)
    assert CLOSING not in ledger.outgoing(transfer).facts
    with pytest.raises(AgreementEnded):
        begun(ledger, "2026-11-21")


def test_what_waits_is_cancelled_and_what_may_have_left_is_not(
    book: Book, ledger: Ledger, stopping: Stopping
) -> None:
    made = people.in_state(book, State.IN_FORCE)
    extracting, sealed, held, closing = (begun(ledger, f"2026-11-{n}") for n in range(10, 14))
    for transfer in (sealed, closing):
        ledger.move_out(transfer, Out.SEALED)
    ledger.move_out(held, Out.HELD)
    deeds = Deeds(ledger)
    deeds.begin_to_close(closing)
    free, _ = ledger.start(LINK, "2026-11-20", mode="full", plan_hash=people.HASH, again=False)
    assert stopping.look() == 0

    book.act(made.agreement, Wish(act=Act.WITHDRAW), people.SUZUKI)
    assert stopping.look() == 3
    assert stopping.look() == 0

    for transfer in (extracting, sealed, held):
        row = ledger.outgoing(transfer)
        assert row.state is Out.CANCELLED
        assert row.cause
        assert row.cause["code"] == "agreement.ended"
    assert ledger.outgoing(closing).state is Out.SEALED
    assert ledger.outgoing(free.transfer).state is Out.EXTRACTING


def test_a_term_that_is_over_stops_what_runs_by_itself(
    book: Book, ledger: Ledger, clock: HandClock, stopping: Stopping
) -> None:
    made = people.in_state(book, State.IN_FORCE)
    transfer = begun(ledger)
    clock.at = datetime(2027, 3, 31, 14, 59, 59, tzinfo=UTC)
    assert stopping.look() == 0
    clock.at = datetime(2027, 3, 31, 15, 0, tzinfo=UTC)
    assert stopping.look() == 1
    assert book.get(made.agreement).state is State.EXPIRED
    assert ledger.outgoing(transfer).state is Out.CANCELLED


def test_a_start_and_a_withdrawal_at_once_end_in_nothing_that_runs(
    book: Book, ledger: Ledger, stopping: Stopping
) -> None:
    for number in range(8):
        made = people.in_state(book, State.IN_FORCE)
        on = f"2026-11-{number + 1:02}"

        def start(day: str = on) -> None:
            with suppress(AgreementEnded):
                begun(ledger, day)

        def withdraw(agreement: str = made.agreement) -> None:
            book.act(agreement, Wish(act=Act.WITHDRAW), people.SUZUKI)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(start), pool.submit(withdraw)]:
                done.result()
        stopping.look()
        assert ledger.not_left(LINK) == []


def test_a_history_that_was_cut_off_is_refused_by_who_has_seen_it_longer(
    book: Book, ledger: Ledger
) -> None:
    made = people.in_state(book, State.IN_FORCE)
    begun(ledger)
    register = book.register(made.agreement, [], people.SUZUKI)
    begun(ledger, "2026-11-21")  # it has seen the move
    cut_off(book, made.agreement, register.head.number)
    with pytest.raises(AgreementForged):
        begun(ledger, "2026-11-20")


def test_a_withdrawal_that_was_cut_off_is_refused_once_it_was_laid_beside_the_evidence(
    book: Book, gate: Gate, ledger: Ledger
) -> None:
    made = people.in_state(book, State.IN_FORCE)
    gone = book.act(made.agreement, Wish(act=Act.WITHDRAW), people.SUZUKI)
    cut_off(book, made.agreement, gone.head.number)
    gate.audit()
    with pytest.raises(AgreementForged):
        begun(ledger)


def test_one_that_was_tampered_with_keeps_no_other_from_ending(
    book: Book, clock: HandClock, stopping: Stopping
) -> None:
    bad, good = (people.in_state(book, State.IN_FORCE) for _ in range(2))
    mine = moves.c.agreement == bad.agreement
    book.store.write(lambda held: held.execute(sa.delete(moves).where(mine, moves.c.number == 2)))
    clock.at = datetime(2027, 3, 31, 15, 0, tzinfo=UTC)
    stopping.look()
    assert book.get(good.agreement).state is State.EXPIRED


def test_tables_are_secured_by_row(store: StateStore) -> None:
    assert store.read(unsecured) == []


def test_a_move_is_readable_without_this_program(book: Book) -> None:
    made = people.in_state(book, State.IN_FORCE)
    tokens = book.store.read(lambda held: tokens_of(held, TENANT, made.agreement))
    assert [read_move(token, book.trusted.keys) for token in tokens] == list(made.moves)
    count = sa.select(sa.func.count()).select_from(agreements)
    assert book.store.read(lambda held: held.execute(count).scalar_one()) == 1


def test_opened_again_it_is_as_it_was(opened: Callable[[], StateStore], clock: HandClock) -> None:
    from kumobashi.exchange.migrating import migrate

    key, first = SigningKey.generate(), opened()
    migrate(first)
    made = people.in_state(people.book_of(first, clock, key), State.IN_FORCE)
    first.close()
    again = opened()
    try:
        assert people.book_of(again, clock, key).get(made.agreement) == made
        with pytest.raises(AgreementFailed):  # the key is what makes a site's moves its own
            people.book_of(again, clock, SigningKey.generate()).get(made.agreement)
    finally:
        again.close()


def test_whoever_reads_while_others_act_sees_no_forgery(book: Book) -> None:
    made = [people.in_state(book, State.APPLIED).agreement for _ in range(3)]
    over = threading.Event()

    def act(agreement: str) -> None:
        for _ in range(12):
            book.act(agreement, Wish(act=Act.RETURN), people.SATO)
            book.act(agreement, Wish(act=Act.SUBMIT), people.TANAKA)

    def read() -> int:
        count = 0
        while not over.is_set():
            for agreement in made:
                book.get(agreement)
            found = book.store.read(lambda held: audit(held, book.trusted))
            assert found.faults == ()
            count += 1
        return count

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for done in [pool.submit(act, agreement) for agreement in made]:
                done.result()
        finally:
            over.set()
        assert all(reader.result() > 0 for reader in readers)
