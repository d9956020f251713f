"""The notice of withdrawal (撤回の通知): whose consent ended, by token, and the receipt for it.

The hall tells each receiver of a link which of its tokens may not be used any more, or may again.
Entries carry the number of the change at the hall, so notices may come twice or out of order: for
each token the highest number counts. No name, number or reason of a resident is in it.

A notice without a link is of ties: it goes to the system that serves their services.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, digest
from kumobashi.crypto.keys import SigningKey, VerifyKey
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.fields import Fields
from kumobashi.messages.media_types import FORMAT, WITHDRAWAL_RECEIPT_TYP, WITHDRAWAL_TYP
from kumobashi.messages.standings import TieStanding

MOST_ENTRIES = 5_000
NOT_UNDERSTOOD = frozenset({"http.404", "http.405"})  # how an older release answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """One token: whether its use has to stop, from which change on."""

    token: str
    epoch: str | None  # of the tokens; none: the rule names none
    is_withdrawn: bool
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalNotice:
    """What one receiver is told: of one link, or of ties."""

    tenant: str
    from_site: str
    to_site: str
    link: str | None  # none: of ties
    to_system: str
    last: int  # the change up to which everything was told with this
    at: datetime
    entries: tuple[Withdrawal, ...] = ()
    ties: tuple[TieStanding, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)  # fields of later versions

    @property
    def told(self) -> int:
        """How many things are told."""
        return len(self.entries) + len(self.ties)

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        of_ties = {"ties": [one.plain() for one in self.ties]} if self.link is None else {}
        return canonical(
            {
                **self.extra,
                **of_ties,
                "format": FORMAT,
                "tenant": self.tenant,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "link": self.link,
                "to_system": self.to_system,
                "last": self.last,
                "at": to_wire(self.at),
                "entries": [
                    {
                        "token": one.token,
                        "epoch": one.epoch,
                        "withdrawn": one.is_withdrawn,
                        "sequence": one.sequence,
                    }
                    for one in self.entries
                ],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes.

        Raises:
            FormatUnknown: another major version.
            FieldWrong: names the field; never a value.
        """
        fields = Fields.read("withdrawal", data)
        notice = cls(
            tenant=fields.municipality("tenant"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            link=(link := fields.optional("link", fields.name)),
            to_system=fields.name("to_system"),
            last=fields.positive("last"),
            at=fields.moment("at"),
            entries=tuple(
                Withdrawal(
                    token=one.word("token"),
                    epoch=one.optional("epoch", one.word),
                    is_withdrawn=one.flag("withdrawn"),
                    sequence=one.positive("sequence"),
                )
                for one in fields.objects("entries")
            ),
            ties=tuple(map(TieStanding.of, fields.objects("ties"))) if link is None else (),
            extra=fields.left_over(),
        )
        if notice.link is None and notice.entries:
            raise fields.wrong("entries", "none in a notice of ties")
        if notice.told > MOST_ENTRIES:
            raise fields.wrong("entries", f"at most {MOST_ENTRIES} entries")
        return notice


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalEnvelope:
    """A signed notice under way: what relays need to know of it."""

    tenant: str
    from_site: str
    to_site: str
    notice: str  # JWS

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(
            {
                "format": FORMAT,
                "tenant": self.tenant,
                "from_site": self.from_site,
                "to_site": self.to_site,
                "notice": self.notice,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes; raise ``FormatUnknown`` or ``FieldWrong``."""
        fields = Fields.read("told", data)
        return cls(
            tenant=fields.municipality("tenant"),
            from_site=fields.name("from_site"),
            to_site=fields.name("to_site"),
            notice=fields.token("notice"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalReceipt:
    """The receiver's word that a notice is kept durably and counts there from now on."""

    tenant: str
    site: str
    link: str | None  # none: of ties
    notice_digest: str  # of the notice's JWS
    last: int
    entries: int
    at: datetime

    def encode(self) -> bytes:
        """Return the canonical bytes, those that are signed."""
        return canonical(
            {
                "format": FORMAT,
                "tenant": self.tenant,
                "site": self.site,
                "link": self.link,
                "notice_digest": self.notice_digest,
                "last": self.last,
                "entries": self.entries,
                "at": to_wire(self.at),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read canonical bytes; raise ``FormatUnknown`` or ``FieldWrong``."""
        fields = Fields.read("withdrawal receipt", data)
        return cls(
            tenant=fields.municipality("tenant"),
            site=fields.name("site"),
            link=fields.optional("link", fields.name),
            notice_digest=fields.digest("notice_digest"),
            last=fields.positive("last"),
            entries=fields.integer("entries"),
            at=fields.moment("at"),
        )


def sign_notice(notice: WithdrawalNotice, key: SigningKey) -> str:
    """Return a notice as a compact JWS."""
    return jws.sign(notice.encode(), key, WITHDRAWAL_TYP)


def verify_notice(told: WithdrawalEnvelope, keys: Mapping[str, VerifyKey]) -> WithdrawalNotice:
    """Return the notice if one of ``keys``, those of its sender, signed it.

    Raises:
        SignatureInvalid, UnknownKey: see ``crypto.jws``.
        FormatUnknown, FieldWrong: signed, but not understood.
        MessageForeign: it says other sites than what it travels in.
    """
    notice = WithdrawalNotice.decode(jws.verify(told.notice, keys, WITHDRAWAL_TYP).payload)
    for name in ("tenant", "from_site", "to_site"):
        if getattr(notice, name) != getattr(told, name):
            raise MessageForeign(field=name)
    return notice


def sign_withdrawal_receipt(receipt: WithdrawalReceipt, key: SigningKey) -> str:
    """Return a receipt as a compact JWS."""
    return jws.sign(receipt.encode(), key, WITHDRAWAL_RECEIPT_TYP)


def verify_withdrawal_receipt(
    token: str, keys: Mapping[str, VerifyKey], notice: str
) -> WithdrawalReceipt:
    """Return the receipt if one of ``keys`` signed it and it is for ``notice`` (a JWS).

    Raises:
        SignatureInvalid, UnknownKey, FormatUnknown, FieldWrong: not a receipt.
        MessageForeign: for another notice.
    """
    receipt = WithdrawalReceipt.decode(jws.verify(token, keys, WITHDRAWAL_RECEIPT_TYP).payload)
    if receipt.notice_digest != digest(notice.encode("ascii")):
        raise MessageForeign(field="notice_digest")
    return receipt
