"""The tables of the evidence log; ``tenant`` leads every key, times are microseconds in UTC.

Triggers in both databases refuse every change of a row that was written. Only ``evidence_waiting``
lets go of a row, and only of one that stands in ``evidence_entries``.
"""

from typing import Final

import sqlalchemy as sa

CONSISTENT: Final = "consistent"  # what a peer signed fits all that it signed before
metadata = sa.MetaData()

waiting = sa.Table(  # committed with what they speak of, not numbered yet
    "evidence_waiting",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("entry", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("body", sa.LargeBinary, nullable=False),
)

entries = sa.Table(
    "evidence_entries",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # from 0, no gap
    sa.Column("entry", sa.String(36), nullable=False),
    sa.Column("chain", sa.LargeBinary, nullable=False),  # finds the first touched record
    sa.Column("body", sa.LargeBinary, nullable=False),  # the leaf, byte for byte
    sa.UniqueConstraint("tenant", "entry"),
)

nodes = sa.Table(  # whole subtrees of 256, 65,536 … leaves
    "evidence_nodes",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

checkpoints = sa.Table(
    "evidence_checkpoints",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

witnessed = sa.Table(  # what peers signed about their logs, as it was seen here
    "evidence_witnessed",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("seen", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("site", sa.String(63), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.String(80), nullable=False),  # "consistent", or the code of the error
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("evidence_witnessed_by_site", "tenant", "site", "verdict", "size"),
)
