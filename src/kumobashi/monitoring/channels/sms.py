"""Alerts by short message: over the client that also brings codes."""

from kumobashi.consent.channels import sms
from kumobashi.consent.channels.errors import AddressRefused, SenderAway
from kumobashi.consent.channels.sms import SmsRoute
from kumobashi.monitoring.channels.ports import Accepted, Letter
from kumobashi.monitoring.telling.errors import ChannelAway, LetterRefused
from kumobashi.monitoring.telling.letters import short_of


class SmsChannel:
    """Hands letters to a gateway for short messages."""

    def __init__(self, name: str, route: SmsRoute) -> None:
        self._name = name
        self._route = route

    def send(self, letter: Letter) -> Accepted:
        """Hand over one message; raise ``ChannelAway`` or ``LetterRefused``."""
        text = short_of(letter, longest=self._route.longest)
        try:
            sms.hand_over(self._route, letter.to, text, name=letter.id, record=self._name)
        except AddressRefused as refused:
            raise LetterRefused(channel=self._name, reason=refused.reason) from None
        except SenderAway as away:
            raise ChannelAway(channel=self._name, reason=away.reason) from None
        return Accepted()
