"""Hold leases while tasks work, prolong them, and stop a task whose lease another has taken.

Belongs to one event loop. A task that is stopped may have left a thread behind that cannot be
stopped; whatever that thread still wants to commit is refused by its old token.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kumobashi.exchange.errors import Fenced
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.storage.errors import StorageFailed

log = logging.getLogger(__name__)


class Holder:
    """What the tasks of this process hold."""

    def __init__(self, leases: Leases, *, seconds: float, is_shared: bool) -> None:
        self.leases = leases
        self.is_shared = is_shared
        self._every = seconds / 3
        self._held: dict[Lease, asyncio.Task[Any]] = {}
        self._kept: dict[Held, Lease] = {}  # that could not be released; they are still ours
        self._renewing: asyncio.Task[None] | None = None
        self._handing_back: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def holding(self, on: Held, lease: Lease | None = None) -> AsyncIterator[Lease | None]:
        """Claim ``on`` for the task that runs this block, unless ``lease`` was claimed already.

        Gives nothing when another process works on it.
        """
        lease = lease or await asyncio.to_thread(self.leases.claim, on)
        kept = self._kept.pop(on, None)
        lease = lease or kept  # else work would stop for good where nobody else looks for it
        if lease is None:
            yield None
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._held[lease] = task
        if self.is_shared and self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="renew leases")
        try:
            yield lease
        finally:
            self._held.pop(lease, None)
            await asyncio.to_thread(self._let_go, lease)

    def hand_back(self, lease: Lease) -> None:
        """Let go of a lease that nobody here needs: the work is under way, or has just ended."""
        task = asyncio.create_task(asyncio.to_thread(self._let_go, lease), name="hand back")
        self._handing_back.add(task)
        task.add_done_callback(self._handing_back.discard)

    def _let_go(self, lease: Lease) -> None:
        try:
            self.leases.release(lease)
        except StorageFailed:  # it runs out by itself; where nobody looks, it is taken up again
            if not self.is_shared:
                self._kept[lease.on] = lease
            log.warning("lease not released", extra={"transfer": lease.on.transfer})

    async def aclose(self) -> None:
        """Stop prolonging; the tasks have ended and let go before."""
        await asyncio.gather(*self._handing_back, return_exceptions=True)
        if self._renewing:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            held = list(self._held)
            if not held:
                continue
            try:
                lost = await asyncio.to_thread(self.leases.renew, held)
            except StorageFailed:  # while the database is away nobody else can claim either
                continue
            for lease in lost:
                if task := self._held.pop(lease, None):
                    tell_lost(lease.on.transfer)
                    task.cancel()


def tell_lost(transfer: str) -> None:
    """Tell the operator that another process took over, however this one came to notice it."""
    log.warning("lease lost", extra={"code": Fenced.code, "transfer": transfer})
