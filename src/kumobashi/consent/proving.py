"""Hold the ledger against the evidence log: whoever rewrote a whole history is found there.

Every revision's hash stands in a leaf that was committed with it; of an import one leaf holds the
digest over the heads of its records as they were then. The log itself is verified by
``kumobashi evidence verify``; here its leaves are taken as they stand.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from kumobashi.consent.errors import RevisionTouched
from kumobashi.consent.sql import records, revisions
from kumobashi.evidence.log import stored
from kumobashi.evidence.sql import waiting

_OURS = b'"event":"consent.'
_AT_ONCE = 500  # records named in one statement
_UNLIKE = "the evidence says otherwise"


def against_evidence(connection: sa.Connection, tenant: str) -> Iterator[RevisionTouched]:
    """Yield the revisions and imports that are not what the evidence says was written."""
    said: list[dict[str, Any]] = []
    for body in _bodies(connection, tenant):
        if _OURS not in body:
            continue
        entry = json.loads(body)
        if entry["event"] == "consent.imported":
            yield from _import_unlike(connection, tenant, entry)
        elif "revision" in entry:
            said.append(entry)
        if len(said) == _AT_ONCE:
            yield from _revisions_unlike(connection, tenant, said)
            said = []
    yield from _revisions_unlike(connection, tenant, said)


def _bodies(connection: sa.Connection, tenant: str) -> Iterator[bytes]:
    for _, _, body in stored(connection, tenant):
        yield body
    query = sa.select(waiting.c.body).where(waiting.c.tenant == tenant).order_by(waiting.c.entry)
    for body in connection.execute(query).scalars():
        yield bytes(body)


def _revisions_unlike(
    connection: sa.Connection, tenant: str, said: Iterable[dict[str, Any]]
) -> Iterator[RevisionTouched]:
    named = {(str(entry["consent"]), int(entry["number"])): entry["revision"] for entry in said}
    if not named:
        return
    query = sa.select(revisions.c.record, revisions.c.number, revisions.c.hash).where(
        revisions.c.tenant == tenant,
        revisions.c.record.in_(sorted({record for record, _ in named})),
    )
    kept = {(row.record, row.number): row.hash for row in connection.execute(query)}
    for (record, number), expected in named.items():
        if kept.get((record, number)) != expected:
            yield RevisionTouched(record=record, number=number, what=_UNLIKE)


def _import_unlike(
    connection: sa.Connection, tenant: str, entry: dict[str, Any]
) -> Iterator[RevisionTouched]:
    """Compare the digest over the records of one commit of an import."""
    of_batch = sa.and_(
        records.c.tenant == revisions.c.tenant, records.c.record == revisions.c.record
    )
    query = (
        sa.select(revisions.c.record, revisions.c.hash, revisions.c.body)
        .join_from(revisions, records, of_batch)
        .where(records.c.tenant == tenant, records.c.batch == entry["id"])
        .order_by(revisions.c.record, revisions.c.number)
    )
    heads: dict[str, tuple[int, str]] = {}  # by record: the change it came with, the head then
    for row in connection.execute(query):
        change = _change_of(bytes(row.body))
        if row.record not in heads or heads[row.record][0] == change:
            heads[row.record] = (change, row.hash)
    found = sha256()
    for record, (_, head) in heads.items():
        found.update(f"{record} {head}\n".encode("ascii"))
    if f"sha256:{found.hexdigest()}" != entry["revision"]:
        yield RevisionTouched(record=str(entry["id"]), number=1, what=_UNLIKE)


def _change_of(body: bytes) -> int:
    try:
        return int(json.loads(body)["sequence"])
    except (ValueError, KeyError, TypeError):
        return -1
