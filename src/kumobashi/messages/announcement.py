"""The announcement: what a site is about to put, so that the other can say what it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from kumobashi.crypto.canonical import canonical, digest
from kumobashi.kernel import to_wire
from kumobashi.messages.fields import Fields
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.parts import Part, encode_parts, take_parts


class AttemptState(StrEnum):
    """How far one attempt is at the site that answers."""

    OPEN = "open"  # parts are being taken
    CLOSED = "closed"  # the manifest is held; it is carried on, or worked on
    FINISHED = "finished"  # applied or refused; it never reopens
    SUPERSEDED = "superseded"  # a newer attempt took its place before it was finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One attempt of one transfer, before its parts; it lists them as the manifest will."""

    tenant: str
    transfer: str
    attempt: int
    link: str
    from_site: str
    to_site: str
    business_date: date
    parts: tuple[Part, ...]
    sealed_bytes: int
    created: datetime
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "tenant": self.tenant,
                "transfer": self.transfer,
                "attempt": self.attempt,
                "link": self.link,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "business_date": self.business_date.isoformat(),
                "parts": encode_parts(self.parts),
                "sealed_bytes": self.sealed_bytes,
                "created": to_wire(self.created),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read("announcement", data)
        announcement = cls(
            tenant=fields.municipality("tenant"),
            transfer=fields.identifier("transfer"),
            attempt=fields.positive("attempt"),
            link=fields.name("link"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            business_date=fields.day("business_date"),
            parts=take_parts(fields, "parts"),
            sealed_bytes=fields.positive("sealed_bytes"),
            created=fields.moment("created"),
            extra=fields.left_over(),
        )
        if sum(part.bytes for part in announcement.parts) != announcement.sealed_bytes:
            raise fields.wrong("sealed_bytes", "the bytes of all parts together")
        return announcement

    def digest(self) -> str:
        """Return the digest of the canonical bytes; the same announcement again has the same."""
        return digest(self.encode())
