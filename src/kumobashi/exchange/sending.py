"""Send a link's rows: the main path. It reads like a page; each step is a package of its own.

    extract → release → seal → carry ⇒ (the receiver) → four signed receipts come back

``Sender.run`` carries one transfer as far as it goes, from whatever state it is in: that is all
that resuming is. Nothing is sent before the sealed parts and the signed manifest are durable here;
a crash before that starts the reading again, under the same transfer with a new attempt.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from kumobashi.exchange.characters import hold_back_unmappable
from kumobashi.exchange.confirming import Confirmation
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import OutsideBounds, PeerRefused, PeerUnreachable
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.ledger import Ledger, Outgoing
from kumobashi.exchange.orders import Order
from kumobashi.exchange.packing import (
    Payload,
    Sealed,
    seal_payload,
    workroom,
    write_csv,
    write_parquet,
)
from kumobashi.exchange.patience import waits
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.receiving import Limits
from kumobashi.exchange.states import Out, is_under_way
from kumobashi.exchange.tokens import destination_pads
from kumobashi.exchange.views import Words
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.manifest import Manifest, Mode, sign_manifest, verify_manifest
from kumobashi.release.errors import CountsDisagree
from kumobashi.release.releasing import Released, Source, extract, release
from kumobashi.release.rules import Token
from kumobashi.storage.errors import StorageFailed
from kumobashi.storage.spool import Spool
from kumobashi.storage.tables import quoted

log = logging.getLogger(__name__)
_BUNDLE_LIVES = timedelta(days=7)  # how long a receiver may still take it in
_ROWS = Words(ja="件数", en="The number of rows")
_BYTES = Words(ja="容量", en="The size")
Orders = Callable[[str], Order]  # the workspace, asked anew for each run


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What came out of preparing: the bundle on disk, and its numbers."""

    payload: Payload
    sealed: Sealed
    rows: int
    deleted: int
    seconds: float  # that sealing took


class Sender:
    """Sends the transfers of one site."""

    def __init__(
        self,
        *,
        identity: Identity,
        ledger: Ledger,
        spool: Spool,
        peers: Peers,
        orders: Orders,
        snapshots: Snapshots,
        limits: Limits,
        token_secret: bytes | None,
    ) -> None:
        self._identity = identity
        self._ledger = ledger
        self._spool = spool
        self._peers = peers
        self._orders = orders
        self._snapshots = snapshots
        self._limits = limits
        self._token_secret = token_secret
        self._one_at_a_time = asyncio.Semaphore(1)  # what bounds memory

    async def run(self, transfer: str) -> Outgoing:
        """Carry a transfer on until it is applied, refused or held for a person."""
        tries = 0
        for wait in waits():
            try:
                row = self._ledger.outgoing(transfer)
                if row.state is Out.EXTRACTING:
                    async with self._one_at_a_time:
                        row = await asyncio.to_thread(self._prepare, row)
                if row.state is Out.SEALED:
                    row = await self._carry(row)
                if is_under_way(row.state):
                    row = await self._confirm(row)
            except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a transfer
                error = as_known(raised)
                row = self._ledger.outgoing(transfer)
                if not _passes(error):
                    return await asyncio.to_thread(self._stop, row, error)
                tries += 1
                await asyncio.to_thread(self._note, row, error, tries, wait)
                await asyncio.sleep(wait)
            else:
                return row
        return self._ledger.outgoing(transfer)

    # -- extract, release, seal -----------------------------------------------------------------

    def _prepare(self, row: Outgoing) -> Outgoing:
        """Read, coarsen and seal; afterwards everything that will leave is durable here."""
        order = self._orders(row.link)
        if self._spool.held(row.transfer, row.attempt):
            # It was sealed before, but that was never committed: a new sealing is a new attempt.
            row = self._ledger.move_out(row.transfer, None, attempt=row.attempt + 1)
        folder = self._identity.work / f"out-{row.transfer}"
        shutil.rmtree(folder, ignore_errors=True)
        self._spool.forget(row.transfer)
        try:
            with workroom(folder, memory_mib=self._limits.memory_mib) as work:
                released = self._release(row, order, work)
                rows, deleted, relation, row = self._choose(row, order, work, released)
                self._check_bounds(row, order, _ROWS, released.rows)
                self._tell(row, "seal")
                began = time.monotonic()
                payload = self._write(order, work, relation, folder / "payload")
                if payload.rows != rows + deleted:
                    raise CountsDisagree(step="write", expected=rows + deleted, got=payload.rows)
                sealed = seal_payload(
                    payload,
                    recipient=order.recipient,
                    limit=order.largest_part_bytes,
                    spool=self._spool,
                    transfer=row.transfer,
                    attempt=row.attempt,
                )
                self._check_bounds(row, order, _BYTES, sealed.bytes)
                if order.mode == "difference":
                    self._snapshots.keep(work, row.link, row.transfer, order.layout.key)
        except OutsideBounds as held:
            return self._hold(row, held)
        except duckdb.Error as error:
            # DuckDB's message may quote a value; its class does not.
            raise StorageFailed(reason=type(error).__name__) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        prepared = Prepared(
            payload=payload,
            sealed=sealed,
            rows=rows,
            deleted=deleted,
            seconds=time.monotonic() - began,
        )
        return self._sign(row, order, prepared)

    def _release(self, row: Outgoing, order: Order, work: duckdb.DuckDBPyConnection) -> Released:
        on = date.fromisoformat(row.business_date)
        started = time.monotonic()
        self._tell(row, "extract")
        with ExitStack() as stack:
            readers = {
                id(store): stack.enter_context(store.reading())
                for store in {id(s): s for s, _ in order.sources.values()}.values()
            }
            sources = {
                name: Source(readers[id(store)], table)
                for name, (store, table) in order.sources.items()
            }
            read = extract(order.rule, sources, work, purpose=order.purpose, on=on)
        extracted = time.monotonic()
        self._tell(
            row,
            "release",
            extract={"seconds": extracted - started, "rows": read[order.rule.subject.dataset]},
        )
        pads = destination_pads(self._token_secret, self._identity.tenant, order.to_system)
        released = release(order.rule, work, read, on=on, pads=pads, on_findings=order.on_findings)
        released = hold_back_unmappable(work, released, order)
        facts = asdict(released)
        facts.pop("columns")
        timed = {"seconds": time.monotonic() - extracted, "rows": released.rows}
        done = {"released": facts, "stages": {"release": timed}}
        self._ledger.move_out(row.transfer, None, facts=done)
        return released

    def _choose(
        self, row: Outgoing, order: Order, work: duckdb.DuckDBPyConnection, released: Released
    ) -> tuple[int, int, str, Outgoing]:
        """Return rows, deletions and the relation to send: everything, or what changed."""
        base = self._ledger.last_applied(row.link) if row.mode == "difference" else None
        if base is None or not self._snapshots.exists(row.link, base.transfer):
            row = self._ledger.move_out(row.transfer, None, mode="full", base_transfer=None)
            return released.rows, 0, "released", row
        difference = self._snapshots.compare(
            work, row.link, base.transfer, order.layout.key, released.columns
        )
        row = self._ledger.move_out(row.transfer, None, base_transfer=base.transfer)
        return difference.rows, difference.deleted, "changed", row

    def _write(
        self, order: Order, work: duckdb.DuckDBPyConnection, relation: str, path: Path
    ) -> Payload:
        tokens = [column.name for column in order.rule.columns if isinstance(column, Token)]
        if tokens:  # sorted by them: the order of rows must not tell who lives with whom
            relation = f"(from {relation} order by {quoted(tokens[0])})"
        if order.form == "parquet":
            return write_parquet(work, relation, path)
        return write_csv(work, relation, path, order.columns, order.characters)

    def _sign(self, row: Outgoing, order: Order, prepared: Prepared) -> Outgoing:
        now = self._ledger.clock.now()
        manifest = Manifest(
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
            mode=Mode.DIFFERENCE if row.base_transfer else Mode.FULL,
            base_transfer=row.base_transfer,
            media_type=prepared.payload.media_type,
            charset=prepared.payload.charset,
            compression=prepared.payload.compression,
            payload_digest=prepared.payload.digest,
            payload_bytes=prepared.payload.bytes,
            sealed_digest=prepared.sealed.digest,
            sealed_bytes=prepared.sealed.bytes,
            rows=prepared.rows,
            deleted_rows=prepared.deleted,
            layout=order.layout.layout,
            layout_version=order.layout.version,
            parts=prepared.sealed.parts,
            created=now,
            expires=now + _BUNDLE_LIVES,
        )
        token = sign_manifest(manifest, self._identity.signing)
        crashpoint("sending.sealed_before_commit")
        sizes = {
            "payload_bytes": manifest.payload_bytes,
            "sealed_bytes": manifest.sealed_bytes,
            "parts": len(manifest.parts),
            "rows": manifest.rows,
            "deleted_rows": manifest.deleted_rows,
        }
        timed = {"seal": {"seconds": prepared.seconds, "rows": prepared.rows + prepared.deleted}}
        facts = {"sent": sizes, "stages": timed, "stage": "carry"}
        row = self._ledger.move_out(row.transfer, Out.SEALED, facts=facts, manifest=token)
        crashpoint("sending.sealed")
        return row

    def _check_bounds(self, row: Outgoing, order: Order, what: Words, got: int) -> None:
        bounds = order.bounds.rows if what is _ROWS else order.bounds.bytes
        if row.bounds_accepted or bounds is None or bounds[0] <= got <= bounds[1]:
            return
        if row.base_transfer is not None and what is _BYTES:
            return  # the approved size is that of a full transfer
        low, high = bounds
        raise OutsideBounds(
            what=what.ja, what_en=what.en, low=low, high=high, got=got, link=order.link
        )

    # -- carry and confirm ----------------------------------------------------------------------

    async def _carry(self, row: Outgoing) -> Outgoing:
        """Announce, put the parts that are missing there, close."""
        started = time.monotonic()
        manifest = self._manifest(row)
        hop = self._identity.next_hop(manifest.to_site)
        key = (row.transfer, row.attempt)
        answer = await self._peers.announce(hop, _announcement(manifest))
        crashpoint("sending.announced")
        have = set(map(str, answer.get("have", ())))
        for part in manifest.parts:
            if part.digest in have:
                continue
            with self._spool.open(*key, part.digest.removeprefix("sha256:")) as body:
                await self._peers.put_part(hop, *key, part, body)
            crashpoint("sending.part_put")
        await self._peers.close_attempt(hop, *key, row.manifest or "")
        crashpoint("sending.sent_before_commit")
        carried = {"carry": {"seconds": time.monotonic() - started}}
        row = await asyncio.to_thread(
            self._ledger.move_out, row.transfer, Out.SENT, facts={"stages": carried}
        )
        crashpoint("sending.sent")
        return row

    async def _confirm(self, row: Outgoing) -> Outgoing:
        """Collect the receiver's receipts until the last one."""
        manifest = self._manifest(row)
        confirmation = Confirmation(self._identity, self._ledger, self._peers, manifest)
        row = await confirmation.collect(row)
        if row.state is Out.APPLIED:
            self._snapshots.forget_but(row.link, {row.transfer})
        self._spool.forget(row.transfer)
        crashpoint("sending.finished")
        return row

    # -- what can go wrong ----------------------------------------------------------------------

    def _hold(self, row: Outgoing, held: OutsideBounds) -> Outgoing:
        cause = cause_of(held, side=self._identity.site, now=self._ledger.clock.now())
        self._spool.forget(row.transfer)
        return self._ledger.move_out(row.transfer, Out.HELD, cause=cause)

    def _stop(self, row: Outgoing, error: KumobashiError) -> Outgoing:
        log.warning("transfer stopped", extra={"code": error.code, "transfer": row.transfer})
        cause = cause_of(error, side=self._identity.site, now=self._ledger.clock.now())
        self._spool.forget(row.transfer)
        return self._ledger.move_out(row.transfer, Out.REFUSED, cause=cause)

    def _note(self, row: Outgoing, error: KumobashiError, tries: int, wait: float) -> None:
        side = self._identity.site
        if isinstance(error, PeerUnreachable | PeerRefused):
            side = error.site
        now = self._ledger.clock.now()
        cause = cause_of(error, side=side, now=now, tries=tries, wait=wait, old=row.cause)
        self._ledger.move_out(row.transfer, None, cause=cause)

    def _tell(self, row: Outgoing, stage: str, **done: Mapping[str, object]) -> None:
        self._ledger.move_out(row.transfer, None, facts={"stage": stage, "stages": done})

    def _manifest(self, row: Outgoing) -> Manifest:
        mine = {self._identity.signing.kid: self._identity.signing.public}
        return verify_manifest(row.manifest or "", mine)


def _passes(error: KumobashiError) -> bool:
    """Whether waiting may help: the other side, the disk or the line is at fault, not the data."""
    # A peer that says no may be set right by a person there; nothing is lost by asking again.
    return error.retryable or isinstance(error, PeerRefused)


def _announcement(manifest: Manifest) -> Announcement:
    return Announcement(
        tenant=manifest.tenant,
        transfer=manifest.transfer,
        attempt=manifest.attempt,
        link=manifest.link,
        from_site=manifest.from_site,
        to_site=manifest.to_site,
        business_date=manifest.business_date,
        parts=manifest.parts,
        sealed_bytes=manifest.sealed_bytes,
        created=manifest.created,
    )
