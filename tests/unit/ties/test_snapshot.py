"""Whose rows may leave under their ties, for all at once, is what the agent's rules say of each."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.kernel import new_id
from kumobashi.storage.tables import Query
from kumobashi.ties.agent import Offered, Reason
from kumobashi.ties.asked import Asked, why_not
from kumobashi.ties.carried import carried_under, pair_of
from kumobashi.ties.changed import changed, permitted_among
from kumobashi.ties.errors import ServiceUnknown, TiesChanged, TieTouched
from kumobashi.ties.snapshot import Snapshot
from kumobashi.ties.source import TieStore
from kumobashi.ties.sql import ties, transfers
from kumobashi.ties.states import State
from kumobashi.ties.terms import Channel, Frequency
from tests.unit.ties.books import LESS, OFFER, SERVICE, TENANT, Desk, fresh

ASKED = Asked(service=SERVICE.service, items=frozenset({"name", "address"}), channel=Channel.POST)
NAME_ONLY = replace(ASKED, items=frozenset({"name"}))
OFFERED = Offered(first=SERVICE.first, last=SERVICE.last, is_deleted=False, clause=SERVICE.clause)
QUERY = Query("tie_registry", ("resident_no", "high", "low"))
_ENDING = "0" * 38


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with fresh(tmp_path) as made:
        yield made


def sealed(number: int) -> str:
    return f"{number:010d}{_ENDING}"


def snapshot(desk: Desk) -> Snapshot:
    """Numbers are sealed here by what stands behind them."""
    return Snapshot(
        desk.store, tenant=TENANT, opened=lambda many: [one.removesuffix(_ENDING) for one in many]
    )


def who(held: Snapshot, desk: Desk, asked: Asked = ASKED) -> set[int]:
    found = held.read(asked, desk.clock.now()).tied
    return {int(one) for one in found["number"].to_pylist()}


def why(held: Snapshot, desk: Desk, asked: Asked = ASKED) -> dict[int, str]:
    found = held.read(asked, desk.clock.now()).untied.to_pydict()
    return dict(zip(map(int, found["number"]), found["reason"], strict=True))


def send(desk: Desk, held: Snapshot, asked: Asked = ASKED, transfer: str | None = None) -> set[int]:
    """Read and seal as a transfer does; return whose rows it carries."""
    source = TieStore(held, asked, tenant=TENANT, clock=desk.clock)
    with source.reading() as reader, reader.stream(QUERY) as rows:
        read = rows.read_all()
    source.carry(read["high"], read["low"])
    name = transfer or new_id()
    desk.store.write(lambda held: source.seal(held, transfer=name, link="a-link"))
    return {int(one) for one in read["resident_no"].to_pylist()}


def test_each_state_has_its_reason(desk: Desk) -> None:
    for number, state in enumerate(State):
        desk.bring(state, sealed(number))
    held = snapshot(desk)
    assert who(held, desk) == {list(State).index(State.IN_FORCE)}
    assert why(held, desk) == {
        number: {State.ENDED: "ended", State.WITHDRAWN: "withdrawn"}.get(state, "not_in_force")
        for number, state in enumerate(State)
        if state is not State.IN_FORCE
    }


def test_who_narrowed_an_item_a_channel_or_the_term_is_left_out(desk: Desk) -> None:
    narrowed = [
        replace(OFFER, items=frozenset({"name"})),
        replace(OFFER, channels=frozenset({Channel.PORTAL})),
        replace(OFFER, last=date(2026, 11, 30)),
    ]
    for number, terms in enumerate(narrowed):
        tie = desk.bring(State.IN_FORCE, sealed(number))
        desk.book.narrow(tie.tie, terms, desk.said())
    desk.bring(State.IN_FORCE, sealed(9))
    held = snapshot(desk)
    assert (who(held, desk), why(held, desk)) == ({2, 9}, {0: "item", 1: "channel"})
    assert who(held, desk, NAME_ONLY) == {0, 2, 9}
    desk.go(timedelta(days=20))
    assert (who(held, desk), why(held, desk)[2]) == ({9}, "term")


def test_what_changed_is_seen_at_the_next_question(desk: Desk) -> None:
    held = snapshot(desk)
    assert who(held, desk) == set()
    tie = desk.bring(State.IN_FORCE, sealed(1))
    assert who(held, desk) == {1}
    desk.book.withdraw(tie.tie, desk.said())
    assert (who(held, desk), why(held, desk)) == (set(), {1: "withdrawn"})
    desk.go(timedelta(minutes=6))
    desk.bring(State.IN_FORCE, sealed(1))  # asked anew
    assert (who(held, desk), why(held, desk)) == ({1}, {})


def test_a_row_that_was_touched_lets_nobody_through(desk: Desk) -> None:
    tie = desk.bring(State.ENDED, sealed(1))
    desk.bring(State.IN_FORCE, sealed(2))
    row = ties.update().where(ties.c.tie == tie.tie).values(state="in_force")
    desk.store.write(lambda connection: connection.execute(row).close())
    assert (who(snapshot(desk), desk), why(snapshot(desk), desk)) == ({2}, {1: "touched"})


def test_a_service_that_is_not_there_or_over(desk: Desk) -> None:
    held = snapshot(desk)
    with pytest.raises(ServiceUnknown):
        who(held, desk, replace(ASKED, service="other"))
    desk.bring(State.IN_FORCE, sealed(1))
    desk.book.registry.replace(replace(SERVICE, last=date(2026, 11, 1)), by="operator")
    assert why(held, desk) == {1: "service_over"}


def test_each_transfer_counts_once_and_the_frequency_holds(desk: Desk) -> None:
    often = desk.bring(State.IN_FORCE, sealed(1))  # four times in 28 days
    once = replace(OFFER, frequency=Frequency(times=1, days=7))
    desk.bring(State.IN_FORCE, sealed(2), once)
    held = snapshot(desk)
    sent = []
    for _ in range(5):
        sent.append(send(desk, held))
        desk.go(timedelta(hours=30))
    assert sent == [{1, 2}, {1}, {1}, {1}, set()]
    assert why(held, desk) == {1: "frequency", 2: "frequency"}
    desk.go(timedelta(days=1))
    assert send(desk, held) == {2}
    found = desk.store.read(
        lambda connection: carried_under(connection, TENANT, SERVICE.service, often.tie)
    )
    assert [one["items"] for one in found] == [["address", "name"]] * 4
    assert desk.reading.verify() == []


def test_a_transfer_that_is_sealed_again_counts_once(desk: Desk) -> None:
    desk.bring(State.IN_FORCE, sealed(1), replace(OFFER, frequency=Frequency(times=2, days=7)))
    held, transfer = snapshot(desk), new_id()
    assert send(desk, held, transfer=transfer) == send(desk, held, transfer=transfer) == {1}
    assert send(desk, held) == {1}
    assert send(desk, held) == set()
    assert desk.reading.verify() == []


@pytest.mark.parametrize("what", ["withdraw", "narrow", "service", "transfer"])
def test_what_changes_between_reading_and_sealing_is_not_sealed(desk: Desk, what: str) -> None:
    tie, held = desk.bring(State.IN_FORCE, sealed(1)), snapshot(desk)
    source = TieStore(held, ASKED, tenant=TENANT, clock=desk.clock)
    with source.reading() as reader, reader.stream(QUERY) as rows:
        read = rows.read_all()
    source.carry(read["high"], read["low"])
    desk.bring(State.WITHDRAWN, sealed(7))  # who is not in it changes nothing
    match what:
        case "withdraw":
            desk.book.withdraw(tie.tie, desk.said())
        case "narrow":
            desk.book.narrow(tie.tie, LESS, desk.said())
        case "service":
            desk.book.registry.replace(replace(SERVICE, clause="第5条"), by="operator")
        case _:
            send(desk, held)
    with pytest.raises(TiesChanged):
        desk.store.write(lambda connection: source.seal(connection, transfer="t", link="l"))


def test_who_was_let_through_once_is_told_of_and_nobody_else(desk: Desk) -> None:
    def told(after: int) -> tuple[dict[str, bool], int]:
        def look(connection: sa.Connection) -> tuple[dict[str, bool], int]:
            found, until = changed(connection, TENANT, ASKED, after=after, most=100)
            good = permitted_among(connection, TENANT, ASKED, found, desk.clock.now())
            return {subject: subject in good for subject in found}, until

        return desk.store.read(look)

    first = desk.bring(State.IN_FORCE, sealed(1))
    desk.bring(State.IN_FORCE, sealed(2))
    desk.bring(State.WITHDRAWN, sealed(3))  # by the first acceptance only: never in force
    less = desk.bring(State.IN_FORCE, sealed(4))
    seen, until = told(0)
    assert seen == {}
    desk.book.withdraw(first.tie, desk.said())
    desk.book.narrow(less.tie, LESS, desk.said())
    seen, until = told(until)
    assert seen == {sealed(1): False, sealed(4): False}
    desk.go(timedelta(minutes=6))
    desk.bring(State.IN_FORCE, sealed(1))
    assert told(until)[0] == {sealed(1): True}


def test_all_at_once_is_what_the_rules_say_of_each(desk: Desk) -> None:
    chance = random.Random(9)
    choices = [
        OFFER,
        LESS,
        replace(OFFER, first=date(2026, 12, 1)),
        replace(OFFER, channels=frozenset({Channel.PORTAL})),
    ]
    made, held = {}, snapshot(desk)
    for number in range(60):
        state = chance.choice([one for one in State if one is not State.NARROWED])
        made[number] = desk.bring(state, sealed(number), chance.choice(choices))
        if number % 20 == 0:
            who(held, desk)  # what comes later is taken in on top
    now = desk.clock.now()
    reasons = {number: why_not(ASKED, tie, OFFERED, now) for number, tie in made.items()}
    assert who(held, desk) == {number for number, reason in reasons.items() if reason is None}
    assert why(held, desk) == {n: r.value for n, r in reasons.items() if r is not None}
    assert {Reason.ITEM, Reason.TERM, Reason.CHANNEL, Reason.ENDED} <= set(reasons.values())


def test_the_id_of_a_tie_comes_in_two_halves(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE, sealed(1))
    found = snapshot(desk).read(ASKED, desk.clock.now()).tied.to_pylist()
    assert [(one["high"], one["low"]) for one in found] == [pair_of(tie.tie)]


@pytest.mark.parametrize("changed", [{"at": 0}, {"link": "other"}, {"carried": b""}, None])
def test_a_list_that_was_changed_or_taken_away_is_found(
    desk: Desk, changed: dict[str, object] | None
) -> None:
    desk.bring(State.IN_FORCE, sealed(1))
    send(desk, snapshot(desk), transfer="t-1")
    act = transfers.update().values(changed) if changed else transfers.delete()
    desk.store.write(lambda connection: connection.execute(act).close())
    assert [one.facts["record"] for one in desk.reading.verify()] == ["transfer:t-1"]


def test_a_list_that_cannot_be_read_lets_nobody_through(desk: Desk) -> None:
    desk.bring(State.IN_FORCE, sealed(1), replace(OFFER, frequency=Frequency(times=1, days=7)))
    held = snapshot(desk)
    send(desk, held)
    act = transfers.update().values(carried=b"nothing")
    desk.store.write(lambda connection: connection.execute(act).close())
    with pytest.raises(TieTouched):
        who(held, desk)
