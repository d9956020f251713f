"""pre: the evidence log. Nothing that was written there can be changed, whoever asks."""

import sqlalchemy as sa
from alembic import op

from kumobashi.exchange.row_security import secure

revision = "0004"
down_revision = "0003"

_FIXED = ("evidence_entries", "evidence_nodes", "evidence_checkpoints", "evidence_witnessed")
_WAITING = "evidence_waiting"
_IS_NUMBERED = (
    "exists (select 1 from evidence_entries e where e.tenant = old.tenant and e.entry = old.entry)"
)


def upgrade() -> None:
    """Make the tables and what refuses changes."""
    op.create_table(
        _WAITING,
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("entry", sa.String(36), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence_entries",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.String(36), nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("tenant", "entry"),
    )
    op.create_table(
        "evidence_nodes",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence_checkpoints",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "evidence_witnessed",
        sa.Column("tenant", sa.String(6), primary_key=True),
        sa.Column("seen", sa.String(36), primary_key=True),
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.String(80), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "evidence_witnessed_by_site", "evidence_witnessed", ["tenant", "site", "verdict", "size"]
    )
    for table in (*_FIXED, _WAITING):
        secure(op.get_bind(), table)
    if op.get_bind().dialect.name == "postgresql":
        _refuse_in_postgresql()
    else:
        _refuse_in_sqlite()


def _refuse_in_sqlite() -> None:
    refuse = "begin select raise(abort, 'evidence is only ever added to'); end"
    for table in _FIXED:
        for act in ("update", "delete"):
            op.execute(f"create trigger {table}_no_{act} before {act} on {table} {refuse}")
    op.execute(f"create trigger {_WAITING}_no_update before update on {_WAITING} {refuse}")
    op.execute(
        f"create trigger {_WAITING}_no_delete before delete on {_WAITING}"
        f" when not {_IS_NUMBERED} {refuse}"
    )


def _refuse_in_postgresql() -> None:
    op.execute(
        "create function evidence_refuse() returns trigger language plpgsql as"
        " $$ begin raise exception 'evidence is only ever added to'"
        " using errcode = 'integrity_constraint_violation'; end $$"
    )
    op.execute(
        "create function evidence_keep_waiting() returns trigger language plpgsql as"
        f" $$ begin if not {_IS_NUMBERED} then"
        " raise exception 'evidence is only ever added to'"
        " using errcode = 'integrity_constraint_violation'; end if; return old; end $$"
    )
    for table in _FIXED:
        op.execute(
            f"create trigger {table}_no_change before update or delete on {table}"
            " for each row execute function evidence_refuse()"
        )
    for table in (*_FIXED, _WAITING):
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table}"
            " for each statement execute function evidence_refuse()"
        )
    op.execute(
        f"create trigger {_WAITING}_no_update before update on {_WAITING}"
        " for each row execute function evidence_refuse()"
    )
    op.execute(
        f"create trigger {_WAITING}_no_delete before delete on {_WAITING}"
        " for each row execute function evidence_keep_waiting()"
    )
