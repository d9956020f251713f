"""The entrance of another site: what stands before its gateway and ends TLS.

One that asks for a client certificate refuses a connection without a good one in its own way:
nginx ends the handshake and answers HTTP 400 with a page of its own, haproxy breaks the handshake
off with an alert, which with TLS 1.3 comes only after our side of it is done. Here both are one
thing, :class:`NotLetIn`, so that everything above tells it in the same words.
"""

import logging
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from kumobashi.crypto.client_tls import ClientTls, Shown
from kumobashi.crypto.errors import KeyFailed

log = logging.getLogger(__name__)
_SECONDS: Final = 5.0
_ALERT_SECONDS: Final = 1.0  # for a refusal that comes after the handshake: one round trip
_LONGEST_PAGE: Final = 8192  # bytes
_BAD_REQUEST: Final = 400
_TYPE: Final = "content-type:"
# What nginx's pages say; it has no header and no status of its own for them.
_PAGES: Final = (b"No required SSL certificate was sent", b"The SSL certificate error")
# Alerts (RFC 8446, 6.2) about the certificate of whoever opened the connection, as OpenSSL names
# them. `handshake_failure` is one of them only once the other side has said hello.
_ALERTS: Final = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)
_AFTER_HELLO: Final = "ALERT_HANDSHAKE_FAILURE"


class NotLetIn(Exception):
    """The entrance does not take our certificate, or we showed none; nothing was handed on."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        super().__init__("refused" if shown else "none shown")

    def told(self) -> dict[str, object]:
        """Return why, in both languages, as errors say it."""
        if self.shown:
            return {
                "reason": "出した証明書が断られました",
                "reason_en": "the one that was shown was refused",
            }
        return {"reason": "証明書を出していません", "reason_en": "none was shown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """What was found out by opening one connection, on which no call went."""

    host: str
    port: int
    microseconds: int  # until it was open, with TLS
    tls: str | None  # version of the protocol; none: plain HTTP
    expires: datetime | None  # the certificate of the other end
    shown_until: datetime | None = None  # ours, where we have one


def shown_at(url: str, site: str, tls: ClientTls) -> Shown | None:
    """Return what is shown at the entrance of ``site``; nothing where it is plain HTTP.

    Raises:
        NotLetIn: our files cannot be used, so nothing is opened.
    """
    try:
        return tls.towards(site, url)
    except KeyFailed as error:
        log.warning("no client certificate", extra={"code": error.code, "to": site})
        raise NotLetIn(shown=False) from None


def is_refusal(status: int, media_type: str, body: bytes) -> bool:
    """Whether an answer is the page of an entrance that wants a (better) client certificate.

    >>> page = b"<center>No required SSL certificate was sent</center>"
    >>> is_refusal(400, "text/html", page)
    True
    >>> is_refusal(400, "application/problem+json", page)
    False
    """
    if status != _BAD_REQUEST or not media_type.startswith("text/html"):
        return False
    return any(said in body[:_LONGEST_PAGE] for said in _PAGES)


def look(url: str, shown: Shown | None) -> Entrance:
    """Open a connection as calls do, ask for ``/health`` if it is TLS, and close it. Blocks.

    Raises:
        NotLetIn: the other side does not take our certificate, or wants one.
        ssl.SSLError: TLS does not come about for another reason.
        OSError: nobody takes the connection, or not in time.
    """
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    begun = time.monotonic()
    with socket.create_connection((host, port), timeout=_SECONDS) as line:
        if not is_tls or shown is None:
            return Entrance(
                host=host, port=port, microseconds=_since(begun), tls=None, expires=None
            )
        with shown.context.wrap_socket(
            line, server_hostname=host, do_handshake_on_connect=False
        ) as channel:
            try:
                channel.do_handshake()
                found = Entrance(
                    host=host,
                    port=port,
                    microseconds=_since(begun),
                    tls=channel.version(),
                    expires=_expiry(channel.getpeercert() or {}),
                    shown_until=shown.expires,
                )
                _knock(channel, parts.netloc)
            except ssl.SSLCertVerificationError:
                raise
            except ssl.SSLError as error:
                if _is_about_ours(error, has_hello=channel.cipher() is not None):
                    raise NotLetIn(shown=shown.has_certificate) from None
                raise
            except _Refused:
                raise NotLetIn(shown=shown.has_certificate) from None
            return found


def is_shut(url: str, shown: Shown) -> bool:
    """Whether an entrance that broke a connection off did so for our certificate. Blocks."""
    try:
        look(url, shown)
    except NotLetIn:
        return True
    except (OSError, UnicodeError):  # a name that is none
        return False
    return False


class _Refused(Exception):
    """The page of an entrance came."""


def _knock(channel: ssl.SSLSocket, authority: str) -> None:
    """Wait for an alert, then ask for something that every gateway has."""
    # Not asked at once: what is closed while a request lies unread loses its last words.
    if select.select([channel], [], [], _ALERT_SECONDS)[0]:
        channel.settimeout(0)
        try:
            channel.recv(1)
        except ssl.SSLWantReadError:
            pass  # tickets of the session: we are let in
        finally:
            channel.settimeout(_SECONDS)
    asked = f"GET /health HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    channel.sendall(asked.encode("ascii"))
    page = b""
    while len(page) < _LONGEST_PAGE and (more := channel.recv(_LONGEST_PAGE)):
        page += more
    head, _, body = page.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    types = [line.partition(":")[2].strip() for line in fields if line.lower().startswith(_TYPE)]
    if status[9:12].isdigit() and is_refusal(int(status[9:12]), "".join(types[:1]), body):
        raise _Refused


def _is_about_ours(error: ssl.SSLError, *, has_hello: bool) -> bool:
    reason = error.reason or ""
    return any(reason.endswith(alert) for alert in _ALERTS) or (
        has_hello and reason.endswith(_AFTER_HELLO)
    )


def _expiry(certificate: Mapping[str, object]) -> datetime | None:
    end = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC) if end else None


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1_000_000)
