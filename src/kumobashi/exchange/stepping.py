"""Take one step of a transfer or a bundle as the only one who works on it.

A store of one process needs nothing for that: its lanes never start the same job twice. On a shared
one each step is taken under a lease, so every change that it makes is refused once another process
has taken over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kumobashi.exchange.errors import Fenced
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.lanes import Job
from kumobashi.exchange.leases import Held, Lease, Side
from kumobashi.storage.errors import StorageFailed

log = logging.getLogger(__name__)
_STATE_AWAY_SECONDS = 1.0
T = TypeVar("T")


class Steps:
    """The steps that this process takes on one side of its ledger."""

    def __init__(self, holder: Holder | None, side: Side) -> None:
        """Make it; without a ``holder`` this process takes none."""
        self._holder = holder
        self._side: Side = side

    async def take(self, job: Job, work: Callable[[Lease | None], Awaitable[T]]) -> T | None:
        """Do the work, under a lease where there may be others; nothing when it is another's.

        The lease is free again when this returns. While the state itself is away nothing can be
        noted there: then this waits a moment, and the job is found again.
        """
        if self._holder is None:
            return None
        try:
            if not self._holder.is_shared:
                return await work(None)
            transfer, attempt = job.key
            whole = self._side == "out"  # a transfer keeps its lease when its attempt changes
            on = Held(side=self._side, transfer=transfer, attempt=0 if whole else attempt)
            async with self._holder.holding(on) as lease:
                return None if lease is None else await work(lease)
        except Fenced:  # whoever took over goes on
            return None
        except StorageFailed as away:
            if not away.retryable:
                raise
            log.warning("state is away", extra={"code": away.code, "transfer": job.key[0]})
            await asyncio.sleep(_STATE_AWAY_SECONDS)
            return None
