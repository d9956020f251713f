"""What a gateway that serves a service is told of one tie: the whole of it, as it stands now.

A standing replaces every one of the same tie with a lower ``sequence``, so notices may come twice
or out of order. The resident is a token of the receiving system; no number or name is in it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from kumobashi.crypto import base64url
from kumobashi.messages.fields import Fields


class Stands(StrEnum):
    """Whether anything may be done under a tie."""

    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"  # by the resident
    ENDED = "ended"  # in any other way


@dataclass(frozen=True, slots=True, kw_only=True)
class TieStanding:
    """One tie; days are those of Japan, both ends included."""

    tie: str
    token: str
    stands: Stands
    terms: bytes  # canonical JSON, as the hall keeps it
    service: str
    clause: str
    first: date  # of the service
    last: date | None
    sequence: int

    def plain(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "tie": self.tie,
            "token": self.token,
            "stands": self.stands.value,
            "terms": base64url.encode(self.terms),
            "service": self.service,
            "clause": self.clause,
            "first": self.first.isoformat(),
            "last": self.last.isoformat() if self.last else None,
            "sequence": self.sequence,
        }

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """Read what :meth:`plain` gives; raise ``FieldWrong``."""
        return cls(
            tie=fields.identifier("tie"),
            token=fields.word("token"),
            stands=fields.choice("stands", Stands),
            terms=fields.octets("terms"),
            service=fields.name("service"),
            clause=fields.text("clause"),
            first=fields.day("first"),
            last=fields.optional("last", fields.day),
            sequence=fields.positive("sequence"),
        )


def counts_of(ties: Iterable[TieStanding]) -> dict[str, int]:
    """Return how many ties stand how; nothing is left out for being 0."""
    found = Counter(one.stands for one in ties)
    return {one.value: found[one] for one in Stands}
