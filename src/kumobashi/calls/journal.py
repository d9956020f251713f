"""The journal of calls: what was asked and answered, durable before anybody acts on it.

One line of canonical JSON a record, in a file that only grows. Records of many calls reach the disk
by one flush (group commit): a flush costs milliseconds, a call must not. Once a second what was
flushed is entered into the evidence log as one leaf: the file, the first number, how many, and the
root of their Merkle tree. A line holds the common header, digests and signatures: who asked whom
for what, provable with public keys alone, and nothing about a person.

A file whose process died is taken over at the next start: a line that was cut off was acknowledged
to nobody and is cut away, what has no leaf yet gets one.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from kumobashi.calls.errors import JournalBroken
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.merkle import Frontier, leaf_hash
from kumobashi.kernel import Clock
from kumobashi.storage.sole_use import hold

EVENT = "calls.recorded"
SEAL_SECONDS = 1.0
LARGEST_FILE = 64 * 1024 * 1024
_OPEN, _CLOSED = ".open.jsonl", ".jsonl"
# Of ASCII keys, texts and whole numbers this is what RFC 8785 writes, ten times as fast.
_LINE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
log = logging.getLogger(__name__)
Note = Callable[[Entry], None]  # writes an entry of the evidence log durably
Sealed = Callable[[str], int]  # how many records of a file the evidence log has


class Journal:
    """The journal of one process; belongs to one event loop."""

    def __init__(
        self, folder: Path, *, process: str, clock: Clock, note: Note, sealed: Sealed
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._process = process
        self._clock = clock
        self._note = note
        self._sealed = sealed
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[bytes] = []
        self._flushing: asyncio.Task[None] | None = None
        self._next: asyncio.Future[None] | None = None
        self._sealing: asyncio.Task[None] | None = None
        self._file: BinaryIO | None = None
        self._name = ""
        self._files = 0
        self._leaves: list[bytes] = []  # flushed lines that no leaf speaks of yet
        self._first = 0  # the number of the first of them
        self._untold: Entry | None = None  # taken, and not in the evidence log yet
        self.flushes = 0
        self.records = 0

    def start(self) -> None:
        """Take over what a crash left open, and begin to enter what is written."""
        for name, first, lines in left_open(self.folder, self._sealed):
            if lines:
                self._note(leaf_of(name, first, lines, self._clock.now()))
            _close(self.folder / name)
        self._sealing = asyncio.create_task(self._seal_on(), name="enter calls")

    async def record(self, said: dict[str, Any]) -> None:
        """Write a record; it is on the disk when this returns.

        Raises:
            JournalBroken: the disk does not take it; the call must not go on.
        """
        self._waiting.append(_LINE.encode(said).encode() + b"\n")
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        done = self._next
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="flush calls")
        await asyncio.shield(done)

    async def aclose(self) -> None:
        """Flush and enter what there is, and close the file."""
        if self._sealing:
            self._sealing.cancel()
            await asyncio.gather(self._sealing, return_exceptions=True)
        if self._flushing:
            await self._flushing
        await self._seal()
        if self._untold is None:
            await asyncio.to_thread(self._finish)
        self._disk.shutdown()  # what could not be entered is, at the next start

    async def _flush(self) -> None:
        """Write what waits, again and again, until nothing does."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            lines, done = self._waiting, self._next
            self._waiting, self._next = [], None
            try:
                await loop.run_in_executor(self._disk, self._write, lines)
            except OSError as error:
                failure = JournalBroken(reason=error.strerror or "")
                if done and not done.done():
                    done.set_exception(failure)
                    done.exception()  # whoever waited has it
                continue
            if done and not done.done():
                done.set_result(None)
        self._flushing = None

    def _write(self, lines: list[bytes]) -> None:
        file = self._file or self._begin()
        before = file.tell()
        try:
            file.write(b"".join(lines))
            file.flush()
            os.fdatasync(file.fileno())
        except OSError:
            file.truncate(before)  # acknowledged to nobody
            file.seek(before)
            raise
        self._leaves += lines
        self.flushes += 1
        self.records += len(lines)

    def _begin(self) -> BinaryIO:
        self._files += 1
        self._name = f"calls-{self._process}-{self._files}"
        file = hold(self.folder / f"{self._name}{_OPEN}")
        if file is None:
            raise OSError(0, "held by another process")
        (self.folder / f"{self._name}{_OPEN}").chmod(0o600)
        self._file, self._first = file, 0
        return file

    async def _seal_on(self) -> None:
        while True:
            await asyncio.sleep(SEAL_SECONDS)
            try:
                await self._seal()
            except Exception:  # the state is away: calls go on, their leaf comes later
                log.exception("calls were not entered")

    async def _seal(self) -> None:
        """Enter what was flushed since the last time, beside the flushing."""
        loop = asyncio.get_running_loop()
        if self._untold is None:
            self._untold = await loop.run_in_executor(self._disk, self._taken)
        if self._untold:
            await asyncio.to_thread(self._note, self._untold)
            self._untold = None

    def _taken(self) -> Entry | None:
        """Return the entry for what was flushed; runs between two flushes."""
        if not self._leaves:
            return None
        entry = leaf_of(self._name, self._first, self._leaves, self._clock.now())
        self._first += len(self._leaves)
        self._leaves = []
        if self._file and self._file.tell() >= LARGEST_FILE:
            self._finish()
        return entry

    def _finish(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        _close(self.folder / self._name)


def leaf_of(name: str, first: int, lines: list[bytes], at: datetime) -> Entry:
    """Return the entry for some records of a file, the first of them with number ``first``."""
    tree = Frontier()
    for line in lines:
        tree.add(leaf_hash(line.rstrip(b"\n")))
    return Entry(
        event=EVENT,
        at=at,
        facts={
            "journal": name,
            "number": first,
            "size": len(lines),
            "root": f"sha256:{tree.root().hex()}",
        },
    )


def left_open(folder: Path, sealed: Sealed) -> Iterator[tuple[str, int, list[bytes]]]:
    """Give the files of processes that are gone: name, the first unentered number, its lines."""
    for path in sorted(folder.glob(f"*{_OPEN}")):
        file = hold(path)
        if file is None:  # its process is alive
            continue
        with file:
            lines = _whole_lines(path)
            name = path.name.removesuffix(_OPEN)
            first = min(sealed(name), len(lines))
            yield name, first, lines[first:]


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file; cut away what a crash left half written."""
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
    return data[:end].splitlines(keepends=True)


def _close(path: Path) -> None:
    """Give a file the name of one that nobody writes any more."""
    source = path.with_name(path.name + _OPEN)
    source.replace(path.with_name(path.name + _CLOSED))
