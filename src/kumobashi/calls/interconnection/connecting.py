"""The first connection of the way: opened as calls open it, and what TLS says of the other end."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from kumobashi.calls.errors import PeerAway
from kumobashi.calls.interconnection.errors import TlsUnfit

_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What was found out before anything was sent."""

    host: str
    port: int
    microseconds: int  # until it was open, with TLS
    tls: str | None  # version of the protocol; none: plain HTTP
    expires: datetime | None  # the certificate of the other end


async def connect(url: str, about: dict[str, object]) -> Connection:
    """Open a connection to a gateway and close it; ``about`` is what errors say of it.

    Raises:
        PeerAway: nobody takes the connection.
        TlsUnfit: somebody does, and is not whom the certificate should name.
    """
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context() if is_tls else None
            )
    except ssl.SSLError as error:
        raise TlsUnfit(
            reason=getattr(error, "verify_message", "") or error.reason, **about
        ) from None
    except OSError:  # a timeout is one
        raise PeerAway(**about) from None
    taken = round((time.monotonic() - begun) * 1_000_000)
    channel = writer.get_extra_info("ssl_object")
    certificate = channel.getpeercert() if channel else None
    writer.close()
    return Connection(
        host=host,
        port=port,
        microseconds=taken,
        tls=channel.version() if channel else None,
        expires=_expiry(certificate) if certificate else None,
    )


def _expiry(certificate: dict[str, object]) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
