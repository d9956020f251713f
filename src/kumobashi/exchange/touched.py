"""What has changed since a look, so that only that is read again."""

import threading


class Touched:
    """Which links' transfers this process has changed since some earlier look.

    Where nobody else writes the state (``storage.sqlite``), whoever holds what was read needs to
    read only these again; where others do, it says nothing of what they changed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._last: dict[str, int] = {}

    def note(self, link: str) -> None:
        """Note a change, once it is durable."""
        with self._lock:
            self._number += 1
            self._last[link] = self._number

    def since(self, number: int) -> tuple[int, list[str]]:
        """Return the number of the last change, and the links changed after ``number``."""
        with self._lock:
            if number == self._number:
                return number, []
            return self._number, [link for link, at in self._last.items() if at > number]
