"""Take a bundle in: open it, check every row, apply it once, and say so, signed, after each step.

The mirror of ``sending.py``. What peers handed over lies in the spool (``inbox.py``); from there:

    deliver → open → validate → apply          four receipts, each durable before it is given

Validating goes on while the target takes the rows in; its transaction ends only after the verdict.
A crash anywhere is harmless: the work starts again at opening, receipts that were given are given
again unchanged, and the target's own transaction remembers whether the rows are in.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, Self

import duckdb

from kumobashi.crypto.keys import SealKey
from kumobashi.exchange.changes import Changes, Key
from kumobashi.exchange.checking import Arranged, Checked, arrange_rows, check_rows
from kumobashi.exchange.errors import (
    BundleUnlike,
    Fenced,
    ReceiverRestored,
    RowsRefused,
    Unforeseen,
)
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Downstream
from kumobashi.exchange.incarnations import Incarnations
from kumobashi.exchange.lanes import Job, Lane
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Reception
from kumobashi.exchange.packing import Limits, workroom
from kumobashi.exchange.patience import new_chance, wait_after
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.set_aside import Room, SetAside
from kumobashi.exchange.states import IN_FINAL, In
from kumobashi.exchange.stepping import Steps
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.turns import Turns
from kumobashi.exchange.unpacking import read_payload, unpack
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint, new_id
from kumobashi.messages.errors import MessageForeign, PartAltered
from kumobashi.messages.manifest import Manifest, kept_manifest, verify_manifest
from kumobashi.messages.media_types import FORMAT
from kumobashi.messages.recall import Recall
from kumobashi.messages.receipts import (
    Receipt,
    Stage,
    next_receipt,
    sign_receipt,
    verify_receipt,
)
from kumobashi.storage.counting import count
from kumobashi.storage.errors import SecretErased, SpoolFull, is_disk_full
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import Load

log = logging.getLogger(__name__)
_DELIVERED = frozenset({In.DELIVERED, In.OPENED, In.VALIDATED})
Receptions = Callable[[str], Reception]  # the workspace, asked anew for each bundle


class Deletions(Protocol):
    """What ends the life of what was received."""

    def asked(self, manifest: Manifest, token: str) -> None:
        """Take a sender's signed request to delete; it is kept when this returns."""

    def reminded(self, receipt: Receipt, token: str) -> bool:
        """Delete again what this site proved and holds again; return whether it does."""


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
        self._checkpoint = checkpoint  # the newest of this site's evidence log
        self._incarnations = incarnations
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
        receipt = next_receipt(
            None,
            manifest=manifest,
            stage=Stage.DELIVERED,
            receipt=new_id(),
            at=self._ledger.clock.now(),
            checkpoint=self._checkpoint(),
        )
        return (Stage.DELIVERED.value, sign_receipt(receipt, self._identity.signing))

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
        if recall.to_site != self._identity.site:
            raise MessageForeign(field="to_site")
        return await asyncio.to_thread(self._recall, recall)

    def _recall(self, recall: Recall) -> dict[str, Any]:
        mine = self._identity.keys_of(self._identity.site)
        lost: list[tuple[Receipt, str]] = []
        for token in recall.receipts:
            receipt = verify_receipt(token, mine)  # we signed it, or it proves nothing
            if token not in self._ledger.receipts(receipt.transfer, receipt.attempt, "in"):
                lost.append((receipt, token))
        if lost:
            found = self._incarnations.note_lost(
                [receipt.transfer for receipt, _ in lost], told_by=recall.from_site
            )
            if found:
                extra = {"code": ReceiverRestored.code, "epoch": found.epoch, "lost": len(lost)}
                log.warning("this state is older than what it signed", extra=extra)
        again = [
            receipt
            for receipt, token in lost
            if receipt.stage is Stage.DELETED and self._deletions.reminded(receipt, token)
        ]
        now = self._incarnations.current()
        return {
            "format": FORMAT,
            "site": self._identity.site,
            "incarnation": now.incarnation,
            "epoch": now.epoch,
            "lost": [_named(one) for one, _ in lost if one.stage is not Stage.DELETED],
            "deleting": [_named(one) for one in again],
        }

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
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        return fenced

    def _take_in(self, bundle: Incoming) -> None:
        manifest = self._manifest(bundle)
        reception = self._reception(manifest)
        folder = self._identity.work / f"in-{bundle.transfer}-{bundle.attempt}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with workroom(folder, memory_mib=self._limits.memory_mib) as work:
                key = self._keys.opening(manifest)
                self._open(bundle, manifest, key, work, folder)
                room = self._set_aside.room(folder, manifest, key)
                self._validate_and_apply(bundle, manifest, reception, work, room)
        except duckdb.Error as error:
            if is_disk_full(error):
                raise SpoolFull(place="work") from None
            # DuckDB's message may quote a value; its class does not.
            raise BundleUnlike(
                what="payload", expected=manifest.media_type.value, got=type(error).__name__
            ) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._spool.forget(bundle.transfer, bundle.attempt)

    def _open(
        self,
        bundle: Incoming,
        manifest: Manifest,
        key: SealKey,
        work: duckdb.DuckDBPyConnection,
        folder: Path,
    ) -> None:
        path = unpack(manifest, self._spool, key, folder)
        read_payload(manifest, path, work, "arrived")
        rows = count(work, "select count(*) from arrived")
        if rows != manifest.rows + manifest.deleted_rows:
            raise BundleUnlike(
                what="rows", expected=manifest.rows + manifest.deleted_rows, got=rows
            )
        crashpoint("receiving.opened_before_commit")
        self._state_that(bundle, manifest, Stage.OPENED, In.OPENED, rows=rows)
        crashpoint("receiving.opened")

    def _validate_and_apply(
        self,
        bundle: Incoming,
        manifest: Manifest,
        reception: Reception,
        work: duckdb.DuckDBPyConnection,
        room: Room,
    ) -> None:
        """Check the rows while the target takes them in; it commits only after the verdict."""
        check = cache(partial(check_rows, work.cursor(), manifest, reception))
        aside = None
        if reception.on_findings == "quarantine" and check().findings:
            aside = room.plain
        try:
            arranged = arrange_rows(work, manifest, reception, aside)
        except duckdb.Error:
            self._judge(bundle, check())  # says better what is wrong
            raise
        if aside:
            room.keep()
        with ThreadPoolExecutor(1, "validate") as beside:
            verdict = beside.submit(self._validate, bundle, manifest, check, arranged.rows)

            def before_commit() -> None:
                verdict.result()
                self._ledger.check_lease()
                crashpoint("receiving.applied_before_commit")

            try:
                load = _load(manifest, reception, work, arranged, before_commit)
                applied = reception.store.apply(load)
            finally:  # also where the target did not answer, or had the rows already
                findings = verdict.result()
        crashpoint("receiving.applied_unrecorded")
        with _no_way_back():
            self._state_that(
                bundle,
                manifest,
                Stage.APPLIED,
                In.APPLIED,
                rows=applied.rows,
                findings=findings,
                facts={"applied": asdict(applied), "quarantined": arranged.quarantined},
            )
        crashpoint("receiving.applied")

    def _judge(self, bundle: Incoming, checked: Checked) -> None:
        """Keep what was found; raise :class:`RowsRefused` where it must not be applied."""
        if checked.findings:
            listed = [asdict(finding) for finding in checked.findings]
            self._ledger.move_in(bundle, None, facts={"findings": listed})
        if checked.is_refused:
            first = checked.findings[0]
            raise RowsRefused(rows=checked.faulty_rows, first=f"{first.item}: {first.expected}")

    def _validate(
        self, bundle: Incoming, manifest: Manifest, check: Callable[[], Checked], rows: int
    ) -> int:
        """Give the receipt of validation; return the rows with findings."""
        checked = check()
        self._judge(bundle, checked)
        crashpoint("receiving.validated_before_commit")
        self._state_that(
            bundle,
            manifest,
            Stage.VALIDATED,
            In.VALIDATED,
            rows=rows,
            findings=checked.faulty_rows,
        )
        crashpoint("receiving.validated")
        return checked.faulty_rows

    def _state_that(
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
        mine = {self._identity.signing.kid: self._identity.signing.public}
        given = [verify_receipt(token, mine) for token in self._ledger.receipts(*key, "in")]
        if any(receipt.stage is stage for receipt in given):
            return
        now = self._ledger.clock.now()
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
            checkpoint=self._checkpoint(),
        )
        signed = (stage.value, sign_receipt(receipt, self._identity.signing))
        cause = cause_of(error, side=self._identity.site, now=now) if error else None
        self._ledger.move_in(bundle, state, receipt=signed, facts=facts, cause=cause)
        self._changes.tell(key)

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
        self._state_that(
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


def _named(receipt: Receipt) -> dict[str, object]:
    return {"transfer": receipt.transfer, "attempt": receipt.attempt}


@contextmanager
def _no_way_back() -> Iterator[None]:
    """Let nothing that fails inside end in a refusal: the rows are in the target already."""
    try:
        yield
    except KumobashiError as error:
        if error.retryable or isinstance(error, Fenced):
            raise
        raise Unforeseen(kind=error.code) from error


def _load(
    manifest: Manifest,
    reception: Reception,
    work: duckdb.DuckDBPyConnection,
    arranged: Arranged,
    before_commit: Callable[[], None],
) -> Load:
    return Load(
        tenant=manifest.tenant,
        transfer=manifest.transfer,
        link=manifest.link,
        business_date=manifest.business_date,
        sequence=manifest.sequence,
        mode=manifest.mode.value,
        base_transfer=manifest.base_transfer,
        table=reception.table,
        columns=tuple(column.spec for column in reception.columns),
        key=reception.key,
        rows=arranged.rows,
        deleted=arranged.deleted,
        connection=work,
        relation=arranged.relation,
        deleted_relation=arranged.deleted_relation,
        before_commit=before_commit,
    )
