"""pre: incidents and what was noted of them."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.growing import only_grows
from kumobashi.exchange.row_security import secure

revision = "0013"
down_revision = "0012"

_FIXED = "incident_revisions"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "incidents",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("incident", sa.String(36), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("noticed_at", sa.BigInteger, nullable=False),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_table(
        _FIXED,
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("incident", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    for table in ("incidents", _FIXED):
        secure(op.get_bind(), table)
    only_grows(op.get_bind(), _FIXED)
