"""The sender's side of deletion: ask for it, fetch the signed proof, know what is late.

A request is signed and kept before it leaves; relays hand it on and keep nothing. Whether the
receiver deletes because it was asked or because it is due, the proof is fetched in the same way:
the next hop is asked for receipts behind those that are here.
"""

import asyncio
import logging
from collections.abc import Sequence
from copy import copy
from datetime import timedelta
from typing import Self

from kumobashi.exchange.deletion_errors import AskedBySame, DeletedAlready, NotAskedFor, WhoAsks
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import DestinationBusy, Fenced
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.holdings import OVER, Holding, Keeping
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.keeping import OUT, Holdings
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.line import is_about_the_line
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.preparing import EPOCH, snapshot_of
from kumobashi.exchange.states import OUT_FINAL, Out
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import Clock, KumobashiError, crashpoint, new_id, to_micros, to_wire
from kumobashi.messages.deletions import DeletionRequest, sign_deletion
from kumobashi.messages.errors import ReceiptForeign
from kumobashi.messages.manifest import Manifest, kept_manifest
from kumobashi.messages.receipts import Receipt, Stage, check_chain, kept_receipt, verify_receipt

log = logging.getLogger(__name__)
_BEFORE_IT_IS_DUE = timedelta(hours=1)  # what was sealed until then has been applied by then


class Requester:
    """Deletion as the site sees it that sent."""

    def __init__(
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        holdings: Holdings,
        peers: Peers,
        snapshots: Snapshots,
        histories: Histories,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._holdings = holdings
        self._peers = peers
        self._snapshots = snapshots
        self._histories = histories
        self._clock = clock

    def ask(self, transfer: str, *, by: str | None) -> Holding:
        """Ask for the deletion of a transfer; what a law keeps waits for a second person.

        ``by`` is the account that asks; nobody's where whoever is on this machine may ask.

        Raises:
            WhoAsks: a law keeps it, so it must be known who asks.
            NothingHeld: it was never applied.
            DeletedAlready: the proof is here.
            BaseInUse: a difference to it is under way.
        """
        held = self._holdings.one(transfer, OUT)
        if held.state is Keeping.DELETED:
            raise DeletedAlready(transfer=transfer)
        if held.state is not Keeping.HELD:
            return held  # asking twice is asking once
        now = to_micros(self._clock.now())
        if held.is_kept_by_law(now):
            if by is None:
                raise WhoAsks(transfer=transfer)
            return self._holdings.move(held, Keeping.WAITING, by=by, asked_at=now, asked_by=by)
        return self._sign(held, persons=1, by=by, asked_at=now, asked_by=by)

    def approve(self, transfer: str, *, by: str) -> Holding:
        """Decide, as the second person, what another asked for.

        Raises:
            NothingHeld: it was never applied.
            DeletedAlready: the proof is here.
            NotAskedFor: nobody has asked.
            AskedBySame: whoever asked may not decide.
            BaseInUse: a difference to it is under way.
        """
        held = self._holdings.one(transfer, OUT)
        if held.state is Keeping.DELETED:
            raise DeletedAlready(transfer=transfer)
        if held.state is Keeping.ASKED and held.approved_by == by:
            return held
        if held.state is not Keeping.WAITING:
            raise NotAskedFor(transfer=transfer)
        if held.asked_by == by:
            raise AskedBySame(transfer=transfer)
        return self._sign(held, persons=2, by=by, approved_by=by)

    def withdraw(self, transfer: str, *, by: str | None) -> Holding:
        """Take back a request that nobody has decided yet; raise ``NotAskedFor``."""
        held = self._holdings.one(transfer, OUT)
        if held.state is not Keeping.WAITING:
            raise NotAskedFor(transfer=transfer)
        return self._holdings.move(held, Keeping.HELD, by=by, asked_at=None, asked_by=None)

    def under(self, lease: Lease | None) -> Self:
        """Return the same, with every change of book and ledger under ``lease``, if any."""
        if lease is None:
            return self
        fenced = copy(self)
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        fenced._holdings = self._holdings.under(lease)  # noqa: SLF001 - likewise
        return fenced

    async def press(self, transfer: str) -> Holding:
        """Hand over the request if there is one, and fetch what the receiver has signed since.

        Raises:
            Fenced: another process works on it.
        """
        held = await asyncio.to_thread(self._known, transfer)
        if held.state in OVER:
            return held
        try:
            return await self._press(held)
        except Fenced:  # whoever took over goes on
            raise
        except Exception as raised:  # noqa: BLE001 - one that fails must not keep others waiting
            return await asyncio.to_thread(self._note, held, as_known(raised))

    def brought(self, transfer: str, tokens: Sequence[str]) -> Holding:
        """Take a chain of receipts with its proof that came another way than over the line.

        Raises:
            NothingHeld: the transfer is not one that was applied.
            SignatureInvalid, UnknownKey, ReceiptForeign, ReceiptOutOfOrder: nothing was kept.
        """
        self._holdings.discover()
        held = self._known(transfer)
        have = self._ledger.receipts(held.transfer, held.attempt, "out")
        if any(mine != theirs for mine, theirs in zip(have, tokens, strict=False)):
            raise ReceiptForeign(field="previous")
        fresh = list(tokens[len(have) :])
        return self._take(held, have, fresh) if fresh else held

    async def _press(self, held: Holding) -> Holding:
        key = (held.transfer, held.attempt)
        hop = self._identity.next_hop(held.to_site)
        if held.request and not held.is_delivered:
            await self._peers.request_deletion(hop, *key, held.request)
            crashpoint("requesting.delivered")
            held = await asyncio.to_thread(
                self._holdings.move, held, None, is_delivered=True, cause=None
            )
        have = self._ledger.receipts(*key, "out")
        answer = await self._peers.status(hop, *key, after=len(have), seen="", wait=0)
        fresh = [str(token) for token in answer.get("receipts", ())]
        if not fresh:
            return held
        return await asyncio.to_thread(self._take, held, have, fresh)

    def _take(self, held: Holding, have: list[str], fresh: list[str]) -> Holding:
        """Check the chain with what is new, and keep it; then the entry may end."""
        manifest = self._manifest(held)
        keys = self._identity.keys_of(held.to_site)
        chain = [kept_receipt(token) for token in have]
        chain += [verify_receipt(token, keys) for token in fresh]
        stage = check_chain(chain, manifest.digest())
        staged = [(r.stage.value, t) for r, t in zip(chain[len(have) :], fresh, strict=True)]
        self._ledger.keep_receipts(held.transfer, held.attempt, "out", staged)
        crashpoint("requesting.receipt_kept")
        return self._end(held, chain[-1]) if stage is Stage.DELETED else held

    def _known(self, transfer: str) -> Holding:
        """Return an entry; it ends where its proof is here, or where nobody can give one."""
        held = self._holdings.one(transfer, OUT)
        if held.state in OVER:
            return held
        have = self._ledger.receipts(held.transfer, held.attempt, "out")
        last = kept_receipt(have[-1]) if have else None
        if last and last.stage is Stage.DELETED:  # kept before a crash
            return self._end(held, last)
        return self._lost(held) or held

    def _lost(self, held: Holding) -> Holding | None:
        """End what its restored receiver knows no more, once another transfer has its place."""
        facts = self._ledger.outgoing(held.transfer).facts
        if "lost" not in facts or "resent" not in facts:
            return None
        anew = self._ledger.outgoing(str(facts["resent"]["transfer"]))
        if anew.state is not Out.APPLIED:
            return None
        said = {"at": facts["lost"]["at"], "taken_over_by": anew.transfer}
        return self._holdings.move(held, Keeping.LOST, facts=said)

    def give_up_bases(self) -> None:
        """Let nothing stand any more on what receivers delete soon because it is due."""
        for held in self._holdings.ending(_BEFORE_IT_IS_DUE):
            self._give_up_base(held)

    def _give_up_base(self, held: Holding) -> None:
        """Forget what the next difference would be one to: the next transfer is full then."""
        self._snapshots.forget(held.link, snapshot_of(self._ledger.outgoing(held.transfer)))

    def _end(self, held: Holding, receipt: Receipt) -> Holding:
        self._give_up_base(held)
        facts = {"digest": receipt.digest(), "at": to_wire(receipt.at), **receipt.deleted}
        ended = self._holdings.move(held, Keeping.DELETED, facts=facts)
        self._forget_histories(held.link)
        return ended

    def _forget_histories(self, link: str) -> None:
        """Forget what a link told in the epochs of which no receiver holds, or will hold, a row.

        Where that fails it is done with the next proof: what is remembered only refuses more.
        """
        self._holdings.discover()
        held = [one.transfer for one in self._holdings.held_of(link)]
        rows = [row for row in self._ledger.outgoings(link) if row.state not in OUT_FINAL]
        rows += [self._ledger.outgoing(transfer) for transfer in held]
        try:
            self._histories.forget_but(link, {row.facts.get(EPOCH) for row in rows})
        except (DestinationBusy, OSError):
            log.warning("histories not forgotten", extra={"link": link})

    def _sign(self, held: Holding, *, persons: int, by: str | None, **columns: object) -> Holding:
        manifest = self._manifest(held)
        request = DeletionRequest(
            request=new_id(),
            tenant=held.tenant,
            transfer=held.transfer,
            attempt=held.attempt,
            manifest_digest=manifest.digest(),
            site=self._identity.site,
            persons=persons,
            at=self._clock.now(),
        )
        token = sign_deletion(request, self._identity.signing)
        self._give_up_base(held)
        moved = self._holdings.move(held, Keeping.ASKED, by=by, request=token, **columns)
        crashpoint("requesting.signed")
        return moved

    def _manifest(self, held: Holding) -> Manifest:
        return kept_manifest(self._ledger.outgoing(held.transfer).manifest or "")

    def _note(self, held: Holding, error: KumobashiError) -> Holding:
        log.warning("no proof of deletion", extra={"code": error.code, "transfer": held.transfer})
        held = self._holdings.one(held.transfer, OUT)
        tries = int((held.cause or {}).get("tries", 0)) + 1
        side = str(error.facts.get("site", self._identity.site))
        cause = cause_of(error, side=side, now=self._clock.now(), tries=tries, old=held.cause)
        if is_about_the_line(error):  # which knows since when, and why
            hop = self._identity.next_hop(held.to_site)
            cause = self._peers.lines.to(hop).cause() or cause
        return self._holdings.move(held, None, cause=cause)
