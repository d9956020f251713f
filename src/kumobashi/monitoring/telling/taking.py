"""The faults of the watch's book, as telling sees them: who sees to one, and who was told."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from kumobashi.exchange.views import Words
from kumobashi.monitoring import sql
from kumobashi.monitoring.book import FaultBook
from kumobashi.monitoring.errors import FaultClosed, FaultUnknown
from kumobashi.storage.shared_file import SharedFile

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFaults:
    """Meets ``FaultRecord`` with the file of a site's watch."""

    file: SharedFile
    book: FaultBook
    tenant: str

    def takers(self, faults: Sequence[str]) -> Mapping[str, str]:
        """Return who sees to those of some faults that somebody sees to."""
        if not self.file.exists:
            return {}
        found: dict[str, str] = {}
        table = sql.faults
        with self.file.engine.connect() as connection:
            for at in range(0, len(faults), _AT_ONCE):
                some = faults[at : at + _AT_ONCE]
                query = sa.select(table.c.fault, table.c.taken_by).where(
                    table.c.tenant == self.tenant,
                    table.c.fault.in_(some),
                    table.c.taken_at.is_not(None),
                )
                rows = connection.execute(query).all()
                found |= {row.fault: row.taken_by or "" for row in rows}
        return found

    def take(self, fault: str, by: str) -> None:
        """Note that somebody sees to a fault."""
        with suppress(FaultUnknown, FaultClosed):  # an alert of telling itself is of no fault
            self.book.take(fault, by=by)

    def told(self, fault: str, words: Words) -> None:
        """Note who was told of a fault, and how."""
        with suppress(FaultUnknown):
            self.book.get(fault)
            self.book.told(fault, words)
