"""State how far a bundle came: a signed receipt and the state it speaks of, in one commit."""

from collections.abc import Callable
from dataclasses import dataclass

from kumobashi.exchange.changes import Changes
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.states import In
from kumobashi.exchange.waiting import cause_of
from kumobashi.kernel import KumobashiError, new_id
from kumobashi.messages.manifest import Manifest
from kumobashi.messages.receipts import Stage, next_receipt, sign_receipt, verify_receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What this receiver signs; one chain of receipts for each attempt."""

    identity: Identity
    ledger: Ledger
    changes: Changes
    checkpoint: Callable[[], str | None]  # the newest of this site's evidence log

    def arrived(self, manifest: Manifest) -> tuple[str, str]:
        """Return the first receipt ``(stage, jws)``, that everything arrived; not kept yet."""
        receipt = next_receipt(
            None,
            manifest=manifest,
            stage=Stage.DELIVERED,
            receipt=new_id(),
            at=self.ledger.clock.now(),
            checkpoint=self.checkpoint(),
        )
        return (Stage.DELIVERED.value, sign_receipt(receipt, self.identity.signing))

    def that(
        self,
        bundle: Incoming,
        manifest: Manifest,
        stage: Stage,
        state: In,
        *,
        rows: int | None = None,
        findings: int = 0,
        error: KumobashiError | None = None,
        facts: dict[str, object] | None = None,
    ) -> None:
        """Sign a receipt and keep it with the state in one commit, unless that was done before."""
        key = (bundle.transfer, bundle.attempt)
        mine = {self.identity.signing.kid: self.identity.signing.public}
        given = [verify_receipt(token, mine) for token in self.ledger.receipts(*key, "in")]
        if any(receipt.stage is stage for receipt in given):
            return
        now = self.ledger.clock.now()
        receipt = next_receipt(
            given[-1] if given else None,
            manifest=manifest,
            stage=stage,
            receipt=new_id(),
            at=now,
            rows=rows,
            findings=findings,
            code=error.code if error else None,
            note_ja=error.say("ja")[:500] if error else None,
            checkpoint=self.checkpoint(),
        )
        signed = (stage.value, sign_receipt(receipt, self.identity.signing))
        cause = cause_of(error, side=self.identity.site, now=now) if error else None
        self.ledger.move_in(bundle, state, receipt=signed, facts=facts, cause=cause)
        self.changes.tell(key)
