"""What a peer answered when it said no, and whether that is about the line or about the bundle.

>>> read_refusal(429, b"", retry_after="7", now=datetime.now()).retry_after
7.0
>>> read_refusal(413, b'{"code": "x", "limit": 9}', retry_after=None, now=datetime.now()).limit
9
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from kumobashi.exchange.errors import PeerRefused
from kumobashi.messages.errors import PartTooLarge

TOO_LARGE = 413
BUSY = frozenset({429, 502, 503, 504})  # what a peer, or a proxy before it, says when it cannot


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a peer answered when it said no."""

    status: int
    code: str
    says: str
    retryable: bool
    missing: tuple[str, ...]
    retry_after: float | None = None  # seconds
    limit: int | None = None  # bytes of a part that it would take

    @property
    def is_busy(self) -> bool:
        """Whether it, or a proxy before it, cannot take anything now; else it is this bundle."""
        says_when = self.retry_after is not None or self.code.startswith("http.")
        return self.status in BUSY and says_when

    @property
    def is_too_large(self) -> bool:
        """Whether smaller parts may pass."""
        return self.status == TOO_LARGE and self.code in {"http.413", PartTooLarge.code}


def refusal_of(error: BaseException) -> Refusal | None:
    """Return what a peer answered, when that is what failed."""
    found = error.facts.get("refusal") if isinstance(error, PeerRefused) else None
    return found if isinstance(found, Refusal) else None


def answer_object(text: bytes) -> Mapping[str, Any]:
    """Return the JSON object of an answer; an empty one for everything else."""
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _seconds(after: str | None, now: datetime) -> float | None:
    """Return what a Retry-After header says, in seconds or as a date (RFC 9110, 10.2.3)."""
    if after is None:
        return None
    if after.strip().isdigit():
        return float(after)
    try:
        at = parsedate_to_datetime(after)
    except ValueError:
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo else None


def read_refusal(status: int, text: bytes, *, retry_after: str | None, now: datetime) -> Refusal:
    """Return what an answer above 299 says; a proxy's page has only its status."""
    problem = answer_object(text)
    retry = problem.get("retryable")
    listed = problem.get("missing")
    limit = problem.get("limit")
    return Refusal(
        status=status,
        retry_after=_seconds(retry_after, now),
        limit=limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
        code=str(problem.get("code") or f"http.{status}")[:100],
        says=str(problem.get("detail") or "")[:300],
        retryable=retry if isinstance(retry, bool) else status >= 500 or status == 429,  # noqa: PLR2004
        missing=tuple(map(str, listed)) if isinstance(listed, list) else (),
    )
