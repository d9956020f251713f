"""Go round among those that are only looked at, so that each is looked at as often."""

from collections.abc import Callable

from kumobashi.exchange.lanes import Found, Job

Key = tuple[str, int]  # transfer and attempt
_SHORTEST_PAUSE = 0.5  # seconds, between two rounds
_LONGEST_PAUSE = 20.0


class Round:
    """While there are few each may be waited upon; with many nobody is.

    Between two rounds of many that brought no news there is a pause that grows.
    """

    def __init__(self, behind: Callable[[Key, int], list[Key]]) -> None:
        self._behind = behind
        self._at: Key = ("", 0)
        self._pause = _SHORTEST_PAUSE
        self.is_crowded = False
        self.has_news = False

    def find(self, beside: frozenset[Key], limit: int, *, few: int) -> Found:
        """Return the next to look at; ``few`` is how many may be waited upon at once."""
        start = self._behind(("", 0), few + 1)
        self.is_crowded = len(start) > few
        if not self.is_crowded:
            return Found([Job(key) for key in start if key not in beside])
        keys = self._behind(self._at, limit)
        if not keys:
            self._at = ("", 0)
            self._pause = _SHORTEST_PAUSE if self.has_news else min(self._pause * 2, _LONGEST_PAUSE)
            self.has_news = False
            return Found([], self._pause)
        self._at = keys[-1]
        return Found([Job(key) for key in keys if key not in beside])
