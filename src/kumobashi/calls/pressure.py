"""How many calls a place may take: some at once, some waiting, none while it is known to be down.

A place is a system that answers, or the next gateway. Beyond both bounds a call is refused at once,
so that memory is bounded and whoever asks hears it in time. After some failures in a row nothing is
tried for a while (a circuit breaker); then one call goes as a probe, and its success opens the way
again. What fails then and went before the way was closed says nothing new: hundreds of calls that
end together keep nobody waiting for longer. Nobody has to restart anything.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kumobashi.calls.errors import CallOver, CallsWaiting, Side

Monotonic = Callable[[], float]
FAILURES = 5  # in a row, until the way is closed
_FIRST_REST, _LONGEST_REST = 1.0, 30.0  # seconds


@dataclass
class Place:
    """The way to one place; belongs to one event loop."""

    what: str  # for messages: the name of a service or a site
    side: Side
    at_once: int = 128
    waiting: int = 1000
    monotonic: Monotonic = field(default=lambda: asyncio.get_running_loop().time())
    open_calls: int = field(default=0, init=False)
    _queue: list[asyncio.Future[None]] = field(default_factory=list, init=False)
    _failures: int = field(default=0, init=False)
    _closed_until: float = field(default=0.0, init=False)
    _probing: bool = field(default=False, init=False)

    @property
    def is_closed(self) -> bool:
        """Whether it is known to be down."""
        return self._failures >= FAILURES

    @property
    def queued(self) -> int:
        """How many calls wait for their turn."""
        return len(self._queue)

    @asynccontextmanager
    async def call(self, *, seconds: float, budget_ms: int) -> AsyncIterator["Trial"]:
        """Let one call go; ``seconds`` is how long it may still wait for its turn.

        Whoever is inside says to what it is given how the place did.

        Raises:
            CallsWaiting: too many, or the place is down.
            CallOver: its turn did not come in time.
        """
        is_probe = self._admitted()
        try:
            await self._turn(seconds, budget_ms)
        except BaseException:
            self._probing = self._probing and not is_probe
            raise
        try:
            yield Trial(self, is_probe)
        finally:
            self._probing = self._probing and not is_probe
            self._next()

    def did(self, *, well: bool, is_probe: bool) -> None:
        """Take in how a call went; a call says it by its :class:`Trial`."""
        if well:
            self._failures = 0
        elif is_probe or not self.is_closed:
            self._failures += 1
            if self.is_closed:
                rest = min(_LONGEST_REST, _FIRST_REST * 2 ** min(10, self._failures - FAILURES))
                self._closed_until = self.monotonic() + rest

    def _admitted(self) -> bool:
        """Refuse what may not even wait; return whether this call is the probe."""
        if self.is_closed:
            left = self._closed_until - self.monotonic()
            if self._probing or left > 0:
                raise CallsWaiting(
                    what=f"{self.what} 停止中", seconds=_seconds(left), side=self.side
                )
            self._probing = True
            return True
        if self.open_calls >= self.at_once and len(self._queue) >= self.waiting:
            raise CallsWaiting(what=self.what, seconds=1, side=self.side)
        return False

    async def _turn(self, seconds: float, budget_ms: int) -> None:
        if self.open_calls < self.at_once:
            self.open_calls += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError:
            self._left(turn)
            raise CallOver(budget_ms=budget_ms, side=self.side) from None
        except BaseException:
            self._left(turn)
            raise

    def _left(self, turn: asyncio.Future[None]) -> None:
        """Take back a place in the queue, or the turn that came too late."""
        if turn in self._queue:
            self._queue.remove(turn)
        elif turn.done() and not turn.cancelled():
            self._next()

    def _next(self) -> None:
        while self._queue:
            turn = self._queue.pop(0)
            if not turn.done():
                turn.set_result(None)
                return
        self.open_calls -= 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One call to a place, which shows how the place does."""

    place: Place
    is_probe: bool

    def answered(self) -> None:
        """Say that the place does its work."""
        self.place.did(well=True, is_probe=self.is_probe)

    def failed(self) -> None:
        """Say that it gave no answer."""
        self.place.did(well=False, is_probe=self.is_probe)


def _seconds(left: float) -> int:
    return max(1, round(left))
