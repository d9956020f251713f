"""Keep one gateway's log going: number what was committed, sign it now and then."""

import logging
import threading
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import origin_of
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.errors import EvidenceFailed
from kumobashi.evidence.log import (
    BATCH,
    append,
    checkpoint,
    newest_note,
    sequence,
    size_of,
    stored,
)
from kumobashi.kernel import Clock
from kumobashi.storage.state import StateStore

_WITNESSED = b'"event":"checkpoint.witnessed"'
log = logging.getLogger(__name__)
EVERY: Final = timedelta(seconds=10)  # between two checkpoints while something happens


class Keeper:
    """The log of one site; several processes may each have one on the same database."""

    def __init__(
        self, store: StateStore, *, tenant: str, site: str, key: SigningKey, clock: Clock
    ) -> None:
        self.origin = origin_of(tenant, site)
        self._store = store
        self._tenant = tenant
        self._site = site
        self._key = key
        self._clock = clock
        self._turn = threading.Lock()
        self._told: str | None = None  # the last failure that was logged
        self.has_news = True  # something beside witnessing was numbered since this was set back
        self.newest = store.read(lambda connection: newest_note(connection, tenant))

    def note(self, entry: Entry) -> None:
        """Write an entry about what is kept elsewhere, in a transaction of its own."""
        self._store.write(lambda connection: append(connection, self._tenant, entry))

    def number(self) -> int:
        """Give everything that waits its number; return how many records it were."""
        done = 0
        with self._turn:
            while (more := self._batch()) > 0:
                done += more
        return done

    def sign(self) -> str | None:
        """Give everything its number, sign a checkpoint and return the newest.

        Raises:
            LogForked: the records do not lead to what was signed before; nothing was signed.
        """
        self.number()
        try:
            self.newest = self._store.write(
                lambda connection: checkpoint(
                    connection,
                    self._tenant,
                    origin=self.origin,
                    key=self._key,
                    clock=self._clock,
                    site=self._site,
                )
            )
        except sa.exc.IntegrityError:  # another process signed the same size at this moment
            self.newest = self._store.read(lambda connection: newest_note(connection, self._tenant))
        return self.newest

    def sign_or_tell(self) -> None:
        """Sign; what keeps it from being signed is logged once, and the gateway goes on."""
        try:
            self.sign()
        except EvidenceFailed as error:
            if self._told != error.code:
                log.error("evidence not signed", extra={"code": error.code})  # noqa: TRY400 - no trace
            self._told = error.code
        else:
            self._told = None

    def _batch(self) -> int:
        try:
            done, is_news = self._store.write(self._numbered)
        except sa.exc.IntegrityError:  # another process numbered them at this moment
            return 0
        self.has_news = self.has_news or is_news
        return done

    def _numbered(self, connection: sa.Connection) -> tuple[int, bool]:
        """Give a batch its numbers; tell whether more happened in it than witnessing."""
        done = sequence(connection, self._tenant, BATCH)
        size = size_of(connection, self._tenant)
        made = stored(connection, self._tenant, size - done, size) if done else ()
        return done, any(_WITNESSED not in body for _, _, body in made)
