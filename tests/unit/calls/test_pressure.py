"""What a place takes: bounded, told in time, closed while it is down, open again by itself."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from kumobashi.calls.errors import CallOver, CallsWaiting, Side
from kumobashi.calls.pressure import FAILURES, Place


async def _hold(place: Place, over: asyncio.Event, *, seconds: float = 5.0) -> None:
    async with place.call(seconds=seconds, budget_ms=round(seconds * 1000)) as trial:
        await over.wait()
        trial.answered()


async def test_beyond_both_bounds_a_call_is_refused_at_once() -> None:
    place, over = Place("s", Side.ANSWERER, at_once=2, waiting=3), asyncio.Event()
    tasks = [asyncio.create_task(_hold(place, over)) for _ in range(5)]
    await asyncio.sleep(0)
    assert (place.open_calls, place.queued) == (2, 3)
    with pytest.raises(CallsWaiting) as refused:
        await _hold(place, over)
    assert refused.value.at is Side.ANSWERER
    over.set()
    await asyncio.gather(*tasks)
    assert (place.open_calls, place.queued) == (0, 0)


async def test_five_hundred_wait_are_told_in_time_and_leave_nothing() -> None:
    place, over = Place("s", Side.ANSWERER, at_once=4, waiting=1000), asyncio.Event()
    held = [asyncio.create_task(_hold(place, over)) for _ in range(4)]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(_hold(place, over, seconds=0.2)) for _ in range(500)]
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, CallOver) for one in ended)
    assert place.queued == 0
    over.set()
    await asyncio.gather(*held)
    await _hold(place, over)
    assert place.open_calls == 0


async def test_who_gives_up_leaves_its_turn_to_the_next() -> None:
    place, over = Place("s", Side.ANSWERER, at_once=1), asyncio.Event()
    first = asyncio.create_task(_hold(place, over))
    await asyncio.sleep(0)
    gone, next_ = (asyncio.create_task(_hold(place, over)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    over.set()
    await asyncio.gather(first, next_)
    assert place.open_calls == 0


async def test_a_place_that_is_down_is_left_alone_then_probed() -> None:
    now = [100.0]
    place = Place("s", Side.LINE, monotonic=lambda: now[0])
    for _ in range(FAILURES):
        async with place.call(seconds=1, budget_ms=1000) as trial:
            trial.failed()
    with pytest.raises(CallsWaiting):
        async with place.call(seconds=1, budget_ms=1000):
            pass
    now[0] += 1.5
    async with place.call(seconds=1, budget_ms=1000) as trial:  # the probe
        with pytest.raises(CallsWaiting):
            async with place.call(seconds=1, budget_ms=1000):
                pass
        trial.failed()
    now[0] += 1.5
    with pytest.raises(CallsWaiting):  # it rests longer now
        async with place.call(seconds=1, budget_ms=1000):
            pass
    now[0] += 1.5
    async with place.call(seconds=1, budget_ms=1000) as trial:
        trial.answered()
    async with place.call(seconds=1, budget_ms=1000), place.call(seconds=1, budget_ms=1000):
        assert place.open_calls == 2


async def test_calls_that_fail_together_close_the_way_once() -> None:
    now = [100.0]
    place = Place("s", Side.LINE, monotonic=lambda: now[0])
    async with AsyncExitStack() as calls:
        trials = [
            await calls.enter_async_context(place.call(seconds=1, budget_ms=1000))
            for _ in range(100)
        ]
        for trial in trials:
            trial.failed()
    now[0] += 1.5
    async with place.call(seconds=1, budget_ms=1000) as probe:
        for trial in trials:  # these went before
            trial.failed()
        probe.answered()
    assert not place.is_closed
