"""One gateway: keys, directory, state, inbox and, at an endpoint, sender and receiver.

A relay is put together from half of it and never loads DuckDB or Arrow: what only an endpoint
needs is imported by ``endpoint`` and nowhere else.
"""

import asyncio
import logging
import os
import shutil
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kumobashi import __version__
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.document import adopt
from kumobashi.directory.entries import Directory
from kumobashi.directory.models import MunicipalityFile
from kumobashi.evidence.keeping import EVERY as SIGN_EVERY
from kumobashi.evidence.keeping import Keeper
from kumobashi.exchange.changes import Changes
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox
from kumobashi.exchange.incarnations import Incarnations
from kumobashi.exchange.leases import Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.pulsing import Pulsing
from kumobashi.exchange.relaying import Relay
from kumobashi.exchange.remembering import PeerMemory
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.troubles import OwnTroubles
from kumobashi.exchange.witnessing import EVERY as OFFER_EVERY
from kumobashi.exchange.witnessing import Witness
from kumobashi.kernel import Clock, SystemClock, new_id
from kumobashi.observe import tracing
from kumobashi.observe.names import declared
from kumobashi.observe.notices import NoticeHandler, Notices
from kumobashi.observe.tracing import Options
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.publishing import FILE, trusted_key
from kumobashi.planning.workspace import MAIN, load
from kumobashi.service.access_records import AccessRecords
from kumobashi.service.calling import Calling
from kumobashi.service.errors import SiteMissing
from kumobashi.service.own_clock import OwnClock, StatingKey
from kumobashi.service.rooms import Rooms
from kumobashi.service.settings import Settings
from kumobashi.service.stating import open_state, state_reference
from kumobashi.service.training import is_loopback, refuse_outside
from kumobashi.storage.documents import Document, read
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.spool import Spool

if TYPE_CHECKING:
    from kumobashi.exchange.takers import Taker
    from kumobashi.service.endpoint import Endpoint

_EVIDENCE_SECONDS = 1.0  # until what was committed has its number
log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0  # at the start, for a state that does not answer


class Gateway:
    """A running site; made inside the event loop that serves it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.process = f"{os.getpid()}-{new_id()}"  # never the same again, unlike its number
        is_shared = state_reference(settings) is not None
        self.directory = open_directory(settings, self.clock)
        if settings.is_training:
            refuse_outside(load(settings.workspace), self.directory, host=settings.host)
        private = settings.workspace / "private" / settings.site
        var = settings.workspace / "var" / settings.site
        self.notices = Notices()  # errors of this process, and of the systems' programs here
        self.own_clock = OwnClock(
            self.clock,
            site=settings.site,
            servers=settings.clock_sources,
            stop_seconds=settings.clock_stop_seconds,
            notices=self.notices,
        )
        key = SigningKey.load(private / "sign.key")
        self.identity = self._known_as(key, var, is_shared=is_shared)
        self.api_token = (private / "api.token").read_text(encoding="ascii").strip()
        self.tls = ClientTls(private / "tls")
        for known in self.identity.here.connects_to:  # files that cannot be used stop it here
            self.tls.towards(known.site, self.identity.at(known.site).url)
        tenant = self.identity.tenant
        self.store = open_state(settings, tenant, patience_seconds=_PATIENCE_SECONDS)
        migrate(self.store)
        self._rooms = Rooms(var / "work", self.process) if is_shared else None
        self._clear()
        self.ledger = Ledger(self.store, self.identity.tenant, self.clock)
        self.incarnations = Incarnations(
            self.store, self.identity.tenant, settings.site, self.clock
        )
        self.incarnation = self.incarnations.begin()
        leases = Leases(
            self.store, self.identity.tenant, owner=self.process, seconds=settings.lease_seconds
        )
        if not is_shared:
            leases.forget_all()
        holder = Holder(leases, seconds=settings.lease_seconds, is_shared=is_shared)
        self.holder = holder if settings.works else None
        self._looking: asyncio.Task[None] | None = None
        memory = PeerMemory(self.ledger)
        self.lines = Lines(self.identity, self.clock, known=memory.known(), keep=memory.keep)
        self.peers = Peers(self.identity, self.clock, self.lines, self.tls)
        self._remember(key)
        self._noting = NoticeHandler(self.notices)
        logging.getLogger().addHandler(self._noting)
        self.pulsing = Pulsing(self.identity, self.peers, self.clock, self._troubles(var).now)
        self.changes = Changes()
        self.keys = TransferKeys(ErasableSecrets(var / "keys"), self.identity.sealing)
        spool = Spool(var / "spool" / "in")
        self.endpoint: Endpoint | None = None
        self._keeping: list[asyncio.Task[None]] = []
        taker: Taker
        if self.identity.here.role == "relay":
            taker = Relay(
                self.identity,
                self.ledger,
                spool,
                self.changes,
                self.peers,
                keys=self.keys,
                holder=self.holder,
            )
        else:
            self.endpoint = _endpoint(self, var, spool)
            taker = self.endpoint.receiver
        self.calling = Calling(
            self,
            self.endpoint.call_permits if self.endpoint else None,
            partial(open_directory, settings, self.clock),
        )
        self.inbox = Inbox(
            self.identity,
            self.ledger,
            spool,
            self.changes,
            taker,
            keys=self.keys,
            works=settings.works,
        )

    def _remember(self, key: SigningKey) -> None:
        """Keep the evidence log, and hear what others say of theirs, and what time it is there."""
        self.evidence = Keeper(
            self.store,
            tenant=self.identity.tenant,
            site=self.settings.site,
            key=key,  # what happened here is recorded also while the clock is wrong
            clock=self.clock,
        )
        self.witness = Witness(self.identity, self.store, self.peers, self.clock)
        self.peers.hear = self.witness.hear
        self.peers.hear_date = self.own_clock.heard_date

    def _known_as(self, key: SigningKey, var: Path, *, is_shared: bool) -> Identity:
        private = self.settings.workspace / "private" / self.settings.site
        return Identity(
            tenant=self.directory.municipality.code,
            site=self.settings.site,
            signing=StatingKey.of(key, self.own_clock.check),
            asking=key,
            sealing=SealKey.load(private / "seal.key"),
            directory=self.directory,
            work=var / "work" / self.process if is_shared else var / "work",
        )

    @cached_property
    def access(self) -> AccessRecords:
        """Where it is noted who looked at whom, and who was refused what."""
        return AccessRecords(self.evidence.note, self.clock)

    def _troubles(self, var: Path) -> OwnTroubles:
        return OwnTroubles(
            self.store,
            tenant=self.identity.tenant,
            site=self.settings.site,
            clock=self.clock,
            folder=var,
            noted=self.notices,
        )

    def start(self) -> None:
        """Clear away what a crash left half done, then go on with everything that was under way."""
        self._clear()
        self._trace()
        self._keeping = [
            asyncio.create_task(keep_evidence(self.evidence)),
            asyncio.create_task(watch_evidence(self.evidence, self.witness)),
        ]
        self.own_clock.start()
        self.calling.start()
        self.inbox.resume()
        if self.endpoint:
            self.endpoint.resume()
        if self.holder and self.store.is_shared:
            self._looking = asyncio.create_task(self._look(), name="look for work")

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start, or in another process."""
        logging.getLogger().removeHandler(self._noting)
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.own_clock.aclose()
        await self.inbox.aclose()
        if self.endpoint:
            await self.endpoint.aclose()
        if self.holder:
            await self.holder.aclose()
        await self.calling.aclose()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        await asyncio.to_thread(self.evidence.sign_or_tell)
        await asyncio.to_thread(tracing.end)
        await self.peers.aclose()
        await asyncio.to_thread(self.store.close)
        if self._rooms:
            self._rooms.close()

    def _trace(self) -> None:
        """Begin to send traces where somebody named a collector."""
        settings = self.settings
        if settings.otlp_endpoint is None:
            return
        host = urlsplit(settings.otlp_endpoint).hostname
        if settings.is_training and not is_loopback(host):
            return  # nothing of a training leads to another machine
        try:
            tracing.begin(
                Options(endpoint=settings.otlp_endpoint, calls=settings.traced_calls),
                site=settings.site,
                version=__version__,
            )
        except ImportError:
            log.warning("no traces are sent: the extra telemetry is not installed")

    async def _look(self) -> None:
        """Look, again and again, for what no process of this state works on."""
        while True:
            self.inbox.look()
            if self.endpoint:
                self.endpoint.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def _clear(self) -> None:
        """Remove plain files of steps that a crash ended; rows may lie there in the clear."""
        if self._rooms:
            self._rooms.clear()
        else:  # the lock on the state says that nobody else is here
            shutil.rmtree(self.identity.work, ignore_errors=True)


async def keep_evidence(keeper: Keeper) -> None:
    """Keep the log numbered and signed as long as the gateway runs."""
    loop = asyncio.get_running_loop()
    signed, is_new = -SIGN_EVERY.total_seconds(), True  # what a crash left is signed at once
    while True:
        await asyncio.sleep(_EVIDENCE_SECONDS)
        try:
            is_new = await asyncio.to_thread(keeper.number) > 0 or is_new
            if is_new and loop.time() - signed >= SIGN_EVERY.total_seconds():
                await asyncio.to_thread(keeper.sign_or_tell)
                signed, is_new = loop.time(), False
        except Exception:  # the log must go on; what waits is numbered at the next turn
            log.exception("evidence was not kept up")


async def watch_evidence(keeper: Keeper, witness: Witness) -> None:
    """Watch the logs of others, and offer them the own, however slowly they answer."""
    loop = asyncio.get_running_loop()
    offered, last = -OFFER_EVERY.total_seconds(), ""
    while True:
        await asyncio.sleep(_EVIDENCE_SECONDS)
        try:
            await witness.look()
            is_due = loop.time() - offered >= OFFER_EVERY.total_seconds()
            newest = keeper.newest or ""
            # Without news the logs would go on telling each other that they told each other.
            if is_due and keeper.has_news and newest != last:
                keeper.has_news, offered, last = False, loop.time(), newest
                await witness.offer(newest)
        except Exception:
            log.exception("evidence of others was not watched")


def _endpoint(gateway: Gateway, var: Path, spool: Spool) -> "Endpoint":
    from kumobashi.service.endpoint import Endpoint  # noqa: PLC0415 - not for relays

    return Endpoint(gateway, var, spool)


def open_directory(settings: Settings, clock: Clock) -> Directory:
    """Return the directory, or the last good copy this site has; raise ``SiteMissing``."""
    folder = settings.workspace
    trusted = trusted_key(folder)
    kept = folder / "var" / settings.site / FILE
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = adopt(
        folder / FILE,
        kept,
        trusted=trusted,
        now=clock.now(),
        municipality=_municipality(settings),
    )
    declared.know([*directory.sites, *directory.systems])
    if settings.site not in directory.sites:
        raise SiteMissing(site=settings.site, known=", ".join(sorted(directory.sites)))
    return directory


def _municipality(settings: Settings) -> str:
    main = read(settings.workspace / MAIN, MunicipalityFile, root=settings.workspace)
    if not isinstance(main, Document):
        raise WorkspaceBroken(main)
    return main.value.municipality.code
