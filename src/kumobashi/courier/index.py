"""What a medium says about itself, signed by the site that wrote it, and read only by the receiver.

The index is the last file that is written and the first that is read. It names the digest of every
other file, so nothing on a medium is used before its sender is known, and a medium without a whole
index is one that was not finished.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from kumobashi.courier.blocks import PLAIN_BYTES
from kumobashi.courier.errors import MediumExpired
from kumobashi.crypto import base64url, jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.fields import Fields
from kumobashi.messages.media_types import FORMAT

TYP: Final = "kumobashi-medium+jws"
MOST_BLOCKS: Final = 40_000  # 160 GB; a FAT folder holds 65,000 short names
SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = 32


class Kind(StrEnum):
    """What a medium carries."""

    BUNDLE = "bundle"
    RECEIPTS = "receipts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One medium of one consignment; ``number`` runs from 1 within a permit."""

    medium: str
    permit: str
    kind: Kind
    number: int
    tenant: str
    from_site: str
    to_site: str
    transfer: str | None  # of a bundle
    attempt: int | None
    secret: bytes | None = field(repr=False)  # of a bundle: the key of confirmation codes
    content_bytes: int  # without the zeros behind
    files: tuple[bytes, ...] = field(repr=False)  # SHA-256 of each file, in the order of numbers
    created: datetime
    expires: datetime
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "medium": self.medium,
                "permit": self.permit,
                "kind": self.kind.value,
                "number": self.number,
                "tenant": self.tenant,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "transfer": self.transfer,
                "attempt": self.attempt,
                "secret": None if self.secret is None else base64url.encode(self.secret),
                "content_bytes": self.content_bytes,
                "files": base64url.encode(b"".join(self.files)),
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
        fields = Fields.read("medium", data)
        index = cls(
            medium=fields.identifier("medium"),
            permit=fields.identifier("permit"),
            kind=fields.choice("kind", Kind),
            number=fields.positive("number"),
            tenant=fields.municipality("tenant"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            transfer=fields.optional("transfer", fields.identifier),
            attempt=fields.optional("attempt", fields.positive),
            secret=fields.optional("secret", fields.octets),
            content_bytes=fields.positive("content_bytes"),
            files=_cut(fields),
            created=fields.moment("created"),
            expires=fields.moment("expires"),
            extra=fields.left_over(),
        )
        is_bundle = index.kind is Kind.BUNDLE
        for name in ("transfer", "attempt", "secret"):
            if (getattr(index, name) is not None) != is_bundle:
                raise fields.wrong(name, "a value in a bundle, null otherwise")
        if index.secret is not None and len(index.secret) != SECRET_BYTES:
            raise fields.wrong("secret", f"{SECRET_BYTES} bytes")
        if index.content_bytes > len(index.files) * PLAIN_BYTES:
            raise fields.wrong("content_bytes", "no more than the files hold")
        return index

    def refuse_expired(self, now: datetime) -> None:
        """Raise :class:`MediumExpired` at or after the end."""
        if now >= self.expires:
            raise MediumExpired(expires=to_wire(self.expires))


def sign_index(index: Index, key: SigningKey) -> str:
    """Return the index as a compact JWS."""
    return jws.sign(index.encode(), key, TYP)


def verify_index(token: str, keys: Mapping[str, VerifyKey]) -> Index:
    """Return the index if one of ``keys`` signed it: pass those of the site that it is from.

    Raises:
        SignatureInvalid, UnknownKey: see ``crypto.jws``.
        FormatUnknown, FieldWrong: signed, but not understood.
    """
    return Index.decode(jws.verify(token, keys, TYP).payload)


def _cut(fields: Fields) -> tuple[bytes, ...]:
    expected = f"1 to {MOST_BLOCKS} digests of {_DIGEST_BYTES} bytes"
    joined = fields.octets("files")
    if not joined or len(joined) % _DIGEST_BYTES or len(joined) > MOST_BLOCKS * _DIGEST_BYTES:
        raise fields.wrong("files", expected)
    return tuple(joined[at : at + _DIGEST_BYTES] for at in range(0, len(joined), _DIGEST_BYTES))
