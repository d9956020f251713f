"""Let long polls wait until something about a transfer has changed, whichever thread changed it."""

import asyncio
from collections import defaultdict

Key = tuple[str, int]  # transfer and attempt


class Changes:
    """Wakes those who wait for a key; belongs to one event loop."""

    def __init__(self) -> None:
        self.is_over = False  # the gateway stops: nobody waits any longer
        self._loop = asyncio.get_running_loop()
        self._waiting: defaultdict[Key, set[asyncio.Event]] = defaultdict(set)

    def tell(self, key: Key) -> None:
        """Wake all that wait for ``key``; safe from any thread."""
        self._loop.call_soon_threadsafe(self._wake, key)

    def tell_all(self) -> None:
        """Wake all that wait for any key; safe from any thread."""
        self._loop.call_soon_threadsafe(self._wake_all)

    def end(self) -> None:
        """Wake all who wait, for good."""
        self.is_over = True
        self._wake_all()

    def waiting(self, key: Key) -> asyncio.Event:
        """Return an event that is set at the next change; give it back with :meth:`leave`."""
        event = asyncio.Event()
        if self.is_over:
            event.set()
        self._waiting[key].add(event)
        return event

    def leave(self, key: Key, event: asyncio.Event) -> None:
        """Stop waiting."""
        events = self._waiting.get(key)
        if events:
            events.discard(event)
            if not events:
                del self._waiting[key]

    def _wake_all(self) -> None:
        for key in list(self._waiting):
            self._wake(key)

    def _wake(self, key: Key) -> None:
        for event in self._waiting.get(key, ()):
            event.set()
