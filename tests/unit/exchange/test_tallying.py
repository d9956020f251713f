"""Transfers that are over are counted once each, however often and whenever somebody looks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.exchange import tallying
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import Out
from kumobashi.exchange.tallying import History
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock


class Hall:
    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.store = SQLiteState(folder / "state.db", owner="hall-core")
        migrate(self.store)
        self.ledger = Ledger(self.store, "999997", self.clock)
        self.history = self.anew()
        self.links = 0

    def anew(self) -> History:
        return History(self.store, "999997", self.clock.now())

    def start(self) -> str:
        self.links += 1
        row, _ = self.ledger.start(
            f"link-{self.links}",
            "2026-11-21",
            mode="full",
            plan_hash="h",
            again=False,
            to_site="public-cloud",
        )
        return row.transfer

    def apply(self, transfer: str, seconds: float = 3.0) -> None:
        for state in (Out.SEALED, Out.SENT, Out.DELIVERED, Out.OPENED, Out.VALIDATED):
            self.ledger.move_out(transfer, state)
        self.clock.at += timedelta(seconds=seconds)
        self.ledger.move_out(transfer, Out.APPLIED)

    def older(self, transfer: str, days: float) -> None:
        """Give a transfer the id and times of one that was begun days ago."""
        at = datetime.now(UTC) - timedelta(days=days)
        micros = int(at.timestamp() * 1e6)
        with_time = tallying._id_at(at.timestamp())[:14] + transfer[14:]
        change = (
            sa.update(outgoing)
            .where(outgoing.c.transfer == transfer)
            .values(transfer=with_time, started_at=micros)
        )
        self.store.write(lambda held: held.execute(change))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.store.close()


def test_nothing_is_counted_twice(hall: Hall) -> None:
    first, second = hall.start(), hall.start()
    hall.apply(first)
    for _ in range(3):
        assert hall.history.count().outcomes == {("public-cloud", "applied"): 1}
    hall.apply(second, seconds=40)
    for _ in range(3):
        ended = hall.history.count()
    assert ended.outcomes == {("public-cloud", "applied"): 2}
    assert ended.took["public-cloud"].seconds == pytest.approx(43 + 3, abs=1)
    assert ended.receipts["public-cloud", "opened"] == 2


def test_a_start_knows_the_states_and_counts_on_from_nothing(hall: Hall) -> None:
    hall.apply(hall.start())
    hall.clock.at += timedelta(seconds=1)
    again = hall.anew()
    assert again.count().outgoing == hall.history.count().outgoing == {"applied": 1}
    # A counter that were smaller than before would look like a new beginning, and all of it new.
    assert (again.count().outcomes, again.count().receipts, again.count().took) == ({}, {}, {})
    hall.apply(hall.start())
    assert again.count().outcomes == {("public-cloud", "applied"): 1}
    assert again.count().outgoing == {"applied": 2}


def test_what_was_long_under_way_is_counted_when_it_ends(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "_SETTLED_SECONDS", -1.0)  # no id is too young
    one = hall.start()
    assert hall.history.count().outcomes == {}
    other = hall.start()
    hall.apply(other)
    assert hall.history.count().outcomes == {("public-cloud", "applied"): 1}
    hall.apply(one)
    assert hall.history.count().outcomes == {("public-cloud", "applied"): 2}
    assert hall.history.count().outcomes == {("public-cloud", "applied"): 2}


def test_a_refusal_counts_with_the_receipts_that_came_before_it(hall: Hall) -> None:
    transfer = hall.start()
    hall.ledger.move_out(transfer, Out.SEALED)
    hall.ledger.move_out(transfer, Out.SENT)
    hall.ledger.move_out(transfer, Out.DELIVERED, facts={"received": {"delivered": {"at": "x"}}})
    hall.ledger.move_out(transfer, Out.REFUSED, facts={"received": {"refused": {"at": "x"}}})
    ended = hall.history.count()
    assert ended.outcomes == {("public-cloud", "refused"): 1}
    assert set(ended.receipts) == {("public-cloud", "delivered"), ("public-cloud", "refused")}
    assert not ended.took


@pytest.mark.parametrize(("days", "counted"), [(34, 1), (36, 0)])
def test_counting_reaches_back_five_weeks(hall: Hall, days: int, counted: int) -> None:
    transfer = hall.start()
    hall.apply(transfer)
    hall.older(transfer, days)
    assert sum(hall.anew().count().outgoing.values()) == counted


def test_many_are_read_in_batches(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallying, "_BATCH", 3)
    monkeypatch.setattr(tallying, "_NAMES", 2)
    monkeypatch.setattr(tallying, "_SETTLED_SECONDS", -1.0)
    transfers = [hall.start() for _ in range(8)]
    assert hall.history.count().outcomes == {}
    for number, transfer in enumerate(transfers):
        hall.apply(transfer)
        assert sum(hall.history.count().outcomes.values()) == number + 1
