"""Hold leases while tasks work, prolong them, and stop a task whose lease another has taken.

Belongs to one event loop. A task that is stopped may have left a thread behind that cannot be
stopped; whatever that thread still wants to commit is refused by its old token.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kumobashi.exchange.errors import Fenced
from kumobashi.exchange.leases import Held, Lease, Leases
from kumobashi.storage.errors import StorageFailed

log = logging.getLogger(__name__)
_DROP_SECONDS = 1.0


class Holder:
    """What the tasks of this process hold."""

    def __init__(self, leases: Leases, *, seconds: float, is_shared: bool) -> None:
        self.leases = leases
        self.is_shared = is_shared
        self._every = seconds / 3
        self._held: dict[Lease, asyncio.Task[Any]] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._dropping: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def holding(self, on: Held) -> AsyncIterator[Lease | None]:
        """Claim ``on`` for the task that runs this block.

        Gives nothing when another process works on it.
        """
        try:
            lease = await asyncio.to_thread(self.leases.claim, on)
        except StorageFailed:  # the claim may have gone through all the same
            self._drop_soon(on)
            raise
        if lease is None:
            yield None
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._held[lease] = task
        if self.is_shared and self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="renew leases")
        is_lost = False
        try:
            yield lease
        except Fenced:
            is_lost = True
            raise
        finally:
            was_told = self._held.pop(lease, None) is None
            try:
                # Work that met what another had left may have ended without a word of the lease.
                is_lost |= not await asyncio.to_thread(self.leases.release, lease)
            except StorageFailed:
                self._drop_soon(on)
            if is_lost and not was_told:
                _tell_lost(lease)

    def _drop_soon(self, on: Held) -> None:
        """Let go of what this process may hold and does not work on, before it runs out."""
        task = asyncio.create_task(self._drop(on), name=f"drop lease {on.transfer}")
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    async def _drop(self, on: Held) -> None:
        for _ in range(math.ceil(self._every * 3 / _DROP_SECONDS)):  # then it has run out
            await asyncio.sleep(_DROP_SECONDS)
            if any(lease.on == on for lease in self._held):  # claimed again, and worked on
                return
            try:
                await asyncio.to_thread(self.leases.drop, on)
            except StorageFailed:
                log.warning("lease not released", extra={"transfer": on.transfer})
            else:
                return

    async def aclose(self) -> None:
        """Stop prolonging; the tasks have ended and let go before."""
        for task in self._dropping:
            task.cancel()
        await asyncio.gather(*self._dropping, return_exceptions=True)
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
                    _tell_lost(lease)
                    task.cancel()


def _tell_lost(lease: Lease) -> None:
    """Tell the operator that another process took over, however this one came to notice it."""
    log.warning("lease lost", extra={"code": Fenced.code, "transfer": lease.on.transfer})
