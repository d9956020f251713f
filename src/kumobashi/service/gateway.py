"""One gateway: keys, directory, state, inbox and, at an endpoint, sender and receiver.

A relay is put together from half of it and never loads DuckDB or Arrow: what only an endpoint
needs is imported by ``endpoint`` and nowhere else.
"""

import asyncio
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.document import adopt
from kumobashi.directory.entries import Directory
from kumobashi.directory.models import MunicipalityFile
from kumobashi.exchange.changes import Changes
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox, Taker
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.relaying import Relay
from kumobashi.exchange.remembering import PeerMemory
from kumobashi.kernel import Clock, SystemClock
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.publishing import FILE, trusted_key
from kumobashi.planning.workspace import MAIN
from kumobashi.service.errors import SiteMissing
from kumobashi.service.settings import Settings
from kumobashi.storage.documents import Document, read
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import StateStore

if TYPE_CHECKING:
    from kumobashi.service.endpoint import Endpoint

log = logging.getLogger(__name__)


class Gateway:
    """A running site; made inside the event loop that serves it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.directory = open_directory(settings, self.clock)
        private = settings.workspace / "private" / settings.site
        var = settings.workspace / "var" / settings.site
        self.identity = Identity(
            tenant=self.directory.municipality.code,
            site=settings.site,
            signing=SigningKey.load(private / "sign.key"),
            sealing=SealKey.load(private / "seal.key"),
            directory=self.directory,
            work=var / "work",
        )
        self.api_token = (private / "api.token").read_text(encoding="ascii").strip()
        self.store = StateStore(var / "state.db", owner=settings.site)
        migrate(self.store)
        # Plain files of a step that a crash ended; the lock above says that nobody else is here.
        shutil.rmtree(self.identity.work, ignore_errors=True)
        self.ledger = Ledger(self.store, self.identity.tenant, self.clock)
        memory = PeerMemory(self.ledger)
        self.lines = Lines(self.identity, self.clock, known=memory.known(), keep=memory.keep)
        self.peers = Peers(self.identity, self.clock, self.lines)
        self.changes = Changes()
        spool = Spool(var / "spool" / "in")
        self.endpoint: Endpoint | None = None
        taker: Taker
        if self.identity.here.role == "relay":
            taker = Relay(self.identity, self.ledger, spool, self.changes, self.peers)
        else:
            self.endpoint = _endpoint(self, var, spool)
            taker = self.endpoint.receiver
        self.inbox = Inbox(self.identity, self.ledger, spool, self.changes, taker)

    def start(self) -> None:
        """Clear away what a crash left half done, then go on with everything that was under way."""
        # Rows that were opened may lie there in the clear; whatever is resumed makes them anew.
        shutil.rmtree(self.identity.work, ignore_errors=True)
        self.inbox.resume()
        if self.endpoint:
            self.endpoint.resume()

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        await self.inbox.aclose()
        if self.endpoint:
            await self.endpoint.aclose()
        await self.peers.aclose()
        await asyncio.to_thread(self.store.close)


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
    if settings.site not in directory.sites:
        raise SiteMissing(site=settings.site, known=", ".join(sorted(directory.sites)))
    return directory


def _municipality(settings: Settings) -> str:
    main = read(settings.workspace / MAIN, MunicipalityFile, root=settings.workspace)
    if not isinstance(main, Document):
        raise WorkspaceBroken(main)
    return main.value.municipality.code
