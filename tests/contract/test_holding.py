"""Work whose lease could not be let go, because the disk was full, is taken up again at once."""

import asyncio
from pathlib import Path

import pytest

from kumobashi.exchange.holding import Holder
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import new_id
from kumobashi.storage.errors import SpoolFull
from kumobashi.storage.sqlite import SQLiteState

ON = Held(side="out", transfer=new_id())


def test_a_lease_that_could_not_be_released_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    holder = Holder(
        Leases(store, "999997", owner="me", seconds=60.0), seconds=60.0, is_shared=False
    )

    async def hold() -> Lease | None:
        async with holder.holding(ON) as lease:
            return lease

    def full(_lease: Lease) -> None:
        raise SpoolFull(place="state.db")

    try:
        with monkeypatch.context() as broken:
            broken.setattr(holder.leases, "release", full)
            first = asyncio.run(hold())
        second, third = asyncio.run(hold()), asyncio.run(hold())
    finally:
        store.close()

    assert first is not None
    assert second == first  # the token is still the newest, so its changes are let through
    assert third is not None
    assert third.token > first.token  # let go in the meantime
