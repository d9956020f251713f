"""pre: whose turn it is, what a person paused, and which peers are known not to answer."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add columns that old code need not know, and two tables."""
    op.add_column("outgoing", sa.Column("to_site", sa.String(63)))
    op.add_column(
        "outgoing", sa.Column("rank", sa.Integer, nullable=False, server_default=sa.text("20"))
    )
    op.add_column(
        "outgoing", sa.Column("in_order", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("outgoing", sa.Column("next_try_at", sa.BigInteger))
    op.add_column("outgoing", sa.Column("put_off_at", sa.BigInteger))
    op.add_column("outgoing", sa.Column("paused_at", sa.BigInteger))
    op.add_column("outgoing", sa.Column("resends", sa.String(36)))
    turn = ["tenant", "state", "to_site", "link", "rank", "transfer"]
    op.create_index("outgoing_by_turn", "outgoing", turn)
    op.create_index("outgoing_by_receiver", "outgoing", ["tenant", "state", "to_site", "transfer"])
    op.add_column("incoming", sa.Column("next_try_at", sa.BigInteger))
    op.add_column("incoming", sa.Column("put_off_at", sa.BigInteger))
    op.create_index(
        "incoming_by_turn", "incoming", ["tenant", "state", "to_site", "transfer", "attempt"]
    )
    op.create_table(
        "paused_links",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("link", sa.String(63), primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "peer_health",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("site", sa.String(63), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("ask_at", sa.BigInteger),
        sa.Column("cause", sa.JSON),
        sa.Column("part_bytes", sa.BigInteger),
    )
    for table in ("paused_links", "peer_health"):
        secure(op.get_bind(), table)
