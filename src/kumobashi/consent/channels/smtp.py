"""Codes by mail: one message to one address over SMTP (RFC 5321), with STARTTLS or TLS.

Only an answer that says "there is no such address" ends the address. Whatever else goes wrong, also
a line that breaks after the whole message was handed over, leaves it waiting: the code may have
gone out, and counts if it comes back. What the server wrote is never repeated: it holds addresses.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Literal

from kumobashi.consent.channels.errors import AddressRefused, SenderAway
from kumobashi.consent.channels.ports import CodeLetter
from kumobashi.consent.channels.states import Channel
from kumobashi.consent.channels.wording import Office, mail_of, subject_of

Security = Literal["starttls", "tls", "none"]
_PATIENCE_SECONDS = 20.0  # for each answer
_OURS = re.compile(rb"\b[45]\.(?!1\.)\d{1,3}\.\d{1,3}\b")  # RFC 3463: not about the address (X.1.X)
_NO_ADDRESS = frozenset({550, 551, 553})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRoute:
    """The server that takes our mail."""

    host: str
    port: int
    security: Security
    sender: str  # address in From and on the envelope
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authorities: str | None = None  # PEM; default: those of this machine
    patience_seconds: float = _PATIENCE_SECONDS


class SmtpSender:
    """Brings codes by mail."""

    def __init__(self, route: MailRoute, office: Office) -> None:
        self._route = route
        self._office = office

    def send(self, letter: CodeLetter) -> None:
        """Send one mail; raise ``AddressRefused`` or ``SenderAway``."""
        message = message_of(letter, self._office, sender=self._route.sender)
        hand_over(self._route, letter.address, message.as_bytes(policy=SMTP), record=letter.record)


def hand_over(route: MailRoute, address: str, body: bytes, *, record: str) -> None:
    """Hand one mail to the server; ``record`` is what errors call it.

    Raises:
        AddressRefused: the server says that there is no such address.
        SenderAway: it did not go through, or nobody knows.
    """
    try:
        server = _connected(route)
        try:
            server.ehlo_or_helo_if_needed()
            _ask(*server.mail(route.sender), record)
            _ask_for_address(*server.rcpt(_quoted(address)), record)
            _ask(*server.data(body), record)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # what was answered stands
                server.quit()
            server.close()
    except smtplib.SMTPAuthenticationError:
        raise _away(record, "auth") from None
    except smtplib.SMTPServerDisconnected:
        raise _away(record, "disconnected") from None
    except smtplib.SMTPResponseException as answered:
        raise _away(record, str(answered.smtp_code)) from None
    except ssl.SSLError:
        raise _away(record, "tls") from None
    except TimeoutError:
        raise _away(record, "timeout") from None
    except (OSError, smtplib.SMTPException, ValueError):
        raise _away(record, "no_connection") from None


def _connected(route: MailRoute) -> smtplib.SMTP:
    """Return a connection that is safe to write on, or raise what ``smtplib`` raises."""
    named = route.sender.rpartition("@")[2]  # never the name of this machine
    context = ssl.create_default_context(cadata=route.authorities)
    if route.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            route.host,
            route.port,
            local_hostname=named,
            timeout=route.patience_seconds,
            context=context,
        )
    else:
        server = smtplib.SMTP(
            route.host, route.port, local_hostname=named, timeout=route.patience_seconds
        )
    try:
        if route.security == "starttls":
            server.starttls(context=context)  # raises where the server offers none
        if route.user is not None:
            server.login(route.user, route.password or "")
    except BaseException:
        server.close()
        raise
    return server


def _ask(code: int, _answer: bytes, record: str) -> None:
    if not 200 <= code < 300:  # noqa: PLR2004 - RFC 5321, 4.2.1: done
        raise _away(record, str(code))


def _ask_for_address(code: int, answer: bytes, record: str) -> None:
    if code in _NO_ADDRESS and not _OURS.search(answer):
        raise AddressRefused(channel=Channel.MAIL.value, reason=str(code))
    _ask(code, answer, record)


def _away(record: str, reason: str) -> SenderAway:
    return SenderAway(channel=Channel.MAIL.value, reason=reason, record=record)


def message_of(letter: CodeLetter, office: Office, *, sender: str) -> EmailMessage:
    """Return the mail: plain text, no answer wanted, nothing to press."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject_of(office)
    message["From"] = Address(" ".join(office.municipality.split()), addr_spec=sender)
    message["To"] = _header(letter.address)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by machine
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail_of(letter, office), charset="utf-8", cte="base64")
    return message


def _header(address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain)


def _quoted(address: str) -> str:
    """Return an address for the envelope; a local part with dots astray stands in quotes."""
    return _header(address).addr_spec
