"""Turns and deeds again on PostgreSQL, and what only several processes can do to them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kumobashi.directory.entries import ProfileEntry
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.errors import Fenced, TooMuchUnclosed
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import LEFT, In, Out
from kumobashi.exchange.turns import Turns
from kumobashi.storage.postgresql import PostgreSQLState
from kumobashi.storage.state import StateStore
from tests.contract.states import TENANT, States, states
from tests.unit.exchange.test_admitting import announce, announcement
from tests.unit.exchange.test_turns import *  # noqa: F403 - every test that is there
from tests.unit.exchange.test_turns import add, turns

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture(scope="module")
def stores() -> Iterator[States]:
    yield from states()


@pytest.fixture(scope="module")  # type: ignore[no-redef]
def store(stores: States) -> Iterator[StateStore]:
    made = PostgreSQLState(stores.database(), tenant=TENANT)
    migrate(made)
    yield made
    made.close()


def claimed(ledger: Ledger, held: Held, owner: str, seconds: float = 60.0) -> Lease:
    lease = Leases(ledger.store, TENANT, owner=owner, seconds=seconds).claim(held)
    assert lease is not None
    return lease


def test_what_another_process_works_on_has_no_turn_until_it_lets_go(ledger: Ledger) -> None:
    first, second = add(ledger, "a", 1), add(ledger, "a", 2)
    left = add(ledger, "b", state=Out.SENT)
    theirs = [
        claimed(ledger, Held(side="out", transfer=row.transfer), "b") for row in (first, left)
    ]

    assert turns(ledger) == [second.transfer]
    assert Turns(ledger).looking(LEFT, {"there"}, after="", limit=9) == []

    for lease in theirs:
        Leases(ledger.store, TENANT, owner="b", seconds=60).release(lease)
    assert turns(ledger) == [first.transfer, second.transfer]
    assert Turns(ledger).looking(LEFT, {"there"}, after="", limit=9) == [(left.transfer, 1)]


def test_bundles_that_another_process_works_on_have_no_turn(ledger: Ledger) -> None:
    first, second = (announce(ledger, announcement(), ProfileEntry()) for _ in range(2))
    claimed(ledger, Held(side="in", transfer=first.transfer, attempt=1), "b")

    jobs = Turns(ledger).taking({In.ANNOUNCED}, frozenset(), 9, to_sites={"there"}).jobs
    passing = Turns(ledger).passing({In.ANNOUNCED}, {"there"}, after=("", 0), limit=9)

    assert [job.key for job in jobs] == passing == [(second.transfer, 1)]


def test_of_many_that_announce_at_once_no_more_than_the_quota_come_in(ledger: Ledger) -> None:
    profile = replace(ProfileEntry(), unclosed_transfers=3)
    go, refused = threading.Barrier(8), []

    def one() -> None:
        go.wait()
        try:
            announce(ledger, announcement(), profile)
        except TooMuchUnclosed as error:
            refused.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (len(ledger.incomings()), len(refused)) == (3, 5)


def test_a_close_under_an_old_token_is_refused(ledger: Ledger) -> None:
    row = add(ledger, "a")
    on = Held(side="out", transfer=row.transfer)
    late = ledger.under(claimed(ledger, on, "a", 0.0))
    time.sleep(0.01)
    new = ledger.under(claimed(ledger, on, "b"))

    with pytest.raises(Fenced):
        Deeds(late).begin_to_close(row.transfer)

    assert ledger.outgoing(row.transfer) == row
    Deeds(new).begin_to_close(row.transfer)
