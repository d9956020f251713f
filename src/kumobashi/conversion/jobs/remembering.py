"""Remember a query job until its rows are here: what takes long is asked for once, not each time.

The note says what was wished, so that another wish never gets rows that were asked for before.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from kumobashi.storage.spool import sync_folder

_LASTS_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """One note; ``wish`` must be the same for what was noted to count."""

    path: Path
    wish: str

    def job(self) -> str | None:
        """Return the job that was asked for, within the last day."""
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        is_ours = said["wish"] == self.wish and 0 <= time.time() - said["at"] < _LASTS_SECONDS
        return str(said["job"]) if is_ours else None

    def note(self, job: str) -> None:
        """Write it down."""
        fresh = self.path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", newline="\n") as writing:
            json.dump({"wish": self.wish, "job": job, "at": time.time()}, writing)
            writing.flush()
            os.fsync(writing.fileno())
        fresh.replace(self.path)
        sync_folder(self.path.parent)

    def forget(self) -> None:
        """Remove the note."""
        self.path.unlink(missing_ok=True)
