"""pre: ties that are served elsewhere, and chains for uses, statuses, fates and withdrawals."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0014"
down_revision = "0013"

_LATER = "told < sequence"


def upgrade() -> None:
    """Make the tables, and the columns of the chains."""
    op.add_column("tie_services", sa.Column("system", sa.String(63)))
    op.add_column("tie_uses", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.create_index("tie_uses_by_number", "tie_uses", ["tenant", "tie", "number"])
    for table in ("tie_statuses", "tie_fates", "tie_withdrawals"):
        op.add_column(table, sa.Column("record", sa.String(80)))  # none: older than records
        op.add_column(table, sa.Column("salt", sa.LargeBinary))
        op.add_column(table, sa.Column("revisions", sa.Integer))
        op.add_column(table, sa.Column("head", sa.String(80)))
    op.create_table(
        "tie_copies",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("tie", sa.String(36), primary_key=True),
        sa.Column("system", sa.String(63), primary_key=True),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "tie_copies_to_tell",
        "tie_copies",
        ["tenant", "system", "rank", "tie"],
        sqlite_where=sa.text(_LATER),
        postgresql_where=sa.text(_LATER),
    )
    op.create_table(
        "tie_held",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("tie", sa.String(36), primary_key=True),
        sa.Column("from_site", sa.String(63), nullable=False),
        sa.Column("system", sa.String(63), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("service", sa.String(63), nullable=False),
        sa.Column("stands", sa.String(12), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("clause", sa.String(200), nullable=False),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("last_day", sa.String(10)),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("revisions", sa.Integer, nullable=False),
        sa.Column("head", sa.String(80), nullable=False),
    )
    op.create_index("tie_held_by_token", "tie_held", ["tenant", "system", "token"])
    for table in ("tie_copies", "tie_held"):
        secure(op.get_bind(), table)
    if op.get_bind().dialect.name == "postgresql":  # a stream of ties is named longer than a link
        op.alter_column("consent_notices", "link", type_=sa.String(80))
