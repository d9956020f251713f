"""Ties end with their term by the calendar of Japan, without anybody asking."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from kumobashi.exchange.migrating import migrate
from kumobashi.service.tie_expiring import Expiring
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.gateways import until
from kumobashi.ties.sql import ties
from kumobashi.ties.states import State
from tests.unit.ties.books import LESS, NOW, OFFER, ONE, TWO, Desk

OVER = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)  # 1 January in Japan; LESS ends with December


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Desk(store, HandClock(NOW))
    store.close()


def _is_ended(desk: Desk, tie: str) -> bool | None:
    return desk.reading.tie(tie).state is State.ENDED or None


def test_a_tie_ends_when_its_last_day_is_over_in_japan(desk: Desk) -> None:
    tie, other = desk.bring(State.IN_FORCE, terms=LESS), desk.bring(State.IN_FORCE, TWO, OFFER)
    expiring = Expiring(desk.book, desk.clock)
    looks = []
    for at in (NOW, OVER - timedelta(seconds=1), OVER, OVER, OVER + timedelta(days=1)):
        desk.clock.at = at
        looks.append(expiring.look())
    assert looks == [0, 0, 1, 0, 0]
    ended = desk.reading.tie(tie.tie)
    assert (ended.state, ended.reason, ended.since) == (State.ENDED, "expire", OVER)
    assert desk.reading.tie(other.tie).state is State.IN_FORCE


def test_a_gateway_that_starts_later_ends_what_it_missed(desk: Desk) -> None:
    tie = desk.bring(State.IN_FORCE, terms=LESS)
    desk.clock.at = OVER + timedelta(days=40)

    async def run() -> None:
        expiring = Expiring(desk.book, desk.clock, every_seconds=0.01)
        expiring.start()
        is_over = partial(_is_ended, desk, tie.tie)
        await asyncio.to_thread(until, "the tie to end", is_over, 5.0, every=0.01)
        await expiring.aclose()

    asyncio.run(run())
    assert desk.reading.verify() == []


def test_a_day_that_failed_is_seen_to_again_and_a_touched_tie_stops_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tie, other = desk.bring(State.IN_FORCE, ONE, LESS), desk.bring(State.IN_FORCE, TWO, LESS)

    def touch(connection: sa.Connection) -> None:
        connection.execute(sa.update(ties).where(ties.c.tie == tie.tie).values(terms="{}"))

    desk.store.write(touch)
    desk.clock.at = OVER
    expiring = Expiring(desk.book, desk.clock)

    def away(*_: object, **__: object) -> None:
        raise StorageFailed(reason="away")

    with monkeypatch.context() as broken:
        broken.setattr(SQLiteState, "write", away)
        with pytest.raises(StorageFailed):
            expiring.look()
    assert expiring.look() == 1
    assert desk.reading.tie(other.tie).state is State.ENDED
