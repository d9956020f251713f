"""The ledger: one commit a change, merged facts, receipts in order, one run however often asked."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.exchange.errors import IllegalMove, NoSuchTransfer
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.records import Incoming, Outgoing
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import new_id
from kumobashi.storage.sqlite import SQLiteState

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
KEYS = st.one_of(TEXTS, st.sampled_from(["stages", "next_try"]), st.integers(-9, 9))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.tuples(inside, inside),
        st.dictionaries(KEYS, inside, max_size=3),
    ),
    max_leaves=5,
).filter(lambda value: "inf" not in str(value))
FACTS = st.dictionaries(KEYS, VALUES, max_size=3)
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "attempt": st.integers(1, 9),
        "manifest": TEXTS,
        "to_site": st.sampled_from(["b", None]),
        "bounds_accepted": st.booleans(),
        "paused_at": st.one_of(st.none(), st.integers(0, 2**62)),
    },
)
one_ledger = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 16, 20, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Ledger(store, "999997", Standing())
    store.close()


def start(ledger: Ledger, *, again: bool = False, day: str = "2026-11-21") -> tuple[Outgoing, bool]:
    return ledger.start("a-link", day, mode="full", plan_hash="sha256:0", again=again)


def applied(ledger: Ledger, row: Outgoing) -> Outgoing:
    ledger.move_out(row.transfer, Out.SEALED)
    ledger.move_out(row.transfer, Out.SENT)
    stages = ("delivered", "opened", "validated", "applied")
    more = [(stage, f"{row.transfer} {stage}") for stage in stages]
    return ledger.received(row.transfer, more, Out.APPLIED, facts={})


def announce(ledger: Ledger, transfer: str, attempt: int = 1) -> Incoming:
    return ledger.announced(
        transfer=transfer,
        attempt=attempt,
        link="a-link",
        from_site="a",
        to_site="b",
        announcement={"parts": []},
    )


def test_a_run_under_way_is_returned_and_not_begun_again(ledger: Ledger) -> None:
    first, is_new = start(ledger)
    assert is_new

    assert start(ledger) == (first, False)
    assert start(ledger, again=True) == (first, False), "not while one is under way"


def test_a_run_that_was_applied_is_done_unless_asked_again(ledger: Ledger) -> None:
    first, _ = start(ledger)
    applied(ledger, first)

    assert start(ledger)[1] is False
    second, is_new = start(ledger, again=True)
    assert (is_new, second.sequence) == (True, 2)


@pytest.mark.parametrize("end", [Out.REFUSED, Out.CANCELLED])
def test_a_run_that_failed_may_be_begun_again(ledger: Ledger, end: Out) -> None:
    first, _ = start(ledger)
    if end is Out.CANCELLED:  # only what waits for a person can be cancelled
        ledger.move_out(first.transfer, Out.HELD)
    ledger.move_out(first.transfer, end)

    second, is_new = start(ledger)

    assert (is_new, second.sequence) == (True, 2)
    assert second.transfer != first.transfer


def test_an_illegal_move_changes_nothing(ledger: Ledger) -> None:
    row, _ = start(ledger)

    with pytest.raises(IllegalMove):
        ledger.move_out(row.transfer, Out.APPLIED, facts={"x": 1}, manifest="m")

    assert ledger.outgoing(row.transfer) == row


def test_what_has_gone_on_meanwhile_is_left_as_it_is(ledger: Ledger) -> None:
    row, _ = start(ledger)
    ledger.move_out(row.transfer, Out.SEALED)
    with pytest.raises(IllegalMove):
        ledger.move_out(row.transfer, None, attempt=2, cause={"code": "x"}, still=row.state)

    seen = ledger.outgoing(row.transfer)
    assert (seen.state, seen.attempt, seen.cause) == (Out.SEALED, 1, None)


def test_facts_are_merged_one_level_deep(ledger: Ledger) -> None:
    row, _ = start(ledger)
    ledger.move_out(row.transfer, None, facts={"stages": {"extract": 1}, "hops": [1]})

    row = ledger.move_out(row.transfer, None, facts={"stages": {"seal": 2}, "hops": [2]})

    assert row.facts == {"stages": {"extract": 1, "seal": 2}, "hops": [2]}


@one_ledger
@given(facts=FACTS, cause=st.one_of(st.none(), FACTS), columns=COLUMNS)
def test_a_change_returns_what_is_read_afterwards(
    ledger: Ledger,
    facts: Mapping[str, object],
    cause: Mapping[str, object] | None,
    columns: dict[str, Any],
) -> None:
    row, _ = start(ledger)
    bundle = announce(ledger, row.transfer)

    sent = ledger.move_out(row.transfer, None, facts=facts, cause=cause, **columns)
    taken = ledger.move_in(bundle, None, facts=facts, cause=cause)

    assert repr(sent) == repr(ledger.outgoing(row.transfer)), "types too: 1 is no 1.0"
    assert repr(taken) == repr(ledger.incoming(bundle.transfer, 1))


def test_every_move_returns_what_is_read_afterwards(ledger: Ledger) -> None:
    row, _ = start(ledger)
    bundle = announce(ledger, row.transfer)
    for then in (Out.HELD, Out.EXTRACTING, Out.SEALED, Out.SENT):
        assert ledger.move_out(row.transfer, then) == ledger.outgoing(row.transfer)
    end = ledger.received(row.transfer, [("refused", "1")], Out.REFUSED, facts={"received": (1,)})
    for reached in (In.DELIVERED, In.OPENED, In.REFUSED):
        assert ledger.move_in(bundle, reached) == ledger.incoming(bundle.transfer, 1)

    assert end == ledger.outgoing(row.transfer)
    assert end.finished_at is not None


def test_a_row_that_is_gone_is_not_said_to_be_changed(ledger: Ledger) -> None:
    row, _ = start(ledger)
    gone = replace(row, transfer=new_id())

    with pytest.raises(NoSuchTransfer):
        ledger.store.write(lambda held: ledger.change_out(held, gone, {"manifest": "m"}))


def test_a_cause_goes_with_the_next_move(ledger: Ledger) -> None:
    row, _ = start(ledger)
    assert ledger.move_out(row.transfer, None, cause={"code": "x"}).cause == {"code": "x"}

    assert ledger.move_out(row.transfer, Out.SEALED).cause is None


def test_receipts_may_come_all_at_once_or_one_by_one_and_repeat(ledger: Ledger) -> None:
    row, _ = start(ledger)
    ledger.move_out(row.transfer, Out.SEALED)
    ledger.move_out(row.transfer, Out.SENT)
    ledger.received(row.transfer, [("delivered", "1")], Out.DELIVERED, facts={})

    ledger.received(
        row.transfer, [("delivered", "1"), ("opened", "2")], Out.OPENED, facts={"cause": None}
    )
    row = ledger.received(
        row.transfer, [("validated", "3"), ("applied", "4")], Out.APPLIED, facts={}
    )

    assert row.state is Out.APPLIED
    assert row.finished_at is not None
    assert ledger.receipts(row.transfer, 1, "out") == ["1", "2", "3", "4"]


def test_receipts_cannot_lead_back(ledger: Ledger) -> None:
    row, _ = start(ledger)
    applied(ledger, row)

    with pytest.raises((IllegalMove, ValueError)):
        ledger.received(row.transfer, [("opened", "late")], Out.OPENED, facts={})

    assert ledger.outgoing(row.transfer).state is Out.APPLIED
    assert "late" not in ledger.receipts(row.transfer, 1, "out")


def test_an_announcement_again_changes_nothing(ledger: Ledger) -> None:
    transfer = new_id()
    first = announce(ledger, transfer)
    ledger.move_in(first, In.DELIVERED, receipt=("delivered", "1"), manifest="m")

    again = announce(ledger, transfer)

    assert (again.state, again.manifest) == (In.DELIVERED, "m")


def test_a_newer_attempt_takes_the_place_of_an_open_one_only(ledger: Ledger) -> None:
    transfer = new_id()
    announce(ledger, transfer, 1)
    closed = announce(ledger, transfer, 2)
    assert ledger.incoming(transfer, 1).state is In.SUPERSEDED
    ledger.move_in(closed, In.DELIVERED)

    announce(ledger, transfer, 3)

    assert ledger.incoming(transfer, 2).state is In.DELIVERED


def test_state_and_receipt_are_one_commit(ledger: Ledger) -> None:
    bundle = announce(ledger, new_id())

    with pytest.raises(IllegalMove):
        ledger.move_in(bundle, In.APPLIED, receipt=("applied", "1"))

    assert ledger.receipts(bundle.transfer, 1, "in") == []


def test_the_last_applied_is_by_date_and_sequence(ledger: Ledger) -> None:
    assert ledger.last_applied("a-link") is None
    newer = applied(ledger, start(ledger, day="2026-11-21")[0])
    applied(ledger, start(ledger, day="2026-11-20")[0])

    assert ledger.last_applied("a-link") == newer
    again = applied(ledger, start(ledger, day="2026-11-21", again=True)[0])
    assert ledger.last_applied("a-link") == again
    assert ledger.last_applied("another") is None


def test_what_is_unknown_is_said_to_be(ledger: Ledger) -> None:
    with pytest.raises(NoSuchTransfer):
        ledger.outgoing("nothing")
    with pytest.raises(NoSuchTransfer):
        ledger.incoming("nothing", 1)


def test_work_that_is_left_is_found_again(ledger: Ledger) -> None:
    left = announce(ledger, new_id())
    done = announce(ledger, new_id())
    ledger.move_in(done, In.REFUSED)

    assert ledger.unsettled() == {left.transfer}
