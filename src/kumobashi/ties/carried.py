"""Whose rows left under their ties: one row a transfer, with its revision and its leaf of evidence.

A transfer is one use of each tie that it rests on. There are hundreds of thousands of them at once,
so they stand in one list: the ids of the ties in their order, 16 bytes each, compressed. The leaf
holds the digest of the list, so after a withdrawal it can be shown that no later transfer was made
under that tie.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import sqlalchemy as sa
import zstandard

from kumobashi.crypto.canonical import digest
from kumobashi.evidence.entries import Entry, Fact
from kumobashi.evidence.log import append
from kumobashi.evidence.revisions import Facts, Revision, faults, revise
from kumobashi.kernel import from_micros, to_micros, to_wire
from kumobashi.ties.errors import TieTouched
from kumobashi.ties.revisions import verify_head
from kumobashi.ties.sql import revisions, transfers
from kumobashi.ties.terms import Channel

PREFIX: Final = "transfer:"
"""Before the id of a transfer, where the revision of its list stands."""
_ID: Final = np.dtype([("high", ">u8"), ("low", ">u8")])
_MOST_BYTES: Final = 16 * 50_000_000  # of a list that is unpacked
_MOST_LISTED: Final = 30

Pairs = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Ids of ties as two numbers each, the first and the last 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A transfer that rested on ties of a service."""

    service: str
    transfer: str
    link: str
    at: datetime
    items: tuple[str, ...]
    channel: Channel
    high: np.ndarray[Any, Any]  # of the ids of the ties
    low: np.ndarray[Any, Any]


def pair_of(tie: str) -> tuple[int, int]:
    """Return the id of a tie as two numbers.

    >>> pair_of("00000000-0000-0001-0000-000000000002")
    (1, 2)
    """
    number = UUID(tie).int
    return number >> 64, number & (2**64 - 1)


def packed(high: np.ndarray[Any, Any], low: np.ndarray[Any, Any]) -> bytes:
    """Return a list of ids, in their order, as it is kept.

    >>> high, low = unpacked(packed(np.array([2, 1]), np.array([3, 4])))
    >>> high.tolist(), low.tolist()
    ([1, 2], [4, 3])
    """
    ids = np.empty(len(high), dtype=_ID)
    order = np.lexsort((low, high))
    ids["high"], ids["low"] = high[order], low[order]
    return zstandard.ZstdCompressor(level=1).compress(ids.tobytes())


def unpacked(carried: bytes) -> Pairs:
    """Return what :func:`packed` was given, in order; raise ``ValueError`` for anything else."""
    try:
        plain = zstandard.ZstdDecompressor().decompress(carried, max_output_size=_MOST_BYTES)
    except zstandard.ZstdError:
        raise ValueError("no list of ties") from None
    ids = np.frombuffer(plain, dtype=_ID)
    return ids["high"].astype(np.uint64), ids["low"].astype(np.uint64)


def note_carried(connection: sa.Connection, tenant: str, made: Carried) -> None:
    """Keep the list of a transfer with its revision and its leaf, in the commit that seals it."""
    row = {
        "service": made.service,
        "transfer": made.transfer,
        "link": made.link,
        "at": to_micros(made.at),
        "items": json.dumps(sorted(made.items)),
        "channel": made.channel.value,
        "ties": len(made.high),
        "carried": packed(made.high, made.low),
    }
    record = f"{PREFIX}{made.transfer}"
    before = sa.select(revisions.c.number, revisions.c.hash).where(
        revisions.c.tenant == tenant, revisions.c.record == record
    )
    last = connection.execute(before.order_by(revisions.c.number.desc()).limit(1)).first()
    number = last.number + 1 if last else 1
    revision = revise(record, number, last.hash if last else None, told(row))
    mine = {"tenant": tenant, "service": made.service, "transfer": made.transfer}
    named = sa.and_(*(transfers.c[name] == value for name, value in mine.items()))
    connection.execute(sa.delete(transfers).where(named))  # sealed anew: the last counts
    connection.execute(
        sa.insert(transfers).values({**row, "tenant": tenant, "head": revision.hash})
    )
    kept = {"tenant": tenant, "record": record, "number": number}
    kept |= {"hash": revision.hash, "body": revision.body}
    connection.execute(sa.insert(revisions).values(kept))
    facts: dict[str, Fact] = {
        "tie": record,
        "service": made.service,
        "transfer": made.transfer,
        "link": made.link,
        "counts": {"ties": len(made.high)},
        "revision": revision.hash,
        "number": number,
    }
    append(connection, tenant, Entry(event="tie.carried", at=made.at, facts=facts))


def told(row: dict[str, Any]) -> Facts:
    """Return what a revision says of a transfer; the list by its digest."""
    names = ("service", "transfer", "link", "items", "channel", "ties")
    said = {name: row[name] for name in names}
    return {**said, "sealed_at": row["at"], "carried": digest(bytes(row["carried"]))}


def count_since(connection: sa.Connection, tenant: str, service: str, after: datetime) -> int:
    """Return how many transfers of a service were sealed after a moment."""
    query = sa.select(sa.func.count()).where(*_since(tenant, service, after))
    return connection.execute(query).scalar_one()


def lists_since(
    connection: sa.Connection, tenant: str, service: str, after: datetime
) -> Iterator[tuple[int, bytes]]:
    """Yield the packed lists of a service's transfers after a moment, each with its microsecond."""
    query = sa.select(transfers.c.at, transfers.c.carried).where(*_since(tenant, service, after))
    for row in connection.execute(query.order_by(transfers.c.at)):
        yield row.at, bytes(row.carried)


def carried_under(
    connection: sa.Connection, tenant: str, service: str, tie: str
) -> list[dict[str, Any]]:
    """Return the newest transfers that went out under one tie, as JSON, the last one first.

    Looked at are the last ``30`` of the service.
    """
    high, low = pair_of(tie)
    mine = sa.and_(transfers.c.tenant == tenant, transfers.c.service == service)
    query = sa.select(transfers).where(mine).order_by(transfers.c.at.desc()).limit(_MOST_LISTED)
    found = []
    for row in connection.execute(query):
        highs, lows = unpacked(bytes(row.carried))
        if bool(np.any((highs == np.uint64(high)) & (lows == np.uint64(low)))):
            found.append(
                {
                    "transfer": row.transfer,
                    "link": row.link,
                    "at": to_wire(from_micros(row.at)),
                    "items": json.loads(row.items),
                    "channel": row.channel,
                }
            )
    return found


def faults_of_transfers(connection: sa.Connection, tenant: str) -> Iterator[TieTouched]:
    """Yield of each transfer whose list is not as it was written."""
    chained = sa.select(revisions.c.record).where(
        revisions.c.tenant == tenant, revisions.c.record.startswith(PREFIX, autoescape=True)
    )
    named = {record.removeprefix(PREFIX) for record in connection.execute(chained).scalars()}
    rows = sa.select(transfers.c.transfer).where(transfers.c.tenant == tenant)
    for transfer in sorted(named | set(connection.execute(rows).scalars())):
        try:
            _verify(connection, tenant, transfer)
        except TieTouched as fault:
            yield fault


def _verify(connection: sa.Connection, tenant: str, transfer: str) -> None:
    record = PREFIX + transfer
    mine = sa.and_(revisions.c.tenant == tenant, revisions.c.record == record)
    chain = [
        Revision(number=row.number, hash=row.hash, body=bytes(row.body))
        for row in connection.execute(sa.select(revisions).where(mine).order_by(revisions.c.number))
    ]
    for number, what in faults(record, chain):
        raise TieTouched(record=record, number=number, what=what)
    sent = sa.and_(transfers.c.tenant == tenant, transfers.c.transfer == transfer)
    row = connection.execute(sa.select(transfers).where(sent)).first()
    if row is None:
        raise TieTouched(record=record, number=1, what="its row is gone")
    verify_head(record, told(row._asdict()), row.head, chain[-1] if chain else None)


def _since(tenant: str, service: str, after: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    table = transfers.c
    return table.tenant == tenant, table.service == service, table.at > to_micros(after)
