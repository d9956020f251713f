"""Out of a closed zone: a short message, a call or a webhook as a mail to a bridge outside.

The mail goes to the one mailbox that the settings name, over the relay; what is to be done stands
in it as signed JSON. The bridge, which has lines to the world, does it. Nothing else leaves.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Literal

from kumobashi.consent.channels.smtp import MailRoute
from kumobashi.monitoring.channels.mail import give, message_of
from kumobashi.monitoring.channels.ports import Accepted, Letter
from kumobashi.monitoring.channels.signing import HEADER, signed
from kumobashi.monitoring.telling.letters import plain_of, short_of, spoken_of, title_of

Way = Literal["webhook", "sms", "telephone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedByMail:
    """Hands letters of another way to a bridge, over the relay."""

    name: str
    way: Way
    route: MailRoute
    bridge: str  # the mailbox of the bridge
    secret: bytes = field(repr=False)

    def send(self, letter: Letter) -> Accepted:
        """Hand over one mail for the bridge; raise ``ChannelAway`` or ``LetterRefused``."""
        body = json.dumps(self._asked(letter), ensure_ascii=False).encode()
        message = message_of(replace(letter, to=self.bridge), sender=self.route.sender)
        message[HEADER] = signed(body, self.secret, int(letter.at.timestamp()))
        message.set_content(title_of(letter) + "\n", charset="utf-8", cte="base64")
        message.add_attachment(body, "application", "json", filename="letter.json")
        give(self.name, self.route, self.bridge, message)
        return Accepted()

    def _asked(self, letter: Letter) -> dict[str, object]:
        match self.way:
            case "webhook":
                return {"way": self.way, **plain_of(letter)}
            case "sms":
                said = {"text": short_of(letter)}
            case "telephone":
                said = {"text": spoken_of(letter), "key": "1"}
        return {"kumobashi": 1, "way": self.way, "letter": letter.id, "to": letter.to, **said}
