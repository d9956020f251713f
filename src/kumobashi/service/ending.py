"""Ending when asked to: SIGINT and SIGTERM, on Windows Ctrl-C and Ctrl-Break."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_end(end: Callable[[int], None]) -> Iterator[None]:
    """Have ``end`` called in the running loop with the number of each such signal."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":

        def handle(number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(end, number)

        before = {one: signal.signal(one, handle) for one in (signal.SIGINT, signal.SIGBREAK)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
