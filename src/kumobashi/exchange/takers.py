"""What happens to a bundle at a site that it was handed to: a relay's or a receiver's business."""

from dataclasses import dataclass
from typing import Any, Protocol

from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.recall import Recall
from kumobashi.messages.withdrawals import WithdrawalEnvelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Downstream:
    """What the hops behind this one said last."""

    hops: tuple[dict[str, Any], ...] = ()
    waiting: dict[str, Any] | None = None


class Taker(Protocol):
    """What happens to a bundle at this site."""

    def start(self) -> None:
        """Begin to work on what is here."""

    def wake(self, bundle: Incoming) -> None:
        """Hear that something came of a bundle."""

    def look(self) -> None:
        """Look for work that nobody told of."""

    async def aclose(self) -> None:
        """Stop; it goes on at the next start."""

    def closed_state(self) -> In:
        """Return the state that a complete bundle enters when its manifest comes."""

    def receipt_for(self, manifest: Manifest, state: In) -> tuple[str, str] | None:
        """Return the signed receipt that is kept together with ``state``, if there is one."""

    def downstream(self, bundle: Incoming) -> Downstream:
        """Return what the hops behind said, and why nothing goes on there."""

    async def catch_up(self, bundle: Incoming) -> None:
        """Fetch what was signed about a bundle after it was over here."""

    async def deletion(self, bundle: Incoming, token: str) -> None:
        """Take a signed request to delete; the receiver has it, durably, when this returns."""

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Return what the receiver of a recall does not hold any more."""

    async def withdrawal(self, told: WithdrawalEnvelope) -> str:
        """Return the receiver's receipt for a notice of withdrawal, which it has kept then."""
