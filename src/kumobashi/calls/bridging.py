"""A large answer that is brought piece by piece: one side brings, the other reads as it comes.

Only one piece lies between them: whoever brings waits until it was read. Both give up when the
other side is silent for too long.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from kumobashi.calls.posting import NoAnswer
from kumobashi.calls.streams import LARGEST_STREAM, SILENT_SECONDS, TooLong
from kumobashi.calls.wire import overhead

_LARGEST = LARGEST_STREAM + overhead(LARGEST_STREAM)


class After(StrEnum):
    """What follows a piece, as its path says."""

    MORE = "more"
    END = "end"
    BROKEN = "broken"  # nothing: there would have been more


@dataclass(eq=False)
class Bridge:
    """What is between both; ``over`` is called once, when nobody reads it any more."""

    over: Callable[[], None]
    after: After  # what follows the newest piece
    _number: int = field(default=1, init=False)  # of the next piece; the first one went before
    _size: int = field(default=0, init=False)
    _piece: bytes | None = field(default=None, init=False)
    _is_read: bool = field(default=True, init=False)  # somebody still reads
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition, init=False)

    async def bring(self, number: int, piece: bytes, after: After) -> bool:
        """Put the next piece there; false when it cannot be taken, for good.

        One that comes again was taken already, whether or not it was read.
        """
        if number < self._number:
            return True
        if number > self._number or self.after is not After.MORE:
            return False
        self._number += 1
        try:
            async with asyncio.timeout(SILENT_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self._piece is None or not self._is_read)
                if not self._is_read:
                    return False
                self._piece, self.after = piece, after
                self._changed.notify_all()
        except (TimeoutError, asyncio.CancelledError):
            await self.break_off()
            return False
        return True

    async def break_off(self) -> None:
        """Say that nothing more will come, and that it is not all."""
        async with self._changed:
            self.after = After.BROKEN
            self._changed.notify_all()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; raise ``NoAnswer``, ``TooLong``."""
        try:
            async with asyncio.timeout(SILENT_SECONDS), self._changed:
                await self._changed.wait_for(
                    lambda: self._piece is not None or self.after is not After.MORE
                )
                piece, self._piece = self._piece, None
                self._changed.notify_all()
        except TimeoutError:
            raise NoAnswer(is_late=True) from None
        if piece is None and self.after is After.END:
            await self.aclose()
            raise StopAsyncIteration
        if piece is None:
            raise NoAnswer(is_late=False)
        self._size += len(piece)
        if self._size > _LARGEST:
            raise TooLong
        return piece

    async def aclose(self) -> None:
        """Read no more of it."""
        if self._is_read:
            self._is_read = False
            async with self._changed:
                self._changed.notify_all()
            self.over()
