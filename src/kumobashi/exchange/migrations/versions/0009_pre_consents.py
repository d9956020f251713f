"""pre: the ledger of consents, and what receivers were told of withdrawals."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.growing import only_grows
from kumobashi.exchange.row_security import secure

revision = "0009"
down_revision = "0008"

_FIXED = "consent_revisions"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "consent_heads",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "consent_records",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("record", sa.String(36), primary_key=True),
        sa.Column("subject", sa.String(80)),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("purpose", sa.String(63), nullable=False),
        sa.Column("tier", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("text", sa.String(80), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(12)),
        sa.Column("given_by", sa.String(12), nullable=False),
        sa.Column("method", sa.String(16)),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("stated_at", sa.BigInteger, nullable=False),
        sa.Column("granted_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("until", sa.BigInteger),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
        sa.Column("batch", sa.String(36)),
    )
    for name, columns in {
        "consent_records_by_subject": ["tenant", "subject", "purpose", "tier"],
        "consent_records_by_purpose": ["tenant", "purpose", "state", "record"],
        "consent_records_by_term": ["tenant", "state", "until"],
        "consent_records_by_batch": ["tenant", "batch", "record"],
    }.items():
        op.create_index(name, "consent_records", columns)
    op.create_table(
        _FIXED,
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("record", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "consent_standings",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("purpose", sa.String(63), primary_key=True),
        sa.Column("tier", sa.String(12), primary_key=True),
        sa.Column("record", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(12)),
        sa.Column("until", sa.BigInteger),
        sa.Column("stated_at", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("arrived", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("was_ended", sa.Boolean, nullable=False),
    )
    op.create_index("consent_standings_by_change", "consent_standings", ["tenant", "sequence"])
    op.create_table(
        "consent_fates",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("fate", sa.String(12), nullable=False),
        sa.Column("into", sa.String(80)),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "consent_codes",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("record", sa.String(36), primary_key=True),
        sa.Column("hash", sa.String(200), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "consent_notices",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("link", sa.String(63), primary_key=True),
        sa.Column("last", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("to_site", sa.String(63), nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger),
    )
    op.create_table(
        "consent_withdrawn",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("link", sa.String(63), primary_key=True),
        sa.Column("epoch", sa.String(40), primary_key=True),
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("is_withdrawn", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("from_site", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    for table in (
        "consent_heads",
        "consent_records",
        _FIXED,
        "consent_standings",
        "consent_fates",
        "consent_codes",
        "consent_notices",
        "consent_withdrawn",
    ):
        secure(op.get_bind(), table)
    only_grows(op.get_bind(), _FIXED)
