"""The tables of a watch; ``tenant`` leads every key, times are microseconds."""

import sqlalchemy as sa

metadata = sa.MetaData()

faults = sa.Table(
    "faults",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("fault", sa.String(36), primary_key=True),
    sa.Column("site", sa.String(63), nullable=False),  # whose watch saw it
    sa.Column("key", sa.String(500), nullable=False),
    sa.Column("side", sa.String(63), nullable=False),
    sa.Column("code", sa.String(101), nullable=False),
    sa.Column("suspicion", sa.JSON, nullable=False),  # as it was last seen
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("taken_at", sa.BigInteger),
    sa.Column("taken_by", sa.String(80)),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("closed_by", sa.String(80)),
    sa.Index("faults_by_opening", "tenant", "opened_at"),
)

entries = sa.Table(
    "fault_entries",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("fault", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),  # who; empty: the watch
    sa.Column("ja", sa.String(2_000), nullable=False),
    sa.Column("en", sa.String(2_000), nullable=False),
)

health = sa.Table(  # of each site, by the hour: how long it answered and how far its clock was off
    "site_health",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("site", sa.String(63), primary_key=True),
    sa.Column("hour", sa.BigInteger, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("answered", sa.Integer, nullable=False),
    sa.Column("slowest_ms", sa.Integer, nullable=False),
    sa.Column("skew_us", sa.BigInteger),
    sa.Column("within_us", sa.BigInteger),
)

looks = sa.Table(  # the last look of a watch, and what it was told last
    "looks",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("site", sa.String(63), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("settled", sa.JSON, nullable=False),
)
