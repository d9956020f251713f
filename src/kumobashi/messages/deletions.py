"""The request to delete (消去依頼): the sender's signed word that a receiver keeps it no longer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.fields import Fields
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.media_types import DELETION_TYP, FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRequest:
    """One request about one manifest; it names roles' decisions, never a person."""

    request: str
    tenant: str
    transfer: str
    attempt: int
    manifest_digest: str
    site: str  # the manifest's from_site, which signs
    persons: int  # how many decided it: two where a law asks to keep the data
    at: datetime
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "request": self.request,
                "tenant": self.tenant,
                "transfer": self.transfer,
                "attempt": self.attempt,
                "manifest_digest": self.manifest_digest,
                "site": self.site,
                "persons": self.persons,
                "at": to_wire(self.at),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read("deletion", data)
        return cls(
            request=fields.identifier("request"),
            tenant=fields.municipality("tenant"),
            transfer=fields.identifier("transfer"),
            attempt=fields.positive("attempt"),
            manifest_digest=fields.digest("manifest_digest"),
            site=fields.name("site"),
            persons=fields.positive("persons"),
            at=fields.moment("at"),
            extra=fields.left_over(),
        )


def sign_deletion(request: DeletionRequest, key: SigningKey) -> str:
    """Return the request as a compact JWS."""
    return jws.sign(request.encode(), key, DELETION_TYP)


def verify_deletion(
    token: str, keys: Mapping[str, VerifyKey], manifest: Manifest
) -> DeletionRequest:
    """Return the request if one of ``keys`` signed it and it is about ``manifest``.

    Raises:
        SignatureInvalid, UnknownKey: see ``crypto.jws``.
        FormatUnknown, FieldWrong: signed, but not understood.
        MessageForeign: about another bundle, or of another site.
    """
    request = DeletionRequest.decode(jws.verify(token, keys, DELETION_TYP).payload)
    said = {
        "tenant": (request.tenant, manifest.tenant),
        "transfer": (request.transfer, manifest.transfer),
        "attempt": (request.attempt, manifest.attempt),
        "manifest_digest": (request.manifest_digest, manifest.digest()),
        "site": (request.site, manifest.from_site),
    }
    for name, (theirs, ours) in said.items():
        if theirs != ours:
            raise MessageForeign(field=name)
    return request
