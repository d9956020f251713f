"""The tables of telling; ``tenant`` leads every key, times are microseconds."""

import sqlalchemy as sa

metadata = sa.MetaData()

tellings = sa.Table(  # an alert, and how far its telling has come
    "tellings",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("alert", sa.String(36), primary_key=True),
    sa.Column("fault", sa.String(36), nullable=False),
    sa.Column("said", sa.JSON, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),  # 0 is the most urgent
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("last_at", sa.BigInteger),
    sa.Column("due_at", sa.BigInteger),  # null: at rest
    sa.Column("rest", sa.String(16)),
    sa.Column("acknowledged_by", sa.String(80)),
    sa.Column("daily", sa.String(36)),  # the daily letter that took a note along
    sa.Index("tellings_by_due", "tenant", "due_at"),
    sa.Index("tellings_by_fault", "tenant", "fault"),
)

errands = sa.Table(  # somebody to be told of an alert by a channel
    "errands",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("errand", sa.String(36), primary_key=True),
    sa.Column("alert", sa.String(36), nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("person", sa.String(63), nullable=False),
    sa.Column("channel", sa.String(63), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("letter", sa.String(36)),  # null: it waits to be carried
    sa.Column("is_dropped", sa.Boolean, nullable=False),  # before anything left
    sa.Index("errands_by_alert", "tenant", "alert"),
    sa.Index("errands_by_letter", "tenant", "letter"),
    sa.UniqueConstraint("tenant", "alert", "step", "person", "channel"),
)

letters = sa.Table(  # what goes to one address at once
    "letters",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("letter", sa.String(36), primary_key=True),
    sa.Column("channel", sa.String(63), nullable=False),
    sa.Column("person", sa.String(63), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(40)),  # why the last try failed
    sa.Column("accepted_at", sa.BigInteger),
    sa.Column("reference", sa.String(64)),
    sa.Column("outcome", sa.String(16)),  # of a call
    sa.Column("word", sa.String(16)),  # of a daily letter
    sa.Column("confirm_by", sa.BigInteger),
    sa.Column("confirmed_at", sa.BigInteger),
    sa.Column("confirmed_by", sa.String(80)),
    sa.Index("letters_by_state", "tenant", "state", "due_at"),
    sa.Index("letters_by_channel", "tenant", "channel", "made_at"),
)
