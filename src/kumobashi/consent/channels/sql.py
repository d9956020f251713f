"""The tables of addresses. ``tenant`` leads every key; times are microseconds in UTC."""

import sqlalchemy as sa

metadata = sa.MetaData()

addresses = sa.Table(
    "channel_addresses",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("record", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("subject", sa.String(80), nullable=False),  # sealed number
    sa.Column("channel", sa.String(12), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(12)),
    sa.Column("sealed", sa.LargeBinary),  # none once it ended
    sa.Column("mark", sa.String(64)),  # none once it ended
    sa.Column("code", sa.String(64)),  # HMAC; none unless one may come back
    sa.Column("until", sa.BigInteger, nullable=False),  # of the code, or of the wait for one
    sa.Column("sendings", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),  # of the newest code
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),  # when the last code left for the channel
    sa.Column("proven_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("openings", sa.Integer, nullable=False),  # how often a sender was given it
    sa.Column("opened_at", sa.BigInteger),
)

counts = sa.Table(  # how often in a window; the row's lock keeps those who count in order
    "channel_counts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("what", sa.String(16), primary_key=True),
    sa.Column("mark", sa.String(80), primary_key=True),  # sealed number, or mark of an address
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("used", sa.Integer, nullable=False),
)
