"""The ledger's statements that every move runs, built once: building them costs more than SQLite.

Parameters of the conditions end in ``_``; the columns that an update sets are those it is given.
``HOLD_…`` keeps the row from others until the commit (on PostgreSQL; SQLite has one writer).
"""

import sqlalchemy as sa

from kumobashi.exchange.sql import incoming, outgoing, receipts


def _is(table: sa.Table, *names: str) -> sa.ColumnElement[bool]:
    """Compare columns with the parameters of their names; ``tenant`` leads."""
    return sa.and_(
        *(table.c[name] == sa.bindparam(f"{name}_") for name in ("tenant", "transfer", *names))
    )


ONE_OUT = sa.select(outgoing).where(_is(outgoing))
HOLD_OUT = ONE_OUT.with_for_update()
CHANGE_OUT = sa.update(outgoing).where(_is(outgoing))

ONE_IN = sa.select(incoming).where(_is(incoming, "attempt"))
ONE_IN_BRIEF = sa.select(*(c for c in incoming.c if c is not incoming.c.announcement)).where(
    _is(incoming, "attempt")
)
HOLD_IN = ONE_IN.with_for_update()
CHANGE_IN = sa.update(incoming).where(_is(incoming, "attempt"))

HELD_RECEIPTS = (
    sa.select(receipts.c.jws).where(_is(receipts, "attempt", "side")).order_by(receipts.c.number)
)
ADD_RECEIPT = sa.insert(receipts)
