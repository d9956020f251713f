"""pre: the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outgoing",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("link", sa.String(63), nullable=False),
        sa.Column("business_date", sa.String(10), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("base_transfer", sa.String(36)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("plan_hash", sa.String(80), nullable=False),
        sa.Column("bounds_accepted", sa.Boolean, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("cause", sa.JSON),
        sa.Column("manifest", sa.Text),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.UniqueConstraint("tenant", "link", "business_date", "sequence"),
    )
    op.create_table(
        "incoming",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("link", sa.String(63), nullable=False),
        sa.Column("from_site", sa.String(63), nullable=False),
        sa.Column("to_site", sa.String(63), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("announcement", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("cause", sa.JSON),
        sa.Column("manifest", sa.Text),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
    )
    op.create_table(
        "receipts",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("side", sa.String(3), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("jws", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
