"""The tables of incidents; ``tenant`` leads every key, times are microseconds in UTC.

A row says what its last revision says; revisions are only ever added to.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("incident", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("noticed_at", sa.BigInteger, nullable=False),
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),
)

revisions = sa.Table(
    "incident_revisions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("incident", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # canonical bytes, those that are hashed
)
