"""Where calls wait that nobody may hand over: the site they go to fetches them by long poll.

One room for each site that fetches, bounded in calls and in bytes, all in memory: a call lives no
longer than whoever asks waits. A call that nobody takes was handed to nobody, and may be tried
elsewhere; of one that was taken and not answered, nobody here knows what became of it.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from kumobashi.calls.bridging import After, Bridge
from kumobashi.calls.errors import CallsWaiting, Side
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.calls.posting import Answered, NoAnswer, NotConnected
from kumobashi.calls.wire import BUDGET

MOST_CALLS: Final = 1000  # that wait for one site
MOST_BYTES: Final = 64 * 1024 * 1024
TAKEN_SECONDS: Final = 5.0  # within which a site that fetches takes a call


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call as it is given to whoever fetches it."""

    call: str
    fields: Mapping[str, str]
    body: bytes


@dataclass(eq=False, slots=True, kw_only=True)
class _Guest:
    call: str
    fields: Mapping[str, str]
    body: bytes
    until: float  # of the loop's clock: whoever asks waits no longer
    largest: int  # bytes that the answer may have
    taken: asyncio.Event
    answer: asyncio.Future[Answered]


@dataclass
class Waiting:
    """The rooms of one gateway; belongs to one event loop."""

    most_calls: int = MOST_CALLS
    most_bytes: int = MOST_BYTES
    _rooms: dict[str, "_Room"] = field(default_factory=dict)
    _is_over: bool = False

    async def hold(
        self, site: str, fields: Mapping[str, str], body: bytes, *, seconds: float, largest: int
    ) -> Answered:
        """Let a call wait for ``site`` and return what that brings back.

        Raises:
            CallsWaiting: there is no room.
            NotConnected: nobody fetched it; nothing was handed on.
            NoAnswer: it was fetched, and no answer came in time.
        """
        room = self._room(site)
        if self._is_over:
            raise NotConnected
        if len(room.guests) >= self.most_calls or room.size + len(body) > self.most_bytes:
            raise CallsWaiting(what=site, seconds=1, side=Side.RELAY)
        loop = asyncio.get_running_loop()
        guest = _Guest(
            call=CallHeader.decode(fields[FIELD]).call,
            fields=fields,
            body=body,
            until=loop.time() + seconds,
            largest=largest,
            taken=asyncio.Event(),
            answer=loop.create_future(),
        )
        room.enter(guest)
        try:
            async with asyncio.timeout(min(seconds, TAKEN_SECONDS)):
                await guest.taken.wait()
        except TimeoutError:
            raise NotConnected from None
        else:
            async with asyncio.timeout_at(guest.until):
                return await guest.answer
        finally:
            room.leave(guest)

    async def fetch(self, site: str, *, seconds: float) -> Held | None:
        """Return the next call that waits for ``site``, or nothing within the time."""
        if self._is_over:
            return None
        room = self._room(site)
        loop = asyncio.get_running_loop()
        room.asked_at = loop.time()
        guest = await room.next(seconds)
        room.asked_at = loop.time()
        if guest is None:
            return None
        guest.taken.set()
        left = max(0, round((guest.until - loop.time()) * 1000))
        body, guest.body = guest.body, b""  # it is handed over once, and need not be kept
        return Held(call=guest.call, fields={**guest.fields, BUDGET: str(left)}, body=body)

    def put_back(self, site: str, held: Held) -> None:
        """Let a call wait again that could not be given away after all."""
        self._room(site).put_back(held)

    def largest_answer(self, site: str, call: str) -> int | None:
        """Return how large the answer of a call may be that ``site`` has fetched, if it did."""
        guest = self._room(site).taken.get(call)
        return guest.largest if guest else None

    def bring(self, site: str, call: str, answer: Answered) -> bool:
        """Give an answer to whoever waits for it; false when nobody does any more."""
        guest = self._room(site).taken.pop(call, None)
        if guest is None or guest.answer.done():
            return False
        guest.answer.set_result(answer)
        return True

    async def bring_piece(
        self, site: str, call: str, number: int, answer: Answered, after: After
    ) -> bool:
        """Give a piece of a large answer on, the first one as its beginning.

        Returns when the one before it was read; false when nobody reads it any more.
        """
        room = self._room(site)
        bridge = room.bridges.get(call)
        if number > 0 or bridge is not None:
            return bridge is not None and await bridge.bring(number, answer.body, after)
        bridge = Bridge(partial(room.forget, call), after)
        if not self.bring(site, call, replace(answer, rest=bridge)):
            return False
        room.bridges[call] = bridge
        return True

    def is_fetched_by_others(self, within_seconds: float) -> bool:
        """Whether some site has asked for its calls of late: then this one asks for them too."""
        now = asyncio.get_running_loop().time()
        return any(now - room.asked_at < within_seconds for room in self._rooms.values())

    def close(self) -> None:
        """Let everybody go who waits for a call."""
        self._is_over = True
        for room in self._rooms.values():
            room.close()

    def _room(self, site: str) -> "_Room":
        return self._rooms.get(site) or self._rooms.setdefault(site, _Room())


@dataclass
class _Room:
    """Who waits for one site."""

    guests: dict[str, _Guest] = field(default_factory=dict)  # all, taken or not
    taken: dict[str, _Guest] = field(default_factory=dict)
    size: int = 0  # bytes of those that are not taken
    asked_at: float = float("-inf")
    bridges: dict[str, Bridge] = field(default_factory=dict)  # of large answers, by call
    _queue: deque[_Guest] = field(default_factory=deque)
    _fetchers: deque[asyncio.Future[_Guest | None]] = field(default_factory=deque)

    def enter(self, guest: _Guest) -> None:
        """Let a call in, and give it to whoever waits for one."""
        self.guests[guest.call] = guest
        if not self._given(guest):
            self.size += len(guest.body)
            self._queue.append(guest)

    def put_back(self, held: Held) -> None:
        """Let a call that was fetched by nobody be the next one."""
        guest = self.taken.pop(held.call, None)
        if guest is None:
            return
        guest.body = held.body
        if not self._given(guest):
            self.size += len(guest.body)
            self._queue.appendleft(guest)

    def _given(self, guest: _Guest) -> bool:
        """Give a call to whoever waits for one, if anybody does."""
        while self._fetchers:
            fetcher = self._fetchers.popleft()
            if not fetcher.done():
                self.taken[guest.call] = guest
                fetcher.set_result(guest)
                return True
        return False

    def leave(self, guest: _Guest) -> None:
        """Let a call go, whatever became of it."""
        self.guests.pop(guest.call, None)
        self.taken.pop(guest.call, None)
        if guest in self._queue:
            self._queue.remove(guest)
            self.size -= len(guest.body)
        guest.answer.cancel()

    async def next(self, seconds: float) -> _Guest | None:
        """Return the call that has waited longest, or the next to come."""
        if self._queue:
            guest = self._queue.popleft()
            self.size -= len(guest.body)
            self.taken[guest.call] = guest
            return guest
        fetcher: asyncio.Future[_Guest | None] = asyncio.get_running_loop().create_future()
        self._fetchers.append(fetcher)
        try:
            async with asyncio.timeout(seconds):
                return await fetcher
        except TimeoutError:
            return fetcher.result() if fetcher.done() and not fetcher.cancelled() else None
        finally:
            if fetcher in self._fetchers:
                self._fetchers.remove(fetcher)

    def forget(self, call: str) -> None:
        """Let go of a large answer that nobody needs any more."""
        self.bridges.pop(call, None)

    def close(self) -> None:
        for fetcher in self._fetchers:
            if not fetcher.done():
                fetcher.set_result(None)
        for guest in self.guests.values():
            if not guest.answer.done():
                guest.answer.set_exception(NoAnswer(is_late=False))
                guest.answer.exception()  # somebody looked at it, even if nobody waits
