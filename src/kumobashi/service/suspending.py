"""Whose rows a link may not carry since a suspension of use (利用停止) was carried out.

Asked of the book of requests at every reading, as the register of protected persons is, and again
in the transaction that seals: whoever was suspended in between is in what was read.
"""

from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from kumobashi.consent.ledger import ConsentLedger
from kumobashi.requests.carrying_errors import (
    SuspendedSince,
)
from kumobashi.requests.reading import Reading


class Suspension:
    """The suspensions that are about one link, for one run of it."""

    def __init__(self, requests: Reading, ledger: ConsentLedger, link: str) -> None:
        self._requests = requests
        self._ledger = ledger
        self._link = link
        self._seen: frozenset[str] | None = None  # requests in force at every reading; none: none

    def people(self, _on: date | None = None) -> pa.Array:
        """Return the numbers of residents whose rows do not leave now, whatever the business date.

        With the numbers that theirs were merged into since.

        Raises:
            RequestTouched, NumberUnreadable, StorageFailed: nobody can say; nothing leaves.
        """
        found = self._requests.suspending(self._link)
        # Several stores are read one after the other: what one of them missed counts as missed.
        self._seen = frozenset(found) if self._seen is None else self._seen & found.keys()
        subjects = sorted(self._ledger.followed(set(found.values()))) if found else []
        return pa.array(self._ledger.subjects.opened(subjects), pa.string())

    def refuse_changed(self, connection: sa.Connection) -> None:
        """Raise ``SuspendedSince`` when somebody was suspended after a reading."""
        new = self._requests.suspending_in(connection, self._link).keys() - (self._seen or ())
        if new:
            raise SuspendedSince(suspended=len(new))
