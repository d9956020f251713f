"""Which calls this site took before it was started: nobody hands one over a second time.

A call is in the journal before a system is asked, so what was done is there, however the process
ended. Only the time in which a signature counts has to be read; older calls are refused by age.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kumobashi.calls.errors import HeaderUnreadable
from kumobashi.calls.header import FIELD, CallHeader
from kumobashi.crypto.message_signatures import CLOCK_SKEW, WINDOW
from kumobashi.kernel import from_wire

Seen = tuple[datetime, str, str]  # when, the asking site, the call
_ASKED = b'"event":"call.asked"'
_HERE = b'"side":"answerer"'


def seen_of_late(folder: Path, now: datetime) -> list[Seen]:
    """Return the calls in the journals of a folder whose signatures may still count, oldest first.

    A line that is no record is left to whoever checks the journal.
    """
    since = now - WINDOW - 2 * CLOCK_SKEW
    found = [
        one
        for path in folder.glob("*.jsonl")
        if _is_younger(path, since)
        for one in _asked(path)
        if one[0] >= since
    ]
    return sorted(found)


def _is_younger(path: Path, since: datetime) -> bool:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) >= since


def _asked(path: Path) -> Iterator[Seen]:
    with path.open("rb") as lines:
        for line in lines:
            if _ASKED not in line or _HERE not in line:
                continue
            try:
                said = json.loads(line)
                header = CallHeader.decode(said["fields"][FIELD])
                at = from_wire(said["at"])
            except (ValueError, LookupError, TypeError, HeaderUnreadable):
                continue
            yield at, header.asking_site, header.call
