"""The numbers of one gateway for ``/metrics``: read from its state, its disk and its peers.

What costs more than a moment is read beside the scrape, and takes at most one part in twenty of the
time, or is read once a minute: whoever scrapes gets the newest that there is within a quarter of a
second, and ``kumobashi_metrics_age_seconds`` says how old each part of it is.
"""

import asyncio
import os
import platform
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from kumobashi import __version__
from kumobashi.calls.metering import ANSWERED, ANSWERER, ASKER, RELAY
from kumobashi.evidence.log import size_of, waiting_in
from kumobashi.evidence.sql import checkpoints
from kumobashi.exchange.sql import incoming, outgoing
from kumobashi.exchange.states import IN_FINAL, LEFT, OUT_FINAL, In, Out
from kumobashi.exchange.tallying import History
from kumobashi.kernel import KumobashiError, to_micros
from kumobashi.observe.metric_families import DELIVERY_SECONDS
from kumobashi.observe.metrics import Page, Tally, Value
from kumobashi.observe.names import declared

if TYPE_CHECKING:
    from kumobashi.service.gateway import Gateway

Sample = tuple[str, Value, tuple[str, ...]]
_WAIT_SECONDS: Final = 0.25
_SHARE: Final = 20  # times its cost, until a part is read again
_RAREST_SECONDS: Final = 60.0
_UNDER_WAY: Final = tuple(state.value for state in Out if state not in OUT_FINAL)
_HERE: Final = tuple(state.value for state in In if state not in IN_FINAL)
_HAS_LEFT: Final = frozenset(state.value for state in LEFT)
_BEFORE: Final = frozenset({Out.EXTRACTING.value, Out.SEALED.value})


class _Part:
    """Samples that are read together, in a worker thread."""

    def __init__(self, read: Callable[[], Iterable[Sample]], *, least: float) -> None:
        self._read = read
        self._least = least
        self._reading: asyncio.Task[None] | None = None
        self._cost = 0.0
        self.samples: Sequence[Sample] = ()
        self.at: float | None = None

    def refresh(self) -> asyncio.Task[None] | None:
        """Begin to read if it is time; return what is under way."""
        if self._reading and not self._reading.done():
            return self._reading
        age = time.monotonic() - self.at if self.at is not None else float("inf")
        if age < max(self._least, min(self._cost * _SHARE, _RAREST_SECONDS)):
            return None
        self._reading = asyncio.create_task(self._take(), name="read numbers")
        return self._reading

    async def _take(self) -> None:
        begun = time.monotonic()
        try:
            self.samples = await asyncio.to_thread(lambda: tuple(self._read()))
        except (KumobashiError, OSError):
            self.samples = ()  # an old number would look like a new one
        self.at = time.monotonic()
        self._cost = self.at - begun

    async def aclose(self) -> None:
        if self._reading:
            with suppress(asyncio.CancelledError):
                await self._reading


class Readings:
    """Makes the page of one gateway; belongs to its event loop."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._history = History(gateway.store, gateway.identity.tenant, gateway.clock.now())
        self._parts = {
            "state": _Part(self._of_state, least=1.0),
            "history": _Part(self._of_history, least=1.0),
            "files": _Part(self._of_files, least=5.0),
        }
        if gateway.endpoint:
            self._parts["links"] = _Part(self._of_links, least=1.0)

    async def page(self) -> Page:
        """Return what is known now; never waits for long."""
        running = [task for part in self._parts.values() if (task := part.refresh())]
        if running:
            await asyncio.wait(running, timeout=_WAIT_SECONDS)
        page, now = Page(self._gateway.identity.site), time.monotonic()
        for name, part in self._parts.items():
            if part.at is not None:
                page.add("kumobashi_metrics_age_seconds", now - part.at, name)
            for family, value, labels in part.samples:
                page.add(family, value, *labels)
        for family, value, labels in (*self._of_process(), *self._of_peers(), *self._of_calls()):
            page.add(family, value, *labels)
        return page

    async def aclose(self) -> None:
        """End what is being read."""
        for part in self._parts.values():
            await part.aclose()

    # -- beside the scrape, in threads -----------------------------------------------------------

    def _of_state(self) -> Iterator[Sample]:
        gateway = self._gateway
        tenant, now = gateway.identity.tenant, to_micros(gateway.clock.now())
        try:
            rows, here, size, waiting, signed = gateway.store.read(partial(looked, tenant))
        except KumobashiError:
            yield "kumobashi_state_up", 0, ()
            return
        yield "kumobashi_state_up", 1, ()
        oldest: dict[tuple[str, str], int] = {}
        for state, to_site, count, first in rows:
            yield "kumobashi_transfers", count, ("out", state)
            for name, states in (("unacknowledged", _HAS_LEFT), ("waiting", _BEFORE)):
                if state in states:
                    key = (name, declared.said(to_site))
                    oldest[key] = min(first, oldest.get(key, first))
        for (name, to_site), first in oldest.items():
            yield f"kumobashi_oldest_{name}_seconds", _seconds(now, first), (to_site,)
        firsts = []
        for state, count, first in here:
            yield "kumobashi_transfers", count, ("in", state)
            firsts.append(first)
        yield "kumobashi_oldest_arrival_seconds", _seconds(now, min(firsts, default=now)), ()
        yield "kumobashi_evidence_records", size, ()
        yield "kumobashi_evidence_waiting", waiting, ()
        yield "kumobashi_evidence_unsigned_records", size - (signed.size if signed else 0), ()
        if signed:
            yield "kumobashi_evidence_checkpoint_timestamp_seconds", signed.at / 1e6, ()
        if gateway.endpoint:
            for level, late in gateway.endpoint.overdue_by_level().items():
                yield "kumobashi_deletions_overdue", late, (str(level),)

    def _of_history(self) -> Iterator[Sample]:
        ended = self._history.count()
        yield from self._nothing_yet()
        for state, count in ended.outgoing.items():
            yield "kumobashi_transfers", count, ("out", state)
        for (to_site, state), count in ended.outcomes.items():
            yield "kumobashi_transfers_ended_total", count, (declared.said(to_site), state)
        for (to_site, stage), count in ended.receipts.items():
            yield "kumobashi_receipts_total", count, (declared.said(to_site), stage)
        for to_site, took in ended.took.items():
            yield "kumobashi_delivery_seconds", took, (declared.said(to_site),)
        for state, count in ended.incoming.items():
            yield "kumobashi_transfers", count, ("in", state)

    def _nothing_yet(self) -> Iterator[Sample]:
        """Yield a 0 for what may be counted: of a series that begins at 1 the first is not seen."""
        gateway = self._gateway
        if gateway.endpoint is None:
            return
        for to_site, entry in gateway.directory.sites.items():
            if to_site != gateway.identity.site and entry.role == "endpoint":
                for outcome in OUT_FINAL:
                    yield "kumobashi_transfers_ended_total", 0, (to_site, outcome.value)
                yield "kumobashi_delivery_seconds", Tally(DELIVERY_SECONDS), (to_site,)

    def _of_files(self) -> Iterator[Sample]:
        settings = self._gateway.settings
        var = settings.workspace / "var" / settings.site
        for side in ("in", "out"):
            yield "kumobashi_spool_bytes", _bytes_below(var / "spool" / side), (side,)
        usage = shutil.disk_usage(var)
        yield "kumobashi_disk_free_bytes", usage.free, ()
        yield "kumobashi_disk_size_bytes", usage.total, ()

    def _of_links(self) -> Iterator[Sample]:
        endpoint = self._gateway.endpoint
        board = endpoint.board if endpoint else None
        if board:
            lights = Counter(row.light.value for row in board().rows)
            for light, count in lights.items():
                yield "kumobashi_links", count, (light,)

    # -- at once, in the event loop --------------------------------------------------------------

    def _of_process(self) -> Iterator[Sample]:
        gateway = self._gateway
        role = gateway.identity.here.role
        yield "kumobashi_build_info", 1, (__version__, platform.python_version(), role)
        directory = gateway.calling.sites().directory
        expires = directory.expires.timestamp()
        yield "kumobashi_directory_expiry_timestamp_seconds", expires, ()
        yield "kumobashi_directory_version", directory.version, ()
        yield "kumobashi_logged_errors_total", gateway.notices.total, ()

    def _of_peers(self) -> Iterator[Sample]:
        gateway = self._gateway
        now = gateway.clock.now()
        for line in gateway.lines.all():
            state, since = line.state(), line.health.since
            is_down = line.health.is_down
            yield "kumobashi_peer_up", float(not is_down), (line.site,)
            down = max(0.0, (now - since).total_seconds()) if is_down and since else 0.0
            yield "kumobashi_peer_down_seconds", down, (line.site,)
            yield "kumobashi_peer_requests_last_minute", state.calls_last_minute, (line.site,)
        for site, expires in gateway.tls.expiries().items():
            stamp = expires.timestamp()
            yield "kumobashi_client_certificate_expiry_timestamp_seconds", stamp, (site,)
        if gateway.endpoint:
            for known in gateway.endpoint.beating.known.values():
                to_site, broken = known.beat.to_site, known.broken_since
                seconds = max(0.0, (now - broken).total_seconds()) if broken else 0.0
                yield "kumobashi_way_up", float(known.beat.is_whole), (to_site,)
                yield "kumobashi_way_broken_seconds", seconds, (to_site,)
                yield "kumobashi_way_seconds", known.beat.seconds, (to_site,)

    def _of_calls(self) -> Iterator[Sample]:
        calling = self._gateway.calling
        for role in (ASKER, ANSWERER) if self._gateway.endpoint else (RELAY,):
            yield "kumobashi_calls_total", 0, (role, ANSWERED)
        for (role, outcome), count in calling.meter.outcomes.items():
            yield "kumobashi_calls_total", count, (role, outcome)
        for role, took in calling.meter.took.items():
            yield "kumobashi_call_seconds", took, (role,)
        if journal := calling.journal:
            yield "kumobashi_journal_records_total", journal.records, ()
            yield "kumobashi_journal_flushes_total", journal.flushes, ()


def looked(tenant: str, held: sa.Connection) -> tuple[Any, Any, int, int, Any]:
    """Return what stands in the state, all of it as of one moment."""
    return (
        held.execute(_under_way(tenant)).all(),
        held.execute(_arrived(tenant)).all(),
        size_of(held, tenant),
        waiting_in(held, tenant),
        held.execute(_signed(tenant)).first(),
    )


def _under_way(tenant: str) -> sa.Select[Any]:
    first = sa.func.min(outgoing.c.started_at)
    return (
        sa.select(outgoing.c.state, outgoing.c.to_site, sa.func.count(), first)
        .where(outgoing.c.tenant == tenant, outgoing.c.state.in_(_UNDER_WAY))
        .group_by(outgoing.c.state, outgoing.c.to_site)
    )


def _arrived(tenant: str) -> sa.Select[Any]:
    first = sa.func.min(incoming.c.started_at)
    return (
        sa.select(incoming.c.state, sa.func.count(), first)
        .where(incoming.c.tenant == tenant, incoming.c.state.in_(_HERE))
        .group_by(incoming.c.state)
    )


def _signed(tenant: str) -> sa.Select[Any]:
    return (
        sa.select(checkpoints.c.size, checkpoints.c.at)
        .where(checkpoints.c.tenant == tenant)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )


def _seconds(now: int, first: int) -> float:
    return max(0.0, (now - first) / 1e6)


def _bytes_below(folder: Path) -> int:
    """Return the bytes of all files in the folders of a spool."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it went while we looked
                total += Path(at, name).stat().st_size
    return total
