"""A call is taken once by all processes that share a state, however many claim it at once."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kumobashi.calls.claiming import Claims, taken_calls
from kumobashi.calls.header import CallHeader
from kumobashi.crypto.errors import SignatureReplayed
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import new_id
from kumobashi.storage.state import StateStore
from tests.contract.states import TENANT, States

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class _Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def both(stores: States, tmp_path: object) -> Iterator[tuple[StateStore, StateStore]]:
    """Two processes' stores of one state."""
    opened: Callable[[], StateStore] = stores.opener("postgresql", tmp_path)  # type: ignore[arg-type]
    one, two = opened(), opened()
    migrate(one)
    yield one, two
    one.close()
    two.close()


def _header(**changes: str) -> CallHeader:
    said = {
        "call": new_id(), "tenant": TENANT, "link": "l", "asker": "a", "asking_site": "hall",
        "answerer": "b", "answering_site": "cloud", "service": "s", "version": "v1", "unit": "",
        "kind": "", "purpose": "p", "agreement": "", "plan": "sha256:" + "0" * 64,
        "correlation": new_id(),
    } | changes  # fmt: skip
    return CallHeader(**said, sent=NOW, budget_ms=1000, is_test=False)


async def _claimed(claims: Claims, header: CallHeader) -> bool:
    try:
        await claims.claim(header)
    except SignatureReplayed:
        return False
    return True


async def test_of_many_that_claim_a_call_one_has_it(both: tuple[StateStore, StateStore]) -> None:
    claims = [Claims(store, _Clock()) for store in both]
    headers = [_header() for _ in range(20)]

    took = await asyncio.gather(
        *(_claimed(one, header) for header in headers for one in claims for _ in range(3))
    )

    assert sum(took) == len(headers)
    other_site = _header(call=headers[0].call, asking_site="other")
    assert await _claimed(claims[0], other_site)


async def test_claims_are_let_go_when_their_calls_are_too_old(store: StateStore) -> None:
    clock = _Clock()
    claims = Claims(store, clock)
    for _ in range(5):
        await claims.claim(_header())
    clock.at += timedelta(minutes=10)
    await claims.claim(newest := _header())
    await claims.claim(_header())

    left = store.read(
        lambda held: held.execute(sa.select(taken_calls.c.call)).scalars().all(),
    )
    assert len(left) == 2
    assert newest.call in left
