"""The book of ties, the same in every store: every move, every order, every fault."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from kumobashi.evidence.sql import waiting
from kumobashi.exchange.row_security import unsecured
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from kumobashi.ties.agent import RETRY, Reason
from kumobashi.ties.errors import (
    ResidentGone,
    ServiceOver,
    ServiceTaken,
    ServiceTied,
    ServiceUnfit,
    ServiceUnknown,
    StatusOlder,
    TermsUnlike,
    TermsWiden,
    TieMove,
    TieStatedBefore,
    TieStatedInFuture,
    TieSubjectUnfit,
    TieTouched,
    TieTwice,
    TieUnknown,
    WithdrawnBefore,
)
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Status
from kumobashi.ties.sql import revisions, services, ties, uses
from kumobashi.ties.states import LIVE, MOVES, TOLERANCE, Act, State
from kumobashi.ties.terms import Channel
from tests.unit.ties.books import LESS, NOW, OFFER, ONE, SERVICE, TENANT, TWO, Desk

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
HOUR = timedelta(hours=1)
NAME = frozenset({"name"})


@pytest.fixture
def desk(store: StateStore) -> Desk:
    return Desk(store, HandClock(NOW))


def run(desk: Desk, statement: sa.Executable) -> None:
    """Change the tables behind the book's back."""

    def work(connection: sa.Connection) -> None:
        connection.execute(statement)

    desk.store.write(work)


def act(desk: Desk, tie: Tie, what: Act) -> Tie:
    """Do one act on a tie, by the book."""
    book, said = desk.book, desk.said()
    deeds: dict[Act, Callable[[], Tie | list[Tie]]] = {
        Act.NARROW: lambda: book.narrow(tie.tie, replace(LESS, last=date(2026, 12, 1)), said),
        Act.RESIDENT_ACCEPT: lambda: desk.accept(tie, Act.RESIDENT_ACCEPT),
        Act.SERVICE_ACCEPT: lambda: desk.accept(tie, Act.SERVICE_ACCEPT),
        Act.WITHDRAW: lambda: book.withdraw(tie.tie, said),
        Act.END: lambda: book.end(tie.tie, said),
        Act.DIE: lambda: book.died(tie.subject, by="operator"),
        Act.MERGE: lambda: book.merged(tie.subject, by="operator"),
    }
    deeds[what]()
    return desk.reading.tie(tie.tie)


def test_every_move_is_made_or_refused(desk: Desk) -> None:
    asked = [one for one in Act if one not in {Act.PROPOSE, Act.EXPIRE}]
    for number, (state, what) in enumerate((s, a) for s in State for a in asked):
        tie = desk.bring(state, f"{number:048x}")
        then = MOVES.get((state, what))
        silent = what in {Act.DIE, Act.MERGE} or (state, what) == (State.WITHDRAWN, Act.WITHDRAW)
        if then is None and not silent:
            with pytest.raises((TieMove, WithdrawnBefore)):
                act(desk, tie, what)
            assert desk.reading.tie(tie.tie) == tie
        else:
            assert act(desk, tie, what).state is (then or state)
    assert desk.reading.verify() == []


def test_both_accept_what_the_resident_narrowed(desk: Desk) -> None:
    tie = desk.propose()
    tie = desk.accept(tie, Act.SERVICE_ACCEPT)
    tie = desk.book.narrow(tie.tie, LESS, desk.said())
    assert tie.state is State.NARROWED  # what the service accepted was another thing
    tie = desk.accept(tie, Act.RESIDENT_ACCEPT)
    assert not desk.agent.may(tie.tie, NAME, Channel.POST).is_permitted
    tie = desk.accept(tie, Act.SERVICE_ACCEPT)
    assert (tie.state, tie.terms, tie.offered) == (State.IN_FORCE, LESS, OFFER)
    said = desk.agent.may(tie.tie, NAME, Channel.POST)
    assert (said.is_permitted, said.clause) == (True, SERVICE.clause)
    assert desk.agent.may(tie.tie, OFFER.items, Channel.POST).reason is Reason.ITEM


def test_wider_answers_and_other_terms_are_refused(desk: Desk) -> None:
    tie = desk.bring(State.NARROWED)
    with pytest.raises(TermsWiden) as refused:
        desk.book.narrow(tie.tie, OFFER, desk.said())
    assert refused.value.field == "items"
    with pytest.raises(TermsUnlike):
        desk.book.accept(tie.tie, Act.SERVICE_ACCEPT, desk.said(), terms=OFFER.hash)
    assert desk.reading.tie(tie.tie) == tie


def test_a_withdrawal_stops_at_once(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE)
    assert desk.agent.use(tie.tie, NAME, Channel.POST, use="a").is_permitted
    desk.book.withdraw(tie.tie, desk.said())
    denied = desk.agent.use(tie.tie, NAME, Channel.POST, use="a")  # nor the one permitted before
    assert (denied.is_permitted, denied.reason) == (False, Reason.WITHDRAWN)
    before = NOW - timedelta(minutes=1)
    assert desk.agent.may(tie.tie, NAME, Channel.POST, before).reason is Reason.WITHDRAWN


@pytest.mark.parametrize(
    ("later", "source", "is_taken"),
    [
        (timedelta(seconds=-1), "desk-1", False),
        (timedelta(0), "desk-1", False),
        (timedelta(seconds=1), "desk-1", True),
        (TOLERANCE, "portal", False),
        (TOLERANCE + timedelta(seconds=1), "portal", True),
    ],
)
def test_a_withdrawal_before_its_proposal_wins(
    desk: Desk, later: timedelta, source: str, *, is_taken: bool
) -> None:
    desk.go(HOUR)
    assert desk.book.withdraw_from(ONE, SERVICE.service, desk.said(NOW)) == []
    said = desk.said(NOW + later, source)
    if is_taken:
        tie = desk.book.propose(ONE, SERVICE.service, OFFER, said)
        assert tie.state is State.PROPOSED
        return
    with pytest.raises(WithdrawnBefore):
        desk.book.propose(ONE, SERVICE.service, OFFER, said)
    assert desk.reading.of_resident(ONE) == []


def test_a_withdrawal_before_its_acceptance_wins(desk: Desk) -> None:
    tie = desk.bring(State.SERVICE_ACCEPTED)
    desk.go(HOUR)
    desk.book.withdraw(tie.tie, desk.said())
    late = desk.said(NOW + HOUR / 2, "portal")
    with pytest.raises(WithdrawnBefore):  # stated half an hour before, arriving after
        desk.book.accept(tie.tie, Act.RESIDENT_ACCEPT, late, terms=tie.terms.hash)
    assert desk.reading.tie(tie.tie).state is State.WITHDRAWN


def test_an_old_withdrawal_said_again_leaves_a_later_tie(desk: Desk) -> None:
    desk.bring(State.IN_FORCE)
    old = desk.said()
    assert len(desk.book.withdraw_from(ONE, SERVICE.service, old)) == 1
    desk.go(HOUR)
    tie = desk.bring(State.IN_FORCE)
    assert desk.book.withdraw_from(ONE, SERVICE.service, old) == []
    assert desk.agent.may(tie.tie, NAME, Channel.POST).is_permitted


def test_clocks_that_cannot_be_are_refused(desk: Desk) -> None:
    tie = desk.propose()
    ahead = desk.said(NOW + TOLERANCE + timedelta(seconds=1))
    with pytest.raises(TieStatedInFuture):
        desk.book.withdraw(tie.tie, ahead)
    behind = desk.said(NOW - TOLERANCE - timedelta(seconds=1))
    with pytest.raises(TieStatedBefore):
        desk.book.accept(tie.tie, Act.SERVICE_ACCEPT, behind, terms=tie.terms.hash)
    assert desk.reading.tie(tie.tie) == tie


def test_sides_that_are_not_there_are_refused(desk: Desk) -> None:
    with pytest.raises(TieSubjectUnfit):
        desk.propose("0000000001")
    with pytest.raises(ServiceUnknown):
        desk.book.propose(ONE, "nothing", OFFER, desk.said())
    with pytest.raises(ServiceUnfit):
        desk.book.withdraw_from(ONE, "x" * 64, desk.said())
    with pytest.raises(TieUnknown):
        desk.book.withdraw("nothing", desk.said())
    desk.propose()
    with pytest.raises(TieTwice):
        desk.propose()
    desk.go(timedelta(days=200))
    with pytest.raises(ServiceOver):
        desk.propose(TWO)


@pytest.mark.parametrize("fate", [Act.DIE, Act.MERGE])
def test_a_resident_who_is_gone_is_tied_to_nothing(desk: Desk, fate: Act) -> None:
    tie, other = desk.bring(State.IN_FORCE), desk.bring(State.IN_FORCE, TWO)
    ended = act(desk, tie, fate)
    assert (ended.state, ended.reason) == (State.ENDED, fate.value)
    assert desk.agent.may(tie.tie, NAME, Channel.POST).reason is Reason.ENDED
    with pytest.raises(ResidentGone):
        desk.propose()
    assert desk.agent.may(other.tie, NAME, Channel.POST).is_permitted


def test_what_outlived_its_term_ends(desk: Desk) -> None:
    tie, other = desk.bring(State.IN_FORCE, terms=LESS), desk.bring(State.IN_FORCE, TWO)
    desk.go(timedelta(days=60))  # behind 12-31, before 3-31
    assert desk.agent.may(tie.tie, NAME, Channel.POST).reason is Reason.TERM
    assert (desk.book.expire(), desk.book.expire()) == (1, 0)
    assert desk.reading.tie(tie.tie).reason == "expire"
    assert desk.agent.may(other.tie, NAME, Channel.POST).is_permitted


def test_the_frequency_is_counted_once_a_use(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE, terms=LESS)

    def use(name: str, channel: Channel = Channel.POST) -> Reason:
        return desk.agent.use(tie.tie, NAME, channel, use=name).reason

    assert [use("a"), use("a"), use("b")] == [Reason.ACCEPTED, Reason.ACCEPTED, Reason.FREQUENCY]
    assert use("a", Channel.PORTAL) is Reason.USE_TAKEN
    desk.go(RETRY + timedelta(seconds=1))
    assert use("a") is Reason.USE_TAKEN
    desk.go(timedelta(days=7) - RETRY - timedelta(seconds=2))
    assert use("b") is Reason.FREQUENCY
    desk.go(timedelta(seconds=1))
    assert use("b") is Reason.ACCEPTED


def test_uses_at_the_same_moment_are_counted(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(desk.agent.use, tie.tie, NAME, Channel.POST, use=f"n{number}")
            for number in range(24)
        ]
        permitted = sum(one.result().is_permitted for one in asked)
    assert permitted == OFFER.frequency.times
    held = desk.store.read(lambda c: c.execute(sa.select(sa.func.count(uses.c.use))).scalar_one())
    assert held == permitted


def test_two_processes_count_together(opened: Callable[[], StateStore], desk: Desk) -> None:
    if not desk.store.is_shared:
        pytest.skip("one process has the file")
    tie = desk.bring(State.IN_FORCE)
    other = opened()
    try:
        agents = [desk.agent, type(desk.agent)(other, tenant=TENANT, clock=desk.clock)]
        with ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(agents[n % 2].use, tie.tie, NAME, Channel.POST, use=f"n{n}")
                for n in range(24)
            ]
            assert sum(one.result().is_permitted for one in asked) == OFFER.frequency.times
    finally:
        other.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"terms": OFFER.encode(), "days": OFFER.frequency.days},
        {"state": State.IN_FORCE.value},
        {"subject": TWO},
        {"days": 1},
        {"revisions": 1},
        {"service": "other"},
    ],
)
def test_a_changed_row_permits_nothing_and_is_found(desk: Desk, changed: dict[str, object]) -> None:
    tie = desk.bring(State.NARROWED)
    tie = desk.accept(tie, Act.RESIDENT_ACCEPT)
    if "state" not in changed:
        tie = desk.accept(tie, Act.SERVICE_ACCEPT)
        assert desk.agent.may(tie.tie, NAME, Channel.POST).is_permitted
    mine = sa.update(ties).where(ties.c.tenant == TENANT, ties.c.tie == tie.tie)
    run(desk, mine.values(**changed))
    assert desk.agent.may(tie.tie, NAME, Channel.POST).reason is Reason.TOUCHED
    assert [fault.record for fault in desk.reading.verify()] == [tie.tie]
    with pytest.raises(TieTouched):
        desk.reading.tie(tie.tie)


def test_a_changed_service_is_found(desk: Desk) -> None:
    changed = sa.update(services).values(clause="架空市乳幼児健診条例 第9条")
    run(desk, changed)
    assert [one.record for one in desk.reading.verify()] == [f"service:{SERVICE.service}"]


def test_revisions_are_only_added_to(desk: Desk) -> None:
    desk.propose()
    statements: list[sa.Executable] = [
        sa.delete(revisions),
        sa.update(revisions).values(hash="-"),
    ]
    for statement in statements:
        with pytest.raises(Exception, match=r"storage|added|refuse"):
            run(desk, statement)


def test_every_move_has_its_leaf(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE)
    query = sa.select(waiting.c.body).order_by(waiting.c.entry)
    bodies = desk.store.read(lambda c: [bytes(b) for b in c.execute(query).scalars()])
    told = [body for body in bodies if b'"event":"tie.moved"' in body]
    assert len(told) == tie.revisions == 3
    assert ONE.encode() not in b"".join(bodies)
    assert tie.head.encode() in told[-1]


def test_a_tie_that_is_gone_is_missed_by_the_evidence(desk: Desk) -> None:
    tie = desk.propose()
    run(desk, sa.delete(ties))
    assert [fault.record for fault in desk.reading.verify()] == [tie.tie]


def test_services_are_registered_changed_found_and_deleted(desk: Desk) -> None:
    registry = desk.book.registry
    with pytest.raises(ServiceTaken):
        registry.add(SERVICE, by="operator")
    tie = desk.bring(State.IN_FORCE)
    ended = replace(SERVICE, last=date(2026, 11, 21))
    registry.replace(ended, by="operator")
    assert desk.agent.may(tie.tie, NAME, Channel.POST).reason is Reason.SERVICE_OVER
    assert registry.search(["条例 第4条"], section="子育て支援課") == [ended]
    assert registry.search(["乳幼児"], at=NOW) == registry.search(["相続"]) == []
    with pytest.raises(ServiceTied):
        registry.delete(SERVICE.service, by="operator")
    desk.book.end(tie.tie, desk.said())
    registry.delete(SERVICE.service, by="operator")
    assert registry.search() == []
    with pytest.raises(ServiceUnknown):
        registry.service(SERVICE.service)
    with pytest.raises(ServiceTaken):  # an id is not used for another thing
        registry.add(SERVICE, by="operator")
    assert desk.reading.verify() == []


def test_a_resident_sees_services_with_state_time_and_clause(desk: Desk) -> None:
    registry = desk.book.registry

    def tell(status: Status, at: timedelta) -> None:
        registry.tell(
            ONE, SERVICE.service, status, as_of=NOW + at, source="child-care", by="operator"
        )

    tell(Status.ELIGIBLE, -2 * HOUR)
    tell(Status.RECEIVING, -HOUR)
    with pytest.raises(StatusOlder):
        tell(Status.ENDED, -2 * HOUR)
    with pytest.raises(TieStatedInFuture):
        tell(Status.ENDED, HOUR)
    (known,) = registry.known(ONE)
    assert (known.status, known.as_of) == (Status.RECEIVING, NOW - HOUR)
    assert (known.clause, known.service) == (SERVICE.clause, SERVICE)
    assert registry.known(TWO) == []


def test_no_table_of_ties_is_open_to_other_tenants(desk: Desk) -> None:
    if desk.store.is_shared:
        assert desk.store.read(unsecured) == []


def test_live_states_are_those_that_moves_begin_from() -> None:
    assert {state for state, _ in MOVES} == set(LIVE)
