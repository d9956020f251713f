"""Files that only their owner may read: created 0600 in a 0700 folder, refused when laxer."""

import os
import stat
import sys
from pathlib import Path

from kumobashi.crypto.errors import KeyExists, KeyTooOpen, KeyUnreadable

_LIMIT = 16 << 10  # bytes; every key file is far smaller
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, *, expected: str) -> bytes:
    """Return the content of a private file; ``expected`` names its kind in the failure.

    Raises:
        KeyTooOpen: the group or the world may do anything with it.
        KeyUnreadable: it is missing, no file, or far larger than a key.
    """
    try:
        with path.open("rb") as file:
            # Looked at through the open file, so that it cannot be exchanged in between.
            state = os.fstat(file.fileno())
            if sys.platform != "win32" and state.st_mode & _OTHERS:
                raise KeyTooOpen(path=str(path), mode=f"{stat.S_IMODE(state.st_mode):04o}")
            data = file.read(_LIMIT + 1)
    except OSError:
        raise KeyUnreadable(path=str(path), expected=expected) from None
    if len(data) > _LIMIT:
        raise KeyUnreadable(path=str(path), expected=expected)
    return data


def write_private(path: Path, data: bytes) -> None:
    """Write a new private file durably; its folder is made with mode 0700 if need be.

    Raises:
        KeyExists: something is there already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = open(path, "xb", opener=_for_its_owner)  # noqa: SIM115 - closed below
    except FileExistsError:
        raise KeyExists(path=str(path)) from None
    with file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _for_its_owner(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
