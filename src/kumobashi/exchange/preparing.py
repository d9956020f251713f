"""Make a bundle of a link's rows: extract, release, choose what to send, write, seal, sign.

One :class:`Preparation` is one try. Its plain rows live in a working database with bounded memory
and a private folder that is removed at the end; what stays is sealed parts in the spool and the
numbers in the ledger.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from kumobashi.crypto.errors import KeyGone
from kumobashi.crypto.transfer_keys import key_hash
from kumobashi.exchange.aiming import Readers, fresh_enough, hall_of
from kumobashi.exchange.characters import hold_back_unmappable
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import OutsideBounds
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.individual import IndividualLists, left_to_people
from kumobashi.exchange.leaving import leaving
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Order, receiving_columns
from kumobashi.exchange.packing import Payload, Sealed, seal_payload, write_csv, write_parquet
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.tokens import column_key, destination_pads
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.exchange.views import Words
from kumobashi.messages.freshness import Freshness
from kumobashi.messages.manifest import LIVES, Manifest, Mode
from kumobashi.observe import tracing
from kumobashi.release.coding import check_epoch, codebook
from kumobashi.release.consenting import ties_carried
from kumobashi.release.errors import CodebookLost, CodebookMissing, CountsDisagree, GateRefused
from kumobashi.release.gate import Passed, pass_gate
from kumobashi.release.gate_report import GateReport, report_of
from kumobashi.release.holding import hold_back, with_held_back
from kumobashi.release.releasing import Released, Source, extract, release
from kumobashi.release.rules import ReleaseRule
from kumobashi.release.targeting import Targets, find_targets, release_targets
from kumobashi.storage.spool import Spool

_ROWS = Words(ja="件数", en="The number of rows")
_BYTES = Words(ja="容量", en="The size")


EPOCH = "key_epoch"  # facts: the epoch of tokens and codes, and the hash of its codebook
CODEBOOK = "codebook"
READ_IN = "read_in"  # a fact: the attempt that read the rows, when a later one cut them anew


def snapshot_of(row: Outgoing) -> str:
    """Return the name of the digests that a transfer leaves behind: each attempt read anew."""
    attempt = row.facts.get(READ_IN, row.attempt)
    return row.transfer if attempt == 1 else f"{row.transfer}.{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What of the released rows is sent: a relation of the working database, and its counts."""

    relation: str
    rows: int
    deleted: int = 0
    base_transfer: str | None = None  # of a difference
    seconds: float = 0.0  # that comparing took


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A sealed bundle whose parts lie in the spool."""

    payload: Payload
    sealed: Sealed
    recipient: str  # the public half of its own key
    chosen: Chosen
    seconds: float  # that comparing, writing and sealing took


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """One try to make the bundle of one transfer."""

    identity: Identity
    ledger: Ledger
    spool: Spool
    snapshots: Snapshots
    histories: Histories
    individual: IndividualLists
    keys: TransferKeys
    token_secret: bytes | None
    row: Outgoing
    order: Order
    work: duckdb.DuckDBPyConnection
    folder: Path

    def release(self) -> Released:
        """Read the sources in one snapshot each, and make table ``released``.

        Raises:
            DataTooOld: a campaign of a predicate-only link allows no data so old.
        """
        order, on = self.order, date.fromisoformat(self.row.business_date)
        started = time.monotonic()
        self._check_coding(on)
        self._tell("extract")
        with ExitStack() as stack:
            stack.enter_context(self._span("transfer.extract"))
            used = [store for store, _ in order.sources.values()]
            used += order.targeting.stores if order.targeting else ()
            stores = {id(store): store for store in used}
            readers = {key: stack.enter_context(store.reading(on)) for key, store in stores.items()}
            sources = {
                name: Source(readers[id(store)], table)
                for name, (store, table) in order.sources.items()
            }
            fresh = self._fresh(readers, on)
            held = hold_back(order.rule, sources, order.on_findings)
            read = extract(order.rule, sources, self.work, purpose=order.purpose, on=on)
            apart = left_to_people(order.rule, sources, purpose=order.purpose, on=on)
            targets = self._targets(readers, on)
        self.individual.keep(
            self.work,
            apart,
            link=self.row.link,
            transfer=self.row.transfer,
            on=on,
            room=self.folder,
        )
        extracted = time.monotonic()
        subjects = read[order.rule.subject.dataset]
        self._tell("release", extract={"seconds": extracted - started, "rows": subjects})
        pads = destination_pads(
            self.token_secret, self.identity.tenant, order.to_system, self._epoch
        )

        def make(rule: ReleaseRule) -> Released:
            if targets:
                made = release_targets(rule, self.work, read, on=on, pads=pads)
            else:
                made = release(
                    rule, self.work, read, on=on, pads=pads, on_findings=order.on_findings
                )
            return hold_back_unmappable(self.work, with_held_back(made, held), order)

        with self._span("transfer.release") as made:
            passed = self._passed(make, on)
            made.set(rows=passed.released.rows)
        released = passed.released
        if order.ties:
            order.ties.carry(*ties_carried(passed.rule, self.work))
        facts = asdict(released)
        facts.pop("columns")
        facts.pop("freshness")
        if fresh and targets:
            facts |= {"campaigns": dict(targets.meant), "data": dict(fresh.members())}
        facts |= {"left_to_people": len(apart)} if len(apart) else {}
        timed = {"seconds": time.monotonic() - extracted, "rows": released.rows}
        measured = {"gate": passed.report.facts()} if passed.report else {}
        self._note({"released": facts, "stages": {"release": timed}, "stage": "seal", **measured})
        return replace(released, freshness=fresh)

    def _passed(self, make: Callable[[ReleaseRule], Released], on: date) -> Passed:
        """Return the rows as the gate, and what the receiver had before, let them go."""
        try:
            names = {field.name: field.ja for field in self.order.layout.fields}
            gate = partial(pass_gate, self.order.rule, self.work, make, on=on, names=names)
            passed = gate(earlier=self._earlier())
            passed = self.histories.beside(
                self.work,
                passed,
                self.row,
                system=self.order.to_system,
                epoch=self._epoch,
                known=self.ledger.several,
                room=self.folder,
                climb=lambda report: gate(earlier=report),
            )
        except GateRefused as refused:
            self._note({"gate": refused.report.facts()})  # people see why, beside the refusal
            raise
        return passed

    def _earlier(self) -> GateReport | None:
        """Return what the gate did by the same decision: for the receiver, or when it was approved.

        Whichever was found later; of one day what the receiver has.
        """
        last = self.ledger.last_applied(self.row.link)
        facts = last.facts.get("gate") if last and last.plan_hash == self.order.plan_hash else None
        known = [report_of(facts)] if facts else []
        known += [self.order.approved_gate] if self.order.approved_gate else []
        return max(known, key=lambda report: report.chosen_on, default=None)

    def _fresh(self, readers: Readers, on: date) -> Freshness | None:
        if self.order.targeting is None:
            return None
        now = self.ledger.clock.now()
        return fresh_enough(self.order.targeting, readers, on=on, now=now)

    def _targets(self, readers: Readers, on: date) -> Targets | None:
        if (targeting := self.order.targeting) is None:
            return None
        return find_targets(
            targeting.campaigns,
            hall_of(targeting, readers),
            self.work,
            on=on,
            on_findings=self.order.on_findings,
        )

    def choose(self, released: Released) -> Chosen:
        """Return everything, or, where the receiver has an earlier state, what changed since.

        Raises:
            OutsideBounds: more or fewer rows than were approved.
        """
        self._check(_ROWS, released.rows, self.order.bounds.rows)
        began = time.monotonic()
        base = self.ledger.last_applied(self.row.link) if self.row.mode == "difference" else None
        is_other_epoch = base is not None and base.facts.get(EPOCH) != self._epoch
        if (
            base is None
            or is_other_epoch
            or not self.snapshots.exists(self.row.link, snapshot_of(base))
        ):
            return Chosen(relation="released", rows=released.rows)
        key = self.order.layout.key
        try:
            found = self.snapshots.compare(
                self.work, self.row.link, snapshot_of(base), key, released.columns, room=self.folder
            )
        except (KeyGone, FileNotFoundError):  # given up at this moment: its transfer is deleted
            return Chosen(relation="released", rows=released.rows)
        return Chosen(
            relation="changed",
            rows=found.rows,
            deleted=found.deleted,
            base_transfer=base.transfer,
            seconds=time.monotonic() - began,
        )

    def seal(self, chosen: Chosen, released: Released) -> Bundle:
        """Write what was chosen, seal it to a key of its own and put its parts into the spool.

        Raises:
            CountsDisagree: another number of rows was written.
            OutsideBounds: a size that was not approved.
        """
        began = time.monotonic()
        with self._span("transfer.convert") as made:
            payload = self._write(chosen)
            made.set(rows=payload.rows, bytes=payload.bytes)
        if payload.rows != chosen.rows + chosen.deleted:
            expected = chosen.rows + chosen.deleted
            raise CountsDisagree(step="write", expected=expected, got=payload.rows)
        row = self.row
        recipient = self.keys.make(row.transfer, row.attempt, recipient=self.order.recipient)
        with self._span("transfer.seal") as made:
            sealed = seal_payload(
                payload,
                recipient=recipient,
                limit=self.order.largest_part_bytes,
                spool=self.spool,
                transfer=row.transfer,
                attempt=row.attempt,
            )
            made.set(bytes=sealed.bytes, parts=len(sealed.parts))
        if chosen.base_transfer is None:  # the approved size is that of everything
            self._check(_BYTES, sealed.bytes, self.order.bounds.bytes)
        may_be_set_aside = released.quarantined or self.order.on_findings == "quarantine"
        if "difference" in {self.order.mode, self.row.mode} or may_be_set_aside:
            # What was sent can be told from what was not: for the next difference, and for sending
            # the rows anew that somebody has to correct first.
            key = self.order.layout.key
            self.snapshots.keep(self.work, row.link, snapshot_of(row), key, room=self.folder)
        seconds = time.monotonic() - began + chosen.seconds
        return Bundle(
            payload=payload, sealed=sealed, recipient=recipient, chosen=chosen, seconds=seconds
        )

    def manifest(self, bundle: Bundle, released: Released) -> Manifest:
        """Return the manifest of a sealed bundle of what was released."""
        now = self.ledger.clock.now()
        row, order, chosen = self.row, self.order, bundle.chosen
        return Manifest(
            tenant=row.tenant,
            transfer=row.transfer,
            attempt=row.attempt,
            link=row.link,
            from_site=order.from_site,
            to_site=order.to_site,
            to_system=order.to_system,
            to_dataset=order.to_dataset,
            business_date=date.fromisoformat(row.business_date),
            sequence=row.sequence,
            mode=Mode.DIFFERENCE if chosen.base_transfer else Mode.FULL,
            base_transfer=chosen.base_transfer,
            media_type=bundle.payload.media_type,
            charset=bundle.payload.charset,
            compression=bundle.payload.compression,
            payload_digest=bundle.payload.digest,
            payload_bytes=bundle.payload.bytes,
            sealed_digest=bundle.sealed.digest,
            sealed_bytes=bundle.sealed.bytes,
            rows=chosen.rows,
            deleted_rows=chosen.deleted,
            layout=order.sent_layout.layout,
            layout_version=order.sent_layout.version,
            parts=bundle.sealed.parts,
            created=now,
            expires=now + LIVES,
            key=key_hash(bundle.recipient),
            retention=order.retention,
            freshness=released.freshness,
        )

    def _write(self, chosen: Chosen) -> Payload:
        order, path, relation = self.order, self.folder / "payload", chosen.relation
        relation = leaving(relation, order, is_difference=chosen.base_transfer is not None)
        if order.form == "parquet":
            return write_parquet(self.work, relation, path)
        return write_csv(
            self.work, relation, path, receiving_columns(order.sent_layout), order.characters
        )

    def _span(self, name: str) -> tracing.Span:
        return tracing.span(name, transfer=self.row.transfer, link=self.row.link)

    @property
    def _epoch(self) -> str | None:
        coding = self.order.rule.coding
        return coding.epoch if coding else None

    def _check_coding(self, on: date) -> None:
        """Refuse before anything is read when nobody could tell what the codes mean.

        Raises:
            EpochOver: the business date is not of the rule's epoch.
            CodebookMissing: the site has no secret, or no codebook was resolved.
            CodebookLost: the codebook is of another secret.
        """
        order, coding = self.order, self.order.rule.coding
        if coding is None:
            return
        check_epoch(coding.epoch, on)
        if order.coded is None or self.token_secret is None:
            raise CodebookMissing(system=order.to_system, epoch=coding.epoch)
        key = column_key(self.token_secret, self.identity.tenant, order.to_system, coding.epoch)
        held = order.coded.codebook
        if held != codebook(
            key, order.to_system, order.to_dataset, coding.epoch, order.layout.names
        ):
            raise CodebookLost(system=order.to_system, epoch=coding.epoch)
        self._note({EPOCH: coding.epoch, CODEBOOK: held.digest})

    def _check(self, what: Words, got: int, bounds: tuple[int, int] | None) -> None:
        if self.row.bounds_accepted or bounds is None or bounds[0] <= got <= bounds[1]:
            return
        low, high = bounds
        raise OutsideBounds(
            what=what.ja, what_en=what.en, low=low, high=high, got=got, link=self.order.link
        )

    def _tell(self, stage: str, **done: Mapping[str, object]) -> None:
        self._note({"stage": stage, "stages": done})

    def _note(self, facts: Mapping[str, object]) -> None:
        self.ledger.move_out(self.row.transfer, None, facts=facts)
