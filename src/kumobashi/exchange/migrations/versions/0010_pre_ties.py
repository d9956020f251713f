"""pre: services, ties between residents and services, and what was permitted under them."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.growing import only_grows
from kumobashi.exchange.row_security import secure

revision = "0010"
down_revision = "0009"

_FIXED = "tie_revisions"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tie_services",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("service", sa.String(63), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("provider", sa.String(200), nullable=False),
        sa.Column("section", sa.String(200), nullable=False),
        sa.Column("clause", sa.String(200), nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("last_day", sa.String(10)),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_table(
        "ties",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("tie", sa.String(36), primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("service", sa.String(63), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(24)),
        sa.Column("offered", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("terms_at", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_index("ties_by_subject", "ties", ["tenant", "subject", "service"])
    op.create_index("ties_by_service", "ties", ["tenant", "service", "state", "tie"])
    op.create_table(
        _FIXED,
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("record", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tie_uses",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("tie", sa.String(36), primary_key=True),
        sa.Column("use", sa.String(63), primary_key=True),
        sa.Column("asked", sa.String(80), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("tie_uses_by_time", "tie_uses", ["tenant", "tie", "at"])
    op.create_table(
        "tie_withdrawals",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("service", sa.String(63), primary_key=True),
        sa.Column("stated_at", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
    )
    op.create_table(
        "tie_fates",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("fate", sa.String(12), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tie_statuses",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("service", sa.String(63), primary_key=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("clause", sa.String(200), nullable=False),
    )
    for table in (
        "tie_services",
        "ties",
        _FIXED,
        "tie_uses",
        "tie_withdrawals",
        "tie_fates",
        "tie_statuses",
    ):
        secure(op.get_bind(), table)
    only_grows(op.get_bind(), _FIXED)
