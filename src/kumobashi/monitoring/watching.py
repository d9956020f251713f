"""The watch: looks every few seconds, judges, follows, keeps, and has people told.

A process of its own beside the gateway, so that a gateway that died is seen; it keeps what it was
told last, so that deadlines are missed also while nothing answers.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.exchange.views import Light, Words
from kumobashi.kernel import Clock, KumobashiError, to_wire
from kumobashi.monitoring.alerting import alert_of
from kumobashi.monitoring.book import FaultBook
from kumobashi.monitoring.following import Change, Following
from kumobashi.monitoring.health import Hours
from kumobashi.monitoring.judging import judge
from kumobashi.monitoring.locating import Seen
from kumobashi.monitoring.picture import Picture, Said, Settled, read_said, read_settled
from kumobashi.monitoring.ports import GatewaySource, Prober, Teller
from kumobashi.observe.names import declared

log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0
_KEPT_SECONDS = 60.0  # between two notes that the watch is alive, while nothing changes


@dataclass(slots=True, kw_only=True)
class Watch:
    """One site's watch; belongs to one event loop."""

    site: str
    source: GatewaySource
    prober: Prober
    rules: Callable[[], MonitorFile]  # as the file is now; the last good one while it is broken
    book: FaultBook
    teller: Teller
    clock: Clock
    hours: Hours
    every: float = LOOK_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    following: Following = field(default_factory=Following)
    _settled: Settled = field(default_factory=Settled)
    _silent_since: datetime | None = None
    _applied: dict[str, datetime] = field(default_factory=dict)
    _noted: float = float("-inf")

    async def run(self) -> None:
        """Look for ever; when it is cancelled, what was counted is kept."""
        await asyncio.to_thread(self.resume)
        try:
            while True:
                began = self.monotonic()
                await self._look_safely()
                await asyncio.sleep(max(0.1, self.every - (self.monotonic() - began)))
        finally:
            self.hours.flush()
            self.book.close()
            await self.source.aclose()

    async def _look_safely(self) -> None:
        try:
            await self.look()
        except KumobashiError as error:  # a full disk, say: the next look may succeed
            log.error("a look failed", extra={"code": error.code})  # noqa: TRY400 - no trace
        except Exception:
            log.exception("a look failed")

    def resume(self) -> None:
        """Go on with what the last watch of this site knew."""
        last = self.book.last_look()
        if last and last[2]:
            self._settled = read_settled(last[1], last[2])
        for fault in self.book.listed(open_only=True, limit=1_000):
            self.following.resume(fault.id, fault.seen, self.monotonic())

    async def look(self) -> tuple[Change, ...]:
        """Look once; return what turned."""
        rules = self.rules()
        answer, probes = await asyncio.gather(
            self.source.look(self._settled.version), self.prober.probe(rules.probes)
        )
        return await asyncio.to_thread(self._judge, answer, probes, rules)

    def _judge(
        self, answer: Mapping[str, Any] | None, probes: Mapping[str, Seen], rules: MonitorFile
    ) -> tuple[Change, ...]:
        now, tick = self.clock.now(), self.monotonic()
        said, settled = self._read(answer)
        if said is None:
            self._silent_since = self._silent_since or now
        else:
            self._silent_since = None
        picture = Picture(
            site=self.site,
            now=now,
            said=said,
            silent_since=self._silent_since,
            settled=self._settled,
            probes=probes,
            applied=self._applied,
        )
        found = judge(picture, rules)
        changes = self.following.follow(tick, found, blind=said is None)
        for change in changes:
            self._tell(change, now)
        self.hours.look(picture)
        if settled is not None or tick - self._noted >= _KEPT_SECONDS or changes:
            self.book.looked(self._settled.version, settled)
            self._noted = tick
        return changes

    def _read(self, answer: Mapping[str, Any] | None) -> tuple[Said | None, Any]:
        """Return what was said, and the settled part as JSON if it is new."""
        if answer is None:
            return None, None
        try:
            said = read_said(answer)
            settled = answer.get("settled")
            if settled is not None:
                self._date(settled["links"])
                self._settled = read_settled(str(answer["version"]), settled)
                declared.know([*self._settled.sites, *self._settled.links])
        except (AttributeError, KeyError, TypeError, ValueError):
            log.warning("an answer of the gateway was not understood")
            return None, None
        for link, (started, light) in said.links.items():
            if light is Light.APPLIED:
                self._applied[link] = max(started, self._applied.get(link, started))
        return said, settled

    def _date(self, links: Mapping[str, dict[str, Any]]) -> None:
        """Note since when each link is known here."""
        now = self.clock.now()
        for name, link in links.items():
            known = self._settled.links.get(name)
            link["first"] = to_wire((known.first if known else None) or now)

    def _tell(self, change: Change, now: datetime) -> None:
        fault = self.book.turn(change)
        log.info(
            "a fault turned",
            extra={"code": change.suspicion.code, "site": change.suspicion.side},
        )
        alert = alert_of(change.turn, fault, self._settled, now)
        if alert is not None:
            self.teller.tell(alert)
            self.book.told(fault.id, Words(ja=alert.title_ja, en=alert.title_en))
