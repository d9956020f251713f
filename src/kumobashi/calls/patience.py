"""When a refused call is asked anew: after a change half done, and at a site that stands by.

When a system moves to another site, its gateways take the new directory, workspace and approvals
over within a second or two of each other, and nobody stops for it. In between a gateway says that
the service is not there, or that its plan differs. Such a refusal is final for what was handed
over: it reached no system. So the asking gateway looks again and asks anew, as another call, while
its time lasts. It does so only where an answer came of late: a link that never worked, or that was
stopped (an approval or agreement taken back), is refused at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kumobashi.calls.errors import (
    CallFailed,
    CallForeign,
    CallsWaiting,
    CertificateRefused,
    NotHere,
    PeerAway,
    RelayedRefusal,
    ServiceAway,
    Side,
)
from kumobashi.calls.permission_errors import LinkChanging, PlanDiffers

Way = tuple[str, str]  # the asking system, and "system.service"
LATELY_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 5.0  # that a call waits for a change to be whole
_PASSING: Final = frozenset(kind.code for kind in (CallForeign, LinkChanging, NotHere, PlanDiffers))
_UNTOUCHED: Final = frozenset(
    kind.code for kind in (CallsWaiting, CertificateRefused, NotHere, PeerAway, ServiceAway)
)


@dataclass
class Patience:
    """What one gateway knows of the links that worked of late; belongs to one event loop."""

    monotonic: Callable[[], float] = time.monotonic
    _answered: dict[Way, float] = field(default_factory=dict)

    def answered(self, way: Way) -> None:
        """Say that an answer came."""
        self._answered[way] = self.monotonic()

    def waits(self, way: Way, refusal: CallFailed, *, waited: float, budget: float) -> bool:
        """Whether to ask once more after a refusal.

        ``waited`` is how long the call waits already, ``budget`` how long the system waits; both in
        seconds. Half the budget is left to the answer.
        """
        last = self._answered.get(way)
        return (
            last is not None
            and self.monotonic() - last < LATELY_SECONDS
            and waited < min(LONGEST_SECONDS, budget / 2)
            and _is_passing(refusal)
        )


def _is_passing(refusal: CallFailed) -> bool:
    if isinstance(refusal, RelayedRefusal):
        return refusal.passed_on in _PASSING and refusal.at is Side.ANSWERING_GATEWAY
    return refusal.code in _PASSING


def may_go_elsewhere(refusal: CallFailed) -> bool:
    """Whether a call reached no system for sure, so that a site that stands by may be asked."""
    code = refusal.passed_on if isinstance(refusal, RelayedRefusal) else refusal.code
    return code in _UNTOUCHED
