"""The tables of agreements; ``tenant`` leads every key, times are microseconds in UTC.

A row says what its last signed move says; ``token`` is the move, signed. Moves are only added.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

agreements = sa.Table(
    "agreements",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("agreement", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("number", sa.String(40)),  # 文書番号
    sa.Column("year", sa.Integer),  # of a number that was given here
    sa.Column("serial", sa.Integer),
    sa.Column("link", sa.String(63), nullable=False),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("plan_hash", sa.String(80), nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("processors", sa.Text, nullable=False),
    sa.Column("is_settled", sa.Boolean, nullable=False),  # what ran under it was stopped
    sa.UniqueConstraint("tenant", "number", name="agreements_number"),
    sa.UniqueConstraint("tenant", "year", "serial", name="agreements_serial"),
    sa.Index("agreements_by_link", "tenant", "link", "state"),
    sa.Index("agreements_by_state", "tenant", "state", "is_settled"),
)

moves = sa.Table(
    "agreement_moves",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("agreement", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("token", sa.Text, nullable=False),  # JWS
    sa.Column("at", sa.BigInteger, nullable=False),
)
