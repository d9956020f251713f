"""Write a medium, so that a crash leaves one that says it is incomplete, or a whole one.

    content → pieces of one size → each sealed to the receiver → file by file, flushed → index last

A journal at the sender holds the digest of every file before the file gets its name, so an export
that broke off goes on behind the last file that is on the medium and right. Memory holds one piece.
"""

import errno
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from kumobashi.courier.blocks import FILE_BYTES, PLAIN_BYTES, padded_blocks, seal_block
from kumobashi.courier.errors import (
    MediumFailed,
    MediumMissing,
    MediumNotEmpty,
    MediumTooSmall,
    MediumUnfaithful,
)
from kumobashi.courier.index import Index, sign_index
from kumobashi.courier.places import FOLDER, INDEX, listed, name_of, read_file
from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SigningKey
from kumobashi.kernel import crashpoint
from kumobashi.storage.spool import sync_folder

Told = Callable[[int, int], None]  # files done, files in all
WriteContent = Callable[[BinaryIO], None]  # the same bytes each time it is called


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What goes on a medium: the index without its files, and the content to come."""

    index: Index  # ``files`` empty
    binding: str  # the digest of what decides the content: the same one, the same bytes
    recipient: str  # age1… of the receiving site
    write: WriteContent

    @property
    def blocks(self) -> int:
        """How many files the content takes, with those that only fill the number up."""
        return padded_blocks(-(-self.index.content_bytes // PLAIN_BYTES))


@dataclass(slots=True)
class Journal:
    """The sender's own list of what it has put on one medium; a line for each file."""

    path: Path
    medium: str
    files: list[bytes] = field(default_factory=list)
    token: str | None = None  # the signed index, once it was made
    index_file: bytes = b""  # the digest of its file
    binding: str = ""  # of the content that was written

    @classmethod
    def open(cls, path: Path, medium: str) -> "Journal":
        """Read the journal of a medium; half a line at the end was never durable."""
        journal = cls(path, medium)
        text = path.read_text(encoding="ascii") if path.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            said = json.loads(line)
            if said["medium"] != medium:
                return cls(path, medium)
            journal.binding = said["binding"]
            if "index" in said:
                journal.token, journal.index_file = said["index"], bytes.fromhex(said["file"])
            else:
                journal.files.append(bytes.fromhex(said["file"]))
        return journal

    def note(self, file: bytes) -> None:
        """Add a file; durable on return."""
        self._write({"file": file.hex()})
        self.files.append(file)

    def note_index(self, token: str, file: bytes) -> None:
        """Add the signed index and its file; durable on return."""
        self._write({"index": token, "file": file.hex()})
        self.token, self.index_file = token, file

    def keep(self, count: int) -> None:
        """Forget what is noted behind the first ``count`` files."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.files[:count]
        lines = [json.dumps({**self._head(), "file": one.hex()}) for one in kept]
        beside = self.path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        self.files, self.token = kept, None

    def _write(self, said: dict[str, str]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps({**self._head(), **said}).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _head(self) -> dict[str, str]:
        return {"medium": self.medium, "binding": self.binding}


def write_medium(folder: Path, draft: Draft, journal: Journal, key: SigningKey, told: Told) -> str:
    """Write what is missing on the medium mounted at ``folder``; return its signed index.

    Called again after anything broke off, it goes on; called on a whole medium, it changes nothing.

    Raises:
        MediumMissing: there is no such folder.
        MediumNotEmpty: something else is there; nothing was written over.
        MediumTooSmall: the medium is full.
        MediumUnfaithful: the medium fails while it is written.
    """
    place, kept = _begin(folder, journal, draft.binding)
    if journal.token is not None:
        return journal.token
    sink = _Sink(place, draft, journal, kept, told)
    draft.write(cast("BinaryIO", sink))
    sink.end()
    index = replace(draft.index, files=tuple(journal.files))
    token = sign_index(index, key)
    crashpoint("courier.index_to_write")
    body = seal_block(token.encode("ascii"), draft.recipient)
    noted = hashlib.sha256(body).digest()
    _put(place, INDEX, body, lambda: journal.note_index(token, noted))
    with _medium(INDEX):
        sync_folder(folder)
    crashpoint("courier.index_written")
    return token


def refuse_used(folder: Path) -> None:
    """Raise :class:`MediumNotEmpty` when a new medium holds anything of a consignment."""
    try:
        found = listed(folder)
    except MediumMissing:
        return
    except MediumFailed:
        raise MediumNotEmpty from None
    if found:
        raise MediumNotEmpty


def read_back(folder: Path, journal: Journal, told: Told) -> None:
    """Compare every file with the journal, from the medium itself and not from memory.

    Raises:
        MediumUnfaithful: it gives other bytes, or none.
    """
    wanted = {name_of(number): file for number, file in enumerate(journal.files, 1)}
    wanted[INDEX] = journal.index_file
    for number, (name, file) in enumerate(wanted.items(), 1):
        path = folder / FOLDER / name
        _forget_cached(path)
        if not _is(path, file):
            raise MediumUnfaithful(file=name)
        told(number, len(wanted))


def _begin(folder: Path, journal: Journal, binding: str) -> tuple[Path, int]:
    """Make the folder, or see how much of an earlier export is there; return the files to keep.

    What an earlier export of this medium wrote of another content is removed: receipts that came
    meanwhile go with the next one.
    """
    if not folder.is_dir():
        raise MediumMissing(folder=FOLDER)
    place = folder / FOLDER
    with _medium(FOLDER):
        if not place.exists():
            place.mkdir()
            sync_folder(folder)
    try:
        found = listed(folder)
    except MediumFailed:
        raise MediumNotEmpty from None
    whole = {name: path for name, path in found.items() if name.endswith(".BIN")}
    kept = _kept(journal, whole)
    ours = {name_of(number) for number in range(1, kept + 1)}
    is_over = (
        journal.token is not None
        and kept == len(journal.files)
        and INDEX in whole
        and _is(whole[INDEX], journal.index_file)
    )
    if whole.keys() - ours - ({INDEX} if is_over else set()):
        raise MediumNotEmpty
    is_same = journal.binding == binding
    with _medium(FOLDER):
        for path in (found[name] for name in found.keys() - whole.keys()):
            path.unlink()  # what was being written when it broke off
        if not is_same:
            for path in sorted(whole.values(), reverse=True):  # the index before all others
                path.unlink()
    if not (is_over and is_same):
        kept = kept if is_same else 0
        journal.binding = binding
        journal.keep(kept)
    return place, kept


def _kept(journal: Journal, whole: Mapping[str, Path]) -> int:
    """Return how many files from the first on are those that were noted."""
    for number, wanted in enumerate(journal.files):
        path = whole.get(name_of(number + 1))
        if path is None or not _is(path, wanted):
            return number
    return len(journal.files)


def _is(path: Path, wanted: bytes) -> bool:
    try:
        return hashlib.sha256(read_file(path)).digest() == wanted
    except MediumFailed:
        return False


class _Sink(io.RawIOBase):
    """Takes the content, and writes a file whenever one is full."""

    def __init__(self, place: Path, draft: Draft, journal: Journal, kept: int, told: Told) -> None:
        super().__init__()
        self._place = place
        self._draft = draft
        self._journal = journal
        self._kept = kept
        self._told = told
        self._held = bytearray()
        self._number = 0

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        rest = memoryview(data)
        while rest:
            room = PLAIN_BYTES - len(self._held)
            self._held += rest[:room]
            rest = rest[room:]
            if len(self._held) == PLAIN_BYTES:
                self._flush()
        return len(data)

    def end(self) -> None:
        """Write what is left, and files that only fill the number up."""
        while self._held or self._number < self._draft.blocks:
            self._flush()

    def _flush(self) -> None:
        self._number += 1
        plain = bytes(self._held)
        self._held.clear()
        if self._number > self._kept:
            body = seal_block(plain, self._draft.recipient)
            noted = hashlib.sha256(body).digest()
            _put(self._place, name_of(self._number), body, lambda: self._journal.note(noted))
            crashpoint("courier.file_written")
        self._told(self._number, self._draft.blocks)


def _put(place: Path, name: str, body: bytes, note: Callable[[], None]) -> None:
    """Write a file durably: its bytes first, then the journal, then its name."""
    beside = place / name.replace(".BIN", ".TMP")
    with _medium(name):
        with beside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        crashpoint("courier.file_unnamed")
    note()
    crashpoint("courier.file_noted")
    with _medium(name):
        beside.replace(place / name)
        sync_folder(place)


@contextmanager
def _medium(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise MediumTooSmall(needed_bytes=FILE_BYTES, free_bytes=0) from None
        raise MediumUnfaithful(file=name) from error


def _forget_cached(path: Path) -> None:
    """Have the system let go of what it remembers of a file, where it can be asked to."""
    if hasattr(os, "posix_fadvise"):
        with _medium(path.name):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def index_digest(token: str) -> str:
    """Return what the evidence names a medium's index by."""
    return digest(token.encode("ascii"))
