"""What the people at a desk do with addresses of residents, as JSON in and JSON out.

Addresses, codes and numbers come in bodies only; none of them goes into an answer. No deed opens an
address: only senders inside do, by :meth:`ChannelBook.proven_address`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kumobashi.consent.channels.rows import plain_address
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.records import plain_record
from kumobashi.service.asking import said_choice, said_text
from kumobashi.service.consents import Consents

Said = Mapping[str, Any]
Answer = dict[str, Any]


class ChannelDesk:
    """The book of addresses of one site, as people use it."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents
        self.deeds: Mapping[str, Callable[[Said, str], Answer]] = {
            "channel_add": self.add,
            "channel_resend": self.resend,
            "channel_confirm": self.confirm,
            "channel_delivery": self.delivery,
            "channel_list": self.list,
            "channel_remove": self.remove,
        }

    def add(self, said: Said, by: str) -> Answer:
        """Take an address and send a code there."""
        self._consents.tidy_channels()
        made = self._consents.channels.add(
            said_text(said, "resident_no"),
            said_choice(said, "channel", Channel),
            said_text(said, "address"),
            by=by,
        )
        return {"addresses": [plain_address(made)]}

    def resend(self, said: Said, by: str) -> Answer:
        """Send a new code."""
        return {
            "addresses": [
                plain_address(self._consents.channels.resend(said_text(said, "record"), by=by))
            ]
        }

    def confirm(self, said: Said, by: str) -> Answer:
        """Take the code that came back, and grant what waited for it."""
        book, record = self._consents.channels, said_text(said, "record")
        proven = book.confirm(record, said_text(said, "code"), by=by)
        subject = book.subject_of(record)
        granted = self._consents.ledger.grant_reached(subject, proven.channel, by=by)
        self._consents.tidy_channels()
        return {
            "addresses": [plain_address(proven)],
            "records": [plain_record(one) for one in granted],
        }

    def delivery(self, said: Said, _by: str) -> Answer:
        """Ask the channel what became of the newest code."""
        book, record = self._consents.channels, said_text(said, "record")
        found = book.delivery(record)
        told = {"delivery": found.value, "delivery_ja": found.ja}
        return {"addresses": [plain_address(book.address(record))], **told}

    def list(self, said: Said, _by: str) -> Answer:
        """Return a resident's rows; no address is in them."""
        self._consents.tidy_channels()
        found = self._consents.channels.of_resident(said_text(said, "resident_no"))
        return {"addresses": [plain_address(one) for one in found]}

    def remove(self, said: Said, by: str) -> Answer:
        """Take an address back."""
        removed = self._consents.channels.remove(said_text(said, "record"), by=by)
        self._consents.tidy_channels()
        return {"addresses": [plain_address(removed)]}
