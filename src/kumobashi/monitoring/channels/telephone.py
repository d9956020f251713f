"""Alerts by telephone: a gateway places the call, reads the text and waits for the key 1.

Asked for a call, it answers with a reference; what came of it is asked for later, or the gateway
says so by itself, signed. The number goes in bodies alone, never in an address of the web.

    POST /calls       {"id", "to", "text", "key": "1"}  → 202 {"call": …}, at a repeat the same
    GET  /calls/…                                       → 200 {"state": "ringing" | "busy" | …}
"""

import json
import re
from dataclasses import dataclass, field

from kumobashi.monitoring.channels.ports import Accepted, Letter, Outcome
from kumobashi.monitoring.channels.posting import Target, ask, check
from kumobashi.monitoring.channels.signing import is_signed
from kumobashi.monitoring.telling.errors import CallbackUnsigned, ChannelAway
from kumobashi.monitoring.telling.letters import spoken_of

KEY = "1"
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNKNOWN = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneChannel:
    """Has people called by one gateway; ``target.path`` is where calls are."""

    target: Target
    token: str = field(repr=False)

    def send(self, letter: Letter) -> Accepted:
        """Ask for a call; raise ``ChannelAway`` or ``LetterRefused``."""
        said = {"id": letter.id, "to": letter.to, "text": spoken_of(letter), "key": KEY}
        body = json.dumps(said, ensure_ascii=False).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        headers["Idempotency-Key"] = letter.id
        status, answer = ask(self.target, "POST", self.target.path, body, headers)
        check(self.target, status)
        reference = _said(answer, "call")
        if not _REFERENCE.fullmatch(reference):
            raise ChannelAway(channel=self.target.channel, reason="not_understood")
        return Accepted(reference=reference)

    def outcome(self, reference: str) -> Outcome:
        """Ask what came of a call; raise ``ChannelAway``."""
        path = f"{self.target.path.rstrip('/')}/{reference}"
        status, answer = ask(self.target, "GET", path, None, self._headers)
        if status == _UNKNOWN:
            return Outcome.UNKNOWN
        if status != 200:  # noqa: PLR2004 - RFC 9110, 15.3.1
            raise ChannelAway(channel=self.target.channel, reason=str(status))
        return _outcome(_said(answer, "state"))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def heard(body: bytes, signature: str, secret: bytes, now: int) -> tuple[str, Outcome]:
    """Return of which call a gateway says what, by itself; raise ``CallbackUnsigned``."""
    if not is_signed(body, signature, secret, now):
        raise CallbackUnsigned
    return _said(body, "call"), _outcome(_said(body, "state"))


def _said(body: bytes, key: str) -> str:
    try:
        value = json.loads(body)[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def _outcome(said: str) -> Outcome:
    try:
        return Outcome(said)
    except ValueError:
        return Outcome.RINGING  # a word of a later release: it is asked again
