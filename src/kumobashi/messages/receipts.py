"""Receipts (到達確認): what the receiver states about a bundle, signed, each naming the one before.

They form a chain from the first to the last; a receipt that is left out, exchanged or put in
between breaks it. Which may follow which is the table :data:`ALLOWED_NEXT`; a bundle ends applied
or refused, never both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import ReceiptForeign, ReceiptOutOfOrder
from kumobashi.messages.fields import Fields
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.media_types import FORMAT, RECEIPT_TYP


class Stage(StrEnum):
    """What happened to the bundle at the receiver."""

    DELIVERED = "delivered"  # 到達: all parts are durable there, digests and signature hold
    OPENED = "opened"  # 復号: decrypted and unpacked, the payload is the one that was sent
    VALIDATED = "validated"  # 検証: rows checked against the layout
    APPLIED = "applied"  # 取込: in the receiving system's data, once
    REFUSED = "refused"  # 拒否: not applied, with the reason
    DELETED = "deleted"  # 消去: destroyed at the receiver


ALLOWED_NEXT: Final[Mapping[Stage | None, frozenset[Stage]]] = MappingProxyType(
    {
        None: frozenset({Stage.DELIVERED, Stage.REFUSED}),
        Stage.DELIVERED: frozenset({Stage.OPENED, Stage.REFUSED}),
        Stage.OPENED: frozenset({Stage.VALIDATED, Stage.REFUSED}),
        Stage.VALIDATED: frozenset({Stage.APPLIED, Stage.REFUSED}),
        Stage.APPLIED: frozenset({Stage.DELETED}),
        Stage.REFUSED: frozenset({Stage.DELETED}),
        Stage.DELETED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One statement of the receiving site about one manifest."""

    receipt: str
    tenant: str
    transfer: str
    attempt: int
    manifest_digest: str
    stage: Stage
    site: str
    rows: int | None  # counted at this stage, where rows are known
    findings: int
    code: str | None  # of the error, when refused
    note_ja: str | None  # for people; nothing about a person
    at: datetime
    previous: str | None  # digest of the receipt before
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    @property
    def deleted(self) -> Mapping[str, object]:
        """What a ``deleted`` receipt says besides; other stages say nothing."""
        said = self.extra.get("deleted")
        return said if isinstance(said, dict) else {}

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                **self.extra,
                "format": FORMAT,
                "receipt": self.receipt,
                "tenant": self.tenant,
                "transfer": self.transfer,
                "attempt": self.attempt,
                "manifest_digest": self.manifest_digest,
                "stage": self.stage.value,
                "site": self.site,
                "rows": self.rows,
                "findings": self.findings,
                "code": self.code,
                "note_ja": self.note_ja,
                "at": to_wire(self.at),
                "previous": self.previous,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read("receipt", data)
        receipt = cls(
            receipt=fields.identifier("receipt"),
            tenant=fields.municipality("tenant"),
            transfer=fields.identifier("transfer"),
            attempt=fields.positive("attempt"),
            manifest_digest=fields.digest("manifest_digest"),
            stage=fields.choice("stage", Stage),
            site=fields.name("site"),
            rows=fields.optional("rows", fields.integer),
            findings=fields.integer("findings"),
            code=fields.optional("code", fields.error_code),
            note_ja=fields.optional("note_ja", fields.note),
            at=fields.moment("at"),
            previous=fields.optional("previous", fields.digest),
            extra=fields.left_over(),
        )
        if (receipt.stage is Stage.REFUSED) != (receipt.code is not None):
            raise fields.wrong("code", "an error code when refused, null otherwise")
        return receipt

    def digest(self) -> str:
        """Return the digest of the canonical bytes, which the next receipt names."""
        return digest(self.encode())


def next_receipt(  # noqa: PLR0913 - a receipt states this many facts
    previous: Receipt | None,
    *,
    manifest: Manifest,
    stage: Stage,
    receipt: str,
    at: datetime,
    rows: int | None = None,
    findings: int = 0,
    code: str | None = None,
    note_ja: str | None = None,
    checkpoint: str | None = None,
    deleted: Mapping[str, object] | None = None,
) -> Receipt:
    """Return the receipt that follows ``previous``, by the site the manifest is for.

    ``checkpoint`` is the newest of that site's evidence log; readers that do not know it keep it.
    ``deleted`` is what only that stage says: rows, who took over, the hash of the destroyed key.

    Raises:
        ReceiptOutOfOrder: ``stage`` may not follow.
        ReceiptForeign: ``previous`` is about another manifest.
    """
    if (stage is Stage.REFUSED) != (code is not None):
        raise ValueError("a refusal has a code, and nothing else has one")
    said: dict[str, object] = {"checkpoint": checkpoint} if checkpoint else {}
    if deleted:
        said["deleted"] = dict(deleted)
    following = Receipt(
        receipt=receipt,
        tenant=manifest.tenant,
        transfer=manifest.transfer,
        attempt=manifest.attempt,
        manifest_digest=manifest.digest(),
        stage=stage,
        site=manifest.to_site,
        rows=rows,
        findings=findings,
        code=code,
        note_ja=note_ja,
        at=at,
        previous=None if previous is None else previous.digest(),
        extra=said,
    )
    _check_link(previous, following)
    return following


def check_chain(receipts: Sequence[Receipt], manifest_digest: str) -> Stage | None:
    """Return the stage that was reached, after checking every link of the chain.

    Signatures are checked before, one by one, with :func:`verify_receipt`.

    Raises:
        ReceiptOutOfOrder: a stage that may not follow, or a digest that is not the one before.
        ReceiptForeign: about another manifest, transfer or attempt, or of another site.
    """
    previous = None
    for receipt in receipts:
        if receipt.manifest_digest != manifest_digest:
            raise ReceiptForeign(field="manifest_digest")
        _check_link(previous, receipt)
        previous = receipt
    return None if previous is None else previous.stage


def sign_receipt(receipt: Receipt, key: SigningKey) -> str:
    """Return the receipt as a compact JWS; store it, and give the same one whenever asked."""
    return jws.sign(receipt.encode(), key, RECEIPT_TYP)


def verify_receipt(token: str, keys: Mapping[str, VerifyKey]) -> Receipt:
    """Return the receipt if one of ``keys`` signed it: pass those of the receiving site.

    Raises:
        SignatureInvalid, UnknownKey: see ``crypto.jws``.
        FormatUnknown, FieldWrong: signed, but not understood.
    """
    return Receipt.decode(jws.verify(token, keys, RECEIPT_TYP).payload)


def kept_receipt(token: str) -> Receipt:
    """Return a receipt that was verified, or signed here, before it was kept."""
    return Receipt.decode(jws.kept_payload(token))


def _check_link(previous: Receipt | None, receipt: Receipt) -> None:
    before = "nothing" if previous is None else previous.stage.value
    if previous is not None:
        for name in ("tenant", "transfer", "attempt", "manifest_digest", "site"):
            if getattr(previous, name) != getattr(receipt, name):
                raise ReceiptForeign(field=name)
    if receipt.stage not in ALLOWED_NEXT[None if previous is None else previous.stage]:
        raise ReceiptOutOfOrder(previous=before, stage=receipt.stage.value)
    if receipt.previous != (None if previous is None else previous.digest()):
        raise ReceiptOutOfOrder(previous=before, stage=receipt.stage.value)
