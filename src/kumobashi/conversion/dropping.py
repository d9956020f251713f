"""Which file of a drop folder is meant: names with a business date, and the newest of them. Pure.

>>> name = FileName("児童_{date}*.csv")
>>> name.read("児童_20261121_夜間.csv")
NameRead(day=datetime.date(2026, 11, 21), sequence=0)
>>> name.read("児童_20261399.csv"), name.read("~$児童_20261121.csv")
(None, None)
>>> FileName("児童_{date}_{sequence}.csv").fill(date(2026, 11, 21), 2)
'児童_20261121_2.csv'
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

_PLACES = re.compile(r"(\{date\}|\{sequence\}|\*)")
_MEANT = {"{date}": r"(?P<date>\d{8})", "{sequence}": r"(?P<sequence>\d{1,4})", "*": ".*"}
# What programs call a file while they write it, and what Excel lays beside one that is open.
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp")
_BESIDE = ("~", ".")


class NameRead(NamedTuple):
    """What the name of a file says."""

    day: date | None
    sequence: int


class Newness(NamedTuple):
    """What makes one file newer than another: the date in its name first, then its arrival."""

    day: str  # ISO; empty where names have no date
    sequence: int
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class FileName:
    """A pattern for names: ``{date}`` (YYYYMMDD), ``{sequence}`` and, for reading, ``*``."""

    pattern: str

    @property
    def is_definite(self) -> bool:
        """Whether a file can be written under it."""
        return "*" not in self.pattern

    def read(self, name: str) -> NameRead | None:
        """Return what a name says, or nothing when the pattern does not mean it."""
        if name.startswith(_BESIDE) or name.lower().endswith(UNFINISHED):
            return None
        parts = _PLACES.split(self.pattern)
        expression = "".join(_MEANT.get(part, re.escape(part)) for part in parts)
        found = re.fullmatch(expression, name, re.IGNORECASE)
        if found is None:
            return None
        said = found.groupdict()
        day = None
        if said.get("date"):
            try:
                day = datetime.strptime(said["date"], "%Y%m%d").date()  # noqa: DTZ007 - a calendar date
            except ValueError:
                return None
        return NameRead(day=day, sequence=int(said.get("sequence") or 0))

    def fill(self, day: date, sequence: int) -> str:
        """Return the name of the file of one run."""
        return self.pattern.replace("{date}", f"{day:%Y%m%d}").replace("{sequence}", str(sequence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One file of a drop folder that the pattern means."""

    name: str
    newness: Newness
    size: int


def newest(files: Iterable[Dropped], *, on: date | None, taken: Newness | None) -> Dropped | None:
    """Return the newest file for a business date that is newer than what was taken last.

    A file whose name has a later date than ``on`` is for another run; one that is not newer than
    what was taken is old, and is never sent over it.
    """
    meant = [
        file
        for file in files
        if (on is None or not file.newness.day or file.newness.day <= on.isoformat())
        and (taken is None or file.newness > taken)
    ]
    return max(meant, key=lambda file: (file.newness, file.name), default=None)
