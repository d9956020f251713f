"""How fast a peer is called: a token bucket, slower when it says too much, faster when it copes.

In no minute more calls begin than the profile permits: what the bucket holds at most and what flows
in during a minute are the permitted number together.

>>> pace = Pace(per_minute=60)
>>> [pace.take(0.0) for _ in range(6)], round(pace.take(0.0), 2)
([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.11)
>>> pace.slower()
>>> pace.permitted
30
"""

from collections import deque

_MINUTE = 60.0
_KEPT_AT_ONCE = 0.1  # of a minute's calls
_SLOWEST = 0.05  # of what the profile permits
_FASTER = 1.02  # for each answer


class Pace:
    """The calls to one peer; times are seconds of a clock that only goes forward."""

    def __init__(self, *, per_minute: int) -> None:
        self.per_minute = per_minute
        self._share = 1.0  # of what is permitted, by what the peer said lately
        self._most = max(1.0, per_minute * _KEPT_AT_ONCE)
        self._held = self._most
        self._at: float | None = None
        self._begun: deque[tuple[int, int]] = deque()  # second and calls begun in it

    @property
    def permitted(self) -> int:
        """Return the calls a minute that are made at most, as it copes now."""
        return max(1, round(self.per_minute * self._share))

    def take(self, now: float) -> float:
        """Take the turn of one call and return the seconds to wait for it."""
        rate = max((self.per_minute - self._most) * self._share, 1.0) / _MINUTE
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._held = min(self._most * self._share, self._held + passed * rate) - 1.0
        wait = 0.0 if self._held >= 0 else -self._held / rate
        self._count(int(now + wait))
        return wait

    def give_back(self) -> None:
        """Give back a turn that was not used."""
        self._held += 1.0

    def slower(self) -> None:
        """Halve the pace: the peer said that it is too much, or did not answer in time."""
        self._share = max(_SLOWEST, self._share / 2)

    def faster(self) -> None:
        """Go back towards what the profile permits."""
        self._share = min(1.0, self._share * _FASTER)

    def last_minute(self, now: float) -> int:
        """Return how many calls began within the last minute."""
        return sum(count for second, count in self._begun if now - _MINUTE < second <= now)

    def _count(self, second: int) -> None:
        if self._begun and self._begun[-1][0] >= second:
            last, count = self._begun.pop()
            self._begun.append((last, count + 1))
        else:
            self._begun.append((second, 1))
        while self._begun[0][0] < second - 2 * _MINUTE:
            self._begun.popleft()
