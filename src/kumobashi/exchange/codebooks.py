"""The codebooks of a site: private files in the hall, each made once, and known when it is lost.

Beside them stands a register of all that were ever made, with their hashes. A codebook that stands
in the register and is gone, or is not what it was, is lost: what left under it can be read no more,
so nothing more leaves under it, and only a new epoch makes a new one.
"""

import json
import os
from pathlib import Path

from kumobashi.crypto.errors import KeyUnreadable
from kumobashi.crypto.private_files import read_private, write_private
from kumobashi.release.coding import Codebook
from kumobashi.release.errors import CodebookLost, CodebookMissing, CodebookUnreadable
from kumobashi.storage.spool import for_its_owner, sync_folder

_REGISTER = "made.jsonl"
_EXPECTED = "codebook (JSON)"


class Codebooks:
    """The codebooks in one folder, by receiving system, dataset and epoch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, system: str, dataset: str, epoch: str) -> Path:
        """Return where a codebook lies."""
        return self._folder / f"{system}.{dataset}.{epoch}.json"

    def read(self, system: str, dataset: str, epoch: str) -> Codebook:
        """Return a codebook as it was made.

        Raises:
            CodebookMissing: none was made.
            CodebookLost: it was made, and is gone, changed, or open to others.
        """
        path = self.path(system, dataset, epoch)
        made = self._made().get(path.name)
        if made is None:
            raise CodebookMissing(system=system, epoch=epoch)
        try:
            book = Codebook.read(read_private(path, expected=_EXPECTED))
        except (KeyUnreadable, CodebookUnreadable):
            raise CodebookLost(system=system, epoch=epoch) from None
        if book.digest != made:
            raise CodebookLost(system=system, epoch=epoch)
        return book

    def keep(self, book: Codebook) -> Path:
        """Write a new codebook durably; the same one again changes nothing.

        Raises:
            CodebookLost: another was made for this destination and epoch, or this one is gone.
        """
        path = self.path(book.system, book.dataset, book.epoch)
        made = self._made().get(path.name)
        if made is not None:
            if self.read(book.system, book.dataset, book.epoch) != book:
                raise CodebookLost(system=book.system, epoch=book.epoch)
            return path
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # of a making that did not come to its end
        write_private(path, book.text())
        self._note(path.name, book.digest)
        sync_folder(self._folder)
        return path

    def _made(self) -> dict[str, str]:
        """Return the hashes of all codebooks that were made, by file."""
        path = self._folder / _REGISTER
        if not path.exists():
            return {}
        lines = path.read_text(encoding="utf-8").splitlines()
        return {held["file"]: held["hash"] for held in map(json.loads, lines)}

    def _note(self, name: str, digest: str) -> None:
        line = json.dumps({"file": name, "hash": digest}) + "\n"
        path = self._folder / _REGISTER
        with open(path, "a", encoding="utf-8", newline="\n", opener=for_its_owner) as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
