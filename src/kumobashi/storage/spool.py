"""Sealed parts in a folder: durable before they are acknowledged, found again by their digest.

    spool/<transfer>/<attempt>/<sha256>.part

A part exists when its file has its final name: it is written under a temporary name, flushed to
disk, renamed, and the folder flushed too. What a crash leaves behind is a ``.tmp`` file, which
nobody reads and ``forget`` removes.
"""

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Self

from kumobashi.kernel import new_id
from kumobashi.storage.errors import BROKEN_DISK, DiskFailed, OwnStoreFailed, PartUnlike, SpoolFull

_PART = ".part"


class Spool:
    """The parts that one gateway holds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def held(self, transfer: str, attempt: int) -> frozenset[str]:
        """Return the digests of the parts that are here."""
        with suppress(FileNotFoundError):
            with os.scandir(self._folder(transfer, attempt)) as entries:
                names = [entry.name for entry in entries]
            return frozenset(name[: -len(_PART)] for name in names if name.endswith(_PART))
        return frozenset()

    def has(self, transfer: str, attempt: int, digest: str) -> bool:
        """Return whether a part is here, without looking at the others."""
        return self._path(transfer, attempt, digest).exists()

    def size(self, transfer: str, attempt: int, digest: str) -> int:
        """Return the bytes of a part that is here."""
        return self._path(transfer, attempt, digest).stat().st_size

    def open(self, transfer: str, attempt: int, digest: str) -> BinaryIO:
        """Open a part for reading."""
        return self._path(transfer, attempt, digest).open("rb")

    def incoming(self, transfer: str, attempt: int, digest: str | None = None) -> "Incoming":
        """Take a part piece by piece; it is there, durably, once ``keep`` has returned.

        Without a ``digest`` the part is known by what its bytes come to.
        """
        folder = self._folder(transfer, attempt)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Incoming(folder, digest)

    def put(self, transfer: str, attempt: int, digest: str, body: bytes) -> None:
        """Keep a whole part."""
        with self.incoming(transfer, attempt, digest) as part:
            part.write(body)
            part.keep()

    def forget(self, transfer: str, attempt: int | None = None) -> None:
        """Remove the parts of one attempt, or of all."""
        folder = self.root / transfer
        shutil.rmtree(folder if attempt is None else folder / str(attempt), ignore_errors=True)
        with suppress(OSError):  # other attempts may still be there
            folder.rmdir()

    def transfers(self) -> set[str]:
        """Return the transfers of which something is here."""
        return {folder.name for folder in self.root.iterdir()}

    def _folder(self, transfer: str, attempt: int) -> Path:
        return self.root / transfer / str(attempt)

    def _path(self, transfer: str, attempt: int, digest: str) -> Path:
        return self._folder(transfer, attempt) / f"{digest}{_PART}"


class Incoming:
    """A part on its way to the disk; in a block, at whose end nothing half written is left."""

    def __init__(self, folder: Path, digest: str | None) -> None:
        self._folder = folder
        self._digest = digest
        self._hash = hashlib.sha256()
        self._temporary = folder / f"{digest or 'part'}.{new_id()}.tmp"
        with on_disk(str(folder.parent.parent)):
            self._handle = FileIO(self._temporary, "wb")

    def __enter__(self) -> Self:
        """Give the part."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file, and remove it unless it was kept."""
        self._handle.close()
        self._temporary.unlink(missing_ok=True)

    @property
    def digest(self) -> str:
        """What the bytes so far come to."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._hash.update(piece)
        rest = memoryview(piece)
        with on_disk(self._temporary.name):
            while rest:  # a nearly full disk takes less than it was given
                rest = rest[self._handle.write(rest) :]

    def keep(self) -> str:
        """Check the digest, make the part durable, and return its digest.

        Raises:
            PartUnlike: the bytes are not those of the digest; nothing was kept.
        """
        digest = self.digest
        if digest != (self._digest or digest):
            raise PartUnlike(digest=self._digest)
        with on_disk(f"{digest}.part"):
            os.fsync(self._handle.fileno())
            self._handle.close()  # Windows gives no other name to an open file
            self._temporary.replace(self._folder / f"{digest}{_PART}")
            sync_folder(self._folder)
        return digest


def for_its_owner(name: str, flags: int) -> int:
    """Open a file that only its owner may read: the ``opener`` of ``open``."""
    return os.open(name, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; Windows opens no folder and keeps its entries itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def on_disk(place: str) -> Iterator[None]:
    """Turn what the operating system says about a disk into our words; ``place`` is named."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SpoolFull(place=place) from None
        if error.errno in BROKEN_DISK:
            raise DiskFailed(place=place) from None
        raise OwnStoreFailed(reason=error.strerror or type(error).__name__) from error
