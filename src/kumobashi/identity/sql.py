"""The tables of accounts and sessions; ``tenant`` leads every key, times are microseconds."""

import sqlalchemy as sa

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("shown", sa.String(80), nullable=False),  # how pages and records call them
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password", sa.String(200), nullable=False),  # scrypt
    sa.Column("secret", sa.String(64), nullable=False),  # of the authenticator, Base32
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of the last code that was taken
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("locked_until", sa.BigInteger, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),  # SHA-256 of the cookie's value
    sa.Column("name", sa.String(32), nullable=False),
    sa.Column("form", sa.String(64), nullable=False),  # what its forms must carry
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)
