"""The numbers of changes to what residents permit: one counter a municipality.

Consents and ties take their numbers here. The counter's row is locked until the commit, so the
numbers are committed in their order, and who has seen one has seen all before it. Whoever tells
receivers of both can say which word about a resident is the later one.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

metadata = sa.MetaData()

heads = sa.Table(
    "consent_heads",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)


def hold(connection: sa.Connection, tenant: str) -> None:
    """Wait for whoever writes changes, and let the others wait until this commits."""
    _begin(connection, tenant)
    query = sa.select(heads.c.sequence).where(heads.c.tenant == tenant).with_for_update()
    connection.execute(query).first()


def take_numbers(connection: sa.Connection, tenant: str, count: int = 1) -> int:
    """Return the first of ``count`` fresh numbers; others wait until this commits."""
    _begin(connection, tenant)
    taken = (
        sa.update(heads)
        .where(heads.c.tenant == tenant)
        .values(sequence=heads.c.sequence + count)
        .returning(heads.c.sequence)
    )
    last: int = connection.execute(taken).scalar_one()
    return last - count + 1


def newest_change(connection: sa.Connection, tenant: str) -> int:
    """Return the number of the last committed change; 0: there is none."""
    query = sa.select(heads.c.sequence).where(heads.c.tenant == tenant)
    found: int | None = connection.execute(query).scalar()
    return found or 0


def _begin(connection: sa.Connection, tenant: str) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(heads).values(tenant=tenant, sequence=0).on_conflict_do_nothing())
