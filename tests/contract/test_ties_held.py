"""What a gateway keeps of ties that the hall told, the same in every order of arrival."""

from dataclasses import replace
from itertools import permutations

import pytest
import sqlalchemy as sa

from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.standings import Stands, TieStanding
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from kumobashi.ties import copies
from kumobashi.ties.agent import Reason
from kumobashi.ties.errors import ServiceTied
from kumobashi.ties.held import NOBODY, held_by_token, keep
from kumobashi.ties.sql import held, ties
from kumobashi.ties.states import Act, State
from kumobashi.ties.terms import Channel
from tests.unit.ties.books import LESS, NOW, OFFER, ONE, SERVICE, TENANT, TWO, Desk

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
NAME = frozenset({"name"})
TIE = "018f0000-0000-7000-8000-000000000001"
HALL, SYSTEM = "hall-core", "notice-cloud"
TOLD = TieStanding(
    tie=TIE,
    token="8f" * 16,
    stands=Stands.IN_FORCE,
    terms=OFFER.encode().encode(),
    service=SERVICE.service,
    clause=SERVICE.clause,
    first=SERVICE.first,
    last=SERVICE.last,
    sequence=4,
)


@pytest.fixture
def desk(store: StateStore) -> Desk:
    return Desk(store, HandClock(NOW))


def take(desk: Desk, told: TieStanding, site: str = HALL) -> bool:
    return desk.store.write(lambda connection: keep(connection, TENANT, site, SYSTEM, told))


def run(desk: Desk, statement: sa.Executable) -> None:
    """Change the tables behind the book's back."""

    def work(connection: sa.Connection) -> None:
        connection.execute(statement)

    desk.store.write(work)


def may(desk: Desk, tie: str = TIE, channel: Channel = Channel.POST) -> Reason:
    return desk.agent.may(tie, NAME, channel).reason


def test_the_highest_sequence_counts_whenever_it_comes(desk: Desk) -> None:
    for run, order in enumerate(permutations(range(3))):
        first = replace(TOLD, tie=f"{TIE[:-1]}{run}")
        told = [
            first,
            replace(first, sequence=5, terms=LESS.encode().encode()),
            replace(first, sequence=6, stands=Stands.WITHDRAWN),
        ]
        for number in (*order, *order):  # each twice
            take(desk, told[number])
        assert may(desk, first.tie) is Reason.WITHDRAWN
    assert desk.reading.verify() == []


def test_what_was_told_permits_and_is_counted_here(desk: Desk) -> None:
    assert may(desk) is Reason.UNKNOWN
    assert take(desk, replace(TOLD, terms=LESS.encode().encode()))
    assert may(desk, channel=Channel.SMS) is Reason.CHANNEL
    used = [desk.agent.use(TIE, NAME, Channel.POST, use=name).reason for name in ("a", "a", "b")]
    assert used == [Reason.ACCEPTED, Reason.ACCEPTED, Reason.FREQUENCY]
    (known,) = desk.store.read(lambda c: held_by_token(c, TENANT, SYSTEM, TOLD.token))
    assert (known.terms, known.state) == (LESS, State.IN_FORCE)
    assert desk.store.read(lambda c: held_by_token(c, TENANT, "other", TOLD.token)) == []
    over = replace(TOLD, sequence=5, last=NOW.date().replace(day=1))
    assert take(desk, over)
    assert may(desk) is Reason.SERVICE_OVER


def test_another_hall_is_refused(desk: Desk) -> None:
    take(desk, TOLD)
    with pytest.raises(MessageForeign):
        take(desk, replace(TOLD, sequence=9), "other-hall")
    assert may(desk) is Reason.ACCEPTED


def test_terms_that_cannot_be_read_permit_nothing_and_hold_nothing_up(desk: Desk) -> None:
    take(desk, TOLD)
    assert take(desk, replace(TOLD, sequence=9, terms=b"{}"))
    assert may(desk) is Reason.TOUCHED
    assert take(desk, replace(TOLD, sequence=10))
    assert may(desk) is Reason.ACCEPTED


def test_a_token_that_was_not_known_at_first_is_taken_when_it_comes(desk: Desk) -> None:
    take(desk, replace(TOLD, token=NOBODY, stands=Stands.ENDED))
    take(desk, replace(TOLD, sequence=9))
    (known,) = desk.store.read(lambda c: held_by_token(c, TENANT, SYSTEM, TOLD.token))
    assert known.state is State.IN_FORCE


def test_a_changed_row_permits_nothing(desk: Desk) -> None:
    changes: list[dict[str, object]] = [
        {"stands": "in_force"},
        {"terms": OFFER.encode()},
        {"sequence": 1},
        {"token": "aa"},
    ]
    named = []
    for number, changed in enumerate(changes):
        first = replace(TOLD, tie=f"{TIE[:-1]}{number}")
        take(desk, first)
        ended = replace(first, sequence=7, terms=LESS.encode().encode(), stands=Stands.ENDED)
        take(desk, ended)
        assert may(desk, first.tie) is Reason.ENDED
        statement = sa.update(held).where(held.c.tie == first.tie).values(**changed)
        run(desk, statement)
        assert may(desk, first.tie) is Reason.TOUCHED
        named.append(f"held:{first.tie}")
        assert [fault.record for fault in desk.reading.verify()] == named


# -- at the hall: what there is to tell


def due(desk: Desk) -> list[copies.Due]:
    return desk.store.read(lambda held: copies.due_at(held, TENANT, SYSTEM, most=100))


def told(desk: Desk) -> None:
    what = [(one.tie, one.sequence) for one in due(desk)]
    desk.store.write(lambda held: copies.note_told(held, TENANT, SYSTEM, what))


def test_each_deed_that_matters_elsewhere_is_told_once(desk: Desk) -> None:
    elsewhere = replace(SERVICE, system=SYSTEM)
    desk.book.registry.replace(elsewhere, by="operator")
    tie = desk.bring(State.RESIDENT_ACCEPTED)
    assert due(desk) == []  # nobody elsewhere has it yet
    tie = desk.accept(tie, Act.SERVICE_ACCEPT)
    assert may(desk, tie.tie) is Reason.ELSEWHERE
    numbers = []
    for deed in (
        lambda: None,
        lambda: desk.book.narrow(tie.tie, LESS, desk.said()),
        lambda: desk.book.registry.replace(replace(elsewhere, name="別の名"), by="operator"),
        lambda: desk.book.withdraw(tie.tie, desk.said()),
    ):
        deed()
        assert desk.store.read(lambda c: copies.systems_to_tell(c, TENANT)) == [SYSTEM]
        (one,) = due(desk)
        numbers.append(one.sequence)
        told(desk)
        assert due(desk) == []
    assert numbers == sorted(set(numbers))
    assert one.stands is Stands.WITHDRAWN
    desk.book.withdraw(tie.tie, desk.said())
    assert due(desk) == []


def test_what_is_over_is_told_before_all_else(desk: Desk) -> None:
    desk.book.registry.replace(replace(SERVICE, system=SYSTEM), by="operator")
    made = [desk.bring(State.IN_FORCE, f"{number:048x}") for number in range(4)]
    told(desk)
    desk.book.registry.replace(replace(SERVICE, system=SYSTEM, name="別の名"), by="operator")
    desk.book.withdraw(made[-1].tie, desk.said())
    (first,) = desk.store.read(lambda c: copies.due_at(c, TENANT, SYSTEM, most=1))
    assert (first.tie, first.stands) == (made[-1].tie, Stands.WITHDRAWN)
    assert len(due(desk)) == 4


def test_a_touched_tie_is_told_as_ended(desk: Desk) -> None:
    desk.book.registry.replace(replace(SERVICE, system=SYSTEM), by="operator")
    tie = desk.bring(State.IN_FORCE)
    run(desk, sa.update(ties).values(subject=TWO))
    (one,) = due(desk)
    assert (one.tie, one.stands, one.subject) == (tie.tie, Stands.ENDED, None)


def test_a_service_with_live_ties_is_not_moved(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE, ONE)
    with pytest.raises(ServiceTied):
        desk.book.registry.replace(replace(SERVICE, system=SYSTEM), by="operator")
    assert may(desk, tie.tie) is Reason.ACCEPTED
    desk.book.end(tie.tie, desk.said())
    desk.book.registry.replace(replace(SERVICE, system=SYSTEM), by="operator")
