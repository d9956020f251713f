"""The ledger's statements that every move runs, built once: building them costs more than SQLite.

Parameters of the conditions end in ``_``; the columns that an update sets are those it is given.
``HOLD_…`` keeps the row from others until the commit (on PostgreSQL; SQLite has one writer).
``…SOME…`` are of as many rows as ``some_`` names, in one order, so that two who hold them do not
wait for each other.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from kumobashi.exchange.sql import incoming, outgoing, receipts


def _is(table: sa.Table, *names: str) -> sa.ColumnElement[bool]:
    """Compare columns with the parameters of their names; ``tenant`` leads."""
    return sa.and_(
        *(table.c[name] == sa.bindparam(f"{name}_") for name in ("tenant", "transfer", *names))
    )


def padded(names: Collection[Any]) -> list[Any]:
    """Return names for ``some_``, the last one repeated up to a power of two.

    So the databases see and prepare a handful of statements, not one for each number of rows.

    >>> padded(["a", "b", "c"])
    ['a', 'b', 'c', 'c']
    """
    some = list(names)
    return some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))


_SOME: sa.BindParameter[Any] = sa.bindparam("some_", expanding=True)

ONE_OUT = sa.select(outgoing).where(_is(outgoing))
HOLD_OUT = ONE_OUT.with_for_update()
HOLD_SOME_OUT = (
    sa.select(outgoing)
    .where(outgoing.c.tenant == sa.bindparam("tenant_"), outgoing.c.transfer.in_(_SOME))
    .order_by(outgoing.c.transfer)
    .with_for_update()
)
CHANGE_OUT = sa.update(outgoing).where(_is(outgoing))

ONE_IN = sa.select(incoming).where(_is(incoming, "attempt"))
ONE_IN_BRIEF = sa.select(*(c for c in incoming.c if c is not incoming.c.announcement)).where(
    _is(incoming, "attempt")
)
HOLD_IN = ONE_IN.with_for_update()
HOLD_SOME_IN = (
    sa.select(incoming)
    .where(incoming.c.tenant == sa.bindparam("tenant_"))
    .where(sa.tuple_(incoming.c.transfer, incoming.c.attempt).in_(_SOME))
    .order_by(incoming.c.transfer, incoming.c.attempt)
    .with_for_update()
)
CHANGE_IN = sa.update(incoming).where(_is(incoming, "attempt"))

HELD_RECEIPTS = (
    sa.select(receipts.c.jws).where(_is(receipts, "attempt", "side")).order_by(receipts.c.number)
)
HELD_RECEIPTS_OF = (
    sa.select(receipts.c.transfer, receipts.c.attempt, receipts.c.jws)
    .where(receipts.c.tenant == sa.bindparam("tenant_"), receipts.c.transfer.in_(_SOME))
    .where(receipts.c.side == sa.bindparam("side_"))
    .order_by(receipts.c.transfer, receipts.c.attempt, receipts.c.number)
)
ADD_RECEIPT = sa.insert(receipts)
