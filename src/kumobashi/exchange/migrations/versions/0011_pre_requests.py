"""pre: requests of residents for disclosure, correction and suspension, with their revisions."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.growing import only_grows
from kumobashi.exchange.row_security import secure

revision = "0011"
down_revision = "0010"

_FIXED = "request_revisions"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "requests",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("request", sa.String(36), primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("received_on", sa.String(10), nullable=False),
        sa.Column("live", sa.String(80)),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("texts", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_index("requests_by_state", "requests", ["tenant", "state", "request"])
    op.create_index(
        "requests_live_once", "requests", ["tenant", "subject", "kind", "live"], unique=True
    )
    op.create_table(
        _FIXED,
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("request", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    for table in ("requests", _FIXED):
        secure(op.get_bind(), table)
    only_grows(op.get_bind(), _FIXED)
