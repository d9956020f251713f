"""Alerts to a webhook: JSON over HTTPS, signed, the same id at every repeat.

The far side may answer ``{"acknowledged_by": "…"}``: somebody there sees to it.
"""

import json
from dataclasses import dataclass, field

from kumobashi.monitoring.channels.ports import Accepted, Letter
from kumobashi.monitoring.channels.posting import Target, ask, check
from kumobashi.monitoring.channels.signing import HEADER, signed
from kumobashi.monitoring.telling.letters import clean, plain_of

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """Posts letters to one address of the web."""

    target: Target
    secret: bytes = field(repr=False)

    def send(self, letter: Letter) -> Accepted:
        """Post a letter; raise ``ChannelAway`` or ``LetterRefused``."""
        body = json.dumps(plain_of(letter), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.id,
            HEADER: signed(body, self.secret, int(letter.at.timestamp())),
        }
        status, answer = ask(self.target, "POST", self.target.path, body, headers)
        check(self.target, status)
        return Accepted(acknowledged_by=_taker(answer))


def _taker(answer: bytes) -> str | None:
    try:
        said = json.loads(answer)["acknowledged_by"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    name = clean(said, longest=_LONGEST_NAME) if isinstance(said, str) else ""
    return name or None
