"""Names that a log or a metric may say: declared sites, systems and links.

A name that nobody declared is not said, however harmless it looks: who plants a resident's name
where a link's name belongs finds it left out. One set for a process, as the log itself is.

>>> names = Names()
>>> names.know(["hall-core", "childcare-daily"])
>>> names.said("hall-core"), names.said("yamada-taro")
('hall-core', '…')
"""

import re
import threading
from collections.abc import Iterable
from typing import Final

LEFT_OUT: Final = "…"
MOST_NAMES: Final = 100_000
_SHAPE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,126}")


class Names:
    """A bounded set of declared names; it only grows, and any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()

    def know(self, names: Iterable[str]) -> None:
        """Add names; beyond :data:`MOST_NAMES` none is added."""
        new = {name for name in names if _SHAPE.fullmatch(name)}
        with self._lock:
            if not new <= self._known and len(self._known) < MOST_NAMES:
                self._known |= new

    def __contains__(self, name: object) -> bool:
        """Whether a name was declared."""
        return name in self._known

    def said(self, name: object) -> str:
        """Return a declared name, and ``…`` for anything else."""
        return name if isinstance(name, str) and name in self._known else LEFT_OUT


declared: Final = Names()
"""The names of this process."""
