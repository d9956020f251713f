"""Ask a receiver whether it still knows what it has signed.

A sender shows a receiver its own receipts. A receiver that has been restored from an older backup
verifies its own signature under a statement that it does not hold, and so knows what it has lost.
"""

from dataclasses import dataclass, field
from typing import Self

from kumobashi.crypto.canonical import canonical
from kumobashi.messages.fields import Fields
from kumobashi.messages.media_types import FORMAT

MOST_RECEIPTS = 100
NOT_UNDERSTOOD = frozenset({"http.404", "http.405"})  # how an older release answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The last receipt of each of some transfers, as their receiver signed them."""

    tenant: str
    from_site: str
    to_site: str
    receipts: tuple[str, ...]  # JWS
    extra: dict[str, object] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "tenant": self.tenant,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "receipts": [{"jws": token} for token in self.receipts],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read("recall", data)
        recall = cls(
            tenant=fields.municipality("tenant"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            receipts=tuple(one.token("jws") for one in fields.objects("receipts")),
            extra=fields.left_over(),
        )
        if len(recall.receipts) > MOST_RECEIPTS:
            raise fields.wrong("receipts", f"at most {MOST_RECEIPTS} receipts")
        return recall
