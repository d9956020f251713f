"""Where we are in a trace, and how that is told to the next gateway (W3C Trace Context).

``traceparent`` is of one hop: relays replace it, so no signature covers it. It is read only after
whoever sent it has proven who he is; what is not exactly in its form is as if it had not come. It
decides which spans are shown together, and nothing else. ``tracestate`` is not read or sent by us.

>>> spot = parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
>>> f"{spot.trace:032x}", spot.is_sampled
('0af7651916cd43dd8448eb211c80319c', True)
>>> parse("00-" + "0" * 32 + "-b7ad6b7169203331-01") is None
True
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

HEADER: Final = "traceparent"
LENGTH: Final = 55
_FORM: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Spot:
    """One span of one trace."""

    trace: int
    span: int
    is_sampled: bool

    def text(self) -> str:
        """Return it as ``traceparent`` says it."""
        return f"00-{self.trace:032x}-{self.span:016x}-{int(self.is_sampled):02x}"


current: ContextVar[Spot | None] = ContextVar("kumobashi_spot", default=None)


def parse(said: str | None) -> Spot | None:
    """Return what a ``traceparent`` says; none if it says nothing that we understand."""
    if said is None or len(said) != LENGTH:
        return None
    found = _FORM.fullmatch(said)
    if found is None:
        return None
    trace, span = int(found[1], 16), int(found[2], 16)
    return Spot(trace, span, bool(int(found[3], 16) & 1)) if trace and span else None


def of_transfer(transfer: str) -> Spot:
    """Return the root of a transfer's trace: every gateway finds the same, whenever it asks.

    So a transfer that takes days, or whose gateway was restarted, has one trace.
    """
    held = sha256(f"kumobashi transfer {transfer}".encode()).digest()
    return Spot(int.from_bytes(held[:16]) | 1, int.from_bytes(held[16:24]) | 1, is_sampled=True)


def outgoing() -> dict[str, str]:
    """Return the field to send along; none where nothing is traced."""
    spot = current.get()
    return {HEADER: spot.text()} if spot else {}
