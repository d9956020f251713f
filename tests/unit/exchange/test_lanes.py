"""A lane starts no more than it may, loses nothing, and looks again when it should."""

import asyncio
from collections.abc import Callable

import pytest

from kumobashi.exchange import lanes
from kumobashi.exchange.lanes import Found, Job, Lane

Key = tuple[str, int]


class Heap:
    """What waits, as a ledger would hold it."""

    def __init__(self, count: int) -> None:
        self.waiting: dict[Key, bool] = {(f"{number:05}", 1): False for number in range(count)}
        self.running = self.most = 0
        self.done: list[Key] = []
        self.looks = 0

    def find(self, beside: frozenset[Key], limit: int) -> Found:
        self.looks += 1
        keys = [key for key in self.waiting if key not in beside][:limit]
        return Found([Job(key, is_retry=self.waiting[key]) for key in keys])

    async def work(self, job: Job) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        self.waiting.pop(job.key, None)
        self.done.append(job.key)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - what a lane does is looked at
            await asyncio.sleep(0.001)


async def test_thousands_wait_and_only_a_few_are_tasks() -> None:
    heap = Heap(2_000)
    before = len(asyncio.all_tasks())
    lane = Lane("x", find=heap.find, work=heap.work, width=lambda: 4)
    lane.start()
    most = 0
    while heap.waiting:
        most = max(most, len(asyncio.all_tasks()) - before)
        await asyncio.sleep(0)
    await lane.aclose()

    assert heap.done == sorted(heap.done)
    assert (len(heap.done), heap.most) == (2_000, 4)
    assert most <= 4 + 2
    assert heap.looks < 2_000 / 8, "several are found with one look"


async def test_nothing_is_started_while_it_is_closed_and_news_opens_it() -> None:
    heap, closed = Heap(3), 60.0
    lane = Lane("x", find=heap.find, work=heap.work, width=lambda: 4, opens_in=lambda: closed)
    lane.start()
    await asyncio.sleep(0.05)
    assert (heap.done, heap.looks) == ([], 0)

    closed = 0.0
    lane.wake()
    await until(lambda: len(heap.done) == 3)
    await lane.aclose()


async def test_retries_wait_for_the_budget_and_fresh_work_does_not() -> None:
    heap = Heap(4)
    heap.waiting = {key: number == 3 for number, key in enumerate(heap.waiting)}
    lane = Lane("x", find=heap.find, work=heap.work, width=lambda: 1, may_retry=lambda: False)
    lane.start()
    await until(lambda: len(heap.done) == 3)
    await asyncio.sleep(0.02)
    await lane.aclose()

    assert len(heap.waiting) == 1


async def test_many_that_were_refused_keep_no_fresh_work_waiting() -> None:
    heap = Heap(200)
    heap.waiting = {key: number < 190 for number, key in enumerate(heap.waiting)}
    lane = Lane("x", find=heap.find, work=heap.work, width=lambda: 2, may_retry=lambda: False)
    lane.start()
    async with asyncio.timeout(1.0):
        await until(lambda: len(heap.done) == 10)
    await lane.aclose()

    assert len(heap.waiting) == 190


async def test_work_that_fails_unforeseen_does_not_run_in_a_circle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "_AFTER_A_FAULT_SECONDS", 0.05)
    tries = 0

    async def fails(_job: Job) -> None:
        nonlocal tries
        tries += 1
        raise OSError

    heap = Heap(1)
    lane = Lane("x", find=heap.find, work=fails, width=lambda: 1)
    lane.start()
    await asyncio.sleep(0.22)
    await lane.aclose()

    assert 2 <= tries <= 5


async def test_a_look_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_AFTER_A_FAULT_SECONDS", 0.01)
    heap, failures = Heap(1), 2

    def find(beside: frozenset[Key], limit: int) -> Found:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError
        return heap.find(beside, limit)

    lane = Lane("x", find=find, work=heap.work, width=lambda: 1)
    lane.start()
    await until(lambda: len(heap.done) == 1)
    await lane.aclose()


async def test_what_was_put_off_is_looked_for_when_it_is_due() -> None:
    heap, due = Heap(1), False

    def find(beside: frozenset[Key], limit: int) -> Found:
        return heap.find(beside, limit) if due else Found([], 0.05)

    lane = Lane("x", find=find, work=heap.work, width=lambda: 1)
    lane.start()
    await asyncio.sleep(0.01)
    due = True
    await until(lambda: len(heap.done) == 1)
    await lane.aclose()


async def test_an_order_that_changed_is_read_anew() -> None:
    heap = Heap(40)
    gate = asyncio.Event()

    async def work(job: Job) -> None:
        await gate.wait()
        await heap.work(job)

    lane = Lane("x", find=heap.find, work=work, width=lambda: 1)
    lane.start()
    await until(lambda: lane.running == 1)
    last = ("00039", 1)
    heap.waiting = {last: False} | heap.waiting
    lane.wake(anew=True)
    gate.set()
    await until(lambda: len(heap.done) == 40)
    await lane.aclose()

    assert heap.done[1] == last
