"""A channel that fails again and again is left alone for a while. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_FAILURES = 5
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(minutes=15)
_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of one channel."""

    failures: int = 0  # one after another
    until: datetime | None = None  # when it is tried again

    def is_open(self, now: datetime) -> bool:
        """Whether nothing goes there."""
        return self.until is not None and now < self.until


def after_success() -> Circuit:
    """Return the circuit of a channel that took a letter."""
    return Circuit()


def after_failure(circuit: Circuit, now: datetime) -> Circuit:
    """Return the circuit of a channel that did not."""
    failures = circuit.failures + 1
    if failures < _FAILURES:
        return Circuit(failures=failures)
    wait = min(_FIRST * 2 ** min(failures - _FAILURES, 10), _LONGEST)
    return Circuit(failures=failures, until=now + wait)


def backoff(tries: int) -> timedelta:
    """Return how long a letter waits behind so many tries.

    >>> [backoff(tries).seconds for tries in (1, 2, 9)]
    [5, 15, 300]
    """
    return _BACKOFF[min(max(tries, 1), len(_BACKOFF)) - 1]
