"""Records of calls that were turned away: each of some, and the number of all others.

Nobody has proven who sent such a call, so anybody can make as many as the line carries. Of each
reason the first ones of a minute are recorded as they came, then only how many more there were: a
stranger cannot fill the disk, and what happened is known.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from kumobashi.calls.errors import JournalBroken
from kumobashi.calls.header import CallHeader
from kumobashi.calls.journal import Journal
from kumobashi.calls.records import refused_record
from kumobashi.kernel import Clock, KumobashiError

EACH: Final = 20  # of a reason, in a window
WINDOW_SECONDS: Final = 60.0


@dataclass
class Refusals:
    """What is turned away at one gateway; belongs to one event loop."""

    journal: Journal
    clock: Clock
    _counts: dict[str, int] = field(default_factory=dict)  # of the window, by side and code
    _more: dict[str, dict[str, Any]] = field(default_factory=dict)  # the last one left out
    _telling: asyncio.Task[None] | None = None

    async def record(
        self, header: CallHeader | None, error: KumobashiError, side: str = "answerer"
    ) -> None:
        """Record that a call was turned away, or count it.

        Raises:
            JournalBroken: the disk does not take it.
        """
        kind = f"{side} {error.code}"
        said = refused_record(header, error, self.clock.now()) | {"side": side}
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_later(), name="tell refusals")
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= EACH:
            await self.journal.record(said)
        else:
            self._more[kind] = said | {"call": None}

    async def aclose(self) -> None:
        """Record how many more there were."""
        if self._telling:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        await self._tell()

    async def _tell_later(self) -> None:
        await asyncio.sleep(WINDOW_SECONDS)
        self._telling = None
        await self._tell()

    async def _tell(self) -> None:
        more, counts = self._more, self._counts
        self._more, self._counts = {}, {}
        for kind, said in more.items():
            try:
                await self.journal.record(said | {"more": counts[kind] - EACH})
            except JournalBroken:
                return  # the records that calls wait for say so
