"""A book of requests and its clock, for tests."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from kumobashi.requests.book import Book, Who
from kumobashi.requests.reading import Reading
from kumobashi.requests.receivers import Receiver
from kumobashi.requests.records import Identity, Request
from kumobashi.requests.ruling import Wish
from kumobashi.requests.states import Kind, Outcome, State
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock

TENANT = "999997"
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
ONE, TWO = "1" * 48, "2" * 48
CLERK, CHIEF = Who(by="account:tanaka"), Who(by="account:suzuki")
ANSWER = "sha256:" + "a" * 64
GRANTED = Wish(outcome=Outcome.GRANTED)
REFUSED = Wish(outcome=Outcome.REFUSED, clauses=("82-2-none",), reason="提供した記録がありません。")
NHI = Receiver(link="nhi-residents", to_site="hall-core", to_system="nhi", by_run=True)
CLAUSES = {Kind.DISCLOSURE: "82-2-none", Kind.CORRECTION: "93-2", Kind.SUSPENSION: "101-2"}


@dataclass
class Desk:
    """Everything that asks the same store."""

    store: StateStore
    clock: HandClock

    def __post_init__(self) -> None:
        self.book = Book(self.store, tenant=TENANT, clock=self.clock)
        self.reading = Reading(self.store, tenant=TENANT)

    def go(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    def refusal(self, kind: Kind) -> Wish:
        return Wish(outcome=Outcome.REFUSED, clauses=(CLAUSES[kind],), reason=REFUSED.reason)

    def bring(self, state: State, subject: str = ONE, kind: Kind = Kind.DISCLOSURE) -> Request:
        """Bring a fresh request into a state by the book's own deeds."""
        book = self.book
        identity = None if state is State.RECEIVED else Identity.COUNTER
        held = book.receive(subject, kind, CLERK, identity=identity)
        one = held.request
        if state is State.ASKED:
            return book.ask_more(one, "請求書に対象の記載がありません。", CLERK)
        if state is State.WITHDRAWN:
            return book.withdraw(one, CLERK)
        if state is State.TRANSFERRED:
            return book.transfer(one, "架空県", "県が保有するため", CHIEF)
        if state is State.PROPOSED:
            return book.propose(one, self.refusal(kind), CLERK)
        if state in {State.DECIDED, State.CARRIED_OUT, State.CLOSED}:
            book.answered(one, ANSWER, CLERK)
            held = book.decide(one, GRANTED, CHIEF)
        if state in {State.CARRIED_OUT, State.CLOSED}:
            held = book.carry_out(one, CLERK, receivers=[NHI])
        return book.close(one, CLERK) if state is State.CLOSED else held
