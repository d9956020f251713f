"""The tables of requests; ``tenant`` leads every key, times are microseconds in UTC.

A row says what its last revision says; revisions are only ever added to. ``subject`` is the sealed
number of a resident, never the number. ``texts`` are the sentences of the notices; revisions hold
their digest alone. ``live`` lets a resident have one live request of a kind about the same links.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("request", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),  # binds the subject to the revisions
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("received_on", sa.String(10), nullable=False),
    sa.Column("live", sa.String(80)),  # digest of the links while the request is live
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("texts", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),
    sa.Index("requests_by_state", "tenant", "state", "request"),
    sa.Index("requests_live_once", "tenant", "subject", "kind", "live", unique=True),
)

revisions = sa.Table(
    "request_revisions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("request", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # canonical bytes, those that are hashed
)
