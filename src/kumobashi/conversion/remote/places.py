"""The port: a place elsewhere where files appear whole, under names that nobody uses twice."""

from collections.abc import Container, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

WAITING = ".kumobashi"  # beside the files: what has no name yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file as the place lists it."""

    name: str
    size: int
    version: str  # another one when the bytes are others
    modified: datetime


class RemoteFolder(Protocol):
    """A place while it is open."""

    def listed(self) -> Sequence[Listed]:
        """Return the files there, not those below."""

    def fetch(self, file: Listed, target: Path) -> None:
        """Write the bytes of just this version to ``target``.

        Raises:
            FileChanged: it is another one by now, or gone.
        """

    def put(self, source: Path, name: str, ours: Container[str] = ()) -> None:
        """Let a file appear, whole; one with the same bytes under the name is it already.

        One whose SHA-256 is in ``ours`` is an older one that we have put there; it is replaced.

        Raises:
            NameTaken: another one has the name.
            ConditionIgnored: nobody could tell.
        """

    def digest(self, name: str) -> str | None:
        """Return the SHA-256 of a file in hexadecimal; nothing when there is none."""

    def remove(self, name: str) -> None:
        """Remove a file; none is well."""


class RemotePlace(Protocol):
    """Where a system's files lie."""

    @property
    def label(self) -> str:
        """What people call it; no secret."""

    @property
    def is_whole_at_once(self) -> bool:
        """Whether nothing is seen before all of it is there."""

    def opened(self) -> AbstractContextManager[RemoteFolder]:
        """Open it.

        Raises:
            FolderUnreachable: not there, not answering, or not permitted; try again later.
            PackageMissing: what speaks to it is not installed.
        """
