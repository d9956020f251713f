"""Rows that a receiver set aside (除いた行), sealed to the key of the transfer they came in.

    quarantine/<link>-<transfer>.parquet.age

They are written in the private folder of the step, sealed, and only then put where they rest: a
backup of that folder is as unreadable as the bundle once the key is gone.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import seal
from kumobashi.kernel import new_id
from kumobashi.messages.manifest import Manifest
from kumobashi.storage.erasable import destroy
from kumobashi.storage.spool import for_its_owner, on_disk, sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where the rows of one transfer are written, and where they rest."""

    plain: Path
    sealed: Path
    recipient: str

    def keep(self) -> None:
        """Seal what was written, durably, and remove the plain file."""
        with self.plain.open("rb") as source:
            self._seal(source)
        destroy(self.plain)

    def _seal(self, source: BinaryIO) -> None:
        self.sealed.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.sealed.with_suffix(f".{new_id()}.tmp")
        with on_disk("quarantine"):
            with open(temporary, "xb", opener=for_its_owner) as target:
                seal(source, target, [self.recipient])
                target.flush()
                os.fsync(target.fileno())
            temporary.replace(self.sealed)
            sync_folder(self.sealed.parent)


class SetAside:
    """The set-aside rows of one site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def room(self, work: Path, manifest: Manifest, key: SealKey) -> Room:
        """Return where rows of a bundle go; ``work`` is the private folder of the step."""
        return Room(
            plain=work / "aside.parquet",
            sealed=self._path(manifest.link, manifest.transfer),
            recipient=key.recipient,
        )

    def seal_older(self, recipient: str) -> int:
        """Seal the files that releases before this one left readable; return how many."""
        found = 0
        for plain in sorted(self._folder.glob("*.parquet")):
            sealed = plain.with_suffix(".parquet.age")
            with suppress(FileNotFoundError):  # another process was a moment earlier
                Room(plain=plain, sealed=sealed, recipient=recipient).keep()
                found += 1
        return found

    def has(self, link: str, transfer: str) -> bool:
        """Whether rows of a transfer lie here."""
        return self._path(link, transfer).exists()

    def forget(self, link: str, transfer: str) -> int:
        """Remove the rows of a transfer; return the files removed."""
        here = list(self._folder.glob(f"{link}-{transfer}.parquet.*"))  # also half written ones
        for path in here:
            path.unlink(missing_ok=True)
        if here:
            sync_folder(self._folder)
        return len(here)

    def _path(self, link: str, transfer: str) -> Path:
        return self._folder / f"{link}-{transfer}.parquet.age"
