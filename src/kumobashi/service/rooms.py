"""A private folder for each process of a site that shares its state with others.

A lock that the system drops with the process tells a living one's folder from a dead one's.
"""

import shutil
from pathlib import Path

from kumobashi.storage.sole_use import hold


class Rooms:
    """The folders below ``work``; the locks lie beside it, in ``processes``."""

    def __init__(self, work: Path, process: str) -> None:
        """Take the folder of ``process``; it is made by whoever puts something there."""
        self._work = work
        self._process = process
        self._locks = work.parent / "processes"
        self._locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = hold(self._locks / process)
        if mine is None:  # its name is never the same again
            raise RuntimeError("another process has the name of this one")
        self._mine = mine

    def clear(self) -> None:
        """Remove the folders of processes that have ended."""
        names = {path.name for folder in (self._work, self._locks) for path in _in(folder)}
        for name in names - {self._process}:
            lock = self._locks / name
            file = hold(lock)
            if file is None:
                continue  # it lives
            with file:
                shutil.rmtree(self._work / name, ignore_errors=True)
            lock.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the own folder and let go."""
        shutil.rmtree(self._work / self._process, ignore_errors=True)
        self._mine.close()
        (self._locks / self._process).unlink(missing_ok=True)


def _in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
