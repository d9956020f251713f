"""Calls at one gateway: put together, kept going, and ended with it."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kumobashi.calls.answering import Answerer
from kumobashi.calls.asking import Asker
from kumobashi.calls.claiming import Claims
from kumobashi.calls.fetching import Fetcher
from kumobashi.calls.handing import Handing
from kumobashi.calls.here import Here
from kumobashi.calls.interconnection.asking import LinkTest
from kumobashi.calls.journal import EVENT, Journal
from kumobashi.calls.metering import Meter
from kumobashi.calls.posting import Poster
from kumobashi.calls.refusals import Refusals
from kumobashi.calls.relaying import Relaying
from kumobashi.calls.seen import seen_of_late
from kumobashi.calls.sites import Sites
from kumobashi.calls.taking import Entrance
from kumobashi.calls.waiting import Waiting
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryFailed
from kumobashi.evidence.log import size_of, stored, unnumbered
from kumobashi.kernel import KumobashiError
from kumobashi.service.call_api import LocalCalls, PeerCalls
from kumobashi.service.call_certificates import CallCertificates
from kumobashi.service.call_tokens import CallTokens
from kumobashi.service.call_waiting_api import WaitingCalls
from kumobashi.service.linkage_api import LinkageCalls
from kumobashi.service.linkage_clients import LinkageClients
from kumobashi.service.soap_api import SoapCalls

if TYPE_CHECKING:
    from kumobashi.service.call_permits import CallPermits
    from kumobashi.service.gateway import Gateway

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_ASKED_WITHIN_SECONDS = 60.0  # a relay fetches while somebody fetches from it
_RECENT = 20_000  # records among which a journal's last leaf nearly always is


class Calling:
    """The calls of one gateway; a relay has no permits, for it decides nothing."""

    def __init__(
        self, gateway: "Gateway", permits: "CallPermits | None", read: Callable[[], Directory]
    ) -> None:
        """``read`` returns the newest good directory of this site."""
        identity = gateway.identity
        self._read = read
        self._permits = permits
        self._clock = gateway.clock
        self._watching: asyncio.Task[None] | None = None
        self._sites = Sites(identity.directory, identity.site)
        self._poster = Poster()
        self._looking: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = Waiting()
        self.meter = Meter()
        handing = Handing(self._poster, self._waiting, gateway.tls)
        entrance = Entrance(identity.tenant, identity.site, gateway.clock, self.sites)
        self._entrance, self._clock = entrance, gateway.clock
        self.local: LocalCalls | None = None
        self.soap: SoapCalls | None = None
        self.linkage: LinkageCalls | None = None
        self._journal: Journal | None = None
        self._refusals: Refusals | None = None
        self._asker: Asker | None = None
        answerer: Answerer | None = None
        relaying: Relaying | None = None
        if permits is None:
            relaying = Relaying(identity.site, identity.signing, gateway.clock, self.sites, handing)
        else:
            self._journal = Journal(
                gateway.settings.workspace / "var" / identity.site / "calls",
                process=gateway.process,
                clock=gateway.clock,
                note=gateway.evidence.note,
                sealed=lambda name: gateway.store.read(
                    lambda connection: entered(connection, identity.tenant, name)
                ),
            )
            self._refusals = Refusals(self._journal, gateway.clock)
            here = Here(
                tenant=identity.tenant,
                site=identity.site,
                key=identity.signing,
                sealing=identity.sealing,
                clock=gateway.clock,
                sites=self.sites,
                permits=permits,
                journal=self._journal,
                poster=self._poster,
                handing=handing,
                meter=self.meter,
            )
            answerer = Answerer(here)
            workspace, site = gateway.settings.workspace, identity.site
            asker, tokens = Asker(here), CallTokens(workspace, site)
            self._asker = asker
            self.local = LocalCalls(asker, tokens)
            self.soap = SoapCalls(
                asker=asker,
                known=tokens,
                certificates=CallCertificates(workspace, site),
                describe=permits.document,
                clock=gateway.clock,
            )
            self.linkage = LinkageCalls(
                asker=asker,
                clients=LinkageClients(workspace, site),
                offers=permits.offers,
                key=identity.signing,
                tenant=identity.tenant,
                url=lambda: self._sites.entry(site).url,
                clock=gateway.clock,
                record=self._refused,
            )
        self.peer = PeerCalls(
            entrance,
            answerer=answerer,
            relaying=relaying,
            refusals=self._refusals,
            claims=Claims(gateway.store, gateway.clock) if gateway.store.is_shared else None,
            meter=self.meter,
        )
        self.held = WaitingCalls(
            site=identity.site, waiting=self._waiting, sites=self.sites, clock=gateway.clock
        )
        self._fetcher = Fetcher(
            site=identity.site,
            key=identity.signing,
            clock=gateway.clock,
            sites=self.sites,
            poster=self._poster,
            tls=gateway.tls,
            answer=self.peer.answer,
            holders=self._holders,
        )

    def sites(self) -> Sites:
        """Return the sites as the newest directory has them."""
        return self._sites

    @property
    def journal(self) -> Journal | None:
        """Where calls are recorded; a relay has none."""
        return self._journal

    @property
    def permits(self) -> "CallPermits":
        """The online links of this site; only an endpoint has any."""
        assert self._permits is not None, "a relay decides nothing"  # noqa: S101 - for the checker
        return self._permits

    def link_test(self, link: str, *, by: str, at: str | None) -> LinkTest:
        """Return an interconnection test from this site, to be run; only an endpoint asks."""
        assert self._asker is not None, "a relay asks nothing"  # noqa: S101 - for the checker
        return LinkTest(
            here=self._asker.here,
            asker=self._asker,
            link=link,
            by=by,
            at=at,
            canary=self.permits.canary,
        )

    def start(self) -> None:
        """Take over what a crash left, and look for newer directories."""
        if self._journal:
            self._journal.start()
            self._entrance.remember(seen_of_late(self._journal.folder, self._clock.now()))
        if self._permits:
            self._permits.look()  # whoever asks at once must not hear that nothing is permitted
            self._watching = asyncio.create_task(self._permits.keep_looking(), name="see links")
        self._looking = asyncio.create_task(self._look(), name="look for a directory")
        self._fetching = asyncio.create_task(self._fetcher.keep_fetching(), name="fetch calls")

    def _holders(self) -> frozenset[str]:
        """Return where calls may wait for this site: of its links, or for whoever asks it."""
        if self._permits is None:
            is_asked = self._waiting.is_fetched_by_others(_ASKED_WITHIN_SECONDS)
            return frozenset(self._sites.reachable if is_asked else ())
        return self._permits.holders(self._sites)

    async def _refused(self, error: KumobashiError) -> None:
        """Record what was refused before it was a call."""
        if self._refusals:
            await self._refusals.record(None, error, "asker")

    async def aclose(self) -> None:
        """Let go; what was recorded is entered."""
        self._waiting.close()
        for task in (self._fetching, self._looking, self._watching):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._poster.aclose()
        if self._refusals:
            await self._refusals.aclose()
        if self._journal:
            await self._journal.aclose()

    async def _look(self) -> None:
        """Let calls go by a newer directory as soon as there is one."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                newest = await asyncio.to_thread(self._read)
            except (DirectoryFailed, KumobashiError, OSError) as error:
                code = error.code if isinstance(error, KumobashiError) else type(error).__name__
                log.warning("the directory was not read", extra={"code": code})
                continue
            if newest.version > self._sites.directory.version:
                self._sites = Sites(newest, self._sites.here)
                if self._permits:
                    self._permits.use(newest)


def entered(connection: sa.Connection, tenant: str, journal: str) -> int:
    """Return how many records of a journal the evidence log has, numbered or waiting."""
    bodies = unnumbered(connection, tenant)
    size = size_of(connection, tenant)
    for first, end in ((max(0, size - _RECENT), size), (0, max(0, size - _RECENT))):
        bodies += [body for _, _, body in stored(connection, tenant, first, end)]
        if found := [n for n in (_reaches(body, journal) for body in bodies) if n]:
            return max(found)
        bodies = []
    return 0


def _reaches(body: bytes, journal: str) -> int:
    if EVENT.encode() not in body or journal.encode() not in body:
        return 0
    said = json.loads(body)
    return int(said["number"]) + int(said["size"]) if said.get("journal") == journal else 0
