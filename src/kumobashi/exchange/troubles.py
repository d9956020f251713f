"""What troubles this site, as it says itself to a pulse: codes and counts, never a text.

Three things are gathered: bundles that wait here for something on this side (the interface of a
system that does not answer, a full disk), what programs of this gateway have written to their log
as errors, and a state that cannot be reached. (Report 001, item (6): what is written to a log
during linkage is returned in the answer.)
"""

import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from kumobashi.exchange.sql import incoming
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.kernel import Clock, KumobashiError, from_wire
from kumobashi.messages.pulses import MOST_TROUBLES, Source, Trouble
from kumobashi.observe.notices import Notices
from kumobashi.storage.errors import SpoolFull
from kumobashi.storage.state import StateStore

_RECENT_SECONDS: Final = 600.0  # how long a line of a log is told of
_FRESH_SECONDS: Final = 2.0  # how old an answer may be: many may ask
_MOST_ROWS = 500
_LEAST_FREE = 64 << 20  # bytes
_WAITING = tuple(state.value for state in In if state not in IN_FINAL)


class OwnTroubles:
    """Tells a pulse what is wrong here; called in worker threads."""

    def __init__(
        self,
        store: StateStore,
        *,
        tenant: str,
        site: str,
        clock: Clock,
        folder: Path,
        noted: Notices | None = None,
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._clock = clock
        self._folder = folder
        self._noted = noted or Notices()
        self._lock = threading.Lock()
        self._held: tuple[float, tuple[Trouble, ...]] | None = None

    def now(self) -> tuple[Trouble, ...]:
        """Return what is wrong, the gravest first, at most :data:`MOST_TROUBLES`."""
        with self._lock:
            if self._held and time.monotonic() - self._held[0] < _FRESH_SECONDS:
                return self._held[1]
            found = (*self._own(), *self._logged())[:MOST_TROUBLES]
            self._held = (time.monotonic(), found)
            return found

    def _own(self) -> list[Trouble]:
        now = self._clock.now()
        found = []
        try:
            found += self._waiting()
        except KumobashiError as error:
            found.append(_of_state(error.code, now))
        if shutil.disk_usage(self._folder).free < _LEAST_FREE:
            found.insert(0, _of_state(SpoolFull.code, now))
        return found

    def _logged(self) -> list[Trouble]:
        """Return what the log of this process has as errors, by code, the newest first."""
        gathered: dict[str, Trouble] = {}
        for one in self._noted.recent(seconds=_RECENT_SECONDS):
            first, last = (datetime.fromtimestamp(at, UTC) for at in (one.first, one.last))
            old = gathered.get(one.code)
            gathered[one.code] = Trouble(
                code=one.code,
                source=Source.LOG,
                link=None,
                count=one.count + (old.count if old else 0),
                first=min(first, old.first) if old else first,
                last=max(last, old.last) if old else last,
            )
        return list(gathered.values())

    def _waiting(self) -> list[Trouble]:
        """Return what bundles wait for on this side, by code, the most frequent first."""
        query = (
            sa.select(incoming.c.cause, incoming.c.link)
            .where(
                incoming.c.tenant == self._tenant,
                incoming.c.state.in_(_WAITING),
                incoming.c.cause.is_not(None),
            )
            .limit(_MOST_ROWS)
        )
        rows = self._store.read(lambda held: held.execute(query).all())
        now = self._clock.now()
        gathered: dict[str, Trouble] = {}
        for cause, link in rows:
            if not cause or cause.get("side") != self._site:
                continue
            code = str(cause["code"])
            since = min(from_wire(str(cause["since"])), now)
            old = gathered.get(code)
            gathered[code] = Trouble(
                code=code,
                source=Source.WAITING,
                link=old.link if old else link,
                count=old.count + 1 if old else 1,
                first=min(old.first, since) if old else since,
                last=now,
            )
        return sorted(gathered.values(), key=lambda one: -one.count)


def _of_state(code: str, now: datetime) -> Trouble:
    return Trouble(code=code, source=Source.STATE, link=None, count=1, first=now, last=now)
