"""pre: agreements between offices, and the signed moves of each."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "agreements",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("agreement", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(40)),
        sa.Column("year", sa.Integer),
        sa.Column("serial", sa.Integer),
        sa.Column("link", sa.String(63), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("plan_hash", sa.String(80), nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("last_day", sa.String(10), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("processors", sa.Text, nullable=False),
        sa.Column("is_settled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("tenant", "number", name="agreements_number"),
        sa.UniqueConstraint("tenant", "year", "serial", name="agreements_serial"),
    )
    op.create_index("agreements_by_link", "agreements", ["tenant", "link", "state"])
    op.create_index("agreements_by_state", "agreements", ["tenant", "state", "is_settled"])
    op.create_table(
        "agreement_moves",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("agreement", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    for table in ("agreements", "agreement_moves"):
        secure(op.get_bind(), table)
