"""A file that one process at a time may hold: who comes second is told so at once.

The system lets go of it when the process ends, however it ends.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kumobashi.storage.errors import StoreBusy

_PATIENCE_SECONDS = 120.0
_LOOK_EVERY_SECONDS = 0.05

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


@contextmanager
def alone(path: Path, system: str) -> Iterator[None]:
    """Let one thread of one process at a time go on, as long as it holds the file.

    Raises:
        StoreBusy: somebody else has held it for two minutes.
    """
    end = time.monotonic() + _PATIENCE_SECONDS
    while (lock := hold(path)) is None:
        if time.monotonic() > end:
            raise StoreBusy(system=system)
        time.sleep(_LOOK_EVERY_SECONDS)
    with lock:
        yield
