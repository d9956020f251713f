"""The tables of a gateway's state. ``tenant`` leads every key; times are microseconds in UTC.

``outgoing`` is the sender's outbox, ``incoming`` the inbox of receivers and relays, ``receipts``
what the receiver signed, kept where it was made and wherever it passed. ``leases`` says which
process works on what, ``incarnations`` when this store was made, started, or found to be older than
what it has signed. ``paused_links`` and ``peer_health`` say what waits for a person, and which peer
is known not to answer.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

outgoing = sa.Table(
    "outgoing",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("transfer", sa.String(36), primary_key=True),
    sa.Column("link", sa.String(63), nullable=False),
    sa.Column("business_date", sa.String(10), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("mode", sa.String(10), nullable=False),
    sa.Column("base_transfer", sa.String(36)),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("plan_hash", sa.String(80), nullable=False),
    sa.Column("bounds_accepted", sa.Boolean, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),  # counts, seconds and bytes by stage; findings
    sa.Column("cause", sa.JSON),  # why it waits, was held or refused
    sa.Column("manifest", sa.Text),  # JWS
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("to_site", sa.String(63)),  # rows of before 0005 say it in their manifest only
    sa.Column("rank", sa.Integer, nullable=False, server_default="20"),  # the smaller the earlier
    sa.Column("in_order", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("next_try_at", sa.BigInteger),  # none: whenever its turn comes
    sa.Column("put_off_at", sa.BigInteger),  # when that was said
    sa.Column("paused_at", sa.BigInteger),  # by a person
    sa.Column("resends", sa.String(36)),  # the transfer whose rows this one sends anew
    sa.UniqueConstraint("tenant", "link", "business_date", "sequence"),
    # The newest of a link and its days, read from the index alone.
    sa.Index(
        "outgoing_by_start", "tenant", "link", "started_at", "business_date", "sequence", "state"
    ),
    # Whose turn it is, and who is to be asked for receipts, however many wait.
    sa.Index("outgoing_by_turn", "tenant", "state", "to_site", "link", "rank", "transfer"),
    sa.Index("outgoing_by_receiver", "tenant", "state", "to_site", "transfer"),
)

incoming = sa.Table(
    "incoming",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("transfer", sa.String(36), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("link", sa.String(63), nullable=False),
    sa.Column("from_site", sa.String(63), nullable=False),
    sa.Column("to_site", sa.String(63), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("announcement", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("cause", sa.JSON),
    sa.Column("manifest", sa.Text),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("next_try_at", sa.BigInteger),
    sa.Column("put_off_at", sa.BigInteger),
    sa.Index("incoming_by_turn", "tenant", "state", "to_site", "transfer", "attempt"),
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("transfer", sa.String(36), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("side", sa.String(3), primary_key=True),  # "out" as sender, "in" else
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("stage", sa.String(12), nullable=False),
    sa.Column("jws", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("side", sa.String(3), primary_key=True),  # as in receipts
    sa.Column("transfer", sa.String(36), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),  # 0 for a whole transfer
    sa.Column("owner", sa.String(80), nullable=False),  # a process; empty when nobody
    sa.Column("token", sa.BigInteger, nullable=False),  # grows with every new owner
    sa.Column("until", sa.BigInteger, nullable=False),  # microseconds of the store's own clock
)

incarnations = sa.Table(
    "incarnations",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),  # grows with every start of a process
    sa.Column("site", sa.String(63), nullable=False),
    sa.Column("incarnation", sa.String(36), nullable=False),
    sa.Column("why", sa.String(12), nullable=False),  # made, started, restored
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

paused_links = sa.Table(
    "paused_links",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("link", sa.String(63), primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
)

peer_health = sa.Table(
    "peer_health",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("site", sa.String(63), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("since", sa.BigInteger),
    sa.Column("failed_at", sa.BigInteger),  # the last time
    sa.Column("ask_at", sa.BigInteger),  # none: it answers
    sa.Column("cause", sa.JSON),
    sa.Column("part_bytes", sa.BigInteger),  # learned; none: what its profile says
)
