"""Attachments of agreements, kept by their digest in a folder of the site's state.

A name never becomes a path: files are named for what they hold, and a name is only shown. So no
name can climb out, and who changes a file changes its digest, which stands in the signed moves.
"""

import os
import unicodedata
from pathlib import Path
from typing import Final

from kumobashi.agreements.contents import Attachment
from kumobashi.agreements.errors import AttachmentLost, AttachmentUnfit
from kumobashi.crypto.canonical import digest
from kumobashi.storage.spool import for_its_owner

LARGEST_BYTES: Final = 10 << 20  # of one file
MOST: Final = 20
ALL_BYTES: Final = 50 << 20  # of one agreement
_LONGEST_NAME: Final = 100
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')


def check_name(name: str) -> str:
    """Return the name of an attachment; raise :class:`AttachmentUnfit` for one that may mislead."""
    is_plain = (
        0 < len(name) <= _LONGEST_NAME
        and name == name.strip(" .")
        and not set(name) & _FORBIDDEN
        # No controls, and nothing that turns the direction of what is read (exe.pdf).
        and all(unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"} for letter in name)
    )
    if not is_plain:
        raise AttachmentUnfit(
            reason=f"名前は{_LONGEST_NAME}文字まで、/ \\ : などや端の . は使えません",
            reason_en=f"a name has up to {_LONGEST_NAME} letters, no / \\ : and no dot at its ends",
        )
    return name


def check_room(held: tuple[Attachment, ...], name: str, size: int) -> None:
    """Raise :class:`AttachmentUnfit` when one more file of this size is too much."""
    others = [one for one in held if one.name != name]
    if size > LARGEST_BYTES or size == 0:
        raise AttachmentUnfit(
            reason=f"1つのファイルは1バイトから{LARGEST_BYTES >> 20} MiB までです",
            reason_en=f"a file has 1 byte to {LARGEST_BYTES >> 20} MiB",
        )
    if len(others) >= MOST or sum(one.size for one in others) + size > ALL_BYTES:
        raise AttachmentUnfit(
            reason=f"{MOST} 個・合わせて {ALL_BYTES >> 20} MiB までです",
            reason_en=f"up to {MOST} files and {ALL_BYTES >> 20} MiB together",
        )


class Attachments:
    """The folder of one site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, body: bytes, held: tuple[Attachment, ...] = ()) -> Attachment:
        """Keep a file durably; the same bytes again do no harm.

        Raises:
            AttachmentUnfit: its name or size; nothing was kept.
        """
        check_name(name)
        check_room(held, name, len(body))
        made = Attachment(name=name, digest=digest(body), size=len(body))
        target = self._place(made.digest)
        if target.exists() and digest(target.read_bytes()) == made.digest:
            return made
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = target.with_suffix(f".{os.getpid()}.part")
        with open(beside, "wb", opener=for_its_owner) as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(target)
        return made

    def read(self, attachment: Attachment) -> bytes:
        """Return the bytes; raise :class:`AttachmentLost` when they are gone or others."""
        try:
            body = self._place(attachment.digest).read_bytes()
        except OSError:
            raise AttachmentLost(name=attachment.name) from None
        if digest(body) != attachment.digest:
            raise AttachmentLost(name=attachment.name)
        return body

    def _place(self, named: str) -> Path:
        return self._folder / named.removeprefix("sha256:")
