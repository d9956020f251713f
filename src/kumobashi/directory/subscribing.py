"""What a subscriber makes of a directory that it is given: news, or an alarm.

The signed document that was good last is all that is remembered. A newer one is compared with it
here, so nobody has to believe what a server says has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory.differences import Difference, differences
from kumobashi.directory.document import read
from kumobashi.directory.entries import Directory
from kumobashi.directory.errors import DirectoryForked

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A version that was not known, and how it differs from the one known before."""

    directory: Directory
    since: int  # the version known before; 0: none
    differences: tuple[Difference, ...]  # none when nothing was known to compare with

    @property
    def skipped(self) -> Sequence[int]:
        """The versions between that were never seen; what they changed is told with this one."""
        return range(self.since + 1, self.directory.version) if self.since else ()


def take(offered: str, kept: str | None, *, trusted: VerifyKey, now: datetime) -> News | None:
    """Check a document that is ``offered`` to one who ``kept`` the last; ``None``: it is the same.

    Raises:
        DirectoryOld: it was rolled back.
        DirectoryForked: two documents say that they are the same version.
        DirectoryAltered, DirectoryUnreadable, DirectoryForeign, DirectoryExpired: it is no good.
    """
    if kept is None:
        first = read(offered, trusted=trusted, now=now)
        return News(directory=first, since=0, differences=())
    known = read(kept, trusted=trusted, now=_LONG_AGO)
    directory = read(
        offered,
        trusted=trusted,
        now=now,
        municipality=known.municipality.code,
        known=known.version,
    )
    if directory.version == known.version:
        if directory != known:
            raise DirectoryForked(version=directory.version)
        return None
    return News(
        directory=directory,
        since=known.version,
        differences=tuple(differences(known, directory)),
    )


def version_of(kept: str, *, trusted: VerifyKey) -> int:
    """Return the version of the document that was good last, also when its time is over."""
    return read(kept, trusted=trusted, now=_LONG_AGO).version


def concerns(difference: Difference, name: str | None) -> bool:
    """Whether a difference is about ``name`` or what belongs to it; ``None``: about anything.

    >>> concerns(Difference(kind="interface", name="tax.payments v1", what="added"), "tax")
    True
    >>> concerns(Difference(kind="system", name="taxes", what="added"), "tax")
    False
    """
    if name is None or difference.name == name:
        return True
    return difference.name.startswith((f"{name}.", f"{name} "))


def mark_of(version: int, document: str) -> str:
    """Return the ETag of a document: two of one version have two of them."""
    return f'"{version}-{sha256(document.encode("ascii")).hexdigest()[:16]}"'
