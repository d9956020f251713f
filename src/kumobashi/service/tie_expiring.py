"""End ties whose term is over: once at the start of a gateway, and once on each day of Japan.

The agent denies by the term itself, so nothing is permitted in between; what this adds is the state
that people see, its leaf of evidence, and the word to the gateways that hold the tie.
"""

import asyncio
import logging
from datetime import date
from typing import Final

from kumobashi.exchange.waiting import as_known
from kumobashi.kernel import Clock, business_date
from kumobashi.ties import Book

log = logging.getLogger(__name__)
EVERY_SECONDS: Final = 1.0  # how often the day is asked for; the book only when it is another one
_AGAIN_SECONDS: Final = 60.0  # after a failure


class Expiring:
    """Looks in each process of a site; of two that look at once, each tie is ended by one."""

    def __init__(self, book: Book, clock: Clock, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._book = book
        self._clock = clock
        self._every = every_seconds
        self._done = date.min  # the day that was seen to
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="end ties")

    async def aclose(self) -> None:
        """Stop; what is left is ended at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> int:
        """End what is over, if this day was not seen to; return how many ties it were.

        Raises:
            StorageFailed: some may have been ended; the day is seen to again.
        """
        today = business_date(self._clock.now())
        if today == self._done:
            return 0
        ended = self._book.expire()
        self._done = today
        if ended:
            log.info("ties ended with their term", extra={"ties": ended})
        return ended

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception as raised:  # noqa: BLE001 - the state may be away; it is looked at again
                log.warning("ties were not ended", extra={"code": as_known(raised).code})
                await asyncio.sleep(max(self._every, _AGAIN_SECONDS))
            await asyncio.sleep(self._every)
