"""Keep the log in SQL: entries in the transaction they speak of, numbered in batches afterwards.

``append`` only adds a row of its own, so that no commit waits for another. ``sequence`` gives what
was committed its numbers and hashes; a crash in between loses nothing, for what is not numbered yet
lies durably in ``evidence_waiting``, and whoever comes next goes on. Two sequencers at once do no
harm: the keys let only one of them commit.
"""

import base64
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.crypto.keys import SigningKey
from kumobashi.evidence.checkpoints import Checkpoint, parse, sign
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.errors import LogForked, RecordRemoved, SizeBeyond
from kumobashi.evidence.merkle import (
    HASH_BYTES,
    consistency,
    leaf_hash,
    node_hash,
    root,
    subtree,
)
from kumobashi.evidence.sql import checkpoints, entries, nodes, waiting
from kumobashi.kernel import Clock, new_id, to_micros

CHAIN_START: Final = bytes(HASH_BYTES)
BATCH: Final = 2048  # records that get their numbers in one transaction
_TILE: Final = 8  # levels between the hashes that are kept
_TILE_LEAVES: Final = 1 << _TILE
_NAMED: Final = 500  # ids in one statement
_FETCHED: Final = 4096  # rows at a time
_ADD: Final = sa.insert(waiting)  # built once: with each entry's values it costs as much again
Stored = tuple[int, bytes, bytes]  # number, chain, body


def append(connection: sa.Connection, tenant: str, entry: Entry) -> None:
    """Write an entry; it counts if and when the transaction of ``connection`` commits."""
    append_all(connection, tenant, [entry])


def append_all(connection: sa.Connection, tenant: str, said: Iterable[Entry]) -> None:
    """Write entries in their order, by one statement."""
    rows = [{"tenant": tenant, "entry": new_id(), "body": entry.encode()} for entry in said]
    if rows:
        connection.execute(_ADD, rows)


def chained(before: bytes, leaf: bytes) -> bytes:
    """Return the value kept beside a record: of all leaves up to it, in their order."""
    return sha256(b"\x02" + before + leaf).digest()


def size_of(connection: sa.Connection, tenant: str) -> int:
    """Return how many records have a number."""
    newest = connection.execute(
        sa.select(sa.func.max(entries.c.number)).where(_of(entries, tenant))
    )
    found: int | None = newest.scalar()
    return 0 if found is None else found + 1


def waiting_in(connection: sa.Connection, tenant: str) -> int:
    """Return how many records are committed and have no number yet."""
    query = sa.select(sa.func.count()).select_from(waiting).where(_of(waiting, tenant))
    return connection.execute(query).scalar_one()


def unnumbered(connection: sa.Connection, tenant: str) -> list[bytes]:
    """Return the records that are committed and have no number yet, in their order."""
    query = sa.select(waiting.c.body).where(_of(waiting, tenant)).order_by(waiting.c.entry)
    return [bytes(row.body) for row in connection.execute(query)]


def sequence(connection: sa.Connection, tenant: str, most: int = BATCH) -> int:
    """Give up to ``most`` waiting records their numbers; return how many it were."""
    query = (
        sa.select(waiting.c.entry, waiting.c.body)
        .where(_of(waiting, tenant))
        .order_by(waiting.c.entry)
        .limit(most)
    )
    found = connection.execute(query).all()
    if not found:
        return 0
    newest = connection.execute(
        sa.select(entries.c.number, entries.c.chain)
        .where(_of(entries, tenant))
        .order_by(entries.c.number.desc())
        .limit(1)
    ).first()
    first = newest.number + 1 if newest else 0
    chain = bytes(newest.chain) if newest else CHAIN_START
    rows = []
    for number, row in enumerate(found, first):
        body = bytes(row.body)
        chain = chained(chain, leaf_hash(body))
        rows.append(
            {"tenant": tenant, "number": number, "entry": row.entry, "chain": chain, "body": body}
        )
    connection.execute(sa.insert(entries), rows)
    _close_tiles(connection, tenant, first, first + len(rows))
    ids = [row.entry for row in found]
    for at in range(0, len(ids), _NAMED):
        named = waiting.c.entry.in_(ids[at : at + _NAMED])
        connection.execute(sa.delete(waiting).where(_of(waiting, tenant), named))
    return len(rows)


class Nodes:
    """Hashes of whole subtrees, read from the database as a proof asks for them."""

    def __init__(self, connection: sa.Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash of the subtree over ``2**level`` leaves that begins at its index."""
        inside = level % _TILE
        base = level - inside
        tile, place = divmod(index << inside, _TILE_LEAVES)
        row = self._tile(base, tile)
        if len(row) < place + (1 << inside):
            missing = (tile * _TILE_LEAVES + len(row)) << base
            raise RecordRemoved(number=missing)
        return subtree(row, inside, place >> inside)

    def _tile(self, base: int, tile: int) -> list[bytes]:
        if (base, tile) not in self._tiles:
            low = tile * _TILE_LEAVES
            if base:
                query = _kept(self._tenant, base, low)
                self._tiles[base, tile] = [
                    bytes(found) for found in self._connection.execute(query).scalars()
                ]
            else:
                rows = stored(self._connection, self._tenant, low, low + _TILE_LEAVES)
                self._tiles[base, tile] = [leaf_hash(body) for _, _, body in rows]
        return self._tiles[base, tile]


def stored(
    connection: sa.Connection, tenant: str, first: int = 0, end: int | None = None
) -> Iterator[Stored]:
    """Yield the records from ``first`` to before ``end``, a few thousand in memory at a time."""
    query = (
        sa.select(entries.c.number, entries.c.chain, entries.c.body)
        .where(_of(entries, tenant), entries.c.number >= first)
        .order_by(entries.c.number)
    )
    if end is not None:
        query = query.where(entries.c.number < end)
    # On the query: an option of the connection would stay there, for whoever writes next.
    result = connection.execute(query.execution_options(yield_per=_FETCHED))
    for number, chain, body in result:
        yield number, bytes(chain), bytes(body)


def stored_before(
    connection: sa.Connection, tenant: str, end: int, first: int = 0
) -> Iterator[Stored]:
    """Yield the records from before ``end`` down to ``first``, as :func:`stored` does."""
    query = (
        sa.select(entries.c.number, entries.c.chain, entries.c.body)
        .where(_of(entries, tenant), entries.c.number >= first, entries.c.number < end)
        .order_by(entries.c.number.desc())
    )
    result = connection.execute(query.execution_options(yield_per=_FETCHED))
    for number, chain, body in result:
        yield number, bytes(chain), bytes(body)


def prove_consistency(
    connection: sa.Connection, tenant: str, old: int, new: int | None = None
) -> list[str]:
    """Return, in base64, the proof that the first ``new`` records begin with the first ``old``.

    Raises:
        SizeBeyond: there are not that many, or no such proof.
    """
    size = size_of(connection, tenant)
    wished = size if new is None else new
    if not 0 < old <= wished <= size:
        raise SizeBeyond(size=size, wished=max(old, wished))
    proof = consistency(old, wished, Nodes(connection, tenant))
    return [base64.b64encode(part).decode() for part in proof]


def signed_notes(connection: sa.Connection, tenant: str) -> list[tuple[str, int]]:
    """Return all checkpoints of this log with their times, the smallest first."""
    query = (
        sa.select(checkpoints.c.note, checkpoints.c.at)
        .where(_of(checkpoints, tenant))
        .order_by(checkpoints.c.size)
    )
    return [(row.note, row.at) for row in connection.execute(query)]


def newest_note(connection: sa.Connection, tenant: str) -> str | None:
    """Return the newest checkpoint of this log."""
    query = (
        sa.select(checkpoints.c.note)
        .where(_of(checkpoints, tenant))
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def checkpoint(
    connection: sa.Connection, tenant: str, *, origin: str, key: SigningKey, clock: Clock, site: str
) -> str | None:
    """Sign the log as it is; return the newest checkpoint, which may be an older one.

    Raises:
        LogForked: the records no longer lead to what was signed before; nothing is signed on top.
    """
    held, size = newest_note(connection, tenant), size_of(connection, tenant)
    hashes = Nodes(connection, tenant)
    before = parse(held) if held else None
    if before and (before.size > size or root(before.size, hashes) != before.root):
        raise LogForked(site=site, seen=before.size, size=size)
    if size == (before.size if before else 0):
        return held
    note = sign(Checkpoint(origin=origin, size=size, root=root(size, hashes)), key)
    connection.execute(
        sa.insert(checkpoints).values(
            tenant=tenant, size=size, note=note, at=to_micros(clock.now())
        )
    )
    return note


def _close_tiles(connection: sa.Connection, tenant: str, first: int, end: int) -> None:
    """Keep the hash of every subtree of 256, 65,536 … leaves that has become whole."""
    base = 0
    while True:
        whole = range(first >> _TILE, end >> _TILE)
        if not whole:
            return
        hashes = Nodes(connection, tenant)
        rows = [
            {
                "tenant": tenant,
                "level": base + _TILE,
                "number": number,
                "hash": _whole(hashes, base, number),
            }
            for number in whole
        ]
        connection.execute(sa.insert(nodes), rows)
        first, end, base = whole.start, whole.stop, base + _TILE


def _whole(hashes: Nodes, base: int, number: int) -> bytes:
    """Return the hash of one whole tile, from the two halves of it."""
    level = base + _TILE - 1
    return node_hash(hashes(level, number * 2), hashes(level, number * 2 + 1))


def _kept(tenant: str, level: int, low: int) -> sa.Select[Any]:
    return (
        sa.select(nodes.c.hash)
        .where(_of(nodes, tenant), nodes.c.level == level)
        .where(nodes.c.number >= low, nodes.c.number < low + _TILE_LEAVES)
        .order_by(nodes.c.number)
    )


def _of(table: sa.Table, tenant: str) -> sa.ColumnElement[bool]:
    return table.c.tenant == tenant
