"""pre: who works on what, which life of the store this is, and on PostgreSQL: own rows only."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and let each municipality's sessions see its own rows only."""
    op.create_table(
        "leases",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("side", sa.String(3), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "incarnations",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("incarnation", sa.String(36), nullable=False),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    for table in ("outgoing", "incoming", "receipts", "leases", "incarnations"):
        secure(op.get_bind(), table)
