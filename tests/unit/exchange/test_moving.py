"""Moves that commit together end as if each had been made by itself, and one refused hurts none."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.evidence.sql import waiting
from kumobashi.exchange.errors import Fenced, IllegalMove, NoSuchTransfer
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.records import Incoming, Outgoing
from kumobashi.exchange.sql import incoming, outgoing, receipts
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import new_id
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore, Work
from tests.unit.exchange.test_ledger import Standing, announce, start

TENANT = "999997"
ROWS = 3  # of each side, in each of two sets
STAGES = ("delivered", "opened", "validated", "applied")
Asked = tuple[Work[Any], str]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody does to one of a few rows; the last one is not there."""

    row: int
    then: Out | In | None
    fact: int
    cause: bool
    receipts: int
    lease: Literal["none", "held", "lost"]


WISHES = st.lists(
    st.builds(
        Wish,
        row=st.integers(0, ROWS),
        then=st.one_of(st.none(), st.sampled_from(Out), st.sampled_from(In)),
        fact=st.integers(0, 3),
        cause=st.booleans(),
        receipts=st.integers(0, 4),
        lease=st.sampled_from(["none", "none", "held", "lost"]),
    ),
    max_size=12,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Ledger(store, TENANT, Standing())
    store.close()


class Collected(Exception):
    """The work was taken instead of being done."""


class Collecting:
    """In place of a store: takes the work that a ledger asks for, to be done later."""

    is_shared = False
    micros = "0"

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def write(self, work: Work[Any], *, key: str = "") -> Any:
        self.asked.append((work, key))
        raise Collected


def collected(ask: Callable[[Ledger], object], lease: Lease | None = None) -> Asked:
    """Return the work that ``ask`` would have had done."""
    taken = Collecting()
    book = Ledger(taken, TENANT, Standing(), lease=lease)  # type: ignore[arg-type]
    with pytest.raises(Collected):
        ask(book)
    return taken.asked[0]


def together(store: StateStore, asked: Sequence[Asked]) -> list[Future[Any]]:
    """Do all of it in one commit."""
    started, go_on = threading.Event(), threading.Event()

    def busy(_connection: sa.Connection) -> None:
        started.set()
        go_on.wait(10)

    store.submit(busy)
    assert started.wait(10)
    futures = [store.submit(work, key=key) for work, key in asked]
    go_on.set()
    for future in futures:
        future.exception(10)
    return futures


class Ground:
    """A few rows of both sides, some of them under a lease."""

    def __init__(self, ledger: Ledger) -> None:
        self.store = ledger.store
        link = new_id()
        self.out = [
            ledger.start(link, f"2026-11-2{n}", mode="full", plan_hash="sha256:0", again=False)[0]
            for n in range(ROWS)
        ]
        self.into = [announce(ledger, new_id()) for _ in range(ROWS)]
        rows: list[Outgoing | Incoming] = [*self.out, *self.into]
        self.names = {row.transfer: f"row {n}" for n, row in enumerate(rows)}
        self.names[link] = "link"
        leases = Leases(self.store, TENANT, owner="me", seconds=60)
        self.held = {on: leases.claim(on) for on in map(self._on, rows)}

    @staticmethod
    def _on(row: Outgoing | Incoming) -> Held:
        if isinstance(row, Outgoing):
            return Held(side="out", transfer=row.transfer)
        return Held(side="in", transfer=row.transfer, attempt=row.attempt)

    def asked(self, wish: Wish) -> Asked:
        is_in = isinstance(wish.then, In) or (wish.then is None and wish.fact % 2 == 1)
        row: Any = (self.into if is_in else self.out)[wish.row % ROWS]
        lease = self.held[self._on(row)]
        assert lease is not None
        if wish.lease == "lost":
            lease = replace(lease, owner="you")
        if wish.row == ROWS:
            row = replace(row, transfer=f"absent-{wish.fact}")
        more = [(stage, f"{wish.row} {stage}") for stage in STAGES[: wish.receipts]]
        facts: dict[str, Any] = {"stages": {f"s{wish.fact}": {"rows": wish.fact}}}
        cause = {"code": "a.b", "next_try": "2026-11-21T16:21:00Z"} if wish.cause else None

        def ask(book: Ledger) -> object:
            if is_in:
                receipt = more[0] if more else None
                return book.move_in(row, wish.then, receipt=receipt, facts=facts, cause=cause)  # type: ignore[arg-type]
            if more and isinstance(wish.then, Out):
                return book.received(row.transfer, more, wish.then, facts={**facts, "cause": cause})
            return book.move_out(row.transfer, wish.then, facts=facts, cause=cause)  # type: ignore[arg-type]

        return collected(ask, None if wish.lease == "none" else lease)

    def plain(self, text: str) -> str:
        for real, name in self.names.items():
            text = text.replace(real, name)
        return text

    def told(self, future: Future[Any]) -> str:
        return self.plain(repr(future.exception() or future.result()))

    def stands(self) -> dict[str, list[str]]:
        """Return everything that is now said of the rows, the evidence of each in its order."""

        def work(connection: sa.Connection) -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for table in (outgoing, incoming, receipts):
                rows = connection.execute(
                    sa.select(table).where(table.c.transfer.in_(list(self.names)))
                )
                found[table.name] = sorted(self.plain(repr(tuple(row))) for row in rows)
            said = sa.select(waiting.c.body).order_by(waiting.c.entry)
            for body in connection.execute(said).scalars():
                text = self.plain(bytes(body).decode())
                for name in self.names.values():
                    if f'"transfer":"{name}"' in text:
                        found.setdefault(name, []).append(text)
            return found

        return self.store.read(work)


@given(wishes=WISHES)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_together_they_end_as_one_by_one(ledger: Ledger, wishes: list[Wish]) -> None:
    at_once, one_by_one = Ground(ledger), Ground(ledger)

    many = together(ledger.store, [at_once.asked(wish) for wish in wishes])
    single = []
    for work, key in map(one_by_one.asked, wishes):
        future = ledger.store.submit(work, key=key)
        future.exception(10)
        single.append(future)

    assert [at_once.told(one) for one in many] == [one_by_one.told(one) for one in single]
    assert at_once.stands() == one_by_one.stands()


def test_one_that_is_refused_fails_alone(ledger: Ledger) -> None:
    ground = Ground(ledger)
    first, second, third = (row.transfer for row in ground.out)
    lost = Lease(on=Held(side="out", transfer=third), owner="you", token=1)
    asked = [
        collected(lambda book: book.move_out(first, Out.HELD)),
        collected(lambda book: book.move_out(second, Out.APPLIED)),
        collected(lambda book: book.move_out("absent", Out.HELD)),
        collected(lambda book: book.move_out(third, Out.HELD), lost),
        collected(lambda book: book.move_out(first, Out.EXTRACTING, facts={"b": 2})),
        collected(lambda book: book.move_out(third, Out.SEALED, facts={"a": 1})),
    ]

    ended = [type(future.exception()) for future in together(ledger.store, asked)]

    assert ended == [type(None), IllegalMove, NoSuchTransfer, Fenced, type(None), type(None)]
    states = [ledger.outgoing(row.transfer).state for row in ground.out]
    assert states == [Out.EXTRACTING, Out.EXTRACTING, Out.SEALED]
    moved = [text for text in ground.stands()["row 0"] if "transfer.moved" in text]
    assert ['"after":"held"' in text for text in moved] == [True, False]


def test_what_looks_beside_its_row_sees_what_was_changed_before(ledger: Ledger) -> None:
    first, second, _ = (row.transfer for row in Ground(ledger).out)
    held = sa.select(sa.func.count()).where(outgoing.c.state == Out.HELD.value)
    seen: list[int] = []

    def look(connection: sa.Connection) -> None:
        seen.append(connection.execute(held).scalar_one())
        if seen[-1]:
            raise IllegalMove(now="held", then="held")

    asked = [
        collected(lambda book: book.move_out(first, Out.HELD, also=look)),
        collected(lambda book: book.move_out(second, Out.HELD, also=look)),
    ]
    ended = [type(future.exception()) for future in together(ledger.store, asked)]

    assert (ended, seen[-1]) == ([type(None), IllegalMove], 1)


def test_however_many_they_take_the_statements_of_one(tmp_path: Path) -> None:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    ledger = Ledger(store, TENANT, Standing())
    rows = [start(ledger, day=f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}")[0] for n in range(100)]
    ran: list[str] = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda *said: ran.append(said[2].split()[0])
    )

    def sealed(row: Outgoing) -> Asked:
        return collected(lambda book: book.move_out(row.transfer, Out.SEALED, manifest="m"))

    futures = together(store, [sealed(row) for row in rows])

    assert {future.result().state for future in futures} == {Out.SEALED}
    assert ran == ["SELECT", "UPDATE", "INSERT"]
    store.close()


def test_moves_of_one_row_add_up(ledger: Ledger) -> None:
    transfer = Ground(ledger).out[0].transfer
    both = [(stage, f"a {stage}") for stage in STAGES[:2]]
    asked = [
        collected(lambda book: book.move_out(transfer, Out.SEALED, manifest="m")),
        collected(lambda book: book.move_out(transfer, Out.SENT, facts={"a": 1})),
        collected(lambda book: book.received(transfer, both[:1], Out.DELIVERED, facts={"b": 2})),
        collected(lambda book: book.received(transfer, both, Out.OPENED, facts={"a": 3})),
    ]

    for future in together(ledger.store, asked):
        future.result()

    row = ledger.outgoing(transfer)
    assert (row.state, row.manifest, row.facts) == (Out.OPENED, "m", {"a": 3, "b": 2})
    assert ledger.receipts(transfer, 1, "out") == ["a delivered", "a opened"]
