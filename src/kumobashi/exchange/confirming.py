"""Collect the receiver's signed receipts, verify each, and move the transfer accordingly."""

import asyncio
from collections.abc import Sequence
from typing import Any

from kumobashi.exchange.hearsay import hops_of, waiting_of
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.peers import Answer, Peers
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.kernel import crashpoint, to_wire
from kumobashi.messages.errors import ReceiptForeign
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.receipts import Receipt, Stage, check_chain, verify_receipt

_STATE_OF = {
    Stage.DELIVERED: Out.DELIVERED,
    Stage.OPENED: Out.OPENED,
    Stage.VALIDATED: Out.VALIDATED,
    Stage.APPLIED: Out.APPLIED,
    Stage.REFUSED: Out.REFUSED,
}


class Confirmation:
    """The receipts of one attempt of one transfer."""

    def __init__(
        self, identity: Identity, ledger: Ledger, peers: Peers, manifest: Manifest
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._peers = peers
        self._manifest = manifest
        self._keys = identity.keys_of(manifest.to_site)

    async def collect(self, row: Outgoing, wait: int, *, seen: str) -> tuple[Outgoing, str]:
        """Ask the next hop once what is new since ``seen``, and keep the receipts that verify.

        The answer comes as soon as something is new, after ``wait`` seconds at the latest; its
        version is what to have seen the next time.
        """
        hop = self._identity.next_hop(self._manifest.to_site)
        key = (row.transfer, row.attempt)
        held = self._ledger.receipts(*key, "out")
        answer = await self._peers.status(hop, *key, after=len(held), seen=seen, wait=wait)
        row = await asyncio.to_thread(self._take, row, held, answer)
        now = self._ledger.outgoing(row.transfer)
        if now.state in OUT_FINAL:  # perhaps by another hand: the receiver has lost it
            row = now
        return row, str(answer.get("version", ""))

    def brought(self, row: Outgoing, tokens: Sequence[str]) -> Outgoing:
        """Take receipts that came another way than over the line; known ones change nothing.

        Raises:
            SignatureInvalid, UnknownKey, ReceiptForeign, ReceiptOutOfOrder: nothing was kept.
        """
        held = self._ledger.receipts(row.transfer, row.attempt, "out")
        check_chain(
            [verify_receipt(token, self._keys) for token in tokens], self._manifest.digest()
        )
        if any(mine != theirs for mine, theirs in zip(held, tokens, strict=False)):
            raise ReceiptForeign(field="previous")
        fresh = list(tokens[len(held) :])
        if not fresh:
            return row
        return self._take(row, held, {"receipts": fresh, "hops": row.facts.get("hops", [])})

    def _take(self, row: Outgoing, held: list[str], answer: Answer) -> Outgoing:
        fresh = [str(token) for token in answer.get("receipts", ())]
        chain = [verify_receipt(token, self._keys) for token in [*held, *fresh]]
        stage = check_chain(chain, self._manifest.digest())
        hops, waiting = hops_of(answer), waiting_of(answer)
        facts: dict[str, Any] = {"hops": hops, "cause": waiting}
        if not fresh:
            if hops == row.facts.get("hops") and waiting == row.cause:
                return row
            said = {"hops": hops}
            return self._ledger.move_out(
                row.transfer, None, facts=said, cause=waiting, still=row.state
            )
        added = chain[len(held) :]
        for receipt in added:
            self._peers.hear(receipt.site, receipt.extra.get("checkpoint"))
        facts["received"] = {receipt.stage.value: _said(receipt) for receipt in added}
        if added[-1].stage is Stage.REFUSED:
            facts["cause"] = waiting or _refusal(added[-1])
        elif added[-1].stage is Stage.APPLIED:
            facts["cause"] = None  # what a hop waited for is over, even if it has not noticed yet
        crashpoint("sending.receipt_before_commit")
        more = list(zip((receipt.stage.value for receipt in added), fresh, strict=True))
        row = self._ledger.received(
            row.transfer, more, _STATE_OF[stage or Stage.DELIVERED], facts=facts
        )
        crashpoint("sending.receipt_kept")
        return row


def _said(receipt: Receipt) -> dict[str, Any]:
    return {
        "at": to_wire(receipt.at),
        "site": receipt.site,
        "digest": receipt.digest().removeprefix("sha256:"),
        "rows": receipt.rows,
        "findings": receipt.findings,
        "code": receipt.code,
    }


def _refusal(receipt: Receipt) -> dict[str, Any]:
    return {
        "code": receipt.code,
        "side": receipt.site,
        "since": to_wire(receipt.at),
        "ja": receipt.note_ja or "",
        "en": f"refused: {receipt.code}",
        "remedy_ja": "",
        "remedy_en": "",
        "tries": 0,
        "next_try": None,
    }
