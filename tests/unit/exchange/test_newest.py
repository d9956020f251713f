"""The ends of a ledger: the same as reading all of it, found without reading all of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.newest import Newest, _newest_of_each
from kumobashi.exchange.states import Out
from kumobashi.storage.sqlite import SQLiteState


class Walking:
    """A clock that takes a step each time it is asked."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 1, 16, 20, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Ledger(store, "999997", Walking())
    store.close()


def run(ledger: Ledger, link: str, day: int, *, then: Out | None = None, rows: int = 0) -> str:
    row, _ = ledger.start(link, f"2026-11-{day:02}", mode="full", plan_hash="h", again=True)
    if then:
        ledger.move_out(row.transfer, then, facts={"released": {"rows": rows}})
    return row.transfer


def test_a_ledger_without_transfers_has_no_ends(ledger: Ledger) -> None:
    assert Newest(ledger).heads() == {}


def test_the_newest_of_each_link_is_that_of_a_full_reading(ledger: Ledger) -> None:
    for day in (2, 3, 1):
        for link in ("b", "a-link", "tax-to-benefit"):
            run(ledger, link, day, then=Out.REFUSED, rows=day)

    heads = Newest(ledger).heads()

    newest = {row.link: row for row in reversed(ledger.outgoings())}
    assert {name: head.transfer for name, head in heads.items()} == {
        name: row.transfer for name, row in newest.items()
    }
    # Begun last, for the first of the month.
    assert heads["b"].business_date == date(2026, 11, 1)
    assert (heads["b"].rows, heads["b"].state) == (1, Out.REFUSED)


def test_another_municipality_is_not_seen(ledger: Ledger) -> None:
    run(Ledger(ledger.store, "999989", Walking()), "theirs", 1)
    run(ledger, "ours", 1)

    assert set(Newest(ledger).heads()) == {"ours"}


def test_what_was_just_written_is_seen(ledger: Ledger) -> None:
    newest = Newest(ledger)
    transfer = run(ledger, "a-link", 1)
    assert newest.heads()["a-link"].state is Out.EXTRACTING

    ledger.move_out(transfer, Out.REFUSED)

    assert newest.heads()["a-link"].state is Out.REFUSED


def test_heads_are_held_until_something_is_written(ledger: Ledger) -> None:
    newest = Newest(ledger)
    run(ledger, "a-link", 1)

    assert newest.heads() is newest.heads()


def test_links_read_again_one_by_one_are_as_if_all_were_read(ledger: Ledger) -> None:
    held = Newest(ledger)
    for link in ("b", "c", "d"):
        run(ledger, link, 1, then=Out.REFUSED, rows=3)
    held.heads()

    run(ledger, "b", 2, then=Out.SEALED, rows=7)
    run(ledger, "new", 2)

    assert held.heads() == Newest(ledger).heads()
    assert held.heads()["b"].rows == 7


def test_of_one_day_the_last_sequence_counts(ledger: Ledger) -> None:
    run(ledger, "a-link", 2, then=Out.REFUSED)
    run(ledger, "a-link", 2, then=Out.HELD)
    run(ledger, "a-link", 1)

    days = Newest(ledger).days(["a-link", "b"], first=date(2026, 11, 2))

    assert [(day.on.day, day.state) for day in days["a-link"]] == [(2, Out.HELD)]
    assert days["b"] == []


def test_no_query_walks_through_the_table(ledger: Ledger) -> None:
    run(ledger, "a-link", 1)
    query = _newest_of_each("999997").compile(
        dialect=sqlite_dialect(), compile_kwargs={"literal_binds": True}
    )

    explained = sa.text(f"explain query plan {query}")
    steps = ledger.store.read(lambda held: [row[3] for row in held.execute(explained)])

    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN links"]
    sought = [step for step in steps if "outgoing" in step or "of_link" in step]
    # The first looks up one smallest name, which an index has at its end.
    assert all("link>?" in step or "link=?" in step or "transfer=?" in step for step in sought[1:])
