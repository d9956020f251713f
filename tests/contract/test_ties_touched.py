"""Whoever takes away or changes what is known of ties is found, and gains no use by it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kumobashi.evidence.sql import waiting
from kumobashi.messages.standings import Stands
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from kumobashi.ties.agent import Reason
from kumobashi.ties.copies import due_at
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Status
from kumobashi.ties.sql import copies, fates, revisions, statuses, uses, withdrawals
from kumobashi.ties.states import State
from kumobashi.ties.terms import Channel, Frequency
from tests.unit.ties.books import LESS, NOW, OFFER, ONE, SERVICE, TENANT, TWO, Desk

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
HOUR = timedelta(hours=1)
NAME = frozenset({"name"})


@pytest.fixture
def desk(store: StateStore) -> Desk:
    return Desk(store, HandClock(NOW))


def run(desk: Desk, *statements: sa.Executable) -> None:
    """Change the tables behind the book's back."""

    def work(connection: sa.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    desk.store.write(work)


def use(desk: Desk, tie: Tie, name: str) -> Reason:
    return desk.agent.use(tie.tie, NAME, Channel.POST, use=name).reason


def found(desk: Desk) -> list[tuple[str, int]]:
    return [(fault.record, fault.number) for fault in desk.reading.verify()]


NEW_USE = {"tenant": TENANT, "use": "z", "asked": "-", "at": 0, "number": 4}


TOUCHES: list[tuple[sa.Update | sa.Delete | sa.Insert, int]] = [
    (sa.delete(uses).where(uses.c.number == 3), 3),
    (sa.delete(uses).where(uses.c.number == 1), 1),
    (sa.delete(uses), 1),
    (sa.update(uses).where(uses.c.number == 2).values(at=0), 2),
    (sa.update(uses).where(uses.c.number == 2).values(asked="-"), 2),
    (sa.update(uses).where(uses.c.number == 3).values(use="other"), 3),
    (sa.update(uses).where(uses.c.number == 3).values(number=0), 3),
    (sa.insert(uses).values(NEW_USE), 4),
]


def test_a_touched_use_resets_no_frequency_and_is_named(desk: Desk) -> None:
    other, named = desk.bring(State.IN_FORCE), []
    for number, (touch, at) in enumerate(TOUCHES):
        tie = desk.bring(State.IN_FORCE, f"{number:048x}")
        assert {use(desk, tie, name) for name in "abc"} == {Reason.ACCEPTED}
        if isinstance(touch, sa.Insert):
            run(desk, touch.values(tie=tie.tie))
        else:
            run(desk, touch.where(uses.c.tie == tie.tie))
        assert use(desk, tie, "d") is Reason.TOUCHED
        assert desk.agent.may(tie.tie, NAME, Channel.POST).reason is Reason.TOUCHED
        named.append((f"uses:{tie.tie}", at))
        assert sorted(found(desk)) == sorted(named)
    assert use(desk, other, "a") is Reason.ACCEPTED


def test_uses_taken_away_with_their_revisions_are_missed_by_the_evidence(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE, terms=LESS)
    assert [use(desk, tie, "a"), use(desk, tie, "b")] == [Reason.ACCEPTED, Reason.FREQUENCY]
    unguarded = "alter table tie_revisions disable trigger user"
    if not desk.store.is_shared:
        unguarded = "drop trigger tie_revisions_no_delete"
    record = f"uses:{tie.tie}"
    mine = sa.delete(revisions).where(revisions.c.record == record)
    run(desk, sa.text(unguarded), sa.delete(uses), mine)
    assert found(desk) == [(record, 1)]


def test_each_use_has_its_leaf_that_does_not_repeat_its_id(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE)
    use(desk, tie, "notice-4711")
    bodies = desk.store.read(
        lambda c: [bytes(b) for b in c.execute(sa.select(waiting.c.body)).scalars()]
    )
    told = [body for body in bodies if b'"event":"tie.used"' in body]
    assert len(told) == 1
    assert tie.tie.encode() in told[0]
    assert b"4711" not in told[0]


def known(desk: Desk) -> None:
    """Have a row in every list, with a history."""
    for hours in (3, 2):
        status = Status.ELIGIBLE if hours == 3 else Status.ENDED
        as_of = NOW - hours * HOUR
        service, registry = SERVICE.service, desk.book.registry
        registry.tell(ONE, service, status, as_of=as_of, source="care", by="operator")
        desk.book.withdraw_from(ONE, service, desk.said(as_of))
    desk.book.died(TWO, by="operator")


LISTED: list[tuple[sa.Executable, str, int]] = [
    (sa.delete(statuses), "status:", 1),
    (sa.update(statuses).values(status="receiving"), "status:", 2),
    (sa.update(statuses).values(as_of=0), "status:", 2),
    (sa.update(statuses).values(subject=TWO), "status:", 2),
    (sa.update(statuses).values(record=None), "status:", 1),
    (sa.update(statuses).values(revisions=1), "status:", 1),
    (sa.delete(fates), "fate:", 1),
    (sa.update(fates).values(subject="3" * 48), "fate:", 1),
    (sa.update(fates).values(fate="merge"), "fate:", 1),
    (sa.delete(withdrawals), "withdrawn:", 1),
    (sa.update(withdrawals).values(stated_at=0), "withdrawn:", 2),
    (sa.update(withdrawals).values(source="portal"), "withdrawn:", 2),
]


def test_a_touched_list_is_found(desk: Desk) -> None:
    known(desk)
    tables = (statuses, fates, withdrawals)
    rows = {
        table: desk.store.read(lambda c, t=table: c.execute(sa.select(t)).mappings().all())  # type: ignore[misc]
        for table in tables
    }
    assert found(desk) == []
    for touched, prefix, number in LISTED:
        run(desk, touched)
        ((record, at),) = found(desk)
        assert (record.startswith(prefix), at) == (True, number)
        for table in tables:  # as it was
            run(desk, sa.delete(table), sa.insert(table).values([dict(row) for row in rows[table]]))
        assert found(desk) == []


def test_two_processes_note_a_death_once(opened: Callable[[], StateStore], desk: Desk) -> None:
    if not desk.store.is_shared:
        pytest.skip("one process has the file")
    other = opened()
    try:
        books = [desk.book, type(desk.book)(other, tenant=TENANT, clock=desk.clock)]
        with ThreadPoolExecutor(4) as pool:
            told = [
                pool.submit(books[n % 2].died, f"{n // 2:048x}", by="operator") for n in range(100)
            ]
            assert [one.result() for one in told] == [[]] * 100
    finally:
        other.close()
    assert found(desk) == []
    assert len(desk.store.read(lambda c: c.execute(sa.select(fates)).all())) == 50


def test_rows_of_an_older_release_are_taken_on_at_their_next_change(desk: Desk) -> None:
    older = {"record": None, "salt": None, "revisions": None, "head": None}
    row = {"tenant": TENANT, "subject": ONE, "service": SERVICE.service, "source": "care"}
    as_of = {"status": "eligible", "as_of": 1, "clause": "-"}
    run(desk, sa.insert(statuses).values({**row, **as_of, **older}))
    assert found(desk) == []
    registry = desk.book.registry
    registry.tell(ONE, SERVICE.service, Status.ENDED, as_of=NOW, source="care", by="operator")
    assert found(desk) == []
    run(desk, sa.delete(statuses))
    assert len(found(desk)) == 1


def test_who_touches_what_is_to_be_told_silences_no_later_withdrawal(desk: Desk) -> None:
    served = replace(SERVICE, system="notice-cloud")
    desk.book.registry.replace(served, by="operator")
    touches: tuple[sa.Update | sa.Delete, ...] = (
        sa.delete(copies),
        sa.update(copies).values(told=999),
        sa.update(copies).values(told=copies.c.sequence),
    )
    for number, touch in enumerate(touches):
        tie = desk.bring(State.IN_FORCE, f"{number:048x}")
        run(desk, touch.where(copies.c.tie == tie.tie))
        if number == 1:
            assert found(desk) == [(f"copies:{tie.tie}", 1)]
        desk.book.withdraw(tie.tie, desk.said())
        due = desk.store.read(lambda held: due_at(held, TENANT, "notice-cloud", most=10))
        assert [one.stands for one in due if one.tie == tie.tie] == [Stands.WITHDRAWN]
    assert found(desk) == []


def test_a_frequency_beyond_a_hundred_is_reset_by_nobody(desk: Desk) -> None:
    often = replace(OFFER, frequency=Frequency(times=103, days=28))
    tie = desk.bring(State.IN_FORCE, terms=often)
    assert {use(desk, tie, f"u{number}") for number in range(103)} == {Reason.ACCEPTED}
    assert use(desk, tie, "more") is Reason.FREQUENCY
    run(desk, sa.update(uses).where(uses.c.number.in_([1, 2])).values(at=0))
    assert use(desk, tie, "more") is Reason.TOUCHED
