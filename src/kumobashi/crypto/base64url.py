r"""base64url without padding (RFC 7515, section 2), read strictly: one text for one value.

>>> encode(b"\xff\xfe")
'__4'
>>> decode("__4")
b'\xff\xfe'
"""

import base64
import binascii
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Return ``data`` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read what :func:`encode` wrote.

    Raises:
        ValueError: padding, white space, other characters, or unused bits that are not zero.
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("a character outside base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("no base64url of any bytes") from None
    if encode(data) != text:
        raise ValueError("unused bits that are not zero")
    return data
