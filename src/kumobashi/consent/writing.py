"""How the tables of the ledger change: one number, one revision and one leaf of evidence a change.

Everything here runs inside the caller's transaction. :meth:`Pen.open` locks the row that gives
numbers, so whoever writes consents of a municipality waits for whoever does already: what a release
sees up to a number is everything up to it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa

from kumobashi.consent.records import Record, record_of
from kumobashi.consent.sql import fates, records, revisions, standings
from kumobashi.consent.states import Reason, State, Statement, Tier, check_move
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Facts, bound, revise
from kumobashi.kernel import from_micros, new_id, to_micros, to_wire
from kumobashi.storage.changes import take_numbers

_SALT_BYTES = 16
_MOST_MERGES = 100  # one behind the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What counts now for a resident, a purpose and a tier."""

    subject: str
    purpose: str
    tier: Tier
    record: str
    version: int
    state: State
    reason: Reason | None
    until: int | None
    stated: Statement
    was_ended: bool

    @property
    def is_granted(self) -> bool:
        """Whether it is a yes that nobody took back."""
        return self.state is State.GRANTED


class Pen:
    """Writes one change of one resident's consents."""

    def __init__(
        self, connection: sa.Connection, tenant: str, *, sequence: int, now: datetime, by: str
    ) -> None:
        self.connection = connection
        self.sequence = sequence
        self.now = now
        self._tenant = tenant
        self._by = by

    @classmethod
    def open(cls, connection: sa.Connection, tenant: str, *, now: datetime, by: str) -> Self:
        """Take a number and begin to write."""
        number = take_numbers(connection, tenant)
        return cls(connection, tenant, sequence=number, now=now, by=by)

    # -- records --------------------------------------------------------------------------------

    def begin(self, state: State, subject: str, **columns: Any) -> Record:  # noqa: ANN401 - columns of the table
        """Write a new record with its first revision."""
        record, salt = new_id(), secrets.token_bytes(_SALT_BYTES)
        said = {**columns, "state": state.value}
        facts = {**_facts(said), "subject": bound(salt, subject), **self._stamp()}
        revision = revise(record, 1, None, facts)
        row = {
            "tenant": self._tenant,
            "record": record,
            "subject": subject,
            "salt": salt,
            "reason": None,
            "method": None,
            "granted_at": None,
            "ended_at": None,
            "until": None,
            "batch": None,
            "channel": None,
            "document": None,
            **said,
            "revisions": 1,
            "head": revision.hash,
        }
        self.connection.execute(sa.insert(records).values(row))
        self._keep(record, revision.number, revision.hash, revision.body)
        self._note(row, before=None)
        return self.record(record)

    def move(self, record: Record, then: State, **columns: Any) -> Record:  # noqa: ANN401 - columns of the table
        """Move a record and add a revision; raise ``ConsentMove``."""
        check_move(record.state, then)
        said = {**columns, "state": then.value}
        number = record.revisions + 1
        facts: Facts = {**_facts(said), "purpose": record.purpose, "tier": record.tier.value}
        facts |= {"version": record.version, "text": record.text, **self._stamp()}
        revision = revise(record.record, number, record.head, facts)
        mine = sa.and_(records.c.tenant == self._tenant, records.c.record == record.record)
        changed = {**said, "revisions": number, "head": revision.hash}
        self.connection.execute(sa.update(records).where(mine).values(changed))
        self._keep(record.record, number, revision.hash, revision.body)
        self._note(
            {
                "record": record.record,
                "purpose": record.purpose,
                "tier": record.tier.value,
                **changed,
            },
            before=record.state,
        )
        return self.record(record.record)

    def record(self, record: str) -> Record:
        """Return a record that is known to be there."""
        mine = sa.and_(records.c.tenant == self._tenant, records.c.record == record)
        return record_of(self.connection.execute(sa.select(records).where(mine)).one())

    def all_of(self, subject: str, purpose: str, tier: Tier) -> list[Record]:
        """Return a resident's records for a purpose and a tier."""
        query = sa.select(records).where(
            records.c.tenant == self._tenant,
            records.c.subject == subject,
            records.c.purpose == purpose,
            records.c.tier == tier.value,
        )
        found = self.connection.execute(query.order_by(records.c.record))
        return [record_of(row) for row in found]

    def live(self, subject: str, purpose: str, tier: Tier, state: State) -> list[Record]:
        """Return a resident's records in a state."""
        return [one for one in self.all_of(subject, purpose, tier) if one.state is state]

    # -- standings ------------------------------------------------------------------------------

    def standing(self, subject: str, purpose: str, tier: Tier) -> Standing | None:
        """Return what counts now."""
        found = self._standings(
            standings.c.subject == subject,
            standings.c.purpose == purpose,
            standings.c.tier == tier.value,
        )
        return found[0] if found else None

    def standings(self, subject: str) -> list[Standing]:
        """Return all that counts for a resident."""
        return self._standings(standings.c.subject == subject)

    def stand(
        self, record: Record, *, stated: Statement, before: Standing | None, state: State
    ) -> None:
        """Let ``record`` decide from now on, with what it says."""
        row = {
            "tenant": self._tenant,
            "subject": record.subject,
            "purpose": record.purpose,
            "tier": record.tier.value,
            "record": record.record,
            "version": record.version,
            "state": state.value,
            "reason": record.reason.value if record.reason else None,
            "until": to_micros(record.until) if record.until else None,
            "stated_at": to_micros(stated.stated_at),
            "source": stated.source,
            "arrived": stated.sequence,
            "sequence": self.sequence,
            "was_ended": state is not State.GRANTED or bool(before and before.was_ended),
        }
        if before is None:
            self.connection.execute(sa.insert(standings).values(row))
            return
        mine = sa.and_(
            *(standings.c[key] == row[key] for key in ("tenant", "subject", "purpose", "tier"))
        )
        self.connection.execute(sa.update(standings).where(mine).values(row))

    def _standings(self, *conditions: sa.ColumnElement[bool]) -> list[Standing]:
        query = sa.select(standings).where(standings.c.tenant == self._tenant, *conditions)
        ordered = query.order_by(standings.c.purpose, standings.c.tier)
        return [_standing(row) for row in self.connection.execute(ordered)]

    # -- fates ----------------------------------------------------------------------------------

    def survivor(self, subject: str) -> str:
        """Return under which sealed number a resident's records stand now."""
        for _ in range(_MOST_MERGES):
            fate = self.fate(subject)
            if fate is None or fate.into is None:
                return subject
            subject = fate.into
        return subject

    def fate(self, subject: str) -> sa.Row[Any] | None:
        """Return what became of a resident."""
        query = sa.select(fates).where(fates.c.tenant == self._tenant, fates.c.subject == subject)
        return self.connection.execute(query).first()

    def seal_fate(self, subject: str, fate: str, *, into: str | None, at: datetime) -> None:
        """Note that a resident died, or has another number now."""
        key = {"tenant": self._tenant, "subject": subject}
        row = {**key, "fate": fate, "into": into, "at": to_micros(at)}
        self.connection.execute(
            sa.delete(fates).where(fates.c.tenant == self._tenant, fates.c.subject == subject)
        )
        self.connection.execute(sa.insert(fates).values(row))

    # -- inside ---------------------------------------------------------------------------------

    def _stamp(self) -> Facts:
        return {"at": to_wire(self.now), "by": self._by, "sequence": self.sequence}

    def _keep(self, record: str, number: int, digest: str, body: bytes) -> None:
        row = {"tenant": self._tenant, "record": record, "number": number}
        self.connection.execute(sa.insert(revisions).values({**row, "hash": digest, "body": body}))

    def _note(self, row: Mapping[str, Any], *, before: State | None) -> None:
        entry = Entry(
            event=f"consent.{row['state']}",
            at=self.now,
            by=self._by,
            facts={
                "consent": row["record"],
                "purpose": row["purpose"],
                "tier": row["tier"],
                "before": before.value if before else None,
                "after": row["state"],
                "reason": row.get("reason"),
                "revision": row["head"],
                "number": row["revisions"],
            },
        )
        append(self.connection, self._tenant, entry)


def _facts(said: Mapping[str, Any]) -> Facts:
    times = {"stated_at", "granted_at", "ended_at", "until"}
    return {
        name: to_wire(from_micros(value)) if name in times and value is not None else value
        for name, value in said.items()
        if name != "batch"
    }


def _standing(row: sa.Row[Any]) -> Standing:
    reason = Reason(row.reason) if row.reason else None
    state = State(row.state)
    return Standing(
        subject=row.subject,
        purpose=row.purpose,
        tier=Tier(row.tier),
        record=row.record,
        version=row.version,
        state=state,
        reason=reason,
        until=row.until,
        stated=Statement(
            is_yes=state is State.GRANTED or reason is Reason.TERM,
            stated_at=from_micros(row.stated_at),
            source=row.source,
            sequence=row.arrived,
        ),
        was_ended=bool(row.was_ended),
    )
