"""How the tables of ties change: the row, a revision and a leaf of evidence, in one commit.

Everything here runs inside the caller's transaction. The row of a tie is locked before it is read,
so two acts on one tie, or an act and a use, wait for each other.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Revision, revise
from kumobashi.kernel import from_micros, new_id, to_micros, to_wire
from kumobashi.ties.copies import mark_tie
from kumobashi.ties.errors import TieSubjectUnfit, TieUnknown
from kumobashi.ties.lists import FATES, WITHDRAWALS
from kumobashi.ties.records import Tie, kept, tie_of
from kumobashi.ties.sql import fates, revisions, services, ties, withdrawals
from kumobashi.ties.states import LIVE, Act, State, check_act
from kumobashi.ties.terms import Terms

_SALT_BYTES: Final = 16
_FATE_LOCK: Final = 0x746965  # "tie"; of PostgreSQL's advisory locks
_SEALED: Final = re.compile(r"[0-9a-f]{32,80}")  # longer than any number of a resident


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """When somebody stated something, by which clock, and who wrote it down here."""

    stated_at: datetime
    source: str  # the desk or channel
    by: str  # account, "operator", "local-api" or "gateway"


def check_subject(subject: str) -> None:
    """Raise :class:`TieSubjectUnfit` for anything that is no sealed number."""
    if not _SEALED.fullmatch(subject):
        raise TieSubjectUnfit


class Pen:
    """Writes ties of one municipality inside one transaction."""

    def __init__(
        self, connection: sa.Connection, tenant: str, *, now: datetime, sequence: int = 0
    ) -> None:
        """``sequence`` is the number of the change; only who moves ties needs one."""
        self.connection = connection
        self.now = now
        self._tenant = tenant
        self._sequence = sequence

    # -- ties -----------------------------------------------------------------------------------

    def begin(self, subject: str, service: str, terms: Terms, said: Said) -> Tie:
        """Write a new tie with its first revision."""
        tie, salt, text = new_id(), secrets.token_bytes(_SALT_BYTES), terms.encode()
        row = {
            "tenant": self._tenant,
            "tie": tie,
            "subject": subject,
            "salt": salt,
            "service": service,
            "state": State.PROPOSED.value,
            "reason": None,
            "offered": text,
            "terms": text,
            "days": terms.frequency.days,
            "terms_at": to_micros(said.stated_at),
            "since": to_micros(self.now),
            "revisions": 0,
            "head": "-",
        }
        self.connection.execute(sa.insert(ties).values(row))
        self._revise(tie, Act.PROPOSE, said, before=None)
        return self.tie(tie)

    def move(self, tie: Tie, act: Act, said: Said, *, terms: Terms | None = None) -> Tie:
        """Move a tie and add a revision; raise ``TieMove``."""
        then = check_act(tie.state, act)
        changed: dict[str, Any] = {"state": then.value}
        if then not in LIVE:
            changed["reason"] = act.value
        if then is not tie.state:
            changed["since"] = to_micros(self.now)
        if terms is not None:
            changed |= {"terms": terms.encode(), "days": terms.frequency.days}
            changed["terms_at"] = to_micros(said.stated_at)
        self.connection.execute(sa.update(ties).where(self._mine(tie.tie)).values(changed))
        self._revise(tie.tie, act, said, before=tie.state)
        return self.tie(tie.tie)

    def tie(self, tie: str) -> Tie:
        """Return a tie, locked until the commit; raise ``TieUnknown``, ``TieTouched``."""
        row = self.connection.execute(
            sa.select(ties).where(self._mine(tie)).with_for_update()
        ).first()
        if row is None:
            raise TieUnknown(tie=tie)
        return tie_of(row, self.last(tie, row.revisions))

    def live(self, subject: str, service: str | None = None) -> Sequence[Tie]:
        """Return a resident's ties that have not ended, the oldest first."""
        states = [state.value for state in LIVE]
        query = sa.select(ties.c.tie).where(
            ties.c.tenant == self._tenant, ties.c.subject == subject, ties.c.state.in_(states)
        )
        if service is not None:
            query = query.where(ties.c.service == service)
        found = self.connection.execute(query.order_by(ties.c.tie)).scalars().all()
        return [self.tie(tie) for tie in found]

    def last(self, record: str, number: int) -> Revision | None:
        """Return one revision of a record."""
        row = self.connection.execute(
            sa.select(revisions).where(
                revisions.c.tenant == self._tenant,
                revisions.c.record == record,
                revisions.c.number == number,
            )
        ).first()
        if row is None:
            return None
        return Revision(number=row.number, hash=row.hash, body=bytes(row.body))

    # -- a resident -----------------------------------------------------------------------------

    def lock(self, service: str) -> None:
        """Let whoever proposes, withdraws or deletes at the same service wait.

        Between a proposal and a withdrawal of the same resident there is no row yet to lock.
        """
        mine = sa.and_(services.c.tenant == self._tenant, services.c.service == service)
        self.connection.execute(sa.select(services.c.service).where(mine).with_for_update())

    def withdrawn(self, subject: str, service: str) -> tuple[datetime, str] | None:
        """Return when, and by which clock, a resident last withdrew from a service."""
        row = self.connection.execute(
            sa.select(withdrawals).where(*self._no(subject, service))
        ).first()
        return (from_micros(row.stated_at), row.source) if row else None

    def note_withdrawn(self, subject: str, service: str, said: Said) -> None:
        """Keep a withdrawal unless a later one is known."""
        held = self.withdrawn(subject, service)
        if held and held[0] >= said.stated_at:
            return
        key = {"tenant": self._tenant, "subject": subject, "service": service}
        value: dict[str, str | int] = {"stated_at": to_micros(said.stated_at)}
        value["source"] = said.source
        WITHDRAWALS.put(self.connection, key, value, now=to_micros(self.now), by=said.by)

    def is_gone(self, subject: str) -> bool:
        """Whether a resident died or has another number now."""
        mine = sa.and_(fates.c.tenant == self._tenant, fates.c.subject == subject)
        return self.connection.execute(sa.select(fates.c.fate).where(mine)).first() is not None

    def note_gone(self, subject: str, act: Act, by: str) -> None:
        """Keep what became of a resident; the first word counts."""
        if self.connection.dialect.name == "postgresql":  # there is no row yet to wait at
            whose = sa.func.hashtext(self._tenant + subject)
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FATE_LOCK, whose)))
        if self.is_gone(subject):
            return
        at = to_micros(self.now)
        key = {"tenant": self._tenant, "subject": subject}
        FATES.put(self.connection, key, {"fate": act.value, "at": at}, now=at, by=by)

    # -- evidence -------------------------------------------------------------------------------

    def keep(self, revision: Revision, record: str) -> None:
        """Add a revision."""
        row = {"tenant": self._tenant, "record": record, "number": revision.number}
        row |= {"hash": revision.hash, "body": revision.body}
        self.connection.execute(sa.insert(revisions).values(row))

    def note(self, event: str, by: str, facts: dict[str, str | int | None]) -> None:
        """Write a leaf of evidence."""
        append(self.connection, self._tenant, Entry(event=event, at=self.now, by=by, facts=facts))

    # -- inside ---------------------------------------------------------------------------------

    def _revise(self, tie: str, act: Act, said: Said, *, before: State | None) -> None:
        row = self.connection.execute(sa.select(ties).where(self._mine(tie))).one()
        number = row.revisions + 1
        facts = {
            **kept(row),
            "act": act.value,
            "at": to_wire(self.now),
            "by": said.by,
            "stated_at": to_wire(said.stated_at),
            "source": said.source,
        }
        revision = revise(tie, number, row.head if number > 1 else None, facts)
        head = {"revisions": number, "head": revision.hash, "sequence": self._sequence}
        self.connection.execute(sa.update(ties).where(self._mine(tie)).values(head))
        self.keep(revision, tie)
        mark_tie(self.connection, self._tenant, tie)
        self.note(
            "tie.moved",
            said.by,
            {
                "tie": tie,
                "service": row.service,
                "act": act.value,
                "before": before.value if before else None,
                "after": row.state,
                "revision": revision.hash,
                "number": number,
            },
        )

    def _mine(self, tie: str) -> sa.ColumnElement[bool]:
        return sa.and_(ties.c.tenant == self._tenant, ties.c.tie == tie)

    def _no(self, subject: str, service: str) -> tuple[sa.ColumnElement[bool], ...]:
        table = withdrawals.c
        return (
            table.tenant == self._tenant,
            table.subject == subject,
            table.service == service,
        )
