"""The line to one peer: every call passes here, so that no peer gets more than it can take.

A line knows whether its peer answers (``health``), how fast it may be called (``pacing``), how many
calls may be open at once and at what hours. A call that may not go raises :class:`PeerResting` at
once: nothing left this machine, and whoever wanted it goes back among the waiting, where it costs
neither a task nor a try.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kumobashi.directory.entries import ProfileEntry, SiteEntry
from kumobashi.directory.opening import next_opening
from kumobashi.exchange.errors import DoorsClosed, PeerRefused, PeerResting, PeerUnreachable
from kumobashi.exchange.health import Health, answered, failed
from kumobashi.exchange.pacing import Pace
from kumobashi.exchange.patience import new_chance, wait_after
from kumobashi.exchange.refusals import refusal_of
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import Clock, KumobashiError, to_wire

_OTHERS_LOOK_SECONDS = 1.0  # while a probe is out
_LONGEST_RETRY_AFTER = 3600.0
_RETRIES_PER_MINUTE = 60  # of what the peer refused before
SMALLEST_PART_BYTES = 16_384
_PARTS_UNTIL_LARGER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """How one line stands, for people."""

    site: str
    standing: str  # "open", "down", "closed"
    cause: dict[str, Any] | None
    opens: datetime | None  # next, while closed
    calls_last_minute: int
    calls_permitted: int  # a minute, as it copes now
    calls_declared: int  # a minute, by its profile
    at_once: int
    part_bytes: int


NOT_REACHED = (PeerUnreachable, PeerResting, DoorsClosed)
"""What a call ends with when nobody there was asked."""


class Line:
    """The line to one peer; belongs to one event loop."""

    def __init__(
        self, site: str, entry: SiteEntry, clock: Clock, *, health: Health, is_self: bool
    ) -> None:
        self.site = site
        self.profile: ProfileEntry = entry.profile
        self.health = health
        self.pace = Pace(per_minute=self.profile.requests_per_minute)
        self.changed: list[Callable[[], None]] = []  # called when more, or less, may be done
        self._entry = entry
        self._clock = clock
        self._hours = None if is_self else self.profile.open
        self._places = asyncio.Semaphore(self.profile.at_once)
        self._retries = Pace(per_minute=_RETRIES_PER_MINUTE)
        self._chance = new_chance()
        self._probing = False
        self._learned: int | None = None
        self._parts_taken = 0
        self.keep: Callable[[], None] = _nothing

    # -- may it go ------------------------------------------------------------------------------

    def opens_in(self) -> float:
        """Return the seconds until work with this peer may begin; none: now."""
        now = self._clock.now()
        opening = next_opening(self._hours, now)
        if opening is None:
            return _LONGEST_RETRY_AFTER
        if opening > now:
            return (opening - now).total_seconds()
        if not self.health.is_down:
            return 0.0
        if self._probing:
            return _OTHERS_LOOK_SECONDS
        return max(0.0, self.health.seconds_left(now))

    def width(self, full: int) -> int:
        """Return how many may work with the peer at once, of ``full``."""
        return self.health.width(min(full, self.profile.at_once))

    def may_retry(self) -> bool:
        """Take one of the few retries a minute of what this peer refused; false: none is left."""
        if self._retries.take(_monotonic()) > 0:
            self._retries.give_back()
            return False
        return True

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Make one call inside; how it ends is noted.

        Raises:
            DoorsClosed, PeerResting: it may not go now; nothing was called.
        """
        is_probe = self._admit()
        try:
            async with self._places:
                if not is_probe:
                    self._admit_again()
                if wait := self.pace.take(_monotonic()):
                    await asyncio.sleep(wait)
                    if not is_probe:
                        self._admit_again()
                yield
        except (PeerUnreachable, PeerRefused) as error:
            self._probing = self._probing and not is_probe
            self._failed(error, is_probe=is_probe)
            raise
        except BaseException:
            self._probing = self._probing and not is_probe
            raise
        self._probing = self._probing and not is_probe
        self._answered(is_probe=is_probe)

    def _admit(self) -> bool:
        """Let a call in; return whether it is the probe of a peer that is down."""
        now = self._clock.now()
        opening = next_opening(self._hours, now)
        if opening != now:
            raise DoorsClosed(
                site=self.site,
                site_name=self._entry.name,
                opens=to_wire(opening) if opening else "",
            )
        if not self.health.is_down:
            return False
        if self._probing or not self.health.is_due(now):
            raise PeerResting(site=self.site, site_name=self._entry.name)
        self._probing = True
        return True

    def _admit_again(self) -> None:
        if self.health.is_down:  # while this one waited for its turn
            raise PeerResting(site=self.site, site_name=self._entry.name)

    # -- how it ended ---------------------------------------------------------------------------

    def _answered(self, *, is_probe: bool) -> None:
        before = self.health
        if before.is_down and not is_probe:
            return  # it was on its way before; when it may be called again stands already
        self.health = answered(before)
        self.pace.faster()
        if before.is_down:
            self.keep()
        if before != self.health:
            self._tell()

    def _failed(self, error: PeerUnreachable | PeerRefused, *, is_probe: bool) -> None:
        refusal = refusal_of(error)
        if refusal is not None and not refusal.is_busy:
            # It answered, and said no: that is the business of whoever called.
            self._answered(is_probe=is_probe)
            return
        if self.health.is_down and not is_probe:
            return  # what was on its way when the peer went down says nothing new
        now = self._clock.now()
        wait = wait_after(self.health.failures + 1, self._chance)
        if refusal is not None and refusal.retry_after is not None:
            wait = max(wait, min(refusal.retry_after, _LONGEST_RETRY_AFTER))
        if refusal is not None or error.facts.get("is_late"):
            self.pace.slower()
        was = self.health
        cause = cause_of(
            error,
            side=self.site,
            now=now,
            tries=was.failures + 1,
            wait=wait,
            old=was.cause,
        )
        if was.is_down and was.since:
            cause["since"] = to_wire(was.since)
        self.health = failed(was, now=now, wait=wait, cause=cause)
        self.keep()
        self._tell()

    def _tell(self) -> None:
        for changed in self.changed:
            changed()

    # -- how large parts may be -----------------------------------------------------------------

    @property
    def part_bytes(self) -> int:
        """Return the largest part that this peer takes: declared, or less as it has shown."""
        return min(self._entry.largest_part_bytes, self._learned or self._entry.largest_part_bytes)

    def too_large(self, size: int, limit: int | None) -> int:
        """Note that a part of ``size`` bytes was too large; return what to try now."""
        self._parts_taken = 0
        smaller = limit if limit is not None and limit < size else size // 2
        self._learned = max(SMALLEST_PART_BYTES, min(smaller, self.part_bytes))
        self.keep()
        return self._learned

    def took(self, size: int) -> None:
        """Note that a part went through; after many of the largest, larger ones are tried again."""
        if self._learned is None or size < self._learned:
            return
        self._parts_taken += 1
        if self._parts_taken >= _PARTS_UNTIL_LARGER:
            self._parts_taken = 0
            larger = self._learned * 2
            self._learned = None if larger >= self._entry.largest_part_bytes else larger
            self.keep()

    def learned(self, size: int | None) -> None:
        """Take up what an earlier process learned."""
        self._learned = size

    @property
    def learned_bytes(self) -> int | None:
        """Return what was learned, if it is less than what is declared."""
        return self._learned

    # -- for people -----------------------------------------------------------------------------

    def state(self) -> LineState:
        """Return how the line stands."""
        now = self._clock.now()
        opening = next_opening(self._hours, now)
        is_closed = opening != now
        return LineState(
            site=self.site,
            standing="closed" if is_closed else "down" if self.health.is_down else "open",
            cause=self.cause(),
            opens=opening if is_closed else None,
            calls_last_minute=self.pace.last_minute(_monotonic()),
            calls_permitted=self.pace.permitted,
            calls_declared=self.pace.per_minute,
            at_once=self.profile.at_once,
            part_bytes=self.part_bytes,
        )

    def cause(self) -> dict[str, Any] | None:
        """Return why nothing goes to this peer now, as it is stored and shown; none: it goes."""
        now = self._clock.now()
        opening = next_opening(self._hours, now)
        if opening == now:
            return dict(self.health.cause) if self.health.is_down and self.health.cause else None
        closed: KumobashiError = DoorsClosed(
            site=self.site, site_name=self._entry.name, opens=to_wire(opening) if opening else ""
        )
        cause = cause_of(closed, side=self.site, now=now)
        return {**cause, "calm": True, "next_try": to_wire(opening) if opening else None}


def is_about_the_line(error: BaseException) -> bool:
    """Whether a failure tells of the peer or the line and not of what was to be carried."""
    if isinstance(error, PeerRefused):
        refusal = refusal_of(error)
        return refusal is not None and refusal.is_busy
    return isinstance(error, NOT_REACHED)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _nothing() -> None:
    """Nobody keeps it."""
