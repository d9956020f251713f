"""The duty beside a gateway's transfers: delete what is due here, fetch the proofs of others."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from kumobashi.exchange.deleting import Deleter
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.holdings import Holding, Level, escalation_of, is_time
from kumobashi.exchange.keeping import IN, OUT, Holdings
from kumobashi.exchange.lanes import Job
from kumobashi.exchange.requesting import Requester
from kumobashi.exchange.stepping import Steps
from kumobashi.kernel import Clock, to_micros

log = logging.getLogger(__name__)
_AGAIN_SECONDS = 3600.0


class Lifecycle:
    """Looks every few seconds, and whenever it is woken."""

    def __init__(
        self,
        *,
        holdings: Holdings,
        deleter: Deleter,
        requester: Requester,
        holder: Holder | None,
        alone: asyncio.Semaphore,
        clock: Clock,
        every_seconds: float,
        tidy: Callable[[], None],
    ) -> None:
        """``tidy`` destroys what else is due, now and then."""
        self._holdings = holdings
        self._requester = requester
        self._deleter = deleter
        self._deleting, self._pressing = Steps(holder, IN), Steps(holder, OUT)
        self._alone = alone  # no bundle is taken in meanwhile
        self._clock = clock
        self._every = every_seconds
        self._told: dict[str, Level] = {}
        self._looked: dict[tuple[str, str], int] = {}
        self._tidy = tidy
        self._tidy_at = 0.0
        self._again_at = 0.0  # when targets are asked again what they have; at the start
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; what was under way when a process ended goes on."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name="lifecycle")

    def wake(self) -> None:
        """Look soon; may be called from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    async def aclose(self) -> None:
        """Stop; it goes on at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Do everything that there is to do now, and that no other process of this site does."""
        await asyncio.to_thread(self._holdings.discover)
        await asyncio.to_thread(self._deleter.remember)
        coming = await asyncio.to_thread(self._holdings.pressing, IN)
        for held in coming:
            if self._is_time(held):
                await self._apart(self._delete(held))
        await asyncio.to_thread(self._requester.give_up_bases)
        by_receiver: defaultdict[str, list[Holding]] = defaultdict(list)
        going = await asyncio.to_thread(self._holdings.pressing, OUT)
        for held in going:
            by_receiver[held.to_site].append(held)
        await asyncio.gather(*map(self._fetch, by_receiver.values()))
        open_ = {(held.side, held.transfer) for held in (*coming, *going)}
        self._looked = {key: at for key, at in self._looked.items() if key in open_}
        await asyncio.to_thread(self._escalate)
        if time.monotonic() >= self._again_at:
            async with self._alone:
                if await asyncio.to_thread(self._deleter.look_again):
                    self._again_at = time.monotonic() + _AGAIN_SECONDS
        if time.monotonic() >= self._tidy_at:
            await asyncio.to_thread(self._tidy)
            self._tidy_at = time.monotonic() + _AGAIN_SECONDS

    def _escalate(self) -> None:
        """Tell the log of each deletion that is late, once for every level that it reaches."""
        now = self._clock.now()
        told = {}
        for held in self._holdings.overdue():
            told[held.transfer] = level = escalation_of(held, now)
            if level > self._told.get(held.transfer, Level.NONE):
                extra = {"transfer": held.transfer, "link": held.link, "site": held.to_site}
                extra["state"] = level.name.lower()
                log.warning("a deletion is overdue and not proved", extra=extra)
        self._told = told

    async def _fetch(self, wanted: list[Holding]) -> None:
        for held in wanted:
            if self._is_time(held):
                await self._apart(self._press(held))

    async def _delete(self, held: Holding) -> None:
        async with self._alone:
            await self._deleting.take(
                Job((held.transfer, held.attempt)),
                lambda lease: asyncio.to_thread(self._deleter.under(lease).delete, held.transfer),
            )

    async def _press(self, held: Holding) -> None:
        await self._pressing.take(
            Job((held.transfer, held.attempt)),
            lambda lease: self._requester.under(lease).press(held.transfer),
        )

    async def _apart(self, duty: Coroutine[Any, Any, None]) -> None:
        """Do one duty as a task of its own: whoever takes its lease over stops that task alone."""
        task = asyncio.create_task(duty)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        with suppress(asyncio.CancelledError):
            task.result()

    async def _run(self) -> None:
        while True:
            self._news.clear()  # before looking: what comes meanwhile is looked at again
            try:
                await self.look()
            except Exception:
                log.exception("the duty of deletion failed; it is tried again")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._every)

    def _wake(self) -> None:
        self._looked.clear()
        self._news.set()

    def _is_time(self, held: Holding) -> bool:
        now, key = to_micros(self._clock.now()), (held.side, held.transfer)
        if not is_time(held, self._looked.get(key), now):
            return False
        self._looked[key] = now
        return True
