"""What became of work, told to the one thread that waits for it.

A ``Future`` can be cancelled, looked at and listened to, and takes a condition of several locks for
it. Whoever calls ``write`` only waits: one lock will do, which is half of the time that a change
and its thread cost one another.
"""

import threading
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Reply(Generic[T]):
    """Is told once, with a result or an error, and waited for once."""

    __slots__ = ("_error", "_result", "_told")

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._told.acquire()
        self._result: T | None = None
        self._error: BaseException | None = None

    def tell(self, result: T | None, error: BaseException | None = None) -> None:
        """Let whoever waits go on."""
        self._result, self._error = result, error
        self._told.release()

    def result(self) -> T:
        """Wait; return the result, or raise the error."""
        self._told.acquire()
        if self._error is not None:
            raise self._error
        return cast("T", self._result)


def tell(to: Future[Any] | Reply[Any], result: object, error: BaseException | None) -> None:
    """Tell a future too, unless somebody has given up waiting for it."""
    if isinstance(to, Reply):
        to.tell(result, error)
    elif to.set_running_or_notify_cancel():
        if error is None:
            to.set_result(result)
        else:
            to.set_exception(error)
