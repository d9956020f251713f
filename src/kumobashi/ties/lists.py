"""Lists of what is known of residents, each row bound to a history of its own.

Statuses at services, fates, withdrawals: a row says what the last revision of its record says, and
names the record; the record names nobody. So a row that was changed, added or taken away is found.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.entries import GATEWAY, Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Facts, bound, revise
from kumobashi.kernel import from_micros, new_id, to_wire
from kumobashi.ties.sql import fates, revisions, statuses, withdrawals

_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One such table."""

    table: sa.Table
    prefix: str  # of the names of its records
    event: str  # of the leaf for each change
    columns: tuple[str, ...]  # that every revision repeats

    def put(
        self,
        connection: sa.Connection,
        key: Mapping[str, str],
        values: Mapping[str, str | int],
        *,
        now: int,
        by: str = GATEWAY,
    ) -> None:
        """Write a row, new or changed, with its revision and its leaf; ``now`` in microseconds.

        ``key`` is the primary key: tenant, subject and perhaps the service.
        """
        mine = sa.and_(*(self.table.c[name] == value for name, value in key.items()))
        before = connection.execute(sa.select(self.table).where(mine).with_for_update()).first()
        chain = before if before is not None and before.record else None
        record = chain.record if chain else self.prefix + new_id()
        salt = bytes(chain.salt) if chain else secrets.token_bytes(_SALT_BYTES)
        number = chain.revisions + 1 if chain else 1
        row = {**key, **values, "record": record, "salt": salt, "revisions": number}
        at = from_micros(now)
        facts = {**self.bound(row), "written_at": to_wire(at), "by": by}
        revision = revise(record, number, chain.head if chain else None, facts)
        row["head"] = revision.hash
        if before is None:
            connection.execute(sa.insert(self.table).values(row))
        else:
            connection.execute(sa.update(self.table).where(mine).values(row))
        kept = {"tenant": key["tenant"], "record": record, "number": number}
        kept |= {"hash": revision.hash, "body": revision.body}
        connection.execute(sa.insert(revisions).values(kept))
        leaf = {"tie": record, "service": key.get("service"), "revision": revision.hash}
        entry = Entry(event=self.event, at=at, by=by, facts={**leaf, "number": number})
        append(connection, key["tenant"], entry)

    def bound(self, row: Mapping[str, Any]) -> Facts:
        """Return what a revision repeats of a row; whose it is is bound, not told."""
        subject = bound(bytes(row["salt"]), row["subject"])
        return {"subject": subject, **{name: row[name] for name in self.columns}}

    def rows(self, connection: sa.Connection, tenant: str) -> Iterator[sa.Row[Any]]:
        """Return the rows that have a record; older ones were written before there were any."""
        mine = sa.and_(self.table.c.tenant == tenant, self.table.c.record.is_not(None))
        yield from connection.execute(sa.select(self.table).where(mine))


STATUSES: Final = Listed(
    table=statuses,
    prefix="status:",
    event="tie.status",
    columns=("service", "status", "as_of", "source", "clause"),
)
FATES: Final = Listed(table=fates, prefix="fate:", event="tie.fate", columns=("fate", "at"))
WITHDRAWALS: Final = Listed(
    table=withdrawals,
    prefix="withdrawn:",
    event="tie.withdrawn",
    columns=("service", "stated_at", "source"),
)
LISTS: Final = (STATUSES, FATES, WITHDRAWALS)
