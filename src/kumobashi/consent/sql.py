"""The tables of the ledger of consents. ``tenant`` leads every key; times are microseconds in UTC.

``records`` are the applications, ``revisions`` what happened to them, each bound to the one before.
``standings`` holds what counts now for a resident, a purpose and a tier: the one table that a
release asks. Every change has its number from ``storage.changes``.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

records = sa.Table(
    "consent_records",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("record", sa.String(36), primary_key=True),  # UUIDv7
    sa.Column("subject", sa.String(80)),  # sealed number; none once it was forgotten
    sa.Column("salt", sa.LargeBinary),  # binds the subject to the first revision
    sa.Column("purpose", sa.String(63), nullable=False),
    sa.Column("tier", sa.String(12), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("text", sa.String(80), nullable=False),  # digest of what was shown
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(12)),
    sa.Column("given_by", sa.String(12), nullable=False),  # self, guardian, proxy
    sa.Column("method", sa.String(16)),  # how identity was checked
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("stated_at", sa.BigInteger, nullable=False),  # of the yes, or of the lone no
    sa.Column("granted_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("until", sa.BigInteger),
    sa.Column("revisions", sa.Integer, nullable=False),
    sa.Column("head", sa.String(80), nullable=False),  # hash of the newest revision
    sa.Column("batch", sa.String(36)),  # of an import: its evidence is one leaf
    sa.Column("channel", sa.String(12)),  # by which she is reached; none: it names none
    sa.Column("document", sa.String(32)),  # kind of document that was seen at the counter
    sa.Index("consent_records_by_subject", "tenant", "subject", "purpose", "tier"),
    sa.Index("consent_records_by_purpose", "tenant", "purpose", "state", "record"),
    sa.Index("consent_records_by_term", "tenant", "state", "until"),
    sa.Index("consent_records_by_batch", "tenant", "batch", "record"),
)

revisions = sa.Table(  # only ever added to
    "consent_revisions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("record", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # canonical bytes, those that are hashed
)

standings = sa.Table(
    "consent_standings",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("purpose", sa.String(63), primary_key=True),
    sa.Column("tier", sa.String(12), primary_key=True),
    sa.Column("record", sa.String(36), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(12)),
    sa.Column("until", sa.BigInteger),
    sa.Column("stated_at", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(63), nullable=False),
    sa.Column("arrived", sa.BigInteger, nullable=False),  # number of the statement that counts
    sa.Column("sequence", sa.BigInteger, nullable=False),  # number of the last change of this row
    sa.Column("was_ended", sa.Boolean, nullable=False),  # receivers may have been told of an end
    sa.Index("consent_standings_by_change", "tenant", "sequence"),
)

fates = sa.Table(  # who died, and whose records follow another number
    "consent_fates",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("fate", sa.String(12), nullable=False),  # died, merged
    sa.Column("into", sa.String(80)),
    sa.Column("at", sa.BigInteger, nullable=False),
)

codes = sa.Table(  # sent by post to applicants
    "consent_codes",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("record", sa.String(36), primary_key=True),
    sa.Column("hash", sa.String(200), nullable=False),  # scrypt
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)
