"""Leases on every store: one holder at a time, tokens that grow, late commits refused."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kumobashi.exchange.errors import Fenced
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import new_id
from kumobashi.storage.errors import OutcomeUnknown, StoreUnreachable
from kumobashi.storage.state import StateStore
from tests.contract.states import KINDS, TENANT, States, states
from tests.unit.exchange.test_ledger import Standing, announce, start

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
SHORT = 1.0  # seconds of a lease


@pytest.fixture(scope="module")
def stores() -> Iterator[States]:
    yield from states()


@pytest.fixture(params=KINDS)
def opened(
    request: pytest.FixtureRequest, stores: States, tmp_path: Path
) -> Callable[[], StateStore]:
    return stores.opener(request.param, tmp_path)


@pytest.fixture
def store(opened: Callable[[], StateStore]) -> Iterator[StateStore]:
    made = opened()
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def ledger(store: StateStore) -> Ledger:
    return Ledger(store, TENANT, Standing())


def leases(store: StateStore, owner: str, seconds: float = 60.0) -> Leases:
    return Leases(store, TENANT, owner=owner, seconds=seconds)


def claimed(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def outgoing(ledger: Ledger) -> Held:
    row, _ = start(ledger)
    return Held(side="out", transfer=row.transfer)


def test_only_one_process_holds_a_lease_and_not_twice(store: StateStore) -> None:
    on = Held(side="out", transfer=new_id())
    first = claimed(leases(store, "a").claim(on))

    assert leases(store, "b").claim(on) is None
    assert leases(store, "a").claim(on) is None
    assert (first.token, first.was_taken_over) == (1, False)


def test_what_was_let_go_is_free_and_its_token_goes_on(store: StateStore) -> None:
    on = Held(side="in", transfer=new_id(), attempt=2)
    mine = leases(store, "a")
    mine.release(claimed(mine.claim(on)))

    second = claimed(leases(store, "b").claim(on))

    assert (second.token, second.was_taken_over) == (2, True)
    assert leases(store, "c").claim(Held(side="in", transfer=on.transfer, attempt=3)) is not None


def test_a_lease_runs_out_unless_it_is_renewed(store: StateStore) -> None:
    on = Held(side="out", transfer=new_id())
    mine, theirs = leases(store, "a", SHORT), leases(store, "b", 60.0)
    lease = claimed(mine.claim(on))
    for _ in range(4):
        time.sleep(SHORT / 2)
        assert mine.renew([lease]) == []
    assert theirs.claim(on) is None

    time.sleep(SHORT * 1.5)

    taken = claimed(theirs.claim(on))
    assert taken.token == 2
    assert mine.renew([lease]) == [lease], "it is told that it has lost"
    mine.release(lease)
    assert leases(store, "c").claim(on) is None, "letting go of what was lost frees nothing"


def test_a_lease_that_ran_out_while_nobody_wanted_it_is_renewed(store: StateStore) -> None:
    mine = leases(store, "a", SHORT)
    lease = claimed(mine.claim(Held(side="out", transfer=new_id())))
    time.sleep(SHORT * 1.5)

    assert mine.renew([lease]) == []
    assert leases(store, "b").claim(lease.on) is None


def test_a_lease_that_nobody_works_under_runs_out_beside_those_that_are_renewed(
    store: StateStore,
) -> None:
    mine, theirs = leases(store, "a", SHORT), leases(store, "b", 60.0)
    worked = [claimed(mine.claim(Held(side="out", transfer=new_id()))) for _ in range(3)]
    dropped = claimed(mine.claim(Held(side="out", transfer=new_id())))
    for _ in range(4):
        time.sleep(SHORT / 2)
        assert mine.renew(worked) == []

    assert theirs.claim(worked[0].on) is None
    assert theirs.claim(dropped.on) is not None


def test_every_change_under_an_old_token_is_refused_and_nothing_is_written(ledger: Ledger) -> None:
    store, on = ledger.store, outgoing(ledger)
    old = claimed(leases(store, "a", 0.0).claim(on))
    late = ledger.under(old)
    late.move_out(on.transfer, None, facts={"by": "a"})
    time.sleep(0.01)
    new = ledger.under(claimed(leases(store, "b").claim(on)))

    with pytest.raises(Fenced) as refused:
        late.move_out(on.transfer, Out.SEALED, facts={"by": "the old one"})
    with pytest.raises(Fenced):
        late.received(on.transfer, [("delivered", "jws")], Out.DELIVERED, facts={})
    with pytest.raises(Fenced):
        late.keep_receipts(on.transfer, 1, "out", [("delivered", "jws")])
    with pytest.raises(Fenced):
        late.check_lease()

    assert (refused.value.code, refused.value.retryable) == ("exchange.fenced", False)
    assert ledger.outgoing(on.transfer).facts == {"by": "a"}
    assert ledger.receipts(on.transfer, 1, "out") == []
    new.check_lease()
    assert new.move_out(on.transfer, Out.SEALED).state is Out.SEALED


def test_a_bundle_is_fenced_too(ledger: Ledger) -> None:
    bundle = announce(ledger, new_id())
    on = Held(side="in", transfer=bundle.transfer, attempt=1)
    late = ledger.under(claimed(leases(ledger.store, "a", 0.0).claim(on)))
    time.sleep(0.01)
    new = ledger.under(claimed(leases(ledger.store, "b").claim(on)))

    with pytest.raises(Fenced):
        late.move_in(bundle, In.DELIVERED, receipt=("delivered", "old"))

    new.move_in(bundle, In.DELIVERED, receipt=("delivered", "new"))
    assert ledger.receipts(bundle.transfer, 1, "in") == ["new"]


def test_of_many_that_claim_at_once_each_piece_of_work_has_one_holder(
    ledger: Ledger, opened: Callable[[], StateStore]
) -> None:
    rows = [start(ledger, day=f"2026-11-{day:02}")[0] for day in range(1, 21)]
    others = [opened() for _ in range(3)] if ledger.store.is_shared else [ledger.store] * 3
    go = threading.Barrier(6)
    found: list[Lease] = []

    def claim(number: int) -> None:
        mine = leases(others[number % 3], f"p{number}")
        go.wait()
        tried = (mine.claim(Held(side="out", transfer=row.transfer)) for row in rows)
        found.extend(lease for lease in tried if lease)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(found) == len({lease.on.transfer for lease in found}) == 20
    if ledger.store.is_shared:
        for other in others:
            other.close()


def test_a_takeover_waits_for_a_commit_that_has_been_let_in(ledger: Ledger) -> None:
    """Checked and committed are one: nobody takes over in between."""
    store, on = ledger.store, outgoing(ledger)
    late = ledger.under(claimed(leases(store, "a", 0.0).claim(on)))
    time.sleep(0.01)
    inside, go_on = threading.Event(), threading.Event()
    taken: list[Lease | None] = []

    def slow(connection: object) -> None:
        late._fence(connection)  # type: ignore[arg-type]
        inside.set()
        go_on.wait(5)

    committing = store.submit(slow, key=on.transfer)
    assert inside.wait(5)
    taking = threading.Thread(target=lambda: taken.append(leases(store, "b").claim(on)))
    taking.start()
    taking.join(0.3)
    assert taken == []
    go_on.set()
    committing.result(5)
    taking.join(10)
    assert claimed(taken[0]).token == 2


async def soon_claimed(ledger: Ledger, on: Held) -> Lease:
    for _ in range(100):
        if lease := leases(ledger.store, "next").claim(on):
            return lease
        await asyncio.sleep(0.1)
    raise AssertionError("held for ten seconds")


async def test_a_claim_whose_answer_was_lost_is_let_go_long_before_it_runs_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, on = leases(ledger.store, "mine"), outgoing(ledger)
    claim = mine.claim

    def claim_unheard(on: Held) -> Lease | None:
        claim(on)
        raise OutcomeUnknown(system="state", name="x")

    monkeypatch.setattr(mine, "claim", claim_unheard)
    holder = Holder(mine, seconds=60, is_shared=True)
    with pytest.raises(OutcomeUnknown):
        async with holder.holding(on):
            pass

    assert (await soon_claimed(ledger, on)).token == 2
    await holder.aclose()


async def test_a_lease_that_could_not_be_released_is_let_go_when_the_state_is_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, on = leases(ledger.store, "mine"), outgoing(ledger)
    other = Held(side="out", transfer=new_id())

    def away(_lease: Lease) -> None:
        raise StoreUnreachable(system="state", name="x", reason="x", reason_ja="x")

    holder = Holder(mine, seconds=60, is_shared=True)
    async with holder.holding(other) as kept:
        with monkeypatch.context() as while_away:
            while_away.setattr(mine, "release", away)
            async with holder.holding(on):
                pass

        assert (await soon_claimed(ledger, on)).token == 2
        assert mine.renew([claimed(kept)]) == [], "what is worked on is kept"
    await holder.aclose()


def test_leases_of_the_dead_are_freed_in_a_store_of_one_process(
    opened: Callable[[], StateStore],
) -> None:
    store = opened()
    migrate(store)
    on = Held(side="out", transfer=new_id())
    claimed(leases(store, "dead").claim(on))

    leases(store, "next").forget_all()

    assert claimed(leases(store, "next").claim(on)).token == 2
    store.close()
