"""The manifest: what a bundle is, signed by its sender last, when all its parts are known.

Relays read it to route and to count. So it names digests, sizes and counts, and neither columns nor
anything about a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import DataExpired, MessageExpired
from kumobashi.messages.fields import Fields
from kumobashi.messages.freshness import Freshness, take_freshness
from kumobashi.messages.media_types import CSV, FORMAT, MANIFEST_TYP, PARQUET
from kumobashi.messages.parts import Part, encode_parts, take_parts
from kumobashi.messages.retention import Retention, take_retention

_DOCUMENT = "manifest"


LIVES = timedelta(days=7)  # how long a receiver may still take a bundle in


class Mode(StrEnum):
    """Whether a bundle holds everything or what changed."""

    FULL = "full"  # 全件
    DIFFERENCE = "difference"  # 差分


class MediaType(StrEnum):
    """What the payload is, once opened."""

    PARQUET = PARQUET
    CSV = CSV


class Compression(StrEnum):
    """What lies between payload and seal."""

    NONE = "none"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that is said about one attempt of one transfer; ``docs/protocol.md`` has every field."""

    tenant: str
    transfer: str
    attempt: int
    link: str
    from_site: str
    to_site: str
    to_system: str
    to_dataset: str
    business_date: date
    sequence: int  # runs of this link on this business date, from 1
    mode: Mode
    base_transfer: str | None  # the applied transfer that a difference builds on
    media_type: MediaType
    charset: str | None  # of CSV
    compression: Compression
    payload_digest: str  # before compression
    payload_bytes: int
    sealed_digest: str  # of the age file, all parts joined
    sealed_bytes: int
    rows: int
    deleted_rows: int  # of a difference
    layout: str  # that the receiver checks the rows against
    layout_version: str
    parts: tuple[Part, ...]
    created: datetime
    expires: datetime
    key: str | None = None  # hash of the recipient it is sealed to; none: to the site's own
    retention: Retention | None = None  # how long the receiver may keep it
    freshness: Freshness | None = None  # until when the rows may be used; none: no limit
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                **self.extra,
                **({"key": self.key} if self.key else {}),
                **(self.retention.members() if self.retention else {}),
                **(self.freshness.members() if self.freshness else {}),
                "format": FORMAT,
                "tenant": self.tenant,
                "transfer": self.transfer,
                "attempt": self.attempt,
                "link": self.link,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "to_system": self.to_system,
                "to_dataset": self.to_dataset,
                "business_date": self.business_date.isoformat(),
                "sequence": self.sequence,
                "mode": self.mode.value,
                "base_transfer": self.base_transfer,
                "media_type": self.media_type.value,
                "charset": self.charset,
                "compression": self.compression.value,
                "payload_digest": self.payload_digest,
                "payload_bytes": self.payload_bytes,
                "sealed_digest": self.sealed_digest,
                "sealed_bytes": self.sealed_bytes,
                "rows": self.rows,
                "deleted_rows": self.deleted_rows,
                "layout": self.layout,
                "layout_version": self.layout_version,
                "parts": encode_parts(self.parts),
                "created": to_wire(self.created),
                "expires": to_wire(self.expires),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read(_DOCUMENT, data)
        manifest = cls(
            tenant=fields.municipality("tenant"),
            transfer=fields.identifier("transfer"),
            attempt=fields.positive("attempt"),
            link=fields.name("link"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            to_system=fields.name("to_system"),
            to_dataset=fields.name("to_dataset"),
            business_date=fields.day("business_date"),
            sequence=fields.positive("sequence"),
            mode=fields.choice("mode", Mode),
            base_transfer=fields.optional("base_transfer", fields.identifier),
            media_type=fields.choice("media_type", MediaType),
            charset=fields.optional("charset", fields.word),
            compression=fields.choice("compression", Compression),
            payload_digest=fields.digest("payload_digest"),
            payload_bytes=fields.integer("payload_bytes"),
            sealed_digest=fields.digest("sealed_digest"),
            sealed_bytes=fields.positive("sealed_bytes"),
            rows=fields.integer("rows"),
            deleted_rows=fields.integer("deleted_rows"),
            layout=fields.name("layout"),
            layout_version=fields.word("layout_version"),
            parts=take_parts(fields, "parts"),
            created=fields.moment("created"),
            expires=fields.moment("expires"),
            key=fields.maybe("key", fields.digest),
            retention=take_retention(fields),
            freshness=take_freshness(fields),
            extra=fields.left_over(),
        )
        manifest._refuse_contradictions(fields)
        return manifest

    def digest(self) -> str:
        """Return the digest of the canonical bytes: the name of this manifest in receipts."""
        return digest(self.encode())

    def refuse_expired(self, now: datetime) -> None:
        """Raise :class:`MessageExpired` when the bundle may no longer be taken in."""
        if now >= self.expires:
            raise MessageExpired(transfer=self.transfer, expires=to_wire(self.expires))

    def refuse_old_data(self, now: datetime) -> None:
        """Raise :class:`DataExpired` when the rows are older than their campaigns allow."""
        if self.freshness and self.freshness.is_over(now):
            raise DataExpired(
                transfer=self.transfer,
                core_at=to_wire(self.freshness.core_at),
                usable_until=to_wire(self.freshness.usable_until),
            )

    def _refuse_contradictions(self, fields: Fields) -> None:
        if self.mode is Mode.FULL and self.base_transfer is not None:
            raise fields.wrong("base_transfer", "null in a full transfer")
        if self.mode is Mode.FULL and self.deleted_rows:
            raise fields.wrong("deleted_rows", "0 in a full transfer")
        if (self.charset is None) == (self.media_type is MediaType.CSV):
            raise fields.wrong("charset", "a charset for text/csv, null for the rest")
        if not self.parts or sum(part.bytes for part in self.parts) != self.sealed_bytes:
            raise fields.wrong("parts", "one or more, as long together as sealed_bytes")
        if self.expires <= self.created:
            raise fields.wrong("expires", "a time after created")


def sign_manifest(manifest: Manifest, key: SigningKey) -> str:
    """Return the manifest as a compact JWS, ready to close an attempt with."""
    return jws.sign(manifest.encode(), key, MANIFEST_TYP)


def kept_manifest(token: str) -> Manifest:
    """Return a manifest that was verified, or signed here, before it was kept."""
    return Manifest.decode(jws.kept_payload(token))


def verify_manifest(token: str, keys: Mapping[str, VerifyKey]) -> Manifest:
    """Return the manifest if one of ``keys`` signed it: pass those of the site it says it is from.

    Raises:
        SignatureInvalid, UnknownKey: see ``crypto.jws``.
        FormatUnknown, FieldWrong: signed, but not understood.
    """
    return Manifest.decode(jws.verify(token, keys, MANIFEST_TYP).payload)
