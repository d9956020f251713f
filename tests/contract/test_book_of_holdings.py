"""The book of holdings on every store: made of what the ledger has, never lost, never doubled."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.sql import waiting
from kumobashi.exchange.deletion_errors import BaseInUse, NothingHeld
from kumobashi.exchange.errors import Fenced, IllegalMove
from kumobashi.exchange.holding_tables import holdings
from kumobashi.exchange.holdings import Keeping
from kumobashi.exchange.keeping import IN, OUT, Holdings
from kumobashi.exchange.leases import Held, Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.proofs import Proofs
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import from_micros, new_id, to_micros
from kumobashi.messages.manifest import Manifest, sign_manifest
from kumobashi.messages.receipts import Receipt, Stage, next_receipt, sign_receipt
from kumobashi.messages.retention import Retention
from kumobashi.storage.state import StateStore
from kumobashi.testing.clocks import HandClock
from tests.contract.states import KINDS, TENANT, States
from tests.unit.messages.examples import manifest

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
APPLIED = START + timedelta(minutes=5)
STAGES = (Stage.DELIVERED, Stage.OPENED, Stage.VALIDATED, Stage.APPLIED)
KEY = SigningKey.generate()


class Site:
    """The state of one gateway, and ways to let transfers have been applied."""

    def __init__(self, store: StateStore) -> None:
        self.clock = HandClock(START)
        self.store = store
        migrate(self.store)
        self.ledger = Ledger(self.store, TENANT, self.clock)
        self.book = Holdings(self.store, TENANT, self.clock)

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


@pytest.fixture(params=KINDS)
def opened(
    request: pytest.FixtureRequest, stores: States, tmp_path: Path
) -> Callable[[], StateStore]:
    return stores.opener(request.param, tmp_path)


@pytest.fixture
def site(opened: Callable[[], StateStore]) -> Iterator[Site]:
    made = Site(opened())
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
    site.store.write(lambda connection: connection.execute(sa.delete(holdings)))

    again = Holdings(site.store, TENANT, site.clock)

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


def records(site: Site, event: str) -> list[dict[str, object]]:
    """Return what the evidence log says of one kind of event, in the order it was committed."""
    query = sa.select(waiting.c.body).order_by(waiting.c.entry)
    found = site.store.read(lambda connection: connection.execute(query).scalars().all())
    said = [json.loads(bytes(body)) for body in found]
    return [one for one in said if one["event"] == event]


def test_every_change_of_state_leaves_a_record_and_who_decided_it(site: Site) -> None:
    out, into = site.sent(MONTH), site.received(MONTH)
    site.book.discover()
    held = site.book.move(site.book.one(out, OUT), Keeping.WAITING, by="shounin1")
    held = site.book.move(held, None, cause={"code": "exchange.peer_unreachable"})
    held = site.book.move(held, Keeping.ASKED, by="shounin2", request="x")
    site.book.move(held, Keeping.DELETED, facts={"rows": 3})

    begun = {str(one["transfer"]): one for one in records(site, "holding.begun")}
    assert begun.keys() == {out, into}
    assert (begun[into]["side"], begun[into]["counts"]) == ("in", {"rows": 3})
    moved = records(site, "holding.moved")
    assert [(one["before"], one["after"], one["by"]) for one in moved] == [
        ("held", "waiting", "account:shounin1"),
        ("waiting", "asked", "account:shounin2"),
        ("asked", "deleted", "gateway"),
    ]
    assert moved[-1]["counts"] == {"rows": 3}


def test_under_an_old_token_nothing_moves_and_nothing_is_noted(site: Site) -> None:
    transfer = site.received(MONTH)
    site.book.discover()
    on = Held(side="in", transfer=transfer, attempt=1)
    old = Leases(site.store, TENANT, owner="a", seconds=0.0).claim(on)
    assert old is not None
    late = site.book.under(old)
    held = late.move(late.one(transfer, IN), Keeping.ASKED)
    time.sleep(0.01)
    new = Leases(site.store, TENANT, owner="b", seconds=60.0).claim(on)
    assert new is not None

    for then in (Keeping.DELETING, Keeping.DELETED, None):
        with pytest.raises(Fenced):
            late.move(held, then)

    assert site.book.one(transfer, IN).state is Keeping.ASKED
    assert len(records(site, "holding.moved")) == 1
    assert site.book.under(new).move(held, Keeping.DELETING).state is Keeping.DELETING


def test_whoever_comes_second_does_not_decide_on_what_has_changed(site: Site) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    waits = site.book.move(site.book.one(transfer, OUT), Keeping.WAITING, by="shounin1")
    site.book.move(waits, Keeping.HELD, by="shounin1")  # withdrawn

    with pytest.raises(IllegalMove):
        site.book.move(waits, Keeping.ASKED, by="shounin2")

    assert site.book.one(transfer, OUT).state is Keeping.HELD


def test_two_processes_that_look_at_once_make_one_entry(
    site: Site, opened: Callable[[], StateStore]
) -> None:
    for _ in range(20):
        site.received(MONTH)
    books = [Holdings(site.store, TENANT, site.clock)]
    other = opened() if site.store.is_shared else site.store
    books.append(Holdings(other, TENANT, site.clock))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(Holdings.discover, books))

    assert sum(found) == len(site.book.all(IN)) == 20
    assert len(records(site, "holding.begun")) == 20
    if other is not site.store:
        other.close()


@pytest.mark.parametrize("full", [False, True])
def test_what_a_difference_under_way_may_stand_on_is_not_asked_away(
    site: Site, *, full: bool
) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    held = site.book.one(transfer, OUT)
    running, _ = site.ledger.start(
        "notice-attributes", "2026-11-23", mode="difference", plan_hash="sha256:d", again=True
    )
    with pytest.raises(BaseInUse) as refused:
        site.book.move(held, Keeping.ASKED, request="x")
    assert refused.value.facts["running"] == running.transfer

    said = sign_manifest(manifest(transfer=running.transfer), KEY)
    base = None if full else transfer
    site.ledger.move_out(running.transfer, Out.SEALED, manifest=said, base_transfer=base)
    if not full:
        with pytest.raises(BaseInUse):
            site.book.move(held, Keeping.ASKED, request="x")
        site.ledger.move_out(running.transfer, Out.REFUSED)

    assert site.book.move(held, Keeping.ASKED, request="x").state is Keeping.ASKED


def test_what_ends_soon_is_named_while_it_is_open(site: Site) -> None:
    transfer = site.sent(MONTH)
    site.book.discover()
    hour = timedelta(hours=1)
    site.clock.at = APPLIED + timedelta(days=30) - hour
    assert [held.transfer for held in site.book.ending(hour)] == [transfer]
    assert site.book.ending(hour / 2) == []

    site.book.move(site.book.one(transfer, OUT), Keeping.DELETED, facts={"rows": 3})

    assert site.book.ending(hour) == []


def test_proofs_are_shown_the_newest_first_and_each_once(site: Site) -> None:
    names = [site.sent(MONTH) for _ in range(5)]
    site.book.discover()
    for number, transfer in enumerate(names):
        site.clock.at = APPLIED + timedelta(days=30 + number // 2)  # some at the same moment
        site.ledger.keep_receipts(transfer, 1, "out", [("deleted", f"proof of {transfer}")])
        site.book.move(site.book.one(transfer, OUT), Keeping.DELETED, facts={"rows": 3})
    proofs = Proofs(site.store, TENANT)
    (receiver,) = proofs.receivers()

    shown: list[str] = []
    before = None
    while some := proofs.proved(receiver, before=before, limit=2):
        shown += [one.transfer for one in some]
        assert all(one.receipt == f"proof of {one.transfer}" for one in some)
        before = some[-1]

    assert sorted(shown) == sorted(names)
    assert shown[-2:] == [names[1], names[0]]


def test_only_links_whose_newest_is_deleted_are_emptied(site: Site) -> None:
    older, newer = site.received(MONTH), site.received(MONTH)
    site.book.discover()
    with_rows = site.book.one(newer, IN)
    site.store.write(
        lambda held: held.execute(
            sa.update(holdings)
            .where(holdings.c.transfer == newer)
            .values(applied_at=with_rows.applied_at + 1)
        )
    )
    for transfer, emptied in ((older, []), (newer, [newer])):
        held = site.book.move(site.book.one(transfer, IN), Keeping.DELETING)
        site.book.move(held, Keeping.DELETED, facts={"rows": 3})
        assert [one.transfer for one in site.book.emptied()] == emptied
