"""The tables of ties; ``tenant`` leads every key, times are microseconds in UTC.

A row says what its last revision says; revisions are only ever added to. ``subject`` is the sealed
number of a resident, never the number. ``tie_withdrawals`` holds the last word of a resident to a
service, also where there was no tie yet: what was stated before it cannot arrive after it.
``tie_copies`` says which systems elsewhere have a tie and what they were told of it, ``tie_held``
is what a gateway was told by the hall. ``tie_transfers`` says whose rows left under their ties.
"""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


def _history() -> list[sa.Column[Any]]:
    """Return the columns that bind a row to its record; none: older than records."""
    return [
        sa.Column("record", sa.String(80)),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("revisions", sa.Integer),
        sa.Column("head", sa.String(80)),
    ]


services = sa.Table(
    "tie_services",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("service", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("provider", sa.String(200), nullable=False),
    sa.Column("section", sa.String(200), nullable=False),
    sa.Column("clause", sa.String(200), nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10)),
    sa.Column("deleted_at", sa.BigInteger),
    sa.Column(
        "system", sa.String(63)
    ),  # elsewhere, that serves it; none: asked for at this gateway
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),
)

ties = sa.Table(
    "ties",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("tie", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),  # binds the subject to the first revision
    sa.Column("service", sa.String(63), nullable=False),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("reason", sa.String(24)),  # the act that ended it
    sa.Column("offered", sa.Text, nullable=False),  # terms as proposed
    sa.Column("terms", sa.Text, nullable=False),  # as they stand
    sa.Column("days", sa.Integer, nullable=False),  # of the frequency: the window that is counted
    sa.Column("terms_at", sa.BigInteger, nullable=False),  # when the terms were stated
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),
    # number of the last change (``storage.changes``); 0: older than numbers
    sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("ties_by_subject", "tenant", "subject", "service"),
    sa.Index("ties_by_service", "tenant", "service", "state", "tie"),
    sa.Index("ties_by_change", "tenant", "sequence", "tie"),
)

revisions = sa.Table(  # of ties by their id, of services as "service:<id>"
    "tie_revisions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("record", sa.String(80), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # canonical bytes, those that are hashed
)

uses = sa.Table(  # calls and notices that were permitted
    "tie_uses",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("tie", sa.String(36), primary_key=True),
    sa.Column("use", sa.String(63), primary_key=True),  # the caller's id: asking twice counts once
    sa.Column("asked", sa.String(80), nullable=False),  # digest of what it was permitted for
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),  # in its chain; 0: older
    sa.Index("tie_uses_by_time", "tenant", "tie", "at"),
    sa.Index("tie_uses_by_number", "tenant", "tie", "number"),
)

transfers = sa.Table(  # whose rows the ties of a service let into a transfer
    "tie_transfers",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("service", sa.String(63), primary_key=True),
    sa.Column("transfer", sa.String(36), primary_key=True),
    sa.Column("link", sa.String(63), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),  # when it was sealed
    sa.Column("items", sa.Text, nullable=False),  # that left, as JSON
    sa.Column("channel", sa.String(12), nullable=False),
    sa.Column("ties", sa.Integer, nullable=False),
    sa.Column("carried", sa.LargeBinary, nullable=False),  # zstd of their ids, 16 bytes each
    sa.Column("head", sa.String(80), nullable=False),  # hash of its one revision
    sa.Index("tie_transfers_by_time", "tenant", "service", "at"),
)

withdrawals = sa.Table(
    "tie_withdrawals",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("service", sa.String(63), primary_key=True),
    sa.Column("stated_at", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(63), nullable=False),
    *_history(),
)

fates = sa.Table(  # who died, and whose number is another now
    "tie_fates",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("fate", sa.String(12), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    *_history(),
)

statuses = sa.Table(  # what sections say of residents at services
    "tie_statuses",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("service", sa.String(63), primary_key=True),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("as_of", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("clause", sa.String(200), nullable=False),
    *_history(),
)

copies = sa.Table(  # at the hall
    "tie_copies",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("tie", sa.String(36), primary_key=True),
    sa.Column("system", sa.String(63), primary_key=True),
    sa.Column("rank", sa.Integer, nullable=False),  # 0: it is over, and told first; 1: others
    sa.Column("sequence", sa.BigInteger, nullable=False),  # of what there is to tell
    sa.Column("told", sa.BigInteger, nullable=False),  # of what stands in a notice; 0: nothing yet
)
sa.Index(
    "tie_copies_to_tell",
    copies.c.tenant,
    copies.c.system,
    copies.c.rank,
    copies.c.tie,
    sqlite_where=copies.c.told < copies.c.sequence,
    postgresql_where=copies.c.told < copies.c.sequence,
)

held = sa.Table(  # at a gateway whose systems serve something
    "tie_held",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("tie", sa.String(36), primary_key=True),
    sa.Column("from_site", sa.String(63), nullable=False),
    sa.Column("system", sa.String(63), nullable=False),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("service", sa.String(63), nullable=False),
    sa.Column("stands", sa.String(12), nullable=False),
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("clause", sa.String(200), nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10)),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),
    sa.Index("tie_held_by_token", "tenant", "system", "token"),
)
