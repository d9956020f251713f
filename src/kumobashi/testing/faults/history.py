"""What the sender meant to send and was told about it: one line for each event, flushed at once.

An intent is invoked once and ends as ``ok`` (the sender shows it applied), ``fail`` (refused, with
a code) or ``info`` (nobody answered, so it may or may not have happened). The file only grows; a
line cut off by the writer's own death is left out when reading.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]
ENDS = ("ok", "fail", "info")


class History:
    """A history that is being written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab", buffering=0)

    def note(self, event: str, **facts: object) -> None:
        """Add an event; it is on disk when this returns."""
        line = {"at": time.time(), "event": event, **facts}
        self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
        os.fsync(self._file.fileno())

    def invoke(self, intent: str, *, link: str, day: str, rows: Mapping[str, str]) -> None:
        """Note that ``intent`` is about to be asked for; ``rows`` is digest by key, as expected.

        The rows go into a file beside the history, which has its name alone.
        """
        folder = self.path.parent / "expected"
        folder.mkdir(exist_ok=True)
        name = f"{intent.replace(' ', '_')}.json"
        with (folder / name).open("w", encoding="utf-8") as file:
            json.dump(dict(rows), file)
            file.flush()
            os.fsync(file.fileno())
        self.note("invoke", intent=intent, link=link, day=day, rows_at=f"expected/{name}")

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()


def read_events(path: Path) -> list[Event]:
    """Return the events in their order; raise ``ValueError`` for a broken line within."""
    lines = path.read_bytes().split(b"\n")
    whole = lines[:-1]  # behind the last line end stands nothing, or what a death cut off
    return [json.loads(line) for line in whole if line]
