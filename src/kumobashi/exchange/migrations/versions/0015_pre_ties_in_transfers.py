"""pre: numbers of the changes of ties, and whose rows left under them."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table and the column; ties that are there have no number until their next change."""
    op.add_column("ties", sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ties_by_change", "ties", ["tenant", "sequence", "tie"])
    op.create_table(
        "tie_transfers",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("service", sa.String(63), primary_key=True),
        sa.Column("transfer", sa.String(36), primary_key=True),
        sa.Column("link", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("ties", sa.Integer, nullable=False),
        sa.Column("carried", sa.LargeBinary, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_index("tie_transfers_by_time", "tie_transfers", ["tenant", "service", "at"])
    secure(op.get_bind(), "tie_transfers")
