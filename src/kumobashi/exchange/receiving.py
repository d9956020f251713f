"""Take in what is delivered, one bundle after the other, and answer for what was taken in.

The mirror of ``sending.py``. What peers handed over lies in the spool (``inbox.py``); from there
``intake.py`` opens and applies it. A crash anywhere is harmless: the work starts again at opening,
receipts that were given are given again unchanged, and the target's own transaction remembers
whether the rows are in.
"""

import asyncio
import logging
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, Self

from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.errors import Fenced, RowsRefused
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.incarnations import Incarnations
from kumobashi.exchange.intake import Intake
from kumobashi.exchange.lanes import Job, Lane
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Reception, Receptions
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.patience import new_chance, wait_after
from kumobashi.exchange.recalled import Deletions, Memory
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.set_aside import SetAside
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.exchange.stating import Statements
from kumobashi.exchange.stepping import Steps
from kumobashi.exchange.takers import Downstream
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.turns import Turns
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.exchange.withdrawn import Withdrawn
from kumobashi.kernel import KumobashiError
from kumobashi.messages.errors import MessageForeign, PartAltered
from kumobashi.messages.manifest import Manifest, kept_manifest, verify_manifest
from kumobashi.messages.recall import Recall
from kumobashi.messages.receipts import Stage
from kumobashi.messages.withdrawals import WithdrawalEnvelope
from kumobashi.storage.errors import SecretErased
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
_DELIVERED = frozenset({In.DELIVERED, In.OPENED, In.VALIDATED})


class Receiver:
    """Meets ``Taker`` for sites of role endpoint."""

    def __init__(  # noqa: PLR0913 - what a site is made of
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        changes: Changes,
        receptions: Receptions,
        limits: Limits,
        set_aside: SetAside,
        keys: TransferKeys,
        deletions: Deletions,
        checkpoint: Callable[[], str | None],
        incarnations: Incarnations,
        holder: Holder | None,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._changes = changes
        self._receptions = receptions
        self._limits = limits
        self._set_aside = set_aside
        self._keys = keys
        self._deletions = deletions
        self.withdrawn = Withdrawn(
            identity=identity,
            store=ledger.store,
            clock=ledger.clock,
            sender_of=lambda link: receptions(link).from_site,
        )
        self._statements = Statements(
            identity=identity, ledger=ledger, changes=changes, checkpoint=checkpoint
        )
        self._memory = Memory(
            identity=identity, ledger=ledger, incarnations=incarnations, deletions=deletions
        )
        self.one_at_a_time = asyncio.Semaphore(1)  # no deletion meanwhile
        self._chance = new_chance()
        self._steps = Steps(holder, "in")
        self._lane = Lane(
            "take in",
            find=partial(Turns(ledger).taking, _DELIVERED, to_sites={identity.site}),
            work=self._step,
            width=lambda: 1,  # what bounds memory
        )

    def closed_state(self) -> In:
        """Return that a complete bundle with a good manifest is delivered."""
        return In.DELIVERED

    def receipt_for(self, manifest: Manifest, _state: In) -> tuple[str, str]:
        """Sign that everything arrived."""
        return self._statements.arrived(manifest)

    def downstream(self, _bundle: Incoming) -> Downstream:
        """Nothing is behind a receiver."""
        return Downstream()

    async def catch_up(self, _bundle: Incoming) -> None:
        """Nothing is behind a receiver."""

    async def deletion(self, bundle: Incoming, token: str) -> None:
        """Take the sender's request to delete."""
        await asyncio.to_thread(self._deletions.asked, kept_manifest(bundle.manifest or ""), token)

    async def recall(self, recall: Recall) -> dict[str, Any]:
        """Return which of this site's own receipts are not here any more."""
        return await asyncio.to_thread(self._memory.answer, recall)

    async def withdrawal(self, told: WithdrawalEnvelope) -> str:
        """Keep whose consent ended; return the receipt."""
        return await asyncio.to_thread(self.withdrawn.take, told)

    def start(self) -> None:
        """Begin to take in what is delivered."""
        self._lane.start()

    def wake(self, bundle: Incoming) -> None:
        """Take a delivered bundle in when its turn comes."""
        if bundle.state is not In.ANNOUNCED:
            self._lane.wake()

    def look(self) -> None:
        """Look for delivered bundles."""
        self._lane.wake()

    async def aclose(self) -> None:
        """Stop; what is under way goes on at the next start."""
        await self._lane.aclose()

    async def _step(self, job: Job) -> None:
        await self._steps.take(job, lambda lease: self._under(lease)._take(job))  # noqa: SLF001

    async def _take(self, job: Job) -> None:
        """Take a delivered bundle in, or put it off while the target does not answer."""
        bundle = self._ledger.incoming(*job.key)
        if bundle.state not in _DELIVERED:
            return
        if self._keys.is_erased(*job.key):
            await asyncio.to_thread(self._end_erased, bundle)
            return
        try:
            async with self.one_at_a_time:
                await asyncio.to_thread(self._take_in, bundle)
        except Fenced:  # whoever took over goes on
            raise
        except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a bundle
            error = as_known(raised)
            if self._ledger.incoming(*job.key).state in IN_FINAL:  # its answer was lost
                await asyncio.to_thread(self._spool.forget, *job.key)
                self._changes.tell(job.key)
                return
            # A part that was damaged on this disk does not get better by waiting.
            if not error.retryable or isinstance(error, PartAltered):
                await asyncio.to_thread(self._refuse, bundle, error)
                return
            await asyncio.to_thread(self._note, job.key, error)
            self._changes.tell(job.key)

    def _note(self, key: Key, error: KumobashiError) -> None:
        bundle = self._ledger.incoming(*key)
        tries = int(bundle.cause["tries"]) + 1 if bundle.cause else 1
        cause = cause_of(
            error,
            side=self._identity.site,
            now=self._ledger.clock.now(),
            tries=tries,
            wait=wait_after(tries, self._chance),
            old=bundle.cause,
        )
        self._ledger.move_in(bundle, None, cause=cause)

    def _under(self, lease: Lease | None) -> Self:
        """Return this receiver with every change of the ledger under ``lease``, if there is one."""
        if lease is None:
            return self
        fenced = copy(self)
        ledger = self._ledger.under(lease)
        fenced._ledger = ledger  # noqa: SLF001 - its own copy
        fenced._statements = replace(self._statements, ledger=ledger)  # noqa: SLF001
        return fenced

    def _take_in(self, bundle: Incoming) -> None:
        manifest = self._manifest(bundle)
        manifest.refuse_old_data(self._ledger.clock.now())
        Intake(
            statements=self._statements,
            spool=self._spool,
            keys=self._keys,
            set_aside=self._set_aside,
            limits=self._limits,
            bundle=bundle,
            manifest=manifest,
            reception=self._reception(manifest),
            withdrawn=frozenset(self.withdrawn.all_of(manifest.link)),
        ).run()

    def _end_erased(self, bundle: Incoming) -> None:
        """End a bundle of a state that is older than its deletion; all was said about it then."""
        error = SecretErased(name=bundle.transfer)
        log.warning("deleted before", extra={"code": error.code, "transfer": bundle.transfer})
        cause = cause_of(error, side=self._identity.site, now=self._ledger.clock.now())
        self._ledger.move_in(bundle, In.REFUSED, cause=cause)
        self._set_aside.forget(bundle.link, bundle.transfer)
        self._spool.forget(bundle.transfer, bundle.attempt)
        self._changes.tell((bundle.transfer, bundle.attempt))

    def _refuse(self, bundle: Incoming, error: KumobashiError) -> None:
        log.warning("bundle refused", extra={"code": error.code, "transfer": bundle.transfer})
        rows = error.facts.get("rows", 0) if isinstance(error, RowsRefused) else 0
        self._statements.that(
            bundle,
            self._manifest(bundle),
            Stage.REFUSED,
            In.REFUSED,
            findings=rows if isinstance(rows, int) else 0,
            error=error,
        )
        self._keys.forget_taken(bundle.transfer, bundle.attempt)
        self._set_aside.forget(bundle.link, bundle.transfer)
        self._spool.forget(bundle.transfer, bundle.attempt)

    def _manifest(self, bundle: Incoming) -> Manifest:
        return verify_manifest(bundle.manifest or "", self._identity.keys_of(bundle.from_site))

    def _reception(self, manifest: Manifest) -> Reception:
        reception = self._receptions(manifest.link)
        said = {
            "to_site": (manifest.to_site, self._identity.site),
            "from_site": (manifest.from_site, reception.from_site),
            "to_system": (manifest.to_system, reception.system),
            "to_dataset": (manifest.to_dataset, reception.dataset),
            "layout": (manifest.layout, reception.layout.layout),
            "layout_version": (manifest.layout_version, reception.layout.version),
        }
        for field, (theirs, ours) in said.items():
            if theirs != ours:
                raise MessageForeign(field=field)
        return reception
