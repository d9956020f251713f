"""A book of ties, its services and its clock, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kumobashi.exchange.migrating import migrate
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from kumobashi.ties.agent import Agent
from kumobashi.ties.book import Book
from kumobashi.ties.reading import Reading
from kumobashi.ties.records import Tie
from kumobashi.ties.services import Service
from kumobashi.ties.states import Act, State
from kumobashi.ties.terms import Channel, Frequency, Terms
from kumobashi.ties.writing import Said

TENANT = "999997"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE, TWO = "1" * 48, "2" * 48
SERVICE = Service(
    service="child-health",
    name="乳幼児健診のお知らせ",
    provider="架空市",
    section="子育て支援課",
    clause="架空市乳幼児健診条例 第4条第1項",
    first=date(2026, 4, 1),
    last=date(2027, 3, 31),
)
OFFER = Terms(
    items=frozenset({"name", "birth_date", "address"}),
    channels=frozenset({Channel.PORTAL, Channel.POST}),
    frequency=Frequency(times=4, days=28),
    first=date(2026, 11, 1),
    last=date(2027, 3, 31),
)
LESS = replace(
    OFFER, items=frozenset({"name"}), frequency=Frequency(times=1, days=7), last=date(2026, 12, 31)
)


@dataclass
class Desk:
    """Everything that asks the same store."""

    store: StateStore
    clock: HandClock

    def __post_init__(self) -> None:
        self.book = Book(self.store, tenant=TENANT, clock=self.clock)
        self.agent = Agent(self.store, tenant=TENANT, clock=self.clock)
        self.reading = Reading(self.store, tenant=TENANT)
        self.book.registry.add(SERVICE, by="operator")

    def go(self, on: timedelta) -> None:
        self.clock.at += on

    def said(self, at: datetime | None = None, source: str = "desk-1") -> Said:
        return Said(stated_at=at or self.clock.now(), source=source, by="operator")

    def propose(self, subject: str = ONE, terms: Terms = OFFER) -> Tie:
        return self.book.propose(subject, SERVICE.service, terms, self.said())

    def accept(self, tie: Tie, side: Act) -> Tie:
        return self.book.accept(tie.tie, side, self.said(), terms=tie.terms.hash)

    def bring(self, state: State, subject: str = ONE, terms: Terms = OFFER) -> Tie:
        """Bring a fresh tie into a state by the book's own deeds."""
        tie = self.propose(subject, terms)
        if state is State.NARROWED:
            return self.book.narrow(tie.tie, LESS, self.said())
        if state is State.SERVICE_ACCEPTED:
            return self.accept(tie, Act.SERVICE_ACCEPT)
        if state in {State.RESIDENT_ACCEPTED, State.IN_FORCE}:
            tie = self.accept(tie, Act.RESIDENT_ACCEPT)
        if state is State.IN_FORCE:
            tie = self.accept(tie, Act.SERVICE_ACCEPT)
        if state is State.WITHDRAWN:
            tie = self.book.withdraw(tie.tie, self.said())
        if state is State.ENDED:
            tie = self.book.end(tie.tie, self.said())
        return tie


@contextmanager
def fresh(folder: Path) -> Iterator[Desk]:
    """Give a book of its own in SQLite."""
    store = SQLiteState(folder / "state.db", owner="here")
    try:
        migrate(store)
        yield Desk(store, HandClock(NOW))
    finally:
        store.close()
