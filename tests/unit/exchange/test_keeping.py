"""The book of holdings: made of what the ledger has, never lost, never doubled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.errors import IllegalMove, NothingHeld
from kumobashi.exchange.holdings import Keeping
from kumobashi.exchange.keeping import IN, OUT, Holdings
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import from_micros, new_id, to_micros
from kumobashi.messages.manifest import Manifest, sign_manifest
from kumobashi.messages.receipts import Receipt, Stage, next_receipt, sign_receipt
from kumobashi.messages.retention import Retention
from kumobashi.storage.sqlite import StateStore
from kumobashi.testing.clocks import HandClock
from tests.unit.messages.examples import manifest

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
APPLIED = START + timedelta(minutes=5)
STAGES = (Stage.DELIVERED, Stage.OPENED, Stage.VALIDATED, Stage.APPLIED)
KEY = SigningKey.generate()


class Site:
    """The state of one gateway, and ways to let transfers have been applied."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(START)
        self.store = StateStore(folder / "state.db", owner="hall-core")
        migrate(self.store)
        self.ledger = Ledger(self.store, "999997", self.clock)
        self.book = Holdings(self.store, "999997", self.clock)

    def sent(self, kept: Retention | None) -> str:
        """Let a transfer of this site have been applied elsewhere."""
        self.clock.at = START
        row, _ = self.ledger.start(
            "notice-attributes", "2026-11-22", mode="full", plan_hash="sha256:d", again=True
        )
        said = manifest(transfer=row.transfer, retention=kept)
        self.ledger.move_out(row.transfer, Out.SEALED, manifest=sign_manifest(said, KEY))
        self.ledger.move_out(row.transfer, Out.SENT)
        tokens = _chain(said)
        self.ledger.received(row.transfer, tokens, Out.APPLIED, facts={})
        return row.transfer

    def received(self, kept: Retention | None) -> str:
        """Let a transfer of another site have been applied here."""
        self.clock.at = START
        said = manifest(transfer=new_id(), retention=kept)
        bundle = self.ledger.announced(
            transfer=said.transfer,
            attempt=1,
            link=said.link,
            from_site=said.from_site,
            to_site=said.to_site,
            announcement={},
        )
        token = sign_manifest(said, KEY)
        states = (In.DELIVERED, In.OPENED, In.VALIDATED, In.APPLIED)
        for state, receipt in zip(states, _chain(said), strict=True):
            self.ledger.move_in(bundle, state, receipt=receipt, manifest=token)
        return said.transfer


def _chain(said: Manifest) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    before: Receipt | None = None
    for stage in STAGES:
        before = next_receipt(
            before, manifest=said, stage=stage, receipt=new_id(), at=APPLIED, rows=3
        )
        found.append((stage.value, sign_receipt(before, KEY)))
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


MONTH = Retention(name="service", days=30)


def test_every_applied_transfer_gets_one_entry_at_both_ends(site: Site) -> None:
    out, into = site.sent(MONTH), site.received(MONTH)
    unfinished, _ = site.ledger.start(
        "another", "2026-11-22", mode="full", plan_hash="sha256:d", again=False
    )

    assert (site.book.discover(), site.book.discover()) == (2, 0)

    sent, got = site.book.one(out, OUT), site.book.one(into, IN)
    assert sent.state is got.state is Keeping.HELD
    assert (sent.rows, sent.plan_hash, got.plan_hash) == (3, "sha256:d", None)
    assert sent.due_at is not None
    assert from_micros(sent.due_at) == APPLIED + timedelta(days=30)
    for transfer in (unfinished.transfer, new_id()):
        with pytest.raises(NothingHeld):
            site.book.one(transfer, OUT)


def test_what_was_applied_after_a_look_is_found_by_the_next(site: Site) -> None:
    site.sent(MONTH)
    site.book.discover()
    later = site.sent(MONTH)

    assert site.book.discover() == 1
    assert site.book.one(later, OUT).transfer == later


def test_a_book_that_was_lost_is_made_again(site: Site) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    with site.store.engine.begin() as connection:
        connection.exec_driver_sql("delete from holdings")

    again = Holdings(site.store, "999997", site.clock)

    assert again.discover() == 1
    assert again.one(transfer, OUT).state is Keeping.HELD


def test_without_a_declared_end_nothing_presses(site: Site) -> None:
    transfer = site.sent(None)
    site.book.discover()
    site.clock.at = START + timedelta(days=36_500)

    assert site.book.one(transfer, OUT).due_at is None
    assert site.book.pressing(OUT) == []
    assert site.book.overdue() == []


def test_deadlines_press_when_they_come_and_are_late_a_day_after(site: Site) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    due = APPLIED + timedelta(days=30)
    seen = {}
    for name, at in {
        "before": due - timedelta(microseconds=1),
        "due": due,
        "late": due + timedelta(days=1),
    }.items():
        site.clock.at = at
        pressing = [held.transfer for held in site.book.pressing(OUT)]
        seen[name] = (pressing, [held.transfer for held in site.book.overdue()])

    assert seen == {
        "before": ([], []),
        "due": ([transfer], []),
        "late": ([transfer], [transfer]),
    }


def test_what_is_deleted_presses_no_more_and_never_moves_again(site: Site) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    site.clock.at = APPLIED + timedelta(days=40)
    held = site.book.one(transfer, OUT)

    ended = site.book.move(held, Keeping.DELETED, facts={"rows": 3})

    assert ended.deleted_at == to_micros(site.clock.at)
    assert site.book.pressing(OUT) == site.book.overdue() == []
    for then in Keeping:
        with pytest.raises(IllegalMove):
            site.book.move(ended, then)
    assert site.book.discover() == 0


def test_what_was_asked_for_presses_before_it_is_due(site: Site) -> None:
    transfer = site.received(MONTH)
    site.book.discover()
    held = site.book.move(site.book.one(transfer, IN), Keeping.ASKED, request="x")
    assert [one.transfer for one in site.book.pressing(IN)] == [transfer]

    site.book.move(held, Keeping.DELETING)

    assert [one.state for one in site.book.pressing(IN)] == [Keeping.DELETING]
    assert site.book.pressing(OUT) == []
