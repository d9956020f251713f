"""Work that waits for its turn: a lane starts as many jobs at once as it may, and no more.

What waits stays in the ledger. A lane knows only what it works on and a short list of what comes
next, so ten thousand that wait cost no task, no socket and no manifest in memory. It looks again
when it is told of news, when a job ends, or when something that was put off is due.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kumobashi.storage.errors import StorageFailed

log = logging.getLogger(__name__)
_AHEAD = 32  # jobs that are read at once
_PASSED_OVER_AT_MOST = 500
_NO_RETRY_SECONDS = 1.0
_AFTER_A_FAULT_SECONDS = 5.0
_STATE_AWAY_SECONDS = 1.0
_LONGEST_LOOK_SECONDS = 5.0  # a missed piece of news costs no more than this


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, by what it is about."""

    key: tuple[str, int]  # transfer and attempt
    is_retry: bool = False  # it was refused before


@dataclass(frozen=True, slots=True)
class Found:
    """What may be started, in its order, and when to look again if it is nothing."""

    jobs: Sequence[Job]
    again_in: float | None = None  # seconds


Find = Callable[[frozenset[tuple[str, int]], int], Found]  # beside these, at most so many
Work = Callable[[Job], Awaitable[None]]


class Lane:
    """One sort of work with one limit; belongs to one event loop."""

    def __init__(
        self,
        name: str,
        *,
        find: Find,
        work: Work,
        width: Callable[[], int],
        opens_in: Callable[[], float] = lambda: 0.0,
        may_retry: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._find = find
        self._work = work
        self._width = width
        self._opens_in = opens_in
        self._may_retry = may_retry
        self._ahead: deque[Job] = deque()
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for work."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._run(), name=f"lane {self.name}")

    def wake(self, *, anew: bool = False) -> None:
        """Look for work now; ``anew`` when the order of what waits has changed."""
        if anew:
            self._ahead.clear()
        self._news.set()

    @property
    def running(self) -> int:
        """Return how many jobs are worked on."""
        return len(self._running)

    async def aclose(self) -> None:
        """Stop; what is under way is taken up again by the next process."""
        tasks = [*self._running.values(), *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                pause = await self._fill()
            except StorageFailed as away:  # nothing is lost, it is looked at again
                log.warning("state is away", extra={"code": away.code})
                pause = _STATE_AWAY_SECONDS
            except Exception:
                log.exception("a lane could not look for work", extra={"lane": self.name})
                pause = _AFTER_A_FAULT_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, _LONGEST_LOOK_SECONDS)):
                    await self._news.wait()

    async def _fill(self) -> float:
        """Start what may be started; return the seconds after which to look again."""
        passed_over: set[tuple[str, int]] = set()
        while len(self._running) < self._width():
            if (closed := self._opens_in()) > 0:
                return closed
            if not self._ahead:
                if len(passed_over) > _PASSED_OVER_AT_MOST:
                    return _NO_RETRY_SECONDS
                beside = frozenset(self._running) | passed_over
                found = await asyncio.to_thread(self._find, beside, _AHEAD)
                self._ahead.extend(found.jobs)
                if not self._ahead:
                    if passed_over:
                        return _NO_RETRY_SECONDS
                    return _LONGEST_LOOK_SECONDS if found.again_in is None else found.again_in
                continue  # things may have changed while it was read
            job = self._ahead.popleft()
            if job.key in self._running:
                continue
            if job.is_retry and (passed_over or not self._may_retry()):
                passed_over.add(job.key)  # fresh work behind it goes; a later look finds it again
                continue
            task = asyncio.create_task(self._do(job), name=f"{self.name} {job.key[0]}")
            self._running[job.key] = task
            task.add_done_callback(lambda _task, key=job.key: self._done(key))  # type: ignore[misc]
        return _LONGEST_LOOK_SECONDS  # a job that ends brings news

    async def _do(self, job: Job) -> None:
        try:
            await self._work(job)
        except Exception:  # work notes its own failures; this one could not even be noted
            log.exception("work ended unexpectedly", extra={"lane": self.name})
            await asyncio.sleep(_AFTER_A_FAULT_SECONDS)

    def _done(self, key: tuple[str, int]) -> None:
        del self._running[key]
        self._news.set()
