"""What becomes of a row on its way, worked out again in plain Python from what is published.

``docs/protocol.md`` says how a token is made of a resident number; the sample's link files say
which characters are substituted for a receiver that reads cp932, and that rows with others stay
behind.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SUBSTITUTES = {"𠮷": "吉", "辻\U000e0100": "辻", "葛\U000e0100": "葛"}
_TENANT = "999997"
Row = tuple[Any, ...]


def token_key(path: Path) -> bytes:
    """Return the secret of a ``token.key`` file."""
    return base64.b64decode(path.read_text("ascii"))


def tokens_of(secret: bytes, numbers: Iterable[str], system: str) -> dict[str, str]:
    """Return token by resident number: HMAC-SHA256 under a key derived for the destination."""
    info = f"kumobashi token v1|{_TENANT}|{system}".encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
    return {n: hmac.new(key, n.encode(), hashlib.sha256).hexdigest()[:32] for n in numbers}


def for_cp932(row: Row) -> Row | None:
    """Return a row as a receiver with cp932 gets it; none when it is held back and reported.

    >>> for_cp932(("𠮷田", ""))
    ('吉田', None)
    >>> for_cp932(("𩸽",)) is None
    True
    """
    changed = []
    for value in row:
        text = value
        if isinstance(text, str):
            for before, after in sorted(_SUBSTITUTES.items(), key=lambda pair: -len(pair[0])):
                text = text.replace(before, after)
            try:
                text.encode("cp932")
            except UnicodeEncodeError:
                return None
        changed.append(text)
    return plain(tuple(changed))


def plain(row: Row) -> Row:
    """Return a row as CSV carries it: it cannot tell an empty text from an absent one."""
    return tuple(None if value == "" else value for value in row)
