"""What open bundles announced: read once, not for each of their parts.

A bundle of a thousand parts has a list of a thousand; an announcement never changes once noted.
"""

from collections import OrderedDict
from dataclasses import dataclass

from kumobashi.crypto.canonical import canonical
from kumobashi.exchange.changes import Key
from kumobashi.exchange.ledger import Ledger
from kumobashi.messages.announcement import Announcement

_KEPT = 8  # bundles; each may list very many parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The parts of one bundle."""

    announcement: Announcement
    bytes_of: dict[str, int]  # by the part's digest in hex


class Announced:
    """The announcements that were looked at last."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[Key, Expected] = OrderedDict()

    def of(self, key: Key) -> Expected:
        """Return what was announced; raise ``NoSuchTransfer``."""
        found = self._kept.pop(key, None) or self._read(key)
        self._kept[key] = found  # the newest last
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _read(self, key: Key) -> Expected:
        announcement = Announcement.decode(canonical(self._ledger.incoming(*key).announcement))
        sizes = {part.digest.removeprefix("sha256:"): part.bytes for part in announcement.parts}
        return Expected(announcement=announcement, bytes_of=sizes)
