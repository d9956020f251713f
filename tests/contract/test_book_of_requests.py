"""The book of requests, the same in every store: every move, every deadline, every fault."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from kumobashi.evidence.sql import waiting
from kumobashi.exchange.row_security import unsecured
from kumobashi.kernel import KumobashiError
from kumobashi.requests.book import Book, Who
from kumobashi.requests.carrying_errors import (
    DeciderCarriesOut,
    LiftUnasked,
    NotSuspended,
    ReceiverUnknown,
    ScopeNeeded,
    ScopeWider,
)
from kumobashi.requests.errors import (
    AnswerMissing,
    ClauseUnfit,
    DeadlineUnknown,
    ExtendedFar,
    ExtendedLate,
    ExtendedTwice,
    ProposalNeeded,
    ProposalUnlike,
    ProposerDecides,
    ReasonMissing,
    RequestBefore,
    RequesterUnchecked,
    RequestInFuture,
    RequestMove,
    RequestTouched,
    RequestTwice,
    RequestUnfit,
    RequestUnknown,
    TransferUnknown,
)
from kumobashi.requests.reading import Reading
from kumobashi.requests.records import Identity
from kumobashi.requests.ruling import Wish
from kumobashi.requests.sql import requests, revisions
from kumobashi.requests.states import MOVES, Act, Kind, Outcome, State, after
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.unit.requests.books import (
    ANSWER,
    CHIEF,
    CLERK,
    GRANTED,
    NHI,
    NOW,
    ONE,
    REFUSED,
    TODAY,
    TWO,
    Desk,
)

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
BUSY = "受付が混み合ったため"
LIFT = "本人の申出"


@pytest.fixture
def desk(store: StateStore) -> Desk:
    return Desk(store, HandClock(NOW))


def run(desk: Desk, statement: sa.Executable) -> None:
    """Change the tables behind the book's back."""

    def work(connection: sa.Connection) -> None:
        connection.execute(statement)

    desk.store.write(work)


def leaves(desk: Desk) -> list[bytes]:
    return desk.store.read(
        lambda connection: [
            bytes(one) for one in connection.execute(sa.select(waiting.c.body)).scalars()
        ]
    )


def act(desk: Desk, request: str, what: Act, state: State) -> State:
    """Do one act on a request, by the book."""
    book = desk.book
    proposal = desk.reading.one(request).details.proposal
    deeds: dict[Act, Callable[[], object]] = {
        Act.CHECK: lambda: book.check(request, Identity.MAILED, CLERK),
        Act.ASK: lambda: book.ask_more(request, "委任状がありません。", CLERK),
        Act.RESUME: lambda: book.resume(request, Identity.COUNTER, CLERK),
        Act.EXTEND: lambda: book.extend(request, BUSY, CHIEF),
        Act.ANSWER: lambda: book.answered(request, ANSWER, CLERK),
        Act.PROPOSE: lambda: book.propose(request, REFUSED, CLERK),
        Act.RETURN: lambda: book.send_back(request, CHIEF),
        Act.DECIDE: lambda: (
            book.confirm(request, proposal.hash, CHIEF)
            if proposal
            else book.decide(request, GRANTED, CHIEF)
        ),
        Act.TRANSFER: lambda: book.transfer(request, "架空県", "県が保有するため", CHIEF),
        Act.CARRY_OUT: lambda: book.carry_out(request, CLERK),
        Act.NOTE: lambda: book.note(request, NHI.link, CLERK, is_confirmed=True),
        Act.ASK_LIFT: lambda: book.ask_lift(request, LIFT, CLERK),
        Act.LIFT: lambda: book.lift(request, CHIEF),
        Act.CLOSE: lambda: book.close(request, CLERK),
        Act.WITHDRAW: lambda: book.withdraw(request, CLERK),
    }
    if (state, what) == (State.CHECKED, Act.DECIDE):
        book.answered(request, ANSWER, CLERK)
    if what is Act.LIFT and after(state, what):
        book.ask_lift(request, LIFT, CLERK)
    deeds[what]()
    return desk.reading.one(request).state


def test_every_move_is_made_or_refused(desk: Desk) -> None:
    asked = [one for one in Act if one is not Act.RECEIVE]
    for number, state in enumerate(State):
        held = desk.bring(state, f"{number:048x}")
        for what in (one for one in asked if (state, one) not in MOVES):
            with pytest.raises(RequestMove):
                act(desk, held.request, what, state)
        assert desk.reading.one(held.request) == held
    for number, ((state, move), then) in enumerate(MOVES.items(), len(State)):
        kind = Kind.SUSPENSION if move in {Act.ASK_LIFT, Act.LIFT} else Kind.DISCLOSURE
        held = desk.bring(state, f"{number:048x}", kind)
        assert act(desk, held.request, move, state) is then
    assert desk.reading.verify() == []


def test_a_disclosure_from_the_counter_to_its_end(desk: Desk) -> None:
    held = desk.book.receive(ONE, Kind.DISCLOSURE, CLERK, identity=Identity.COUNTER)
    assert held.due(TODAY).day == date(2026, 12, 2)
    desk.go(3)
    with pytest.raises(AnswerMissing):
        desk.book.decide(held.request, GRANTED, CHIEF)
    desk.book.answered(held.request, ANSWER, CLERK)
    held = desk.book.decide(held.request, GRANTED, CHIEF)
    assert held.details.decision is not None
    assert (held.details.decision.answer, held.details.days_late) == (ANSWER, 0)
    assert held.details.decided_on == date(2026, 11, 5)
    with pytest.raises(RequestMove):  # nothing decided is taken back
        desk.book.withdraw(held.request, CLERK)
    said = [one.said for one in desk.reading.history(held.request)]
    assert [one["act"] for one in said] == ["receive", "check", "answer", "decide"]
    assert all(ONE.encode() not in body for body in leaves(desk))
    assert all(ONE not in str(one) for one in said)


def test_a_disclosure_that_was_carried_out_is_known(desk: Desk) -> None:
    held = desk.bring(State.DECIDED)
    assert desk.reading.disclosed_on(ONE) is None
    desk.go(2)
    desk.book.carry_out(held.request, CLERK)
    desk.go(3)
    desk.book.close(held.request, CLERK)
    assert desk.reading.disclosed_on(ONE) == TODAY + timedelta(days=2)
    assert desk.reading.disclosed_on(TWO) is None


def test_a_refusal_takes_two_people_and_the_same_words(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    with pytest.raises(ProposalNeeded):
        desk.book.decide(held.request, REFUSED, CHIEF)
    proposed = desk.book.propose(held.request, REFUSED, CHIEF).details.proposal
    assert proposed is not None
    with pytest.raises(ProposerDecides):
        desk.book.confirm(held.request, proposed.hash, CHIEF)
    other = Wish(outcome=Outcome.REFUSED, clauses=("81",), reason="存否を答えられません。")
    with pytest.raises(ProposalNeeded):
        desk.book.decide(held.request, GRANTED, CLERK)  # a proposal lies there: no way around it
    with pytest.raises(RequestMove):
        desk.book.propose(held.request, other, CHIEF)
    desk.book.send_back(held.request, CHIEF)
    now = desk.book.propose(held.request, other, CHIEF).details.proposal
    assert now is not None
    with pytest.raises(ProposalUnlike):
        desk.book.confirm(held.request, proposed.hash, CLERK)  # what she saw is not what lies there
    done = desk.book.confirm(held.request, now.hash, CLERK)
    assert (done.state, done.details.decision) == (State.DECIDED, now)
    assert done.details.decided_by == CLERK.by
    with pytest.raises(RequestMove):
        desk.book.carry_out(held.request, CLERK)  # a refusal has nothing to carry out
    assert desk.book.close(held.request, CLERK).state is State.CLOSED


def test_the_clock_stops_and_runs_again(desk: Desk) -> None:
    held = desk.book.receive(ONE, Kind.CORRECTION, CLERK)
    desk.go(5)
    held = desk.book.ask_more(held.request, "対象の記載がありません。", CLERK)
    desk.go(20)
    assert held.due(date(2026, 11, 27)).lost == 20
    with pytest.raises(RequesterUnchecked):
        desk.book.resume(held.request, None, CLERK)
    held = desk.book.resume(held.request, Identity.COUNTER, CLERK)
    assert held.due(date(2026, 11, 27)).counted == date(2026, 12, 22)
    assert held.texts == {"ask": "対象の記載がありません。"}


def test_what_was_lacking_and_never_came_can_only_be_refused(desk: Desk) -> None:
    held = desk.book.receive(ONE, Kind.DISCLOSURE, CLERK)
    desk.book.ask_more(held.request, "委任状がありません。", CLERK)
    with pytest.raises(RequestMove):
        desk.book.propose(
            held.request,
            Wish(outcome=Outcome.PARTLY, clauses=("78-1-2",), reason="ほかの人の情報"),
            CLERK,
        )
    form = Wish(outcome=Outcome.REFUSED, clauses=("77-form",), reason="補正がありません。")
    held = desk.book.propose(held.request, form, CLERK)
    desk.book.send_back(held.request, CHIEF)
    with pytest.raises(RequesterUnchecked):  # sending it back opens no way to grant it
        desk.book.decide(held.request, GRANTED, CHIEF)


def test_a_deadline_is_put_off_once_in_time_and_not_too_far(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    for days in (0, 31, -1):
        with pytest.raises(ExtendedFar):
            desk.book.extend(held.request, BUSY, CHIEF, days=days)
    with pytest.raises(ExtendedFar):
        desk.book.extend(held.request, BUSY, CHIEF, until=date(2026, 12, 2))
    with pytest.raises(ReasonMissing):
        desk.book.extend(held.request, " ", CHIEF)
    done = desk.book.extend(held.request, BUSY, CHIEF)
    assert done.due(TODAY).counted == date(2027, 1, 1)
    with pytest.raises(ExtendedTwice):
        desk.book.extend(held.request, BUSY, CHIEF)

    late = desk.bring(State.CHECKED, TWO)
    desk.go(31)
    with pytest.raises(ExtendedLate):
        desk.book.extend(late.request, BUSY, CHIEF)


def test_a_late_decision_is_made_and_marked(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    desk.book.answered(held.request, ANSWER, CLERK)
    desk.go(35)
    done = desk.book.decide(held.request, GRANTED, CHIEF)
    assert done.details.days_late == 5
    assert any(b'"days_late":5' in body for body in leaves(desk))


def test_the_same_request_twice_is_refused_while_the_first_lives(desk: Desk) -> None:
    first = desk.bring(State.RECEIVED)
    with pytest.raises(RequestTwice) as refused:
        desk.bring(State.RECEIVED)
    assert refused.value.request == first.request
    desk.book.receive(ONE, Kind.DISCLOSURE, CLERK, links=["notice-attributes"])
    desk.bring(State.RECEIVED, ONE, Kind.SUSPENSION)
    desk.bring(State.RECEIVED, TWO)
    desk.book.withdraw(first.request, CLERK)
    assert desk.bring(State.RECEIVED).state is State.RECEIVED


def test_two_at_once_write_one(desk: Desk) -> None:
    def ask(_number: int) -> bool:
        try:
            desk.book.receive(ONE, Kind.DISCLOSURE, CLERK)
        except RequestTwice:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    assert len(desk.reading.listed().requests) == 1


def test_two_processes_write_one(desk: Desk, opened: Callable[[], StateStore]) -> None:
    if not desk.store.is_shared:
        pytest.skip("one process at a time has this store")
    other = opened()
    try:
        desks = [desk, Desk(other, desk.clock)]

        def ask(number: int) -> bool:
            try:
                desks[number % 2].book.receive(f"{number // 2:048x}", Kind.CORRECTION, CLERK)
            except RequestTwice:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, range(24))) == 12
    finally:
        other.close()
    assert len(desk.reading.listed().requests) == 12
    assert desk.reading.verify() == []


def test_days_that_two_clocks_disagree_on(desk: Desk) -> None:
    tomorrow = Who(by=CLERK.by, on=TODAY + timedelta(days=1))
    with pytest.raises(RequestInFuture):
        desk.book.receive(ONE, Kind.DISCLOSURE, tomorrow)
    earlier = Who(by=CLERK.by, on=TODAY - timedelta(days=4))  # it came by post
    held = desk.book.receive(ONE, Kind.DISCLOSURE, earlier)
    assert held.due(TODAY).counted == date(2026, 11, 28)
    desk.book.check(held.request, Identity.MAILED, CLERK)
    with pytest.raises(RequestBefore):
        desk.book.ask_more(held.request, "委任状がありません。", earlier)
    with pytest.raises(DeadlineUnknown):
        desk.book.receive(TWO, Kind.DISCLOSURE, Who(by=CLERK.by, on=date(2023, 3, 31)))


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish(outcome=Outcome.REFUSED, reason="x"), ClauseUnfit),
        (Wish(outcome=Outcome.REFUSED, clauses=("93-2",), reason="x"), ClauseUnfit),
        (Wish(outcome=Outcome.PARTLY, clauses=("81",), reason="x"), ClauseUnfit),
        (Wish(outcome=Outcome.REFUSED, clauses=("81",)), ReasonMissing),
        (Wish(outcome=Outcome.REFUSED, clauses=("81",), reason="長" * 1001), RequestUnfit),
        (Wish(outcome=Outcome.REFUSED, clauses=("81",), reason="a\x1b[2J"), RequestUnfit),
        (Wish(outcome=Outcome.PARTLY, clauses=("78-1-2",), reason="x"), AnswerMissing),
        (Wish(outcome=Outcome.GRANTED, clauses=("81",)), ClauseUnfit),
    ],
)
def test_what_cannot_be_decided_is_refused(
    desk: Desk, wish: Wish, error: type[KumobashiError]
) -> None:
    held = desk.bring(State.CHECKED)
    with pytest.raises(error):
        desk.book.propose(held.request, wish, CLERK)
    assert desk.reading.one(held.request) == held


def test_numbers_in_the_clear_and_unknown_requests(desk: Desk) -> None:
    with pytest.raises(RequestUnfit) as refused:
        desk.book.receive("0001234567", Kind.DISCLOSURE, CLERK)
    assert "0001234567" not in str(refused.value)
    with pytest.raises(RequestUnknown):
        desk.book.close("019aa8d1-5b7c-7000-8000-0123456789ab", CLERK)
    held = desk.bring(State.CHECKED, ONE, Kind.SUSPENSION)
    with pytest.raises(TransferUnknown):
        desk.book.transfer(held.request, "架空県", "県が保有するため", CHIEF)


def test_a_suspension_counts_from_its_commit_until_two_lift_it(desk: Desk) -> None:
    held = desk.bring(State.DECIDED, kind=Kind.SUSPENSION)
    assert desk.reading.suspending(NHI.link) == {}
    with pytest.raises(DeciderCarriesOut):
        desk.book.carry_out(held.request, CHIEF)
    desk.book.carry_out(held.request, CLERK, receivers=[NHI])
    for link in (NHI.link, "notice-attributes"):
        assert desk.reading.suspending(link) == {held.request: ONE}
    with pytest.raises(LiftUnasked):
        desk.book.lift(held.request, CHIEF)
    with pytest.raises(ReceiverUnknown):
        desk.book.note(held.request, "nothing", CLERK, is_confirmed=True)
    noted = desk.book.note(held.request, NHI.link, CLERK, is_confirmed=True)
    assert [one.confirmed_on for one in noted.details.receivers] == [TODAY]
    desk.book.close(held.request, CLERK)
    assert desk.reading.suspending(NHI.link) == {held.request: ONE}  # what ended is the paper work
    desk.book.ask_lift(held.request, LIFT, CHIEF)
    with pytest.raises(ProposerDecides):
        desk.book.lift(held.request, CHIEF)
    desk.book.lift(held.request, CLERK)
    assert desk.reading.suspending(NHI.link) == {}
    with pytest.raises(NotSuspended):
        desk.book.ask_lift(held.request, LIFT, CHIEF)
    assert desk.reading.verify() == []


def test_a_part_suspends_the_links_that_are_named(desk: Desk) -> None:
    asked = [NHI.link, "notice-attributes"]
    held = desk.book.receive(ONE, Kind.SUSPENSION, CLERK, links=asked, identity=Identity.COUNTER)
    wish = Wish(outcome=Outcome.PARTLY, clauses=("101-2",), reason="一部は法令による提供のため")
    proposal = desk.book.propose(held.request, wish, CLERK).details.proposal
    assert proposal is not None
    desk.book.confirm(held.request, proposal.hash, CHIEF)
    with pytest.raises(ScopeNeeded):
        desk.book.carry_out(held.request, CLERK)
    with pytest.raises(ScopeWider):
        desk.book.carry_out(held.request, CLERK, links=["tax-income"])
    desk.book.carry_out(held.request, CLERK, links=["notice-attributes"])
    assert desk.reading.suspending("notice-attributes") == {held.request: ONE}
    assert desk.reading.suspending(NHI.link) == {}


def test_nobody_says_who_is_suspended_when_a_suspension_was_touched(desk: Desk) -> None:
    desk.bring(State.CARRIED_OUT, kind=Kind.SUSPENSION)
    run(desk, sa.update(requests).values(subject=TWO))
    with pytest.raises(RequestTouched):
        desk.reading.suspending(NHI.link)


def test_a_correction_or_disclosure_suspends_nobody(desk: Desk) -> None:
    for kind in (Kind.CORRECTION, Kind.DISCLOSURE):
        held = desk.bring(State.CARRIED_OUT, kind=kind)
        with pytest.raises(NotSuspended):
            desk.book.ask_lift(held.request, LIFT, CLERK)
    assert desk.reading.suspending(NHI.link) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"subject": TWO},
        {"state": "closed"},
        {"received_on": "2026-11-20"},
        {"texts": '{"decide":"別の理由"}'},
        {"facts": "{}"},
        {"head": "sha256:" + "0" * 64},
    ],
)
def test_a_row_that_somebody_changed_is_found(desk: Desk, change: dict[str, str]) -> None:
    held = desk.bring(State.DECIDED)
    run(desk, sa.update(requests).values(change))
    with pytest.raises(RequestTouched):
        desk.reading.one(held.request)
    with pytest.raises(RequestTouched):
        desk.book.close(held.request, CLERK)
    assert [fault.record for fault in desk.reading.verify()] == [held.request]
    other = desk.bring(State.CHECKED, "3" * 48)  # the others can still be read
    listed = desk.reading.listed()
    assert ([one.request for one in listed.requests], len(listed.touched)) == ([other.request], 1)


def test_revisions_only_grow_and_what_is_gone_is_missed(desk: Desk) -> None:
    held = desk.bring(State.DECIDED)
    with pytest.raises(Exception, match=r"added to"):
        run(desk, sa.delete(revisions))
    run(desk, sa.delete(requests))
    assert [fault.record for fault in desk.reading.verify()] == [held.request]


def test_another_municipality_sees_nothing(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    with pytest.raises(RequestUnknown):
        Reading(desk.store, tenant="999989").one(held.request)
    other = Book(desk.store, tenant="999989", clock=desk.clock)
    with pytest.raises(RequestUnknown):
        other.close(held.request, CLERK)
    assert desk.store.read(unsecured) == []
