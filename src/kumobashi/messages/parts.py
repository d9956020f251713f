"""Cut a stream of bytes into parts that a line can carry, and join them in any order.

>>> import io
>>> cut = list(split(io.BytesIO("住民票".encode()), limit=4))
>>> [(part.number, part.bytes) for part, _ in cut]
[(1, 4), (2, 4), (3, 1)]
>>> held = {part.digest: body for part, body in cut}
>>> joined = io.BytesIO()
>>> join(
...     [part for part, _ in reversed(cut)],
...     held,
...     lambda part: io.BytesIO(held[part.digest]),
...     joined,
...     whole_digest=digest("住民票".encode()),
...     whole_bytes=9,
... )
>>> joined.getvalue().decode()
'住民票'
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.sealing import Readable, Writable
from kumobashi.messages.errors import PartAltered, PartsMissing
from kumobashi.messages.fields import Fields

_BLOCK = 1 << 20  # bytes
_NAMED = 20  # how many numbers a message lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a sealed bundle; numbers run from 1 without a gap."""

    number: int
    digest: str
    bytes: int
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions


OpenPart = Callable[[Part], BinaryIO]  # gives the body of a part that is held


def split(source: Readable, limit: int) -> Iterator[tuple[Part, bytes]]:
    """Cut ``source`` into parts of ``limit`` bytes, the last one perhaps shorter; one at a time.

    An empty source gives no part; a sealed bundle is never empty.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least one byte, got {limit}")
    number = 0
    while body := _fill(source, limit):
        number += 1
        yield Part(number=number, digest=digest(body), bytes=len(body)), body


def missing(parts: Iterable[Part], held: Collection[str]) -> list[Part]:
    """Return the parts whose digest is not in ``held``, in order."""
    return sorted((part for part in parts if part.digest not in held), key=_number)


def altered(parts: Iterable[Part], open_part: OpenPart) -> list[Part]:
    """Return the parts whose body has another size or digest, in order. Reads everything."""
    wrong = []
    for part in sorted(parts, key=_number):
        with open_part(part) as body:
            state, size = sha256(), 0
            while block := body.read(_BLOCK):
                state.update(block)
                size += len(block)
        if (f"sha256:{state.hexdigest()}", size) != (part.digest, part.bytes):
            wrong.append(part)
    return wrong


def parts_missing(parts: Sequence[Part]) -> PartsMissing:
    """Return the failure that names these parts; ``digests`` has all of them for the peer."""
    digests = [part.digest for part in parts]
    return PartsMissing(count=len(parts), numbers=_numbers(parts), digests=digests)


class JoinedParts:
    """The whole, read as one stream from its parts, each checked as it is read.

    Reading raises :class:`PartAltered` at the first part that is not what the manifest says. The
    bytes of that part may have been handed out by then, so what was made of them counts only after
    the end was reached without a failure. Whoever checks the digest of the whole needs none of
    this and says so by ``is_checked=False``.
    """

    def __init__(
        self, parts: Iterable[Part], open_part: OpenPart, *, is_checked: bool = True
    ) -> None:
        self._is_checked = is_checked
        self._waiting = iter(sorted(parts, key=_number))
        self._open_part = open_part
        self._part: Part | None = None
        self._body: BinaryIO | None = None
        self._state = sha256()
        self._size = 0

    def read(self, size: int = _BLOCK, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""
        while True:
            if self._body is None:
                self._part = next(self._waiting, None)
                if self._part is None:
                    return b""
                self._body = self._open_part(self._part)
                self._state, self._size = sha256(), 0
            if block := self._body.read(size):
                if self._is_checked:
                    self._state.update(block)
                    self._size += len(block)
                return block
            self._finish()

    def close(self) -> None:
        """Let go of the part that is being read."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def _finish(self) -> None:
        self.close()
        part = self._part
        if part is None or not self._is_checked:
            return
        if (f"sha256:{self._state.hexdigest()}", self._size) != (part.digest, part.bytes):
            raise PartAltered(numbers=str(part.number))


def join(
    parts: Sequence[Part],
    held: Collection[str],
    open_part: OpenPart,
    target: Writable,
    *,
    whole_digest: str,
    whole_bytes: int,
) -> None:
    """Write the whole into ``target``, checking every part and the whole.

    Use what is in ``target`` only after this returned.

    Raises:
        PartsMissing: names every part that is not in ``held``; nothing was read.
        PartAltered: names every part that is damaged, or 0 when the parts are right and the
            whole they make is not.
    """
    if absent := missing(parts, held):
        raise parts_missing(absent)
    source, state, size = JoinedParts(parts, open_part), sha256(), 0
    try:
        while block := source.read(_BLOCK):
            state.update(block)
            size += len(block)
            target.write(block)
    except PartAltered:
        # Named one by one only now: a sound bundle is read once.
        raise PartAltered(numbers=_numbers(altered(parts, open_part))) from None
    finally:
        source.close()
    if (f"sha256:{state.hexdigest()}", size) != (whole_digest, whole_bytes):
        raise PartAltered(numbers="0")


def encode_parts(parts: Iterable[Part]) -> list[dict[str, object]]:
    """Return parts as the objects that stand in a manifest or an announcement."""
    return [
        {**part.extra, "number": part.number, "digest": part.digest, "bytes": part.bytes}
        for part in parts
    ]


def take_parts(fields: Fields, name: str) -> tuple[Part, ...]:
    """Take a list of parts in the order of their numbers, from 1 without a gap."""
    parts = []
    for number, inner in enumerate(fields.objects(name), 1):
        if inner.positive("number") != number:
            raise inner.wrong("number", "numbers from 1 without a gap, in order")
        parts.append(
            Part(
                number=number,
                digest=inner.digest("digest"),
                bytes=inner.positive("bytes"),
                extra=inner.left_over(),
            )
        )
    return tuple(parts)


def _fill(source: Readable, limit: int) -> bytes:
    """Read exactly ``limit`` bytes, or what is left: pipes give less than they are asked for."""
    body = source.read(limit)
    if not body or len(body) == limit:
        return body
    pieces, size = [body], len(body)
    while size < limit and (body := source.read(limit - size)):
        pieces.append(body)
        size += len(body)
    return b"".join(pieces)


def _number(part: Part) -> int:
    return part.number


def _numbers(parts: Sequence[Part]) -> str:
    listed = ", ".join(str(part.number) for part in parts[:_NAMED])
    return listed if len(parts) <= _NAMED else f"{listed}, …"
