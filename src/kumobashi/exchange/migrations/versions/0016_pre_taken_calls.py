"""pre: which calls some process of this site has taken, where several share one state."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table; calls taken before are in the journals of the processes that took them."""
    op.create_table(
        "taken_calls",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("asking_site", sa.String(63), primary_key=True),
        sa.Column("call", sa.String(36), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("taken_calls_by_time", "taken_calls", ["tenant", "at"])
    secure(op.get_bind(), "taken_calls")
