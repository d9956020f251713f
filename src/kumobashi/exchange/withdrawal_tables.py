"""The tables of withdrawals: what receivers were told, and what a receiver was told by halls."""

import sqlalchemy as sa

from kumobashi.exchange.sql import metadata

notices = sa.Table(  # at the hall; written before it leaves, so that the same one is sent again
    "consent_notices",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("link", sa.String(80), primary_key=True),  # or "ties:" and a system
    sa.Column("last", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("to_site", sa.String(63), nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),  # JWS
    sa.Column("receipt", sa.Text),  # JWS; none: not yet
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger),
)

withdrawn = sa.Table(  # at the receiver
    "consent_withdrawn",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("link", sa.String(63), primary_key=True),
    sa.Column("epoch", sa.String(40), primary_key=True),  # empty: the rule names none
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("is_withdrawn", sa.Boolean, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),  # of the change at the hall
    sa.Column("from_site", sa.String(63), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
