"""One HTTP request to a far side that is not trusted: where it may go, how long, how much.

The name is looked up once and the connection goes to what was found and judged: no second look-up
leads elsewhere. A redirection is an answer like another, and none that counts.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from kumobashi.monitoring.telling.errors import ChannelAway, LetterRefused

_MOST_BYTES = 64 * 1024
_TOO_MANY, _TIMEOUT, _SERVER = 429, 408, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go."""

    channel: str
    host: str
    port: int
    path: str
    is_encrypted: bool = True
    may_be_inside: bool = False  # an address of the municipality's own network
    authorities: str | None = None  # PEM; default: those of this machine
    patience_seconds: float = 20.0  # for all of it


def ask(
    target: Target, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Return status and body of the answer; raise ``ChannelAway`` or ``LetterRefused``."""
    try:
        with _line(target) as line:
            line.request(method, path, body, {**headers, "Connection": "close"})
            answer = line.getresponse()
            read = b""
            with suppress(OSError, http.client.HTTPException):  # the status came, and stands
                read = answer.read(_MOST_BYTES + 1)
    except ssl.SSLError:
        raise ChannelAway(channel=target.channel, reason="tls") from None
    except TimeoutError:
        raise ChannelAway(channel=target.channel, reason="timeout") from None
    except (http.client.HTTPException, ConnectionResetError, BrokenPipeError):
        raise ChannelAway(channel=target.channel, reason="disconnected") from None
    except (OSError, ValueError):
        raise ChannelAway(channel=target.channel, reason="no_connection") from None
    return answer.status, read if len(read) <= _MOST_BYTES else b""


def check(target: Target, status: int) -> None:
    """Raise for a status that is no yes: may it be tried again, or not."""
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3: successful
        return
    if status >= _SERVER or status in {_TOO_MANY, _TIMEOUT}:
        raise ChannelAway(channel=target.channel, reason=str(status))
    raise LetterRefused(channel=target.channel, reason=str(status))


@contextmanager
def _line(target: Target) -> Iterator[http.client.HTTPConnection]:
    address = _address(target)
    plain = socket.create_connection((address, target.port), timeout=target.patience_seconds)
    # A far side that sends a byte now and then would never run into the timeout of one read.
    ending = threading.Timer(target.patience_seconds, _shut, [plain])
    ending.daemon = True
    ending.start()
    used: socket.socket = plain
    try:
        if target.is_encrypted:
            context = ssl.create_default_context(cadata=target.authorities)
            used = context.wrap_socket(plain, server_hostname=target.host)
            ending.cancel()
            ending = threading.Timer(target.patience_seconds, _shut, [used])
            ending.daemon = True
            ending.start()
        line = http.client.HTTPConnection(target.host, target.port)
        line.sock = used
        yield line
    finally:
        ending.cancel()
        used.close()
        plain.close()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        # Of the socket below TLS: the one above must not lose its state while it is being read.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _address(target: Target) -> str:
    """Return the address to connect to; raise ``LetterRefused`` for one that nobody meant."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if not _may_go(address, may_be_inside=target.may_be_inside):
            raise LetterRefused(channel=target.channel, reason="address_inside")
    if not addresses:
        raise ChannelAway(channel=target.channel, reason="no_connection")
    return addresses[0]


def _may_go(address: str, *, may_be_inside: bool) -> bool:
    read = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(read, ipaddress.IPv6Address) and read.ipv4_mapped:
        read = read.ipv4_mapped
    if read.is_link_local or read.is_multicast or read.is_unspecified:
        return False  # 169.254.169.254 hands out the secrets of a cloud's machines
    return may_be_inside or read.is_global
