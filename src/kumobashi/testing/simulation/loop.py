"""An event loop without a clock: when nothing is ready, time jumps to what comes next.

>>> import asyncio
>>> async def nap() -> float:
...     await asyncio.sleep(3_600)
...     return asyncio.get_running_loop().time()
>>> with Loop() as loop:
...     loop.run_until_complete(nap())
3600.0
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class Stuck(AssertionError):
    """Nothing will ever happen again, and the end was not reached."""


class _Selector:
    def __init__(self, loop: "Loop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Stuck("nothing is left to wait for")
        self._loop.pass_time(timeout)
        return []

    def close(self) -> None:
        """Nothing is open."""


class Loop(asyncio.BaseEventLoop):
    """One thread; work that the code hands to threads is done at once, or a moment later."""

    def __init__(self, pause: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__()
        self._now = 0.0
        self._pause = pause  # seconds that work in a thread seems to take
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of it."""
        self.close()

    def time(self) -> float:
        """Return simulated seconds."""
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Let time jump."""
        self._now += max(0.0, seconds)

    def run_in_executor(  # type: ignore[override]
        self,
        executor: object,  # noqa: ARG002 - as inherited
        func: Callable[..., Any],
        *args: Any,  # noqa: ANN401 - as inherited
    ) -> "asyncio.Future[Any]":
        """Do the work now; what it returns is known after a pause, as if a thread had done it."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except BaseException as error:  # noqa: BLE001 - handed on, as a thread would
            self.call_later(self._pause(), _fail, future, error)
        else:
            self.call_later(self._pause(), _resolve, future, result)
        return future

    def _process_events(self, event_list: list[object]) -> None:
        """No file is watched."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who had to be woken."""


def _resolve(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
