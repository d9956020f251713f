"""What the hops behind a relay say of a bundle: the receiver's receipts, and why it waits there."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.errors import PeerRefused
from kumobashi.exchange.hearsay import hops_of, waiting_of
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.takers import Downstream
from kumobashi.kernel import crashpoint
from kumobashi.messages.announcement import AttemptState
from kumobashi.messages.errors import TransferUnknown
from kumobashi.messages.receipts import Stage, verify_receipt

_FINAL = {Stage.APPLIED, Stage.REFUSED}
_REMEMBERED = 2000
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one question brought."""

    receipts: int
    is_over: bool


class Told:
    """What was said last of each bundle, of as many as people look at."""

    def __init__(self, identity: Identity, peers: Peers, changes: Changes) -> None:
        self._identity = identity
        self._peers = peers
        self._changes = changes
        self._behind: dict[Key, Downstream] = {}
        self._seen: dict[Key, str] = {}

    def of(self, key: Key) -> Downstream:
        """Return what the next hop said last."""
        return self._behind.get(key, Downstream())

    async def ask(self, hop: str, bundle: Incoming, ledger: Ledger, *, wait: int) -> News:
        """Ask for what is new, waiting at most ``wait`` seconds; keep the receipts there are."""
        key = (bundle.transfer, bundle.attempt)
        answer, more = await self._fetch(
            hop, bundle, ledger, seen=self._seen.pop(key, ""), wait=wait
        )
        if more:
            crashpoint("relaying.receipt_before_commit")
            await _keep(ledger, key, more)
            crashpoint("relaying.receipt_kept")
        # Only now: who asks this hop must not hear why it waits before hearing how far it came.
        _remember(self._behind, key, _downstream(answer))
        self._changes.tell(key)
        # Finished without a last receipt: a hop behind has forgotten the bundle.
        is_over = answer.get("state") == AttemptState.FINISHED.value
        is_over = is_over or any(stage in _FINAL for stage, _ in more)
        if not is_over:
            is_over = self._is_over(bundle, ledger)
        if not is_over:
            _remember(self._seen, key, str(answer.get("version", "")))
        return News(receipts=len(more), is_over=is_over)

    async def catch_up(self, hop: str, bundle: Incoming, ledger: Ledger) -> None:
        """Ask for what the receiver signed since it was settled: that it was deleted."""
        try:
            _, more = await self._fetch(hop, bundle, ledger, seen="", wait=0)
        except PeerRefused as refused:
            if refused.peer_code != TransferUnknown.code:
                raise
            return  # restored, and older than the bundle: what is known here stays true
        if more:
            await _keep(ledger, (bundle.transfer, bundle.attempt), more)

    async def _fetch(
        self, hop: str, bundle: Incoming, ledger: Ledger, *, seen: str, wait: int
    ) -> tuple[Answer, list[tuple[Stage, str]]]:
        key = (bundle.transfer, bundle.attempt)
        keys = self._identity.keys_of(bundle.to_site)
        have = await asyncio.to_thread(ledger.receipts, *key, "in")
        answer = await self._peers.status(hop, *key, after=len(have), seen=seen, wait=wait)
        fresh = [str(token) for token in answer.get("receipts", ())]
        return answer, [(verify_receipt(token, keys).stage, token) for token in fresh]

    def _is_over(self, bundle: Incoming, ledger: Ledger) -> bool:
        keys = self._identity.keys_of(bundle.to_site)
        held = ledger.receipts(bundle.transfer, bundle.attempt, "in")
        return any(verify_receipt(token, keys).stage in _FINAL for token in held)


async def _keep(ledger: Ledger, key: Key, more: list[tuple[Stage, str]]) -> None:
    staged = [(stage.value, token) for stage, token in more]
    await asyncio.to_thread(ledger.keep_receipts, *key, "in", staged)


def _remember(held: dict[Key, Said], key: Key, said: Said) -> None:
    """Keep what was said last; the oldest gives way."""
    held.pop(key, None)
    held[key] = said
    if len(held) > _REMEMBERED:
        held.pop(next(iter(held)))


def _downstream(answer: Answer) -> Downstream:
    return Downstream(hops=tuple(hops_of(answer)), waiting=waiting_of(answer))
