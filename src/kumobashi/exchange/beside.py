"""Hand blocks of bytes to another thread, in their order, a few megabytes ahead at most.

Hashing, writing and encrypting go on at the same time that way; each lets go of the interpreter
while it works on a block.
"""

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_AHEAD: Final = 4 << 20  # bytes


class Beside:
    """In a block: ``write`` returns at once, the end waits until all was taken.

    What ``take`` raises is raised by the next ``write``, or at the end.
    """

    def __init__(self, take: Callable[[bytes], object], name: str) -> None:
        self._take = take
        self._blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ahead = 0
        self._room = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the thread; an error of the block itself comes before one of the thread."""
        self._blocks.put(None)
        self._thread.join()
        if error is None:
            self._raise()

    def write(self, data: bytes, /) -> int:
        """Queue a block, which must not be changed afterwards."""
        with self._room:
            while self._ahead > _AHEAD:
                self._room.wait()
            self._ahead += len(data)
        self._raise()
        self._blocks.put(data)
        return len(data)

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            if self._failure is None:  # else what comes is let go, so that nobody waits
                try:
                    self._take(block)
                except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
                    self._failure = error
            with self._room:
                self._ahead -= len(block)
                self._room.notify()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
