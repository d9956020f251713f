"""Whose rows a link may not carry: asked at each reading, and once more before it is sealed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.consent.errors import NumberUnreadable
from kumobashi.consent.ledger import ConsentLedger
from kumobashi.consent.subjects import Subjects
from kumobashi.exchange.migrating import migrate
from kumobashi.requests.book import Book, Who
from kumobashi.requests.carrying_errors import (
    SuspendedSince,
)
from kumobashi.requests.errors import (
    RequestTouched,
)
from kumobashi.requests.reading import Reading
from kumobashi.requests.records import Identity
from kumobashi.requests.ruling import Wish
from kumobashi.requests.sql import requests
from kumobashi.requests.states import Kind, Outcome
from kumobashi.service.suspending import Suspension
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock

TENANT, LINK = "999997", "notice-attributes"
ONE, TWO, THREE = "0000000001", "0000000002", "0000000003"
CLERK, CHIEF = Who(by="account:tanaka"), Who(by="account:suzuki")


class Hall:
    """The book of requests and the ledger of consents of one hall."""

    def __init__(self, store: SQLiteState) -> None:
        clock = HandClock(datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
        self.store = store
        self.ledger = ConsentLedger(
            store,
            tenant=TENANT,
            subjects=Subjects(bytes(range(32)), TENANT),
            texts=dict,
            clock=clock,
        )
        self.book = Book(store, tenant=TENANT, clock=clock)

    def suspend(self, number: str, *links: str) -> str:
        subject = self.ledger.subjects.seal(number)
        held = self.book.receive(
            subject, Kind.SUSPENSION, CLERK, links=links, identity=Identity.COUNTER
        )
        self.book.decide(held.request, Wish(outcome=Outcome.GRANTED), CHIEF)
        return self.book.carry_out(held.request, CLERK).request

    def suspension(self, secret: bytes | None = None) -> Suspension:
        ledger = self.ledger
        if secret is not None:
            ledger = ConsentLedger(
                self.store,
                tenant=TENANT,
                subjects=Subjects(secret, TENANT),
                texts=dict,
                clock=HandClock(datetime(2026, 11, 23, tzinfo=UTC)),
            )
        return Suspension(Reading(self.store, tenant=TENANT), ledger, LINK)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Hall(store)
    store.close()


def test_nobody_is_withheld_where_nobody_was_suspended(hall: Hall) -> None:
    found = hall.suspension()
    assert found.people().to_pylist() == []
    hall.store.read(found.refuse_changed)


def test_those_of_the_link_and_of_all_links_and_the_numbers_they_merged_into(hall: Hall) -> None:
    hall.suspend(ONE)
    hall.suspend(TWO, "nhi-residents")
    hall.ledger.merge(ONE, THREE, by="operator")
    assert sorted(hall.suspension().people().to_pylist()) == [ONE, THREE]


def test_who_was_suspended_after_any_of_the_readings_is_not_sealed(hall: Hall) -> None:
    hall.suspend(ONE)
    found = hall.suspension()
    found.people()
    hall.store.read(found.refuse_changed)
    request = hall.suspend(TWO)
    found.people()  # another store of the run has read without her, the first has not
    with pytest.raises(SuspendedSince):
        hall.store.read(found.refuse_changed)
    anew = hall.suspension()
    anew.people()
    hall.store.read(anew.refuse_changed)
    hall.book.ask_lift(request, "本人の申出", CLERK)
    hall.book.lift(request, CHIEF)
    hall.store.read(anew.refuse_changed)  # one too few is no reason to refuse


def test_what_was_never_read_is_not_sealed(hall: Hall) -> None:
    hall.suspend(ONE)
    with pytest.raises(SuspendedSince):
        hall.store.read(hall.suspension().refuse_changed)


def test_nothing_is_read_while_it_cannot_be_said_who(hall: Hall) -> None:
    hall.suspend(ONE)
    with pytest.raises(NumberUnreadable):
        hall.suspension(bytes(32)).people()

    def touch(connection: sa.Connection) -> None:
        connection.execute(sa.update(requests).values(facts="{}"))

    hall.store.write(touch)
    with pytest.raises(RequestTouched):
        hall.suspension().people()
