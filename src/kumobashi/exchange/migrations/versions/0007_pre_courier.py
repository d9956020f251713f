"""pre: permits for carrying media out, and what media have brought."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "courier_permits",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("permit", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("link", sa.String(63)),
        sa.Column("transfer", sa.String(36)),
        sa.Column("attempt", sa.Integer),
        sa.Column("to_site", sa.String(63), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("return_by", sa.String(10), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_by", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(32)),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("closed_by", sa.String(32)),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("media", sa.JSON, nullable=False),
        sa.Column("wrong_codes", sa.Integer, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "courier_arrivals",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("medium", sa.String(36), primary_key=True),
        sa.Column("permit", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("from_site", sa.String(63), nullable=False),
        sa.Column("transfer", sa.String(36)),
        sa.Column("attempt", sa.Integer),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.BigInteger),
    )
    op.create_index(
        "courier_arrivals_by_transfer", "courier_arrivals", ["tenant", "transfer", "attempt"]
    )
    for table in ("courier_permits", "courier_arrivals"):
        secure(op.get_bind(), table)
