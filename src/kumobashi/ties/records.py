"""A tie as the table has it; whose it is stays sealed."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.evidence.revisions import Facts, Revision, bound
from kumobashi.kernel import from_micros, to_wire
from kumobashi.ties.errors import TermsUnfit, TieTouched
from kumobashi.ties.revisions import verify_head
from kumobashi.ties.sql import revisions, ties
from kumobashi.ties.states import State
from kumobashi.ties.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One tie between a resident and a service."""

    tie: str
    subject: str
    service: str
    state: State
    reason: str | None  # the act that ended it
    offered: Terms
    terms: Terms
    terms_at: datetime
    since: datetime
    revisions: int
    head: str

    def plain(self) -> dict[str, Any]:
        """Return it as JSON; whose it is is left out."""
        return {
            "tie": self.tie,
            "service": self.service,
            "state": self.state.value,
            "reason": self.reason,
            "offered": self.offered.plain(),
            "terms": self.terms.plain(),
            "hash": self.terms.hash,
            "terms_at": to_wire(self.terms_at),
            "since": to_wire(self.since),
            "revisions": self.revisions,
        }


def kept(row: sa.Row[Any]) -> Facts:
    """Return the columns of a tie that every revision repeats."""
    return {
        "subject": bound(bytes(row.salt), row.subject),
        "service": row.service,
        "state": row.state,
        "offered": row.offered,
        "terms": row.terms,
        "terms_at": row.terms_at,
    }


def tie_of(row: sa.Row[Any], revision: Revision | None) -> Tie:
    """Return a row that says what its last revision says; raise ``TieTouched`` for another."""
    verify_head(row.tie, kept(row), row.head, revision)
    try:
        terms, offered = _decoded(row.terms), _decoded(row.offered)
    except TermsUnfit:
        raise TieTouched(record=row.tie, number=row.revisions, what="unreadable") from None
    if row.days != terms.frequency.days:
        raise TieTouched(record=row.tie, number=row.revisions, what="the row says otherwise")
    return Tie(
        tie=row.tie,
        subject=row.subject,
        service=row.service,
        state=State(row.state),
        reason=row.reason,
        offered=offered,
        terms=terms,
        terms_at=from_micros(row.terms_at),
        since=from_micros(row.since),
        revisions=row.revisions,
        head=row.head,
    )


AT_LAST: Final = sa.and_(
    revisions.c.tenant == ties.c.tenant,
    revisions.c.record == ties.c.tie,
    revisions.c.number == ties.c.revisions,
)
"""What joins a tie to its last revision, and what :func:`joined_of` needs of it."""
OF_LAST: Final = (revisions.c.hash.label("r_hash"), revisions.c.body.label("r_body"))
_decoded = lru_cache(maxsize=1_000)(Terms.decode)  # a great many ties have the same terms


def joined_of(row: sa.Row[Any]) -> Tie:
    """Return a tie from a row that has its last revision as ``r_hash`` and ``r_body``."""
    revision = None
    if row.r_body is not None:
        revision = Revision(number=row.revisions, hash=row.r_hash, body=bytes(row.r_body))
    return tie_of(row, revision)
