"""What the round trip needs from outside: somebody who brings a code to an address."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from kumobashi.consent.channels.states import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLetter:
    """One code on its way; address and code are never shown where this is."""

    record: str
    channel: Channel
    address: str = field(repr=False)  # in its one form
    code: str = field(repr=False)
    until: datetime
    at: datetime  # when it is written
    sending: int = 1  # which code of the row it is


class Delivery(StrEnum):
    """What a channel knows of a message that it has taken (送達結果)."""

    WAITING = "waiting"
    DELIVERED = "delivered"  # to the handset
    UNDELIVERED = "undelivered"  # carriers do not say why
    UNKNOWN = "unknown"  # nobody was asked, or it is forgotten

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Delivery.WAITING: "送達待ち",
            Delivery.DELIVERED: "端末に届いた",
            Delivery.UNDELIVERED: "届かなかった",
            Delivery.UNKNOWN: "分からない",
        }[self]


class Sender(Protocol):
    """Brings a code to an address, by one channel."""

    def send(self, letter: CodeLetter) -> None:
        """Hand a code over; when this returns, the channel has taken it.

        Raises:
            AddressRefused: there is no such address, now and later.
            SenderAway: it did not go through, or nobody knows; another try may.
        """


@runtime_checkable
class Reporting(Protocol):
    """A sender that is told what becomes of its messages."""

    def delivery(self, record: str, sending: int) -> Delivery:
        """Return what is known of one message; raise ``SenderAway``."""
