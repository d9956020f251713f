"""Codes on paper: a page of A4 for each, in a folder from which an office prints and posts.

The page holds address and code, so only its owner may read it, and it goes as soon as the code is
of no use: :func:`keep_only`.
"""

import os
from collections.abc import Collection
from pathlib import Path

from kumobashi.consent.channels.errors import SenderAway
from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.wording import Office, page_of
from kumobashi.storage.erasable import destroy
from kumobashi.storage.spool import for_its_owner, sync_folder

_PAGE, _HALF = ".html", ".tmp"


class LetterSender:
    """Lays letters into a folder."""

    def __init__(self, folder: Path, office: Office) -> None:
        self._folder = folder
        self._office = office

    def send(self, letter: CodeLetter) -> None:
        """Write one page durably, in place of an older one; raise ``SenderAway``."""
        half = self._folder / f"{letter.record}{_HALF}"
        page = self.place(letter.record)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            half.unlink(missing_ok=True)
            with open(half, "x", encoding="utf-8", newline="\n", opener=for_its_owner) as file:
                file.write(page_of(letter, self._office))
                file.flush()
                os.fsync(file.fileno())
            half.replace(page)
            sync_folder(self._folder)
        except OSError:
            raise SenderAway(
                channel=letter.channel.value, reason="disk", record=letter.record
            ) from None

    def place(self, record: str) -> Path:
        """Return where the page of a row lies."""
        return self._folder / f"{record}{_PAGE}"


def keep_only(folder: Path, records: Collection[str]) -> int:
    """Overwrite and remove the pages of all other rows in a folder; return how many."""
    pages = [*folder.glob(f"*{_PAGE}"), *folder.glob(f"*{_HALF}")]
    gone = [page for page in pages if page.stem not in records]
    for page in gone:
        destroy(page)
    return len(gone)
