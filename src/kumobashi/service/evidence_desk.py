"""The way to a site's evidence for a terminal, whether or not its gateway is running."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import parse
from kumobashi.evidence.errors import NothingSigned
from kumobashi.evidence.keeping import EVERY, Keeper
from kumobashi.evidence.log import newest_note, size_of, waiting_in
from kumobashi.exchange.auditing import trusted_directory
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import FILE, trusted_key
from kumobashi.service.errors import SiteMissing
from kumobashi.storage.errors import AlreadyRunning
from kumobashi.storage.sqlite import SQLiteState, open_engine

if TYPE_CHECKING:
    from kumobashi.directory.entries import Directory

T = TypeVar("T")
Read = Callable[[Callable[[sa.Connection], T]], T]
_STATE = "state.db"
_LOOK_AGAIN_SECONDS = 0.5


class EvidenceDesk:
    """One site of a workspace; its directory counts also when its time is over."""

    def __init__(self, folder: Path, site: str) -> None:
        """Read the directory; raise ``SiteMissing`` or ``DirectoryFailed``."""
        self.site = site
        self._var = folder / "var" / site
        self._private = folder / "private" / site
        kept = self._var / FILE
        self.token = (kept if kept.exists() else folder / FILE).read_text(encoding="ascii").strip()
        self.directory: Directory = trusted_directory(self.token, trusted_key(folder))
        if site not in self.directory.sites:
            raise SiteMissing(site=site, known=", ".join(sorted(self.directory.sites)))
        self.tenant = self.directory.municipality.code

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one moment of the state; nothing is written.

        Raises:
            NothingSigned: this site has no evidence yet.
        """
        if not (self._var / _STATE).exists():
            raise NothingSigned(site=self.site)
        engine = open_engine(self._var / _STATE)
        try:
            with engine.connect() as connection:
                if not sa.inspect(connection).has_table("evidence_entries"):
                    raise NothingSigned(site=self.site)
                yield connection
        finally:
            engine.dispose()

    def sign(self) -> None:
        """Have everything signed that has been committed, by the gateway if it runs."""
        if not (self._var / _STATE).exists():
            raise NothingSigned(site=self.site)
        try:
            store = SQLiteState(self._var / _STATE, owner=self.site)
        except AlreadyRunning:
            self._wait_for_gateway()
            return
        try:
            migrate(store)
            key = SigningKey.load(self._private / "sign.key")
            clock = SystemClock()
            Keeper(store, tenant=self.tenant, site=self.site, key=key, clock=clock).sign()
        finally:
            store.close()

    def _wait_for_gateway(self) -> None:
        """Wait until its next checkpoint covers what there is now."""
        with self.reading() as connection:
            wished = size_of(connection, self.tenant) + waiting_in(connection, self.tenant)
        end = time.monotonic() + EVERY.total_seconds() * 2
        while time.monotonic() < end:
            with self.reading() as connection:
                note = newest_note(connection, self.tenant)
            if note and parse(note).size >= wished:
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
