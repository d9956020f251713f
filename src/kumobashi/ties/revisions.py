"""Whether a row says of a tie or a service what its chained revisions say."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.revisions import Facts, Revision, faults
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.sql import revisions
from kumobashi.ties.states import Act, State, after


def verify_head(record: str, kept: Facts, head: str, revision: Revision | None) -> None:
    """Raise :class:`TieTouched` unless a row says what its last revision says.

    ``kept`` are the columns that every revision repeats; asked at every use.
    """
    number = revision.number if revision else 1
    what = ""
    if revision is None:
        what = "missing"
    elif not digest(revision.body) == revision.hash == head:
        what = "altered"
    else:
        said = revision.said
        held = {**kept, "record": record, "number": number}
        if any(said.get(name) != value for name, value in held.items()):
            what = "the row says otherwise"
    if what:
        raise TieTouched(record=record, number=number, what=what)


def verify_chain(record: str, chain: Sequence[Revision], *, is_tie: bool) -> None:
    """Raise :class:`TieTouched` naming the first revision that is not what was written."""
    for number, what in faults(record, chain, _follows if is_tie else _anything):
        raise TieTouched(record=record, number=number, what=what)


def _follows(before: Mapping[str, Any] | None, said: Mapping[str, Any]) -> bool:
    made = next((one for one in Act if one.value == said.get("act")), None)
    then = next((one for one in State if one.value == said.get("state")), None)
    if made is None or then is None:
        return False
    if before is None:
        return (made, then) == (Act.PROPOSE, State.PROPOSED)
    state = next((one for one in State if one.value == before.get("state")), None)
    return state is not None and after(state, made) is then


def _anything(_before: Mapping[str, Any] | None, _said: Mapping[str, Any]) -> bool:
    """Services have no states: any revision may follow."""
    return True


def revisions_in_force(connection: sa.Connection, tenant: str, tie: str) -> int:
    """Return how many revisions of a tie say that it is in force; 0: it never was."""
    mine = sa.and_(revisions.c.tenant == tenant, revisions.c.record == tie)
    bodies = connection.execute(sa.select(revisions.c.body).where(mine)).scalars()
    return sum(json.loads(bytes(body)).get("state") == State.IN_FORCE for body in bodies)
