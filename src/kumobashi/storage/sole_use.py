"""A file that one process at a time may hold: who comes second is told so at once.

The system lets go of it when the process ends, however it ends.
"""

import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def _claim(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # the first byte, there or not
else:
    import fcntl

    def _claim(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold(path: Path) -> BinaryIO | None:
    """Return the file, held until it is closed, or nothing while another process holds it."""
    file = path.open("ab")
    try:
        _claim(file)
    except OSError:
        file.close()
        return None
    return file
