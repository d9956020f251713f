"""Alerts by mail: over the client that also brings codes, so there is one way to be careful."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from kumobashi.consent.channels.errors import AddressRefused, SenderAway
from kumobashi.consent.channels.smtp import MailRoute, hand_over
from kumobashi.monitoring.channels.ports import Accepted, Letter
from kumobashi.monitoring.telling.errors import ChannelAway, LetterRefused
from kumobashi.monitoring.telling.letters import mail_of, title_of

_FROM = "雲橋 見張り"


class MailChannel:
    """Hands letters to a mail server; that it says yes is no proof of arrival."""

    def __init__(self, name: str, route: MailRoute) -> None:
        self._name = name
        self._route = route

    def send(self, letter: Letter) -> Accepted:
        """Hand over one mail; raise ``ChannelAway`` or ``LetterRefused``."""
        message = message_of(letter, sender=self._route.sender)
        message.set_content(mail_of(letter), charset="utf-8", cte="base64")
        give(self._name, self._route, letter.to, message)
        return Accepted()


def give(name: str, route: MailRoute, address: str, message: EmailMessage) -> None:
    """Hand over a message; raise ``ChannelAway`` or ``LetterRefused``."""
    try:
        hand_over(route, address, message.as_bytes(policy=SMTP), record=name)
    except AddressRefused as refused:
        raise LetterRefused(channel=name, reason=refused.reason) from None
    except SenderAway as away:
        raise ChannelAway(channel=name, reason=away.reason) from None


def message_of(letter: Letter, *, sender: str) -> EmailMessage:
    """Return a mail without its text; a repeat has the same ``Message-ID``."""
    local, _, domain = letter.to.rpartition("@")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = title_of(letter)
    message["From"] = Address(_FROM, addr_spec=sender)
    message["To"] = Address(username=local, domain=domain)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by machine
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Kumobashi-Letter"] = letter.id
    if letter.alerts:
        message["X-Kumobashi-Alert"] = letter.first.id
    return message
