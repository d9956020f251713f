"""The first connection of the way: opened as calls open it, and what TLS says of the other end."""

import asyncio
import ssl

from kumobashi.calls.errors import CertificateRefused, PeerAway
from kumobashi.calls.interconnection.errors import TlsUnfit
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.exchange.entrances import Entrance, NotLetIn, look, shown_at


async def connect(url: str, site: str, tls: ClientTls, about: dict[str, object]) -> Entrance:
    """Open a connection to a gateway and close it; ``about`` is what errors say of it.

    Raises:
        PeerAway: nobody takes the connection.
        CertificateRefused: somebody does, and wants another client certificate.
        TlsUnfit: somebody does, and is not whom the certificate should name.
    """
    try:
        return await asyncio.to_thread(look, url, shown_at(url, site, tls))
    except NotLetIn as error:
        raise CertificateRefused(**error.told(), **about) from None
    except ssl.SSLError as error:
        raise TlsUnfit(
            reason=getattr(error, "verify_message", "") or error.reason, **about
        ) from None
    except (OSError, UnicodeError):  # a timeout is one; a name that is none
        raise PeerAway(**about) from None
