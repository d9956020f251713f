"""Ties that a gateway was told of by the hall, for the services that its systems serve.

For each tie the standing with the highest sequence counts, so a notice may come twice, or an older
one behind a newer. A row is bound to its last revision, as those of the hall are.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.revisions import Facts, Revision, revise
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.standings import Stands, TieStanding
from kumobashi.ties.errors import TermsUnfit, TieTouched
from kumobashi.ties.revisions import verify_head
from kumobashi.ties.sql import held, revisions
from kumobashi.ties.states import State
from kumobashi.ties.terms import Terms

NOBODY: Final = "unreadable"
"""In place of a token: of a tie that is not as it was written."""
PREFIX: Final = "held:"
"""Before the id of a tie, where the revisions of what the hall told stand."""
_STATES: Final = {
    Stands.IN_FORCE: State.IN_FORCE,
    Stands.WITHDRAWN: State.WITHDRAWN,
    Stands.ENDED: State.ENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One tie as the hall told it last."""

    tie: str
    system: str
    token: str
    service: str
    state: State
    terms: Terms
    clause: str
    first: date  # of the service
    last: date | None
    sequence: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "tie": self.tie,
            "system": self.system,
            "service": self.service,
            "state": self.state.value,
            "terms": self.terms.plain(),
            "clause": self.clause,
        }


def keep(
    connection: sa.Connection, tenant: str, from_site: str, system: str, told: TieStanding
) -> bool:
    """Keep a standing; return whether it is newer than what was known.

    Nothing may be done under terms that cannot be read here; what is told behind them is not held
    up by them.

    Raises:
        MessageForeign: another site told of this tie first.
    """
    mine = sa.and_(held.c.tenant == tenant, held.c.tie == told.tie)
    before = connection.execute(sa.select(held).where(mine).with_for_update()).first()
    if before is not None and before.from_site != from_site:
        raise MessageForeign(field="from_site")
    if before is not None and before.sequence >= told.sequence:
        return False
    text = told.terms.decode("utf-8", "replace")
    is_usable = told.stands is not Stands.IN_FORCE or _is_readable(text)
    row = {
        "from_site": from_site,
        "system": system,
        "token": before.token if before and before.token != NOBODY else told.token,
        "service": told.service,
        "stands": (told.stands if is_usable else Stands.ENDED).value,
        "terms": text,
        "clause": told.clause,
        "first_day": told.first.isoformat(),
        "last_day": told.last.isoformat() if told.last else None,
        "sequence": told.sequence,
    }
    number = before.revisions + 1 if before else 1
    revision = revise(PREFIX + told.tie, number, before.head if before else None, _bound(row))
    row |= {"revisions": number, "head": revision.hash}
    if before is None:
        connection.execute(sa.insert(held).values({"tenant": tenant, "tie": told.tie, **row}))
    else:
        connection.execute(sa.update(held).where(mine).values(row))
    kept = {"tenant": tenant, "record": PREFIX + told.tie, "number": number}
    kept |= {"hash": revision.hash, "body": revision.body}
    connection.execute(sa.insert(revisions).values(kept))
    return True


def held_tie(connection: sa.Connection, tenant: str, tie: str) -> Held | None:
    """Return what was told of a tie; nothing for one that was not.

    Raises:
        TieTouched: the row does not say what its last revision says.
    """
    found = _found(connection, sa.and_(held.c.tenant == tenant, held.c.tie == tie))
    return found[0] if found else None


def held_by_token(connection: sa.Connection, tenant: str, system: str, token: str) -> list[Held]:
    """Return what was told of one resident of a system; raise ``TieTouched``."""
    mine = sa.and_(held.c.tenant == tenant, held.c.system == system, held.c.token == token)
    return _found(connection, mine)


def lock(connection: sa.Connection, tenant: str, tie: str) -> None:
    """Let a use of a tie and a notice of it wait for each other."""
    mine = sa.and_(held.c.tenant == tenant, held.c.tie == tie)
    connection.execute(sa.select(held.c.tie).where(mine).with_for_update())


def kept_head(row: sa.Row[Any], revision: Revision | None) -> None:
    """Raise ``TieTouched`` unless a row says what its last revision says."""
    verify_head(PREFIX + row.tie, _bound(row._asdict()), row.head, revision)


def _found(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> list[Held]:
    last = sa.and_(
        revisions.c.tenant == held.c.tenant,
        revisions.c.record == sa.literal(PREFIX) + held.c.tie,
        revisions.c.number == held.c.revisions,
    )
    query = (
        sa.select(held, revisions.c.hash.label("r_hash"), revisions.c.body.label("r_body"))
        .join_from(held, revisions, last, isouter=True)
        .where(mine)
        .order_by(held.c.tie)
    )
    return [_read(row) for row in connection.execute(query)]


def _read(row: sa.Row[Any]) -> Held:
    revision = None
    if row.r_body is not None:
        revision = Revision(number=row.revisions, hash=row.r_hash, body=bytes(row.r_body))
    kept_head(row, revision)
    try:
        terms = Terms.decode(row.terms)
    except TermsUnfit:
        record = PREFIX + row.tie
        raise TieTouched(record=record, number=row.revisions, what="unreadable") from None
    return Held(
        tie=row.tie,
        system=row.system,
        token=row.token,
        service=row.service,
        state=_STATES[Stands(row.stands)],
        terms=terms,
        clause=row.clause,
        first=date.fromisoformat(row.first_day),
        last=date.fromisoformat(row.last_day) if row.last_day else None,
        sequence=row.sequence,
    )


def _is_readable(terms: str) -> bool:
    try:
        Terms.decode(terms)
    except TermsUnfit:
        return False
    return True


def _bound(row: dict[str, Any]) -> Facts:
    """Return what a revision repeats of a row; the token by its digest."""
    names = ("from_site", "system", "service", "stands", "terms", "clause", "first_day", "last_day")
    return {
        **{name: row[name] for name in names},
        "sequence": row["sequence"],
        "token": digest(row["token"].encode()),
    }
