"""pre: what receivers hold, and until when."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "holdings",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("side", sa.String(3), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("link", sa.String(63), nullable=False),
        sa.Column("from_site", sa.String(63), nullable=False),
        sa.Column("to_site", sa.String(63), nullable=False),
        sa.Column("business_date", sa.String(10), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(80)),
        sa.Column("plan_hash", sa.String(80)),
        sa.Column("retention_class", sa.String(63)),
        sa.Column("retention_days", sa.Integer),
        sa.Column("by_law", sa.Boolean, nullable=False),
        sa.Column("applied_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_at", sa.BigInteger),
        sa.Column("asked_by", sa.String(63)),
        sa.Column("approved_by", sa.String(63)),
        sa.Column("request", sa.Text),
        sa.Column("is_delivered", sa.Boolean, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("cause", sa.JSON),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_index("holdings_by_due", "holdings", ["tenant", "side", "state", "due_at"])
    secure(op.get_bind(), "holdings")
