"""A log that was really kept, with a night in it that is not the account's own: for pictures."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.keeping import Keeper
from kumobashi.exchange.migrating import migrate
from kumobashi.service.evidence_board import EvidenceBoard
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock

_TENANT: Final = "999997"
_LINKS: Final = ("notice-attributes", "campaign-targets", "care-visits")
_STATES: Final = ("extracting", "sealed", "sent", "delivered", "opened", "validated", "applied")
_LOOKED: Final = {"code": "post:ties/resident", "purpose": "counter", "role": "operator"}


class KeptEvidence:
    """A site's log in a file of its own; ``close`` it."""

    def __init__(self, folder: Path, *, site: str, clock: HandClock) -> None:
        self._store = SQLiteState(folder / "state.db", owner=site)
        migrate(self._store)
        self._clock = clock
        self._keeper = Keeper(
            self._store, tenant=_TENANT, site=site, key=SigningKey.generate(), clock=clock
        )
        for days in (2, 1):
            self._night(days)
        self._note(timedelta(hours=15), "access.looked", "account:sato", **_LOOKED)
        self._note(timedelta(hours=14), "plan.approved", "account:yamada", link=_LINKS[0])
        self._keeper.sign()
        self.board = EvidenceBoard(self._store, tenant=_TENANT, site=site, clock=clock)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _night(self, days: int) -> None:
        """Keep what three links did in a night."""
        for number, link in enumerate(_LINKS):
            begun = timedelta(days=days, hours=4) - timedelta(minutes=10 * number)
            transfer = f"01a20bc7-0000-7000-8000-00000000{days}{number:03}"
            for step, (before, after) in enumerate(pairwise(_STATES)):
                self._note(
                    begun - timedelta(seconds=9 * step), "transfer.moved", "gateway",
                    link=link, transfer=transfer, attempt=1, before=before, after=after,
                )  # fmt: skip

    def _note(self, ago: timedelta, event: str, by: str, **facts: Fact) -> None:
        self._keeper.note(Entry(event=event, at=self._clock.now() - ago, by=by, facts=facts))
