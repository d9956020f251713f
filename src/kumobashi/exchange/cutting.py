"""Cut sealed bytes into parts while they come, and put these durably into the spool."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from kumobashi.messages.parts import Part
from kumobashi.storage.spool import Incoming, Spool


class Cutting:
    """Takes bytes in a block; ``finish`` gives the parts, all but the last of ``limit`` bytes.

    A part is made durable while the next one is written.
    """

    def __init__(self, spool: Spool, transfer: str, attempt: int, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least one byte, got {limit}")
        self._spool, self._key, self._limit = spool, (transfer, attempt), limit
        self._whole = hashlib.sha256()
        self._parts: list[Part] = []
        self._open: Incoming | None = None
        self._in_part = 0
        self._keeping: tuple[Incoming, int, Future[str]] | None = None
        self._keeper = ThreadPoolExecutor(1, "keep part")
        self.bytes = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing half written."""
        self._keeper.shutdown()
        for part in (self._open, self._keeping and self._keeping[0]):
            if part:
                part.__exit__(kind, error, trace)

    @property
    def digest(self) -> str:
        """The digest of all bytes so far."""
        return f"sha256:{self._whole.hexdigest()}"

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        self._whole.update(data)
        self.bytes += len(data)
        at = 0
        while at < len(data):
            if self._open is None:
                self._open, self._in_part = self._spool.incoming(*self._key), 0
            piece = data[at : at + self._limit - self._in_part]
            self._open.write(piece)
            self._in_part += len(piece)
            at += len(piece)
            if self._in_part == self._limit:
                self._next()
        return len(data)

    def finish(self) -> tuple[Part, ...]:
        """Return the parts; all are durable."""
        if self._open:
            self._next()
        self._kept()
        return tuple(self._parts)

    def _next(self) -> None:
        self._kept()
        part, self._open = self._open, None
        assert part is not None  # noqa: S101 - asked only where there is one
        self._keeping = (part, self._in_part, self._keeper.submit(part.keep))

    def _kept(self) -> None:
        """Wait for the part that is being made durable."""
        if self._keeping is None:
            return
        (part, size, keeping), self._keeping = self._keeping, None
        with part:
            digest = f"sha256:{keeping.result()}"
        self._parts.append(Part(number=len(self._parts) + 1, digest=digest, bytes=size))
