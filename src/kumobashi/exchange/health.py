"""Whether a peer answers: one record a peer, moved by what calls to it met. Pure.

While a peer is known to be down nothing calls it but one probe at a time, each later than the one
before. When it answers again, work comes back step by step: one at first, then twice as many with
every answer, so that what has piled up does not fall upon it at once.

>>> from datetime import UTC, datetime
>>> now = datetime(2026, 11, 21, tzinfo=UTC)
>>> down = failed(Health(), now=now, wait=0.5, cause={"code": "exchange.peer_unreachable"})
>>> down.is_down, down.is_due(now), down.is_due(now + timedelta(seconds=1))
(True, False, True)
>>> back = answered(down)
>>> back.is_down, back.width(16), answered(back).width(16)
(False, 2, 4)
>>> failed(back, now=now, wait=1.0, cause={}).failures
2
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_STEADY = 8  # answers in a row until what was is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of one peer."""

    failures: int = 0  # since it last was steady
    answers: int = 0  # since the last failure
    since: datetime | None = None  # it has not answered
    failed_at: datetime | None = None  # the last time
    ask_at: datetime | None = None  # when to probe; none: it answers
    cause: Mapping[str, Any] | None = None  # ``waiting.cause_of``

    @property
    def is_down(self) -> bool:
        """Whether the last call failed."""
        return self.ask_at is not None

    def is_due(self, now: datetime) -> bool:
        """Whether a peer that is down may be probed."""
        return self.seconds_left(now) <= 0

    def seconds_left(self, now: datetime) -> float:
        """Return the seconds until a peer that is down may be probed."""
        if self.ask_at is None or self.failed_at is None or now < self.failed_at:
            return 0.0  # at the last: the clock was set back since
        return (self.ask_at - now).total_seconds()

    def width(self, full: int) -> int:
        """Return how many may work with it at once, of ``full``."""
        if self.is_down:
            return 1
        return full if not self.failures else min(full, 1 << self.answers)


def failed(
    health: Health, *, now: datetime, wait: float, cause: Mapping[str, Any] | None
) -> Health:
    """Return that a call failed; the next one may go in ``wait`` seconds."""
    return Health(
        failures=health.failures + 1,
        since=health.since if health.is_down and health.since else now,
        failed_at=now,
        ask_at=now + timedelta(seconds=wait),
        cause=cause,
    )


def answered(health: Health) -> Health:
    """Return that the peer answered."""
    if health == Health() or health.answers + 1 >= _STEADY:
        return Health()
    # One answer may be luck, as where an announcement passes and every part fails.
    less = health.failures - 1 if health.answers and health.failures > 1 else health.failures
    return Health(failures=less, answers=health.answers + 1)
