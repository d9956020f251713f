"""Signatures of what goes to a webhook and of what a telephone gateway says: HMAC-SHA256.

The time is under the signature: what was caught on the way is not worth keeping.

>>> said = signed(b"{}", b"secret", 1_700_000_000)
>>> is_signed(b"{}", said, b"secret", 1_700_000_060)
True
>>> (
...     is_signed(b"{}", said, b"secret", 1_700_001_000),
...     is_signed(b"{} ", said, b"secret", 1_700_000_000),
... )
(False, False)
"""

import hmac
import re

HEADER = "Kumobashi-Signature"
PATIENCE_SECONDS = 300
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signed(body: bytes, secret: bytes, at: int) -> str:
    """Return the header for a body that is sent at a second since 1970."""
    return f"t={at},v1={_mark(body, secret, at)}"


def is_signed(body: bytes, said: str, secret: bytes, now: int) -> bool:
    """Whether a header is of this body, by who has the secret, and not old."""
    read = _FORM.fullmatch(said)
    if read is None or abs(now - int(read[1])) > PATIENCE_SECONDS:
        return False
    return hmac.compare_digest(_mark(body, secret, int(read[1])), read[2])


def _mark(body: bytes, secret: bytes, at: int) -> str:
    return hmac.digest(secret, f"{at}.".encode("ascii") + body, "sha256").hex()
