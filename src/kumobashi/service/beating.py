"""The pulse of a gateway: every few seconds along each way that links of this site take.

The newest beat of each way is kept, and since when it is broken.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from kumobashi.exchange.pulsing import Beat, Pulsing
from kumobashi.exchange.waiting import as_known

log = logging.getLogger(__name__)
_AT_ONCE = 32
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one way."""

    beat: Beat
    broken_since: datetime | None  # by the clock here; none: the newest beat was whole
    whole_at: datetime | None  # when one last came back whole


class Beating:
    """Asks along all ways, each every ``seconds``; belongs to one event loop."""

    def __init__(
        self,
        pulsing: Pulsing,
        *,
        ways: Callable[[], Collection[str]],
        seconds: float,
        hear: Callable[[Beat], None],
    ) -> None:
        """``ways`` gives the sites that links of this site lead to; called in a thread."""
        self._pulsing = pulsing
        self._ways = ways
        self._seconds = seconds
        self._hear = hear
        self._known: dict[str, Known] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def known(self) -> Mapping[str, Known]:
        """The ways by the site they lead to."""
        return MappingProxyType(self._known)

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._run(), name="pulse")

    async def aclose(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        while True:
            began = time.monotonic()
            try:
                ways = await asyncio.to_thread(self._ways)
                for gone in self._known.keys() - set(ways):
                    del self._known[gone]
                async with asyncio.TaskGroup() as group:
                    for site in ways:
                        group.create_task(self._ask(site, gate))
            except Exception as raised:  # noqa: BLE001 - one failure must not end the asking
                log.warning("no pulse was sent", extra={"code": as_known(raised).code})
            left = self._seconds - (time.monotonic() - began)
            await asyncio.sleep(max(_LOOK_SECONDS, left))

    async def _ask(self, site: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                beat = await self._pulsing.ask(site)
            except Exception as raised:  # noqa: BLE001 - of one way; the others go on
                log.warning("a pulse failed", extra={"site": site, "code": as_known(raised).code})
                return
        self._hear(beat)
        old = self._known.get(site)
        new = Known(beat=beat, broken_since=None, whole_at=old.whole_at if old else None)
        if beat.is_whole:
            new = replace(new, whole_at=beat.at)
        else:
            since = old.broken_since if old and old.broken_since else beat.at
            new = replace(new, broken_since=since)
        self._known[site] = new
