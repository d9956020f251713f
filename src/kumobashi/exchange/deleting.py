"""Delete what this site received, look whether it is gone, and sign that it is (消去).

    begin → rows → files → key → look → sign

Every step may be done twice: a crash anywhere means that all of it is done again, and the receipt
is signed once. Rows go in the target's own transaction, which remembers how many they were. Waking
up is all that resuming is: what is due, asked for or begun stands in the book of holdings.
"""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Self

from kumobashi.exchange.changes import Changes
from kumobashi.exchange.deletion_errors import (
    DeletionIncomplete,
    KeptByLaw,
    NothingHeld,
    TableShared,
)
from kumobashi.exchange.errors import Fenced, IllegalMove, ReceiverRestored
from kumobashi.exchange.holdings import Holding, Keeping
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.keeping import IN, Holdings
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Reception, Receptions
from kumobashi.exchange.set_aside import SetAside
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import Clock, KumobashiError, crashpoint, new_id, to_micros, to_wire
from kumobashi.messages.deletions import verify_deletion
from kumobashi.messages.manifest import Manifest, kept_manifest
from kumobashi.messages.receipts import (
    Receipt,
    Stage,
    kept_receipt,
    next_receipt,
    sign_receipt,
)
from kumobashi.storage.erasable import latest_backup_end
from kumobashi.storage.errors import NeverApplied
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import Removal, Removed

_BOTH = 2  # persons
log = logging.getLogger(__name__)


class Deleter:
    """Deletes at the site that received."""

    def __init__(  # noqa: PLR0913 - every place where something may rest
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        holdings: Holdings,
        spool: Spool,
        set_aside: SetAside,
        keys: TransferKeys,
        receptions: Receptions,
        changes: Changes,
        clock: Clock,
        checkpoint: Callable[[], str | None],
        wake: Callable[[], None],
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._holdings = holdings
        self._spool = spool
        self._set_aside = set_aside
        self._keys = keys
        self._receptions = receptions
        self._changes = changes
        self._clock = clock
        self._checkpoint = checkpoint  # the newest of this site's evidence log
        self._wake = wake  # so that it is seen to

    def asked(self, manifest: Manifest, token: str) -> None:
        """Take the sender's request; it is kept when this returns.

        Raises:
            SignatureInvalid, UnknownKey, MessageForeign: not the sender's, or about another bundle.
            NothingHeld: nothing of it was applied here.
            KeptByLaw: one person decided, and a law asks to keep it longer.
        """
        keys = self._identity.keys_of(manifest.from_site)
        request = verify_deletion(token, keys, manifest)
        self._holdings.discover()
        held = self._holdings.one(manifest.transfer, IN)
        if held.is_kept_by_law(to_micros(self._clock.now())) and request.persons < _BOTH:
            raise KeptByLaw(transfer=manifest.transfer)
        if held.state is Keeping.HELD:
            asked_at = to_micros(request.at)
            self._holdings.move(held, Keeping.ASKED, request=token, asked_at=asked_at)
            crashpoint("deleting.asked")
        self._wake()

    def reminded(self, receipt: Receipt, token: str) -> bool:
        """Delete again what a sender shows the proof of; return whether it is held here.

        ``receipt`` says ``deleted``, is of this site, and is not in the ledger: the state is older.
        """
        self._holdings.discover()
        try:
            held = self._holdings.one(receipt.transfer, IN)
        except NothingHeld:
            return False
        if held.attempt != receipt.attempt or held.state is Keeping.DELETED:
            return False
        if held.state is not Keeping.DELETING:
            self._keys.keep_proof(receipt.transfer, receipt.attempt, token)
            self._holdings.move(held, Keeping.DELETING)
        self._wake()
        return True

    def remember(self) -> list[str]:
        """Begin with what is held although its key was destroyed: the state is of a backup.

        Returns the transfers; they are deleted again.
        """
        found = []
        for held in self._holdings.open_():
            is_new = held.state is not Keeping.DELETING
            if is_new and self._keys.is_erased(held.transfer, held.attempt):
                extra = {"code": ReceiverRestored.code, "transfer": held.transfer}
                log.warning("this state is older than what it deleted", extra=extra)
                with suppress(IllegalMove):  # another process was a moment earlier
                    self._holdings.move(held, Keeping.DELETING)
                    found.append(held.transfer)
        return found

    def look_again(self) -> bool:
        """Delete rows again that a target got back from a backup; it forgot that they were deleted.

        Only the newest transfer of a link is asked for: an older one has no rows of its own.
        Returns whether every target could be asked.
        """
        is_whole = True
        for held in self._holdings.emptied():
            try:
                manifest = self._manifest(held)
                removed = self._removed(manifest, self._reception(manifest))
                self._set_aside.forget(manifest.link, manifest.transfer)
            except Exception as raised:  # noqa: BLE001 - looked at again; others are not kept waiting
                code = as_known(raised).code
                if code != NeverApplied.code:  # it does not know the transfer: nor has it the rows
                    is_whole = False
                    log.warning("not seen", extra={"code": code, "transfer": held.transfer})
                continue
            if not removed.already:
                extra = {"transfer": held.transfer, "link": held.link}
                log.warning("rows had come back and were deleted again", extra=extra)
                self._holdings.note_again(held, removed.rows)
        return is_whole

    def under(self, lease: Lease | None) -> Self:
        """Return the same, with every change of book and ledger under ``lease``, if any."""
        if lease is None:
            return self
        fenced = copy(self)
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        fenced._holdings = self._holdings.under(lease)  # noqa: SLF001 - likewise
        return fenced

    def delete(self, transfer: str) -> Holding:
        """Delete one transfer as far as it goes; why it did not go stands in the entry.

        Raises:
            Fenced: another process works on it.
        """
        held = self._holdings.one(transfer, IN)
        if held.state is Keeping.DELETED:
            return held
        try:
            return self._delete(held)
        except Fenced:  # whoever took over goes on
            raise
        except Exception as raised:  # noqa: BLE001 - one that fails must not keep others waiting
            error = as_known(raised)
            log.warning("not deleted", extra={"code": error.code, "transfer": held.transfer})
            return self._note(held, error)

    def _delete(self, held: Holding) -> Holding:
        manifest = self._manifest(held)
        if held.state is not Keeping.DELETING:
            reception = self._reception(manifest)  # before anything is begun
            held = self._holdings.move(held, Keeping.DELETING)
        else:
            reception = self._reception(manifest)
        crashpoint("deleting.begun")
        removed = self._removed(manifest, reception)
        crashpoint("deleting.rows_gone")
        self._set_aside.forget(manifest.link, manifest.transfer)
        self._spool.forget(manifest.transfer)
        shutil.rmtree(self._workroom(held), ignore_errors=True)
        crashpoint("deleting.files_gone")
        self._keys.erase_taken(manifest.transfer, manifest.attempt)
        self._look(held, manifest)
        self._sign(held, manifest, removed)
        crashpoint("deleting.signed")
        self._changes.tell((held.transfer, held.attempt))
        return self._holdings.move(held, Keeping.DELETED, facts=self._said(held))

    def _manifest(self, held: Holding) -> Manifest:
        bundle = self._ledger.incoming(held.transfer, held.attempt)
        return kept_manifest(bundle.manifest or "")

    def _removed(self, manifest: Manifest, reception: Reception) -> Removed:
        removal = Removal(
            tenant=manifest.tenant,
            transfer=manifest.transfer,
            link=manifest.link,
            table=reception.table,
        )
        return reception.store.remove(removal)

    def _look(self, held: Holding, manifest: Manifest) -> None:
        """Raise ``DeletionIncomplete`` when anything of it is still there."""
        places = {
            "spool": bool(self._spool.held(held.transfer, held.attempt)),
            "quarantine": self._set_aside.has(manifest.link, manifest.transfer),
            "keys": self._keys.has_taken(held.transfer),
            "work": self._workroom(held).exists(),
        }
        if left := [place for place, is_there in places.items() if is_there]:
            raise DeletionIncomplete(what=", ".join(left))

    def _sign(self, held: Holding, manifest: Manifest, removed: Removed) -> None:
        """Sign the receipt and keep it, unless that was done before a crash."""
        key = (held.transfer, held.attempt)
        given = [kept_receipt(token) for token in self._ledger.receipts(*key, "in")]
        if given[-1].stage is Stage.DELETED:
            return
        proof = self._keys.proof(*key)  # of before a crash, or before a backup was put back
        if proof and kept_receipt(proof).previous == given[-1].digest():
            self._keep(held, proof)
            return
        began = self._ledger.incoming(*key).started_at  # the key came after that
        ends = latest_backup_end(self._keys.store, began)
        said: dict[str, object] = {
            "rows": removed.rows,
            "taken_over_by": removed.taken_over_by,
            "key": manifest.key,
            "key_backups_until": to_wire(ends) if ends else None,
        }
        receipt = next_receipt(
            given[-1],
            manifest=manifest,
            stage=Stage.DELETED,
            receipt=new_id(),
            at=self._clock.now(),
            rows=removed.rows,
            checkpoint=self._checkpoint(),
            deleted=said,
        )
        token = sign_receipt(receipt, self._identity.signing)
        self._keys.keep_proof(*key, token)
        self._keep(held, token)

    def _keep(self, held: Holding, token: str) -> None:
        """Keep a signed receipt in the ledger."""
        crashpoint("deleting.before_commit")
        bundle = self._ledger.incoming(held.transfer, held.attempt)
        self._ledger.move_in(bundle, None, receipt=(Stage.DELETED.value, token))

    def _said(self, held: Holding) -> dict[str, object]:
        """Return what the receipt says, for the book."""
        tokens = self._ledger.receipts(held.transfer, held.attempt, "in")
        receipt = kept_receipt(tokens[-1])
        return {"digest": receipt.digest(), "at": to_wire(receipt.at), **receipt.deleted}

    def _reception(self, manifest: Manifest) -> Reception:
        reception = self._receptions(manifest.link)
        if reception.shared_with:
            raise TableShared(dataset=reception.dataset, links=", ".join(reception.shared_with))
        return reception

    def _workroom(self, held: Holding) -> Path:
        return self._identity.work / f"in-{held.transfer}-{held.attempt}"

    def _note(self, held: Holding, error: KumobashiError) -> Holding:
        now = self._clock.now()
        held = self._holdings.one(held.transfer, IN)
        tries = int((held.cause or {}).get("tries", 0)) + 1
        side = self._identity.site
        cause = cause_of(error, side=side, now=now, tries=tries, old=held.cause)
        return self._holdings.move(held, None, cause=cause)
