"""How a bundle stands: its state, its receipts, the hops behind, and why it waits."""

import asyncio
import hashlib
import json
from contextlib import suppress
from typing import Any

from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.takers import Taker
from kumobashi.messages.announcement import AttemptState
from kumobashi.messages.media_types import FORMAT
from kumobashi.storage.spool import Spool

_LONGEST_WAIT_SECONDS = 25
_LOOK_SECONDS = 0.5  # how often to look at what another process may have changed


class Standing:
    """Tells peers how the bundles stand that they handed over."""

    def __init__(
        self, site: str, ledger: Ledger, spool: Spool, changes: Changes, taker: Taker
    ) -> None:
        self._site = site
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._taker = taker

    def answer(self, bundle: Incoming) -> dict[str, Any]:
        """Return the state of a bundle and all its receipts."""
        return _answer(bundle, self._ledger.receipts(bundle.transfer, bundle.attempt, "in"))

    async def news(self, key: Key, *, after: int, seen: str, wait: int) -> dict[str, Any]:
        """Return how a bundle stands, waiting at most ``wait`` seconds for what is new.

        ``after`` counts the receipts that the caller has; ``seen`` is the version it saw last.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + min(wait, _LONGEST_WAIT_SECONDS)
        while True:
            event = self._changes.waiting(key)
            try:
                answer = self._status(key, after)
                left = until - loop.time()
                is_new = answer["version"] != seen or answer["receipts"]
                if is_new or left <= 0 or self._changes.is_over:
                    return answer
                with suppress(TimeoutError):
                    look = min(left, _LOOK_SECONDS) if self._ledger.store.is_shared else left
                    await asyncio.wait_for(event.wait(), look)
            finally:
                self._changes.leave(key, event)

    def _status(self, key: Key, after: int) -> dict[str, Any]:
        bundle = self._ledger.incoming(*key)
        receipts = self._ledger.receipts(*key, "in")
        behind = self._taker.downstream(bundle)
        held = len(self._spool.held(*key))
        announced = bundle.announcement.get("parts")
        total = len(announced) if isinstance(announced, list) else 0
        if bundle.state is not In.ANNOUNCED:
            held = total  # parts may be forgotten once they are not needed
        own = {"site": self._site, "state": bundle.state.value, "parts": held}
        answer: dict[str, Any] = {
            **_answer(bundle, receipts),
            "parts_held": held,
            "parts_total": total,
            "hops": [own, *behind.hops],
            "waiting": bundle.cause or behind.waiting,
        }
        version = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:16]
        return {**answer, "version": version, "receipts": receipts[after:]}


def _answer(bundle: Incoming, receipts: list[str]) -> dict[str, Any]:
    match bundle.state:
        case In.ANNOUNCED:
            state = AttemptState.OPEN
        case In.SUPERSEDED:
            state = AttemptState.SUPERSEDED
        case In.APPLIED | In.REFUSED | In.SETTLED:
            state = AttemptState.FINISHED
        case _:
            state = AttemptState.CLOSED
    return {
        "format": FORMAT,
        "transfer": bundle.transfer,
        "attempt": bundle.attempt,
        "state": state.value,
        "receipts": receipts,
    }
