"""Epochs of a state, on every store: they grow, name their site, tell a restoration once."""

import threading
from collections.abc import Callable

import pytest

from kumobashi.exchange.incarnations import Incarnation, Incarnations
from kumobashi.kernel import new_id
from kumobashi.storage.errors import StoreForeign
from kumobashi.storage.state import StateStore
from tests.contract.states import TENANT
from tests.unit.exchange.test_ledger import Standing

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def of(store: StateStore, site: str = "here") -> Incarnations:
    return Incarnations(store, TENANT, site, Standing())


def test_every_start_is_an_epoch_of_the_same_incarnation(store: StateStore) -> None:
    first, second = of(store).begin(), of(store).begin()

    assert (first.epoch, first.why, second.epoch, second.why) == (1, "made", 2, "started")
    assert first.incarnation == second.incarnation
    assert of(store).current() == second
    assert of(store).restored() is None


def test_another_sites_state_is_refused(store: StateStore) -> None:
    of(store).begin()

    with pytest.raises(StoreForeign) as refused:
        of(store, "elsewhere").begin()

    assert refused.value.facts == {"owner": "here", "site": "elsewhere"}
    assert of(store).current().epoch == 1


def test_what_was_lost_is_noted_once_and_begins_a_new_incarnation(store: StateStore) -> None:
    mine = of(store)
    before = mine.begin()
    a, b, c = new_id(), new_id(), new_id()

    found = mine.note_lost([a, b], told_by="hall")

    assert found is not None
    assert (found.why, found.facts) == ("restored", {"lost": sorted([a, b]), "told_by": "hall"})
    assert found.incarnation != before.incarnation
    assert mine.note_lost([b, a], told_by="hall") is None
    assert mine.current() == mine.restored() == found
    more = mine.note_lost([a, c], told_by="other")
    assert more is not None
    assert more.facts["lost"] == [c]
    assert of(store).begin().incarnation == more.incarnation


def test_processes_that_start_at_once_have_an_epoch_each(
    store: StateStore, opened: Callable[[], StateStore]
) -> None:
    others = [opened() for _ in range(3)] if store.is_shared else [store] * 3
    go = threading.Barrier(3)
    found: list[Incarnation] = []

    def begin(other: StateStore) -> None:
        go.wait()
        found.append(of(other).begin())

    threads = [threading.Thread(target=begin, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(one.epoch for one in found) == [1, 2, 3]
    assert len({one.incarnation for one in found}) == 1
    if store.is_shared:
        for other in others:
            other.close()
