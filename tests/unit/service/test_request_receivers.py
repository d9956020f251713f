"""Which later runs confirm that a receiver has the correction, or no longer the resident."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import Out
from kumobashi.kernel import new_id, to_micros
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.requests.receivers import Told
from kumobashi.requests.states import Kind, State
from kumobashi.service.request_overdue import overdue_requests
from kumobashi.service.request_receivers import Following, due_day, receivers_of
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from tests.unit.requests.books import CLERK, NHI, NOW, TENANT, TODAY, Desk


def gateway_of(store: SQLiteState, clock: HandClock) -> Any:
    """Return what of a gateway is asked for: its state, its transfers, its clock."""
    identity = SimpleNamespace(tenant=TENANT, site="hall-core")
    ledger = Ledger(store, TENANT, clock)
    return SimpleNamespace(clock=clock, ledger=ledger, store=store, identity=identity)


class Hall:
    """A book of requests and a ledger of transfers over one state."""

    def __init__(self, store: SQLiteState) -> None:
        self.clock = HandClock(NOW)
        self.desk = Desk(store, self.clock)
        self.store = store
        self.runs = 0
        self.gateway = gateway_of(store, self.clock)
        self.following = Following(self.gateway)

    def ran(self, state: Out, *, resends: str | None = None) -> str:
        """Let a run of the link begin now."""
        self.clock.at += timedelta(seconds=1)
        self.runs += 1
        transfer, now = new_id(), to_micros(self.clock.at)
        row = {
            "tenant": TENANT,
            "transfer": transfer,
            "link": NHI.link,
            "business_date": self.clock.at.date().isoformat(),
            "sequence": self.runs,
            "attempt": 1,
            "mode": "full",
            "state": state.value,
            "plan_hash": "sha256:0",
            "bounds_accepted": False,
            "facts": {},
            "started_at": now,
            "finished_at": now if state is Out.APPLIED else None,
            "rank": 20,
            "in_order": False,
            "resends": resends,
        }

        def write(connection: sa.Connection) -> None:
            connection.execute(sa.insert(outgoing).values(row))

        self.store.write(write)
        return transfer

    def told(self, request: str) -> tuple[Told, str | None]:
        ((_, far),) = self.following.of(self.desk.reading.one(request))
        return far.told, far.transfer


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Hall(store)
    store.close()


@pytest.mark.parametrize("kind", [Kind.CORRECTION, Kind.SUSPENSION])
def test_the_first_run_after_it_tells_and_its_receipt_confirms(hall: Hall, kind: Kind) -> None:
    before = hall.ran(Out.APPLIED)
    hall.desk.go(1)
    request = hall.desk.bring(State.CARRIED_OUT, kind=kind).request
    assert hall.told(request) == (Told.WAITING, None)
    hall.desk.go(1)
    hall.ran(Out.APPLIED, resends=before)  # rows of before
    hall.ran(Out.REFUSED)
    assert hall.told(request) == (Told.WAITING, None)
    sent = hall.ran(Out.SENT)
    assert hall.told(request) == (Told.TOLD, sent)
    applied = hall.ran(Out.APPLIED)
    assert hall.told(request) == (Told.CONFIRMED, applied)
    assert hall.following.open(hall.desk.reading.one(request)) == []
    assert hall.following.under_way([NHI.link]) == [sent]


def test_who_does_not_confirm_in_time_turns_the_overview_red(hall: Hall) -> None:
    held = hall.desk.bring(State.CARRIED_OUT, kind=Kind.SUSPENSION)
    due = due_day(held)
    assert due is not None
    assert due >= TODAY + timedelta(days=30)
    hall.desk.go((due - TODAY).days)
    assert overdue_requests(hall.gateway) == ()
    hall.desk.go(1)
    (late,) = overdue_requests(hall.gateway)
    assert (late.request, late.awaits, late.due) == (held.request, "receivers", due)
    hall.desk.book.note(held.request, NHI.link, CLERK, is_confirmed=True)
    assert overdue_requests(hall.gateway) == ()


def test_nobody_is_waited_for_before_it_is_carried_out(hall: Hall) -> None:
    held = hall.desk.bring(State.DECIDED, kind=Kind.SUSPENSION)
    assert (due_day(held), hall.following.of(held)) == (None, [])


def test_who_is_told_by_runs_and_who_on_paper(tmp_path: Path) -> None:
    workspace = load(write_sample(tmp_path / "city"))

    def line(link: str, transfer: str, presence: str = "included") -> dict[str, Any]:
        where = {"to_site": "public-cloud", "to_name": "通知サービス"}
        return {"transfer": transfer, "link": link, "presence": presence, "holding": None, **where}

    told = [
        line("notice-attributes", "t1"),
        line("notice-attributes", "t2", "possible"),
        line("resident-to-nhi", "t3"),
        line("gone", "t4"),
        line("vaccination-reminders", "t5", "absent"),
    ]
    found = receivers_of(told, workspace, "hall-core", ["notice-attributes"])
    assert [(one.link, one.by_run, one.transfers) for one in found] == [
        ("gone", False, ("t4",)),
        ("notice-attributes", True, ("t1", "t2")),
        ("resident-to-nhi", False, ("t3",)),  # the decision is not about it
    ]
    everywhere = receivers_of(told, workspace, "hall-core", [])
    assert [one.link for one in everywhere if one.by_run] == [
        "notice-attributes",
        "resident-to-nhi",
    ]
    elsewhere = receivers_of(told, workspace, "public-cloud", [])
    assert not any(one.by_run for one in elsewhere)
