"""What the round trip needs from outside: somebody who brings a code to an address."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

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


class Sender(Protocol):
    """Brings a code to an address, by one channel."""

    def send(self, letter: CodeLetter) -> None:
        """Hand a code over; when this returns, the channel has taken it.

        Raises:
            AddressRefused: there is no such address, now and later.
            SenderAway: it did not go through, or nobody knows; another try may.
        """
