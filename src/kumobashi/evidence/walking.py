"""Walk along the records and find the first that was touched: pure, one pass, bounded memory.

What decides is the tree: at every signed size the root of the records walked so far must be the
signed one. Beside each record stands a value over all records up to it (``log.chained``); it proves
nothing by itself, but names the first record that differs and tells a removed record from an
inserted one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from kumobashi.evidence.checkpoints import Checkpoint
from kumobashi.evidence.errors import (
    ChainAltered,
    LogForked,
    LogRolledBack,
    LogTruncated,
    RangeAltered,
    RecordAltered,
    RecordInserted,
    RecordRemoved,
    RecordsSwapped,
    Touched,
)
from kumobashi.evidence.log import CHAIN_START, Stored, chained
from kumobashi.evidence.merkle import Frontier, leaf_hash

_AHEAD = 64  # records that are looked at to tell what happened to one
OnRecord = Callable[[int, bytes], Touched | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint that the records must lead to; ``held_by`` the peer that kept it for us."""

    checkpoint: Checkpoint
    held_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """How far the records are sound."""

    records: int  # that were read
    signed: int  # the largest signed size that they were found to lead to
    first: bytes | None  # the first and the last sound record
    last: bytes | None
    touched: Touched | None


def walk(
    records: Iterable[Stored],
    signed: Sequence[Signed],
    *,
    site: str,
    on_record: OnRecord | None = None,
) -> Walked:
    """Check records (number, chain, body) against all that is signed about the log of ``site``.

    ``on_record`` is asked about every record that names a receipt, and may find it touched.
    """
    in_order = sorted(signed, key=lambda one: one.checkpoint.size)
    return _Walk(in_order, site, on_record).along(_Ahead(records))


class _Walk:
    def __init__(self, signed: Sequence[Signed], site: str, on_record: OnRecord | None) -> None:
        self._signed = deque(one for one in signed if one.checkpoint.size)
        self._site = site
        self._on_record = on_record
        self._edge = Frontier()
        self._good = 0
        self._first: bytes | None = None
        self._last: bytes | None = None

    def along(self, ahead: "_Ahead") -> Walked:
        edge, hashed = self._edge, sha256
        chain, number = CHAIN_START, 0
        stop = self._next()
        body = b""
        for found, beside, body in ahead:
            leaf = hashed(b"\x00" + body).digest()
            chain = hashed(b"\x02" + chain + leaf).digest()
            if chain != beside or found != number:
                return self._differs(number, (found, beside, body), ahead)
            edge.add(leaf)
            if self._first is None:
                self._first = body
            if self._on_record and b'"receipt"' in body and (bad := self._on_record(number, body)):
                return self._ended(number, body, bad)
            number += 1
            if number == stop:
                if bad := self._at_checkpoint():
                    return self._ended(number, body, bad)
                stop = self._next()
        self._last = body or None
        return self._ended(number, body, self._at_end(number))

    def _next(self) -> int:
        return self._signed[0].checkpoint.size if self._signed else -1

    def _at_checkpoint(self) -> Touched | None:
        """Compare the root with what was signed; several may be of one size."""
        size, root = self._edge.size, self._edge.root()
        here = []
        while self._next() == size:
            here.append(self._signed.popleft())
        for one in here:
            if one.checkpoint.root != root and one.held_by is None:
                return RangeAltered(number=self._good, last=size - 1, size=size)
        for one in here:
            if one.checkpoint.root != root:
                return LogForked(site=self._site, seen=size, size=size)
        self._good = size
        return None

    def _at_end(self, number: int) -> Touched | None:
        """Say what it means that more was signed than there is."""
        own = [one.checkpoint.size for one in self._signed if one.held_by is None]
        if own:
            return LogTruncated(number=number, size=max(own))
        if self._signed:
            seen = self._signed[-1].checkpoint.size
            return LogRolledBack(site=self._site, seen=seen, size=number)
        return None

    def _differs(self, number: int, record: Stored, ahead: "_Ahead") -> Walked:
        chain = ahead.before
        kind = _what_happened(number, record, chain, ahead.peek(_AHEAD))
        if isinstance(kind, RecordAltered) and self._is_sound_without_chain(record[2], ahead):
            kind = ChainAltered(number=number)
        return self._ended(number, None, kind)

    def _is_sound_without_chain(self, body: bytes, ahead: "_Ahead") -> bool:
        """Whether the records lead to the next signed root, so that only the chain was touched."""
        if not self._signed:
            return False
        edge, stop = self._edge.copy(), self._signed[0].checkpoint
        edge.add(leaf_hash(body))
        for _, _, more in islice(ahead, stop.size - edge.size):
            if more:
                edge.add(leaf_hash(more))
        return edge.size == stop.size and edge.root() == stop.root

    def _ended(self, number: int, last: bytes | None, touched: Touched | None) -> Walked:
        return Walked(
            records=number,
            signed=self._good,
            first=self._first,
            last=last,
            touched=touched,
        )


def _what_happened(number: int, record: Stored, before: bytes, ahead: Sequence[Stored]) -> Touched:
    """Tell what was done at ``number``, from what follows; ``before`` is the last good value."""
    found, beside, body = record
    if not body and not any(other for _, _, other in ahead):  # only the values go on
        return LogTruncated(number=number, size=number + 1 + len(ahead))
    if found > number or (body and _belongs_further_on(record, ahead)):
        kind: Touched = RecordRemoved(number=number)
    elif not beside:  # behind the end of what was written
        kind = RecordInserted(number=number)
    else:
        kind = RecordAltered(number=number)
    if found > number:
        return kind
    return _moved(number, record, before, ahead) or kind


def _moved(
    number: int, record: Stored, before: bytes, ahead: Sequence[Stored]
) -> RecordsSwapped | RecordInserted | None:
    """Tell whether what belongs at ``number`` stands further on.

    The value beside a record may have stayed in its place (a file keeps values apart) or moved with
    it (a row of the database): either is tried.
    """
    _, beside, body = record
    leaf, value = leaf_hash(body), beside
    for far, (_, chain, other) in enumerate(ahead, 1):
        if other and chained(before, leaf_hash(other)) in {beside, chain}:
            # Does what stands here belong there?
            if any(chained(held, leaf) in {chain, beside} for held in (value, chain)):
                return RecordsSwapped(number=number, other=number + far)
            return RecordInserted(number=number)
        value = chain
    return None


def _belongs_further_on(record: Stored, ahead: Sequence[Stored]) -> bool:
    """Tell whether a record would be right some places behind its own: those before it are gone."""
    _, value, body = record
    leaf = leaf_hash(body)
    for _, chain, _ in ahead:
        if chained(value, leaf) == chain:
            return True
        value = chain
    return False


class _Ahead:
    """Records one by one, with a look at those that follow and at the value before."""

    def __init__(self, records: Iterable[Stored]) -> None:
        self._records = iter(records)
        self._held: deque[Stored] = deque()
        self._now = self.before = CHAIN_START

    def __iter__(self) -> Iterator[Stored]:
        while True:
            if self._held:
                record = self._held.popleft()
            else:
                found = next(self._records, None)
                if found is None:
                    return
                record = found
            self.before, self._now = self._now, record[1]
            yield record

    def peek(self, count: int) -> list[Stored]:
        self._held.extend(islice(self._records, max(0, count - len(self._held))))
        return list(islice(self._held, count))
