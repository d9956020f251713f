"""pre: addresses of residents and their round trips; what a consent names of them."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0012"
down_revision = "0011"

_PROVEN = sa.text("state = 'proven'")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "channel_addresses",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("record", sa.String(36), primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(12)),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("mark", sa.String(64)),
        sa.Column("code", sa.String(64)),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("sendings", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("proven_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("openings", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
    )
    op.create_index(
        "channel_addresses_by_subject", "channel_addresses", ["tenant", "subject", "channel"]
    )
    op.create_index("channel_addresses_by_term", "channel_addresses", ["tenant", "state", "until"])
    op.create_index(  # whatever goes wrong: a resident is reached at one place by a channel
        "channel_addresses_proven",
        "channel_addresses",
        ["tenant", "subject", "channel"],
        unique=True,
        sqlite_where=_PROVEN,
        postgresql_where=_PROVEN,
    )
    op.create_table(
        "channel_counts",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("what", sa.String(16), primary_key=True),
        sa.Column("mark", sa.String(80), primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
    )
    for table in ("channel_addresses", "channel_counts"):
        secure(op.get_bind(), table)
    op.add_column("consent_records", sa.Column("channel", sa.String(12)))
    op.add_column("consent_records", sa.Column("document", sa.String(32)))
