"""Answer a sender that asks a receiver what it remembers of its own receipts.

The other side of ``recalling.py``: a receiver that was restored from a backup has signed things
that it does not know any more, and learns of it here.
"""

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from kumobashi.exchange.errors import ReceiverRestored
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.incarnations import Incarnations
from kumobashi.exchange.ledger import Ledger
from kumobashi.messages.errors import MessageForeign
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.recall import Recall
from kumobashi.messages.receipts import Receipt, Stage, verify_receipt

log = logging.getLogger(__name__)


class Deletions(Protocol):
    """What ends the life of what was received."""

    def asked(self, manifest: Manifest, token: str) -> None:
        """Take a sender's signed request to delete; it is kept when this returns."""

    def reminded(self, receipt: Receipt, token: str) -> bool:
        """Delete again what this site proved and holds again; return whether it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What this receiver remembers of what it signed."""

    identity: Identity
    ledger: Ledger
    incarnations: Incarnations
    deletions: Deletions

    def answer(self, recall: Recall) -> dict[str, Any]:
        """Return which of this site's own receipts are not here any more.

        Raises:
            MessageForeign: the question is for another site.
        """
        if recall.to_site != self.identity.site:
            raise MessageForeign(field="to_site")
        mine = self.identity.keys_of(self.identity.site)
        lost: list[tuple[Receipt, str]] = []
        for token in recall.receipts:
            receipt = verify_receipt(token, mine)  # we signed it, or it proves nothing
            if token not in self.ledger.receipts(receipt.transfer, receipt.attempt, "in"):
                lost.append((receipt, token))
        if lost:
            found = self.incarnations.note_lost(
                [receipt.transfer for receipt, _ in lost], told_by=recall.from_site
            )
            if found:
                extra = {"code": ReceiverRestored.code, "epoch": found.epoch, "lost": len(lost)}
                log.warning("this state is older than what it signed", extra=extra)
        again = [
            receipt
            for receipt, token in lost
            if receipt.stage is Stage.DELETED and self.deletions.reminded(receipt, token)
        ]
        now = self.incarnations.current()
        return {
            "format": FORMAT,
            "site": self.identity.site,
            "incarnation": now.incarnation,
            "epoch": now.epoch,
            "lost": [_named(one) for one, _ in lost if one.stage is not Stage.DELETED],
            "deleting": [_named(one) for one in again],
        }


def _named(receipt: Receipt) -> dict[str, object]:
    return {"transfer": receipt.transfer, "attempt": receipt.attempt}
