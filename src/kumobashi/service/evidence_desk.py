"""The way to a site's evidence for a terminal, whether or not its gateway is running."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from kumobashi.calls.auditing import JournalAudit, audit_journals
from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import parse
from kumobashi.evidence.errors import NothingSigned
from kumobashi.evidence.keeping import EVERY, Keeper
from kumobashi.evidence.log import newest_note, size_of, stored, waiting_in
from kumobashi.exchange.auditing import trusted_directory
from kumobashi.exchange.evidence_state import SiteEvidence
from kumobashi.exchange.migrating import migrate
from kumobashi.kernel import SystemClock
from kumobashi.planning.publishing import FILE, trusted_key
from kumobashi.service.errors import SiteMissing
from kumobashi.service.settings import read_settings
from kumobashi.service.stating import open_state, state_reference
from kumobashi.storage.errors import AlreadyRunning
from kumobashi.storage.sqlite import open_engine

if TYPE_CHECKING:
    from kumobashi.directory.entries import Directory

T = TypeVar("T")
_STATE = "state.db"
_LOOK_AGAIN_SECONDS = 0.5


class EvidenceDesk:
    """One site of a workspace; its directory counts also when its time is over."""

    def __init__(self, folder: Path, site: str) -> None:
        """Read the directory; raise ``SiteMissing`` or ``DirectoryFailed``."""
        self.site = site
        self._settings = read_settings(folder, site)
        self._is_shared = state_reference(self._settings) is not None
        self._var = folder / "var" / site
        self._private = folder / "private" / site
        kept = self._var / FILE
        self.token = (kept if kept.exists() else folder / FILE).read_text(encoding="ascii").strip()
        self.directory: Directory = trusted_directory(self.token, trusted_key(folder))
        if site not in self.directory.sites:
            raise SiteMissing(site=site, known=", ".join(sorted(self.directory.sites)))
        self.tenant = self.directory.municipality.code

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Do the work on a connection that sees the state; nothing is written.

        Raises:
            NothingSigned: this site has no evidence yet.
        """

        def checked(connection: sa.Connection) -> T:
            if not sa.inspect(connection).has_table("evidence_entries"):
                raise NothingSigned(site=self.site)
            return work(connection)

        if self._is_shared:
            with closing(open_state(self._settings, self.tenant)) as store:
                return store.read(checked)
        engine = open_engine(self._file())  # beside a gateway that may be running
        try:
            with engine.connect() as connection:
                return checked(connection)
        finally:
            engine.dispose()

    def look(self, work: Callable[[SiteEvidence], T]) -> T:
        """Do the work on the site's log."""
        return self.read(lambda held: work(SiteEvidence(held, tenant=self.tenant, site=self.site)))

    def audit_calls(self, *, every_signature: bool = False) -> JournalAudit:
        """Check the journals of calls against the log."""
        return self.read(
            lambda held: audit_journals(
                self._var / "calls",
                (body for _, _, body in stored(held, self.tenant)),
                self.directory,
                every_signature=every_signature,
            )
        )

    def sign(self) -> None:
        """Have everything signed that has been committed, by the gateway if it runs."""
        if not self._is_shared:
            self._file()
        try:
            store = open_state(self._settings, self.tenant)
        except AlreadyRunning:
            self._wait_for_gateway()
            return
        with closing(store):
            migrate(store)
            key = SigningKey.load(self._private / "sign.key")
            clock = SystemClock()
            Keeper(store, tenant=self.tenant, site=self.site, key=key, clock=clock).sign()

    def _file(self) -> Path:
        file = self._var / _STATE
        if not file.exists():
            raise NothingSigned(site=self.site)
        return file

    def _wait_for_gateway(self) -> None:
        """Wait until its next checkpoint covers what there is now."""
        wished = self.read(lambda held: size_of(held, self.tenant) + waiting_in(held, self.tenant))
        end = time.monotonic() + EVERY.total_seconds() * 2
        while time.monotonic() < end:
            note = self.read(lambda held: newest_note(held, self.tenant))
            if note and parse(note).size >= wished:
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
