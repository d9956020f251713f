"""Answers too large to be held: their beginning, and the rest as it comes.

What follows the beginning is an asynchronous generator of pieces. Whoever has one reads it to its
end or closes it, so that the connection it comes from is let go. The number of such answers under
way is bounded: each holds some pieces in memory.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from kumobashi.calls.errors import CallsWaiting, Side

PIECE: Final = 256 * 1024  # bytes that are read, sealed and signed as one
WHOLE: Final = 1 << 20  # bytes; no answer up to here is a stream
LARGEST_STREAM: Final = 1 << 30
SILENT_SECONDS: Final = 20.0  # between two pieces
STREAM_SECONDS: Final = 900.0  # from the beginning to the end
MOST_STREAMS: Final = 32


class Pieces(Protocol):
    """What follows a beginning, piece by piece."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes:
        """Return the next piece."""

    async def aclose(self) -> None:
        """Let go of where the pieces come from; whoever does not read to the end must."""


class TooLong(Exception):
    """There is more of it than there may be."""


async def gathered(begun: bytes, rest: Pieces | None, largest: int) -> bytes:
    """Return all of it.

    Raises:
        TooLong: it has more than ``largest`` bytes.
    """
    if rest is None:
        if len(begun) > largest:
            raise TooLong
        return begun
    held = bytearray(begun)
    async with aclosing(rest):
        async for piece in rest:
            if len(held) + len(piece) > largest:
                raise TooLong
            held += piece
    return bytes(held)


async def resized(begun: bytes, rest: Pieces) -> AsyncGenerator[bytes, None]:
    """Give the same bytes in pieces of :data:`PIECE`, the last one smaller, none empty."""
    held = bytearray(begun)
    async with aclosing(rest):
        while True:
            while len(held) >= PIECE:
                yield bytes(held[:PIECE])
                del held[:PIECE]
            try:
                held += await anext(rest)
            except StopAsyncIteration:
                break
    if held:
        yield bytes(held)


@dataclass
class Streams:
    """How many large answers are under way; belongs to one event loop."""

    what: str  # for messages: where they are held
    side: Side
    most: int = MOST_STREAMS
    under_way: int = field(default=0, init=False)

    async def let(self, rest: Pieces | None) -> Pieces | None:
        """Let one more be under way, until it is read to its end or closed.

        Raises:
            CallsWaiting: there are too many; this one was closed.
        """
        if rest is None:
            return None
        if self.under_way >= self.most:
            await rest.aclose()
            raise CallsWaiting(what=self.what, seconds=1, side=self.side)
        self.under_way += 1
        return _Counted(rest, self)


@dataclass
class _Counted:
    """Pieces that are counted as one answer under way."""

    rest: Pieces
    streams: Streams
    is_over: bool = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self.rest)
        except BaseException:
            self._over()
            raise

    async def aclose(self) -> None:
        self._over()
        await self.rest.aclose()

    def _over(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.streams.under_way -= 1
