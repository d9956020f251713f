"""Codes by SMS: one form over HTTPS to a gateway for short messages, of the kind sold in Japan.

Such gateways take a number, a text and an id of ours, and answer with a result code as the status
of HTTP; what became of the message is asked for later by the id (送達結果). Their limits: 70
characters, or 660 over several parts; a line break counts twice; what Shift_JIS does not hold may
not arrive. Tables of result codes are not public, so only codes that the settings name end an
address; whatever else is said, the code may have gone out and counts if it comes back.

Number, code and password go in the body alone, never in an address of the web or in an error.

>>> fits("架空市の確認コード", longest=70), fits("あ" * 71, longest=70), fits("𠮷", longest=70)
(True, False, False)
"""

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from kumobashi.consent.channels.errors import (
    AddressRefused,
    ChannelSettingsUnfit,
    SenderAway,
)
from kumobashi.consent.channels.ports import CodeLetter, Delivery
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import LONGEST_CODE, Office, sms_of

_PATIENCE_SECONDS: Final = 20.0  # for each answer
_TAKEN: Final = 200
_MOST_BYTES: Final = 4_096  # of an answer; what is longer is none
_NOT_LET_IN: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRoute:
    """The gateway that takes our short messages."""

    host: str
    port: int
    is_encrypted: bool
    path: str
    reports: str | None  # where it is asked what became of a message; none: nobody asks
    user: str
    password: str = field(repr=False)
    longest: int  # characters of one message
    refused: frozenset[int]  # result codes that say: there is no such number
    authorities: str | None = None  # PEM; default: those of this machine
    patience_seconds: float = _PATIENCE_SECONDS


class SmsSender:
    """Brings codes by SMS."""

    def __init__(self, route: SmsRoute, office: Office) -> None:
        """Raise ``ChannelSettingsUnfit`` where no text with these names could be sent."""
        self._route = route
        self._office = office
        if not fits(sms_of(LONGEST_CODE, office), longest=route.longest):
            raise ChannelSettingsUnfit(
                channel=Channel.SMS.value,
                field="longest",
                expected=f"{route.longest} ≥ 団体名・電話番号を入れた文 (Shift_JIS)",
            )

    def send(self, letter: CodeLetter) -> None:
        """Send one message; raise ``AddressRefused`` or ``SenderAway``."""
        text, name = sms_of(letter, self._office), message_id(letter.record, letter.sending)
        hand_over(self._route, letter.address, text, name=name, record=letter.record)

    def delivery(self, record: str, sending: int) -> Delivery:
        """Return what the gateway knows of a message; raise ``SenderAway``."""
        if self._route.reports is None:
            return Delivery.UNKNOWN
        said = {"smsid": message_id(record, sending)}
        code, body = _asked(self._route, self._route.reports, said, record)
        if code == http.client.NOT_FOUND:  # gateways forget after two days
            return Delivery.UNKNOWN
        _check(code, record)
        try:
            return Delivery(json.loads(body)["status"])
        except (ValueError, KeyError, TypeError):
            return Delivery.UNKNOWN


def hand_over(route: SmsRoute, number: str, text: str, *, name: str, record: str) -> None:
    """Hand one message to the gateway under ``name``; ``record`` is what errors call it.

    Raises:
        AddressRefused: a result code says that there is no such number.
        SenderAway: it did not go through, or nobody knows.
    """
    said = {"mobilenumber": number, "smstext": text, "smsid": name}
    code, _ = _asked(route, route.path, said, record)
    if code in route.refused:
        raise AddressRefused(channel=Channel.SMS.value, reason=str(code))
    _check(code, record)


def _asked(route: SmsRoute, path: str, said: dict[str, str], record: str) -> tuple[int, bytes]:
    form = {"username": route.user, "password": route.password, **said}
    body = urlencode(form, encoding="utf-8").encode("ascii")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "Connection": "close",
    }
    try:
        line = _line(route)
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()  # a redirection is an answer like another
            return answer.status, answer.read(_MOST_BYTES)
        finally:
            line.close()
    except ssl.SSLError:
        raise _away(record, "tls") from None
    except TimeoutError:
        raise _away(record, "timeout") from None
    except (http.client.HTTPException, ConnectionResetError, BrokenPipeError):
        raise _away(record, "disconnected") from None
    except (OSError, ValueError):
        raise _away(record, "no_connection") from None


def _line(route: SmsRoute) -> http.client.HTTPConnection:
    if not route.is_encrypted:
        return http.client.HTTPConnection(route.host, route.port, timeout=route.patience_seconds)
    context = ssl.create_default_context(cadata=route.authorities)
    return http.client.HTTPSConnection(
        route.host, route.port, timeout=route.patience_seconds, context=context
    )


def _check(code: int, record: str) -> None:
    if code != _TAKEN:
        raise _away(record, "auth" if code in _NOT_LET_IN else str(code))


def message_id(record: str, sending: int) -> str:
    """Return our id of one message: the row of the address, and which of its codes it is."""
    return f"{record}.{sending}"


def fits(text: str, *, longest: int) -> bool:
    """Whether a text goes into one message of ``longest`` characters."""
    try:
        narrow = text.encode("cp932")
    except UnicodeEncodeError:
        return False
    breaks = text.count("\n")
    units = len(text.encode("utf-16-be")) // 2 + breaks
    return units <= longest and len(narrow) + breaks <= 2 * longest


def _away(record: str, reason: str) -> SenderAway:
    return SenderAway(channel=Channel.SMS.value, reason=reason, record=record)
