"""The clock of this gateway, compared with those of others; signing stops while it is wrong.

Compared are NTP servers (``KUMO_CLOCK_SOURCES``), the times that other sites signed on a pulse, and
the ``Date`` of what they answer. What is signed for a request or a pulse goes on: it is how others
are heard, and they judge its age by themselves.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final

from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import Clock
from kumobashi.monitoring.clock_trust import Reading, Sample, Verdict, now_says, step, verdict
from kumobashi.monitoring.clocks import Skew, Trip, skews
from kumobashi.monitoring.ntp import ask
from kumobashi.observe.notices import Notices
from kumobashi.service.time_errors import ClockNotTrusted

STEP: Final = timedelta(seconds=0.5)
_TICK_SECONDS: Final = 1.0
_NTP_SECONDS: Final = 64.0
_HALF_SECOND: Final = timedelta(milliseconds=500)  # a Date says whole seconds
_JUST_NOW: Final = timedelta(seconds=5)
_MOST: Final = 200  # sources
log = logging.getLogger(__name__)


class OwnClock:
    """What is known of the clock here; any thread may ask."""

    def __init__(
        self,
        clock: Clock,
        *,
        site: str,
        servers: Sequence[str],
        stop_seconds: float,
        notices: Notices,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """``stop_seconds``: off by more than this, nothing is signed; 0: signing never stops."""
        self._clock = clock
        self._site = site
        self._servers = servers
        self.stop = timedelta(seconds=stop_seconds)
        self._notices = notices
        self._steady = steady or steady_seconds()
        self._lock = threading.Lock()
        self._samples: dict[str, Sample] = {}
        self._task: asyncio.Task[None] | None = None

    def reading(self) -> Reading:
        """Return both clocks as they are now."""
        return Reading(wall=self._clock.now(), steady=self._steady())

    def heard(self, source: str, skew: Skew) -> None:
        """Take what a source said just now.

        The newest of each counts, unless it says far less: an answer that took long, or on whose
        way the clock here was set, fits nearly every time.
        """
        sample = Sample(source=source, skew=skew, at=self.reading())
        with self._lock:
            held = self._samples.get(source)
            known = now_says(held, sample.at) if held else None
            if known is not None and skew.within > known.within + _HALF_SECOND:
                return
            if source in self._samples or len(self._samples) < _MOST:
                self._samples[source] = sample

    def heard_trip(self, trip: Trip) -> None:
        """Take the times that sites signed on a pulse that has just come back.

        One on whose way the clock here was set speaks of the clock as it was, and is passed over.
        """
        back = trip.at + timedelta(seconds=trip.seconds)
        if abs(self._clock.now() - back) <= _JUST_NOW:
            self.heard_words(skews([trip]).items())

    def heard_words(self, said: Iterable[tuple[str, Skew]]) -> None:
        """Take how far sites say they are ahead."""
        for site, skew in said:
            self.heard(f"site:{site}", skew)

    def heard_date(self, site: str, sent: datetime, date: str | None) -> None:
        """Take the ``Date`` of an answer to what was ``sent``; signed times are better."""
        held = self._samples.get(f"site:{site}")
        is_signed = held is not None and now_says(held, self.reading()) is not None
        if date is None or is_signed:
            return
        try:
            there = parsedate_to_datetime(date) + _HALF_SECOND
        except (ValueError, TypeError):
            return
        now = self._clock.now()
        if there.tzinfo is None or now < sent:
            return
        half = (now - sent) / 2
        self.heard(f"date:{site}", Skew(ahead=there - (sent + half), within=half + _HALF_SECOND))

    def sources(self) -> list[tuple[str, Skew, float]]:
        """Return what each source says now by its name, and how many seconds ago it was heard."""
        with self._lock:
            samples = sorted(self._samples.values(), key=lambda one: one.source)
        now = self.reading()
        return [
            (one.source, skew, now.steady - one.at.steady)
            for one in samples
            if (skew := now_says(one, now)) is not None
        ]

    def verdict(self, slack: timedelta = timedelta()) -> Verdict | None:
        """Return what the sources agree on; none: too few, or they do not agree."""
        with self._lock:
            samples = list(self._samples.values())
        return verdict(samples, self.reading(), slack=slack)

    def check(self) -> None:
        """Raise ``ClockNotTrusted`` while the clock here is certainly wrong."""
        if not self.stop:
            return
        slack = self.stop / 10
        found = self.verdict(slack)
        if found is not None and found.is_off(self.stop - slack):
            raise ClockNotTrusted(
                site=self._site,
                seconds=f"{found.ahead.total_seconds():+.0f}",
                sources=", ".join(one.partition(":")[2] for one in found.agree),
            )

    def start(self) -> None:
        """Begin to look for steps, and to ask servers."""
        self._task = asyncio.create_task(self._run(), name="clock")

    async def aclose(self) -> None:
        """Stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        before, asked = self.reading(), -_NTP_SECONDS
        while True:
            if self._servers and self._steady() - asked >= _NTP_SECONDS:
                asked = self._steady()
                for source, skew in await asyncio.to_thread(lambda: list(ask(self._servers))):
                    self.heard(source, skew)
            await asyncio.sleep(_TICK_SECONDS)
            now = self.reading()
            if abs(step(before, now)) > STEP:
                log.warning("the wall clock was set", extra={"code": "clock.stepped"})
                self._notices.note("clock.stepped", self._site)
            before = now


@dataclass(frozen=True, slots=True)
class StatingKey(SigningKey):
    """Signs what a site states, unless its clock is wrong."""

    check: Callable[[], None]

    @classmethod
    def of(cls, key: SigningKey, check: Callable[[], None]) -> "StatingKey":
        """Return ``key`` behind ``check``."""
        return cls(private=key.private, public=key.public, kid=key.kid, check=check)

    def sign(self, message: bytes) -> bytes:
        """Sign; raise ``ClockNotTrusted`` while the clock here is certainly wrong."""
        self.check()
        return SigningKey.sign(self, message)


def steady_seconds() -> Callable[[], float]:
    """Return a clock that nobody sets; it goes on while the machine sleeps, where one does."""
    boot, read = getattr(time, "CLOCK_BOOTTIME", None), getattr(time, "clock_gettime", None)
    return time.monotonic if boot is None or read is None else partial(read, boot)
