"""How a transfer that was carried comes to its end: by receipts on a medium, or by a typed code.

Receipts are verified as if a line had brought them. A code moves a transfer as far as its last
receipt would; the receipt itself, should it ever come, must be the one that the code spoke of.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kumobashi.courier.arrivals import Arrivals
from kumobashi.courier.book import Book
from kumobashi.courier.codes import Confirmed, Spoken, code_of, parse, read_code
from kumobashi.courier.content import Said
from kumobashi.courier.errors import (
    CodeLocked,
    CodeNotYet,
    CodeWrong,
    NothingToCarry,
    ReceiptContradicts,
    RefusedByCode,
)
from kumobashi.courier.permits import Permit, State
from kumobashi.evidence.entries import Entry
from kumobashi.evidence.log import append
from kumobashi.exchange.confirming import Confirmation
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import NoSuchTransfer
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.preparing import snapshot_of
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.requesting import Requester
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import to_wire
from kumobashi.messages.errors import ReceiptForeign
from kumobashi.messages.manifest import Manifest, verify_manifest
from kumobashi.messages.receipts import Stage, kept_receipt, verify_receipt
from kumobashi.storage.spool import Spool

MOST_WRONG: Final = 10  # codes, over all time, of the permits of one transfer
UNKNOWN: Final = "unknown"  # to this site, since it was restored or the attempt is another
_ENDS: Final = {Stage.APPLIED: Out.APPLIED, Stage.REFUSED: Out.REFUSED}


class Settling:
    """The end of what was carried, at the site that sent it; and the code at the one that took."""

    def __init__(  # noqa: PLR0913 - all that an ended transfer lets go of, joined in the service
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        peers: Peers,
        book: Book,
        arrivals: Arrivals,
        spool: Spool,
        snapshots: Snapshots,
        keys: TransferKeys,
        requester: Requester,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._peers = peers
        self._book = book
        self._arrivals = arrivals
        self._spool = spool
        self._snapshots = snapshots
        self._keys = keys
        self._requester = requester

    def receipts(self, from_site: str, said: Sequence[Said]) -> dict[str, str]:
        """Take the receipts of a medium; one transfer that this site does not know stops nothing.

        Raises:
            SignatureInvalid, UnknownKey, ReceiptForeign, ReceiptOutOfOrder: forged or mixed up.
            ReceiptContradicts: not what a typed code said.
        """
        found: dict[str, str] = {}
        for one in said:
            row = self._known(one)
            found[one.transfer] = self._take(from_site, row, one).state.value if row else UNKNOWN
        return found

    def code(self, transfer: str) -> str:
        """Return the code that this site's clerk reads out for a bundle that media brought.

        Raises:
            CodeNotYet: no medium brought it, or its receiver has not come to an end.
        """
        for arrival in self._arrivals.of_transfer(transfer):
            if arrival.secret is None or arrival.attempt is None:
                continue
            bundle = self._ledger.incoming(transfer, arrival.attempt)
            mine = self._identity.keys_of(self._identity.site)
            tokens = self._ledger.receipts(transfer, arrival.attempt, "in")
            last = [verify_receipt(token, mine) for token in tokens]
            ends = [receipt for receipt in last if receipt.stage in _ENDS]
            if not ends:
                raise CodeNotYet(state=bundle.state.value)
            spoken = Spoken(
                tenant=self._identity.tenant,
                transfer=transfer,
                attempt=arrival.attempt,
                manifest_digest=ends[0].manifest_digest,
            )
            return code_of(arrival.secret, spoken, ends[0].stage, ends[0].digest())
        raise CodeNotYet(state="unknown")

    def confirm(self, transfer: str, typed: str) -> tuple[Outgoing, Confirmed]:
        """Take a typed code as the receiver's word; return the transfer as it is now.

        Raises:
            CodeMistyped: a slip; it does not count as a try.
            CodeWrong, CodeLocked, NothingToCarry, NoSuchTransfer: nothing was confirmed.
        """
        parse(typed)
        row = self._ledger.outgoing(transfer)
        manifest = self._manifest(row)
        permits = [
            one
            for one in self._book.of_transfer(transfer)
            if one.attempt == row.attempt and one.state in {State.TAKEN, State.RETURNED, State.LOST}
        ]
        if not permits:
            raise NothingToCarry(what_ja="媒体で持ち出していない", what="no medium carried it")
        wrong = sum(one.wrong_codes for one in permits)
        if wrong >= MOST_WRONG:
            raise CodeLocked
        spoken = Spoken(
            tenant=self._identity.tenant,
            transfer=transfer,
            attempt=row.attempt,
            manifest_digest=manifest.digest(),
        )
        for permit in permits:
            if confirmed := read_code(typed, permit.secret, spoken):
                return self._confirmed(row, manifest, permit, confirmed), confirmed
        self._book.count_wrong_code(permits[0].permit)
        raise CodeWrong(left=MOST_WRONG - wrong - 1)

    def _known(self, said: Said) -> Outgoing | None:
        try:
            row = self._ledger.outgoing(said.transfer)
        except NoSuchTransfer:
            return None
        return row if row.attempt == said.attempt and row.manifest else None

    def _take(self, from_site: str, row: Outgoing, said: Said) -> Outgoing:
        manifest = self._manifest(row)
        if manifest.to_site != from_site:
            raise ReceiptForeign(field="site")
        self._check_code(row, manifest, said)
        confirmation = Confirmation(self._identity, self._ledger, self._peers, manifest)
        on_its_way = said.receipts[:-1] if _is_proof(said.receipts) else said.receipts
        row = confirmation.brought(row, on_its_way)
        self._let_go(row)
        if on_its_way is not said.receipts:
            self._requester.brought(row.transfer, said.receipts)
        return row

    def _check_code(self, row: Outgoing, manifest: Manifest, said: Said) -> None:
        """Compare with what a code has confirmed before."""
        code = row.facts.get("code")
        if not code:
            return
        keys = self._identity.keys_of(manifest.to_site)
        receipts = [verify_receipt(token, keys) for token in said.receipts]
        confirmed = Confirmed(stage=Stage(code["stage"]), receipt_bits=int(code["receipt_bits"]))
        for receipt in receipts:
            is_it = receipt.stage is confirmed.stage and confirmed.fits(receipt.digest())
            if receipt.stage in _ENDS and not is_it:
                raise ReceiptContradicts(transfer=row.transfer)

    def _confirmed(
        self, row: Outgoing, manifest: Manifest, permit: Permit, confirmed: Confirmed
    ) -> Outgoing:
        if row.state in OUT_FINAL:  # a line, a medium or the same code came before
            return row
        now = self._ledger.clock.now()
        entry = Entry(
            event="courier.confirmed",
            at=now,
            by="operator",
            facts={
                "permit": permit.permit,
                "link": row.link,
                "transfer": row.transfer,
                "attempt": row.attempt,
                "stage": confirmed.stage.value,
                "id": confirmed.receipt_begins,
            },
        )

        def work(connection: sa.Connection) -> None:
            append(connection, self._identity.tenant, entry)

        self._ledger.store.write(work, key=row.transfer)
        refused = RefusedByCode() if confirmed.stage is Stage.REFUSED else None
        said: dict[str, Any] = {
            "at": to_wire(now),
            "site": manifest.to_site,
            "digest": confirmed.receipt_begins,
            "rows": None,
            "findings": 0,
            "code": refused.code if refused else None,
        }
        facts: dict[str, Any] = {
            "received": {confirmed.stage.value: said},
            "code": {"stage": confirmed.stage.value, "receipt_bits": confirmed.receipt_bits},
            "cause": cause_of(refused, side=manifest.to_site, now=now) if refused else None,
        }
        row = self._ledger.received(row.transfer, [], _ENDS[confirmed.stage], facts=facts)
        self._let_go(row)
        return row

    def _let_go(self, row: Outgoing) -> None:
        """Remove what only an unfinished transfer needs."""
        if row.state is Out.APPLIED:
            self._snapshots.forget_but(row.link, {snapshot_of(row)})
        if row.state in OUT_FINAL:
            self._keys.forget_sent(row.transfer)
            self._spool.forget(row.transfer)

    def _manifest(self, row: Outgoing) -> Manifest:
        if not row.manifest:
            raise NothingToCarry(what_ja="まだ封緘していない", what="it is not sealed yet")
        return verify_manifest(row.manifest, self._identity.keys_of(self._identity.site))


def _is_proof(tokens: Sequence[str]) -> bool:
    """Whether the last receipt says that all was deleted; its signature is checked behind this."""
    return bool(tokens) and kept_receipt(tokens[-1]).stage is Stage.DELETED
