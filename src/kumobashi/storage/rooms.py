"""A private folder for as long as something is read; what a killed process left is cleared away."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kumobashi.kernel import new_id
from kumobashi.storage.sole_use import alone, hold

_PREFIX = "reading-"
_IN_USE = "in-use"


@contextmanager
def reading_room(private: Path, system: str) -> Iterator[Path]:
    """Give an empty folder below ``private``; it is gone afterwards, whatever happened.

    Raises:
        StoreBusy: another process makes or clears rooms, and does not end.
    """
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    room = private / f"{_PREFIX}{new_id()}"
    with alone(private / "rooms.lock", system):
        _clear(private)
        room.mkdir(mode=0o700)
        in_use = hold(room / _IN_USE)
    try:
        yield room
    finally:
        if in_use is not None:
            in_use.close()
        shutil.rmtree(room, ignore_errors=True)


def _clear(private: Path) -> None:
    """Remove rooms that nobody holds: whoever made them is gone."""
    for left in private.glob(f"{_PREFIX}*"):
        if (held := hold(left / _IN_USE)) is not None:
            held.close()
            shutil.rmtree(left, ignore_errors=True)
