"""Where things lie on a medium: one folder with short names that every file system can hold.

    COURIER/INDEX.BIN        the index, the last to be written
    COURIER/00000001.BIN …   the content
    COURIER/….TMP            what was being written when something broke off

Everything is looked at without following links, and nothing but plain files of the right size is
opened: a medium comes from outside.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final

from kumobashi.courier.blocks import FILE_BYTES
from kumobashi.courier.errors import (
    MediumDamaged,
    MediumIncomplete,
    MediumMissing,
    MediumStrange,
    MediumTooMany,
)
from kumobashi.courier.index import MOST_BLOCKS

FOLDER: Final = "COURIER"
INDEX: Final = "INDEX.BIN"
_NAME = re.compile(r"(?:[0-9]{8}|INDEX)\.(?:BIN|TMP)")
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def name_of(number: int) -> str:
    """Return the name of a file of the content, from 1.

    >>> name_of(12)
    '00000012.BIN'
    """
    return f"{number:08}.BIN"


def listed(folder: Path) -> dict[str, Path]:
    """Return the files of a consignment by their names in capitals; sizes are not looked at.

    Raises:
        MediumMissing: there is no such folder.
        MediumStrange: a link, a device, a folder, or a name that is not ours.
        MediumTooMany: more than a medium ever holds; it stops counting there.
    """
    place = folder / FOLDER
    try:
        state = os.lstat(place)
    except OSError:
        raise MediumMissing(folder=FOLDER) from None
    if not stat.S_ISDIR(state.st_mode):
        raise MediumStrange(what_ja=f"{FOLDER} がフォルダではない", what=f"{FOLDER} is no folder")
    found: dict[str, Path] = {}
    limit = MOST_BLOCKS + 2
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name.upper()  # some systems show short names in small letters
            if len(found) >= limit:
                raise MediumTooMany(limit=limit)
            if not _NAME.fullmatch(name) or name in found:
                raise MediumStrange(what_ja="知らない名前のファイル", what="a file of another name")
            if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
                raise MediumStrange(
                    what_ja="ふつうのファイルでないもの", what="something that is no plain file"
                )
            found[name] = Path(entry.path)
    return found


def read_file(path: Path) -> bytes:
    """Return the whole of one file of a medium.

    Raises:
        MediumStrange: it is no plain file any more.
        MediumIncomplete: shorter than every file must be.
        MediumDamaged: longer, or the medium cannot be read there.
    """
    name = path.name.upper()
    try:
        with open(path, "rb", buffering=0, opener=_safely) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise MediumStrange(what_ja=f"{name} がふつうのファイルでない", what=f"{name}")
            if state.st_size < FILE_BYTES:
                raise MediumIncomplete(what_ja=f"{name} が短い", what=f"{name} is too short")
            body = bytearray()
            while len(body) <= FILE_BYTES and (piece := file.read(FILE_BYTES + 1 - len(body))):
                body += piece
    except OSError:
        raise MediumDamaged(file=name) from None
    if len(body) != FILE_BYTES:
        raise MediumDamaged(file=name)
    return bytes(body)


def _safely(name: str, flags: int) -> int:
    """Open what is no link, and do not wait for anybody at the other end of a pipe."""
    return os.open(name, flags | _SAFELY)
