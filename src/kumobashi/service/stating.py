"""Open the state of a site: its own SQLite file, or the PostgreSQL that somebody referred to."""

import logging
import time

from kumobashi.directory.models import SiteFile
from kumobashi.service.secrets import secret
from kumobashi.service.settings import Settings
from kumobashi.storage.documents import Document, read
from kumobashi.storage.errors import StoreUnreachable
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.storage.state import StateStore

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


def open_state(settings: Settings, tenant: str, *, patience_seconds: float = 0.0) -> StateStore:
    """Return the state of the site that the settings name.

    A database that does not answer is asked again for ``patience_seconds``, and what is read in
    that time waits for it: whoever starts while it restarts need not be started once more.

    Raises:
        AlreadyRunning: another process has the SQLite file.
        SecretMissing: the reference leads nowhere.
        StoreUnreachable, RoleTooStrong, StoreNotDurable: of a PostgreSQL.
    """
    reference = state_reference(settings)
    if reference is None:
        path = settings.workspace / "var" / settings.site / "state.db"
        return SQLiteState(path, owner=settings.site)
    # asyncpg and greenlet are for those who asked for them: a relay stays small.
    from kumobashi.storage.postgresql import PostgreSQLState  # noqa: PLC0415

    dsn = secret(settings.workspace, reference)
    until = time.monotonic() + patience_seconds
    while True:
        try:
            return PostgreSQLState(dsn, tenant=tenant, starting_seconds=patience_seconds)
        except StoreUnreachable as away:
            if time.monotonic() >= until:
                raise
            log.warning("state is away", extra={"code": away.code})
            time.sleep(_LOOK_SECONDS)


def state_reference(settings: Settings) -> str | None:
    """Return where the address of the state's PostgreSQL is kept; nothing means SQLite."""
    if settings.state:
        return settings.state
    path = settings.workspace / "sites" / f"{settings.site}.yaml"
    if not path.exists():  # a site on a machine of its own may have the directory alone
        return None
    site = read(path, SiteFile, root=settings.workspace)
    return site.value.state if isinstance(site, Document) else None
