"""What one record says: who did what to which transfer, on which basis; never about a person.

A record can hold nothing but identifiers, digests, codes and counts: a value of any other shape is
refused while it is written, so no name, address or sentence can get in. The canonical bytes are
what is stored, hashed and exported; nobody makes them canonical a second time.

>>> from datetime import UTC, datetime
>>> at = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
>>> Entry(event="transfer.moved", at=at, facts={"after": "sent"}).encode().decode()
'{"after":"sent","at":"2026-11-21T16:20:00.000000Z","by":"gateway","event":"transfer.moved"}'
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kumobashi.crypto.canonical import canonical
from kumobashi.evidence.errors import EntryUnfit
from kumobashi.kernel import to_wire

GATEWAY = "gateway"
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/@+-]{0,199}")
_NOTE = re.compile(r"[a-z0-9./_-]+\n[0-9]+\n[A-Za-z0-9+/=]+\n\n(?:— [!-~]+ [A-Za-z0-9+/=]+\n)+")
_TEXTS = frozenset(
    {
        "link", "transfer", "business_date", "mode", "plan_hash", "legal_basis", "before", "after",
        "manifest", "announcement", "code", "stage", "receipt", "side", "from_site", "to_site",
        "peer", "asked_by", "id", "account", "role", "resends", "permit", "medium", "return_by",
        "codebook", "agreement", "move", "act", "consent", "purpose", "tier", "reason", "revision",
        "tie", "service", "channel", "document", "journal", "root",
    }
)  # fmt: skip
_NUMBERS = frozenset({"attempt", "sequence", "number", "size"})
Fact = str | int | Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record before it is written; facts that are ``None`` are left out."""

    event: str
    at: datetime
    by: str = GATEWAY  # or "operator", "local-api", "account:<name>"
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the canonical bytes.

        Raises:
            EntryUnfit: names the field that may not stand in a record; never its value.
        """
        said = {name: value for name, value in self.facts.items() if value is not None}
        for name, value in {"event": self.event, "by": self.by, **said}.items():
            if not _fits(name, value):
                raise EntryUnfit(field=name)
        return canonical({**said, "event": self.event, "at": to_wire(self.at), "by": self.by})


def _fits(name: str, value: object) -> bool:
    if name == "checkpoint":
        return isinstance(value, str) and bool(_NOTE.fullmatch(value))
    if name in _NUMBERS:
        return type(value) is int
    if name == "counts":
        return isinstance(value, Mapping) and all(
            _IDENTIFIER.fullmatch(key) and type(count) is int for key, count in value.items()
        )
    is_known = name in _TEXTS or name in {"event", "by"}
    return is_known and isinstance(value, str) and bool(_IDENTIFIER.fullmatch(value))
