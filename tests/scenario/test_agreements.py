"""An agreement lets a link go, and when it is withdrawn everything under it stops in seconds."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kumobashi.agreements import reading
from kumobashi.agreements.sql import agreements
from kumobashi.identity import Accounts
from kumobashi.kernel import JST, SystemClock, business_date
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.testing.agreement_story import ROOT, Staff, application, walk
from kumobashi.testing.city import City
from kumobashi.testing.gateways import GatewayProcess, until
from kumobashi.testing.postgresql import application_database, running
from kumobashi.testing.town import DAY, Refused, Town
from tests.scenario.expecting import NOTICES

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.postgres]
HALL, HOP = "hall-core", "hall-exchange"
LONGEST_SECONDS = 5.0


class Offices:
    """A town whose links need agreements; its hall has two processes on one PostgreSQL."""

    def __init__(self, town: Town) -> None:
        self.town = town
        clock = SystemClock()
        accounts = Accounts(town.folder / "private" / HALL, tenant="999997", site=HALL, clock=clock)
        self.staff = Staff(accounts, clock)
        self.staff.enrol()
        self.today = business_date(clock.now())

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.town.call(path, body)

    def agreed(self, link: str = NOTICES, last: date | None = None) -> dict[str, Any]:
        *_, told = walk(
            self.call,
            self.staff,
            link,
            DAY - timedelta(days=30),
            last or self.today + timedelta(days=200),
        )
        return told.agreement

    def withdraw(self, agreement: str) -> dict[str, Any]:
        return self.call(f"{ROOT}/{agreement}/withdraw", self.staff.signs("suzuki"))

    def refusal(self, on: date = DAY, **wish: object) -> str:
        with pytest.raises(Refused) as refused:
            self.town.submit(NOTICES, on, **wish)
        return str(refused.value.problem["code"])

    def states(self, transfers: list[str]) -> set[str]:
        held = {row.transfer: row.state for row in self.town.ledger(HALL).outgoing()}
        return {held[transfer] for transfer in transfers}


@pytest.fixture(scope="module")
def place(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    def require(folder: Path) -> None:
        path = folder / "kumobashi.yaml"
        text = path.read_text("utf-8").replace("required: false", "required: true")
        path.write_text(text, encoding="utf-8")

    folder = tmp_path_factory.mktemp("agreements")
    with running(settings={"max_connections": "100"}) as server:
        states = {HALL: application_database(server, "hall_core")}
        with Town.found(
            folder / "w", city, part_bytes=65_536, states=states, change=require
        ) as town:
            # One site goes ahead to midnight alone: the others would have it sign nothing.
            clock = {"KUMO_CLOCK_FILE": str(folder / "clock"), "KUMO_CLOCK_STOP_SECONDS": "0"}
            town.start_all(but=[HALL])
            town.start(HALL, environment=clock)
            other = GatewayProcess(town.folder, HALL, "", environment=clock, name="hall-core-2")
            try:
                yield Offices(town)
            finally:
                other.kill()


def test_from_application_to_withdrawal(
    place: Offices, record_testsuite_property: Callable[[str, object], None]
) -> None:
    town = place.town
    assert place.refusal() == "agreement.missing"
    made = place.agreed()
    assert (made["state"], made["number"]) == ("in_force", "8架総第1号")
    assert place.refusal(date(2019, 4, 1)) == "agreement.outside_term"

    done = town.run(NOTICES, seconds=120)
    assert done["state"] == "applied", done
    started = [
        row
        for row in town.ledger(HALL).outgoing(done["transfer"])
        if row.facts.get("agreement") == made["agreement"]
    ]
    assert len(started) == 1

    # Three wait for the neighbour, one of them half sent; then somebody withdraws.
    town.running[HOP].kill()
    waiting = [
        town.submit(NOTICES, DAY + timedelta(days=number))["transfer"] for number in (1, 2, 3)
    ]
    town.wait(waiting[0], lambda seen: seen["cause"] is not None, seconds=60)
    began = time.monotonic()
    gone = place.withdraw(made["agreement"])
    assert gone["state"] == "withdrawn"
    until(
        "all are cancelled",
        lambda: place.states(waiting) == {"cancelled"} or None,
        LONGEST_SECONDS,
    )
    record_testsuite_property("seconds_to_the_last_cancelled", round(time.monotonic() - began, 2))

    seen = town.transfer(waiting[0])
    assert seen["cause"]["code"] == "agreement.ended", "receipt of the stop tells why"
    assert place.refusal(DAY + timedelta(days=4)) == "agreement.ended"
    town.start(HOP)
    time.sleep(2)  # a neighbour that is back gets nothing of them
    there = {row.transfer for row in town.ledger("public-cloud").incoming()}
    assert not there & set(waiting)
    said = evidence_of(town, made["agreement"])
    assert [each["after"] for each in said][-2:] == ["in_force", "withdrawn"]
    stopped = [
        each
        for each in evidence(town)
        if each["event"] == "transfer.moved" and each.get("code") == "agreement.ended"
    ]
    assert {each["transfer"] for each in stopped} == set(waiting)
    found = town.call(f"{ROOT}/verification")
    assert found["faults"] == []


def test_a_plan_that_has_drifted_is_not_covered_and_a_change_is(place: Offices) -> None:
    town = place.town
    made = place.agreed()
    path = town.folder / "links" / f"{NOTICES}.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("on_findings: quarantine", "on_findings: refuse"), "utf-8")
    town.approve()

    on = DAY + timedelta(days=10)
    with pytest.raises(Refused) as refused:
        town.submit(NOTICES, on)
    problem = refused.value.problem
    assert problem["code"] == "agreement.plan_drifted"
    assert "on_findings" in problem["detail"] or "不備" in problem["detail"], problem

    body = application(NOTICES, DAY - timedelta(days=30), place.today + timedelta(days=300))
    changed = place.call(
        ROOT,
        {**body, "change": made["number"], "submit": True, **place.staff.signs("tanaka")},
    )
    for who, what in (("sato", "review"), ("suzuki", "concur"), ("yamada", "approve")):
        changed = place.call(f"{ROOT}/{changed['agreement']}/{what}", place.staff.signs(who))
    assert changed["state"] == "in_force"
    assert town.call(f"{ROOT}/{made['agreement']}")["state"] == "expired"
    # The link's file may go on naming the old number: the change has taken its place.
    path.write_text(path.read_text("utf-8") + f"agreement: {made['number']}\n", "utf-8")
    town.approve()
    assert town.run(NOTICES, on, seconds=120)["state"] == "applied"
    place.withdraw(changed["agreement"])
    lines = path.read_text("utf-8").splitlines(keepends=True)
    named = [line for line in lines if not line.startswith("agreement:")]
    path.write_text("".join(named), "utf-8")


def test_at_midnight_in_japan_everything_under_it_stops(
    place: Offices, record_testsuite_property: Callable[[str, object], None]
) -> None:
    town = place.town
    made = place.agreed(last=place.today)
    town.running[HOP].kill()
    transfer = town.submit(NOTICES, DAY - timedelta(days=3))["transfer"]
    town.wait(transfer, lambda seen: seen["cause"] is not None, seconds=60)

    now = SystemClock().now()
    midnight = datetime.combine(place.today + timedelta(days=1), datetime.min.time(), JST)
    jump = int((midnight - now).total_seconds()) + 1
    (town.folder.parent / "clock").write_text(str(jump), "ascii")
    began = time.monotonic()
    try:
        until(
            "it is cancelled",
            lambda: place.states([transfer]) == {"cancelled"} or None,
            LONGEST_SECONDS,
        )
        record_testsuite_property("seconds_after_midnight", round(time.monotonic() - began, 2))
        assert town.call(f"{ROOT}/{made['agreement']}")["state"] == "expired"
        assert town.transfer(transfer)["cause"]["code"] == "agreement.ended"
    finally:
        (town.folder.parent / "clock").unlink()
        town.start(HOP)


def test_a_row_that_somebody_changed_lets_nothing_leave(place: Offices) -> None:
    town = place.town
    made = place.agreed()
    place.withdraw(made["agreement"])
    store = PostgreSQLState(town.states[HALL], tenant="999997", patience_seconds=15)
    try:
        forged = sa.update(agreements).where(agreements.c.agreement == made["agreement"])
        store.write(lambda held: held.execute(forged.values(state="in_force")))
        rows = store.read(lambda held: reading.listed(held, "999997"))
        assert any(row.state == "in_force" for row in rows)
    finally:
        store.close()

    assert place.refusal(DAY + timedelta(days=20)) == "agreement.forged"
    (fault,) = town.call(f"{ROOT}/verification")["faults"]
    assert fault["agreement"] == made["agreement"]


def evidence(town: Town) -> list[dict[str, Any]]:
    rows = town.ledger(HALL)._ask("select body from evidence_entries order by number")
    return [json.loads(bytes(row[0])) for row in rows]


def evidence_of(town: Town, agreement: str) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]] | None:
        found = [each for each in evidence(town) if each.get("agreement") == agreement]
        moved = [each for each in found if each["event"] == "agreement.moved"]
        return moved if moved and moved[-1]["after"] == "withdrawn" else None

    return until("the evidence is numbered", look, 20)
