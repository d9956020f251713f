"""What one move writes: the row, the signed move, and its record of evidence, in one commit."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.agreements import processors
from kumobashi.agreements.contents import Application
from kumobashi.agreements.moves import GATEWAY, Move, sign_move
from kumobashi.agreements.records import Agreement, Row
from kumobashi.agreements.sql import agreements, moves
from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.kernel import to_micros

EVENT: Final = "agreement.moved"


def insert(connection: sa.Connection, row: Row) -> None:
    """Write the row of a new agreement."""
    connection.execute(sa.insert(agreements).values(_values(row)))


def update(connection: sa.Connection, row: Row, given: Mapping[str, object]) -> None:
    """Write what a row has become; ``given`` is what its number was made from."""
    mine = _is(row.tenant, row.agreement)
    connection.execute(sa.update(agreements).where(mine).values({**_values(row), **given}))


def settle(connection: sa.Connection, tenant: str, agreement: str) -> None:
    """Note that nothing runs any more under one that ended."""
    connection.execute(sa.update(agreements).where(_is(tenant, agreement)).values(is_settled=True))


def add_move(
    connection: sa.Connection,
    row: Row,
    move: Move,
    key: SigningKey,
    *,
    before: tuple[Move, ...] = (),
) -> Agreement:
    """Write a move, signed, and its record of evidence; return the agreement after it."""
    connection.execute(
        sa.insert(moves).values(
            tenant=row.tenant,
            agreement=row.agreement,
            number=move.number,
            token=sign_move(move, key),
            at=to_micros(move.at),
        )
    )
    facts: Mapping[str, Fact] = {
        "agreement": row.agreement,
        "link": row.link,
        "plan_hash": row.plan_hash,
        "before": move.before.value,
        "after": move.after.value,
        "move": move.digest(),
        "number": move.number,
        "act": move.act.value,
    }
    by = GATEWAY if move.by == GATEWAY else f"account:{move.by}"
    append(connection, row.tenant, Entry(event=EVENT, at=move.at, by=by, facts=facts))
    return Agreement(
        row=row,
        application=Application.decode(row.content),
        register=processors.decode(row.processors),
        moves=(*before, move),
    )


def _is(tenant: str, agreement: str) -> sa.ColumnElement[bool]:
    return sa.and_(agreements.c.tenant == tenant, agreements.c.agreement == agreement)


def _values(row: Row) -> dict[str, Any]:
    names = (
        "tenant", "agreement", "number", "link", "revision", "plan_hash", "first_day", "last_day",
        "content", "processors", "is_settled",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"state": row.state.value}
