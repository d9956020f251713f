"""Which addresses of a provider are used at all: sealed lines, or this machine's own."""

from typing import Final
from urllib.parse import urlsplit

_LONGEST_ADDRESS: Final = 2000
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_sealed(address: object) -> bool:
    """Whether an address may be asked: https, or http on this machine.

    >>> is_sealed("https://login.city.example.jp/token"), is_sealed("http://127.0.0.1:8000/token")
    (True, True)
    >>> is_sealed("http://login.city.example.jp/token"), is_sealed("https://a@b.example/")
    (False, False)
    """
    if not isinstance(address, str) or len(address) > _LONGEST_ADDRESS or not address.isascii():
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _HERE)
