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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from typing import Self

import duckdb

from kumobashi.exchange.confirming import Confirmation
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.errors import Fenced, OutsideBounds, PeerRefused, PeerUnreachable
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.leases import Lease
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.orders import Order
from kumobashi.exchange.packing import Limits, workroom
from kumobashi.exchange.patience import waits
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.preparing import Preparation, snapshot_of
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.states import OUT_FINAL, Out, is_under_way
from kumobashi.exchange.waiting import as_known, cause_of
from kumobashi.kernel import KumobashiError, crashpoint
from kumobashi.messages.announcement import Announcement
from kumobashi.messages.errors import TransferUnknown
from kumobashi.messages.manifest import Manifest, sign_manifest, verify_manifest
from kumobashi.release.errors import FindingsRefused
from kumobashi.storage.errors import SpoolFull, StorageFailed, is_disk_full
from kumobashi.storage.spool import Spool

log = logging.getLogger(__name__)
Orders = Callable[[str], Order]  # the workspace, asked anew for each run


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
            except Fenced:  # whoever took over goes on
                raise
            except Exception as raised:  # noqa: BLE001 - a fault of ours must not strand a transfer
                tries += 1
                ended = await asyncio.to_thread(
                    self._failed, transfer, as_known(raised), tries, wait
                )
                if ended:
                    return ended
                await asyncio.sleep(wait)
            else:
                return row
        return self._ledger.outgoing(transfer)

    def under(self, lease: Lease) -> Self:
        """Return this sender with every change of the ledger under ``lease``."""
        fenced = copy(self)
        fenced._ledger = self._ledger.under(lease)  # noqa: SLF001 - its own copy
        return fenced

    # -- prepare -------------------------------------------------------------------------------

    def _prepare(self, row: Outgoing) -> Outgoing:
        """Read, coarsen and seal; afterwards everything that will leave is durable here."""
        order = self._orders(row.link)
        if self._spool.held(row.transfer, row.attempt) or self._was_taken_over():
            # It was sealed before, but that was never committed: a new sealing is a new attempt.
            # Whoever worked on the old one may not know yet that he does so no more.
            row = self._ledger.move_out(row.transfer, None, attempt=row.attempt + 1)
        for attempt in range(1, row.attempt + 1):
            self._spool.forget(row.transfer, attempt)
        try:
            with self._preparation(row, order) as preparation:
                released = preparation.release()
                chosen = preparation.choose(released)
                bundle = preparation.seal(chosen)
                manifest = preparation.manifest(bundle)
        except OutsideBounds as held:
            return self._hold(row, held)
        except duckdb.Error as error:
            if is_disk_full(error):
                raise SpoolFull(place="work") from None
            # DuckDB's message may quote a value; its class does not.
            raise StorageFailed(reason=type(error).__name__) from None
        token = sign_manifest(manifest, self._identity.signing)
        crashpoint("sending.sealed_before_commit")
        row = self._ledger.move_out(
            row.transfer,
            Out.SEALED,
            facts=_numbers(manifest, bundle.seconds),
            manifest=token,
            base_transfer=manifest.base_transfer,
        )
        crashpoint("sending.sealed")
        return row

    def _was_taken_over(self) -> bool:
        lease = self._ledger.lease
        return self._ledger.store.is_shared and lease is not None and lease.was_taken_over

    @contextmanager
    def _preparation(self, row: Outgoing, order: Order) -> Iterator[Preparation]:
        """Give a working database and a private folder, and remove both at the end."""
        folder = self._identity.work / f"out-{row.transfer}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with workroom(folder, memory_mib=self._limits.memory_mib) as work:
                yield Preparation(
                    identity=self._identity,
                    ledger=self._ledger,
                    spool=self._spool,
                    snapshots=self._snapshots,
                    token_secret=self._token_secret,
                    row=row,
                    order=order,
                    work=work,
                    folder=folder,
                )
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # -- carry and confirm ----------------------------------------------------------------------

    async def _carry(self, row: Outgoing) -> Outgoing:
        """Announce, put the parts that are missing there, close."""
        started = time.monotonic()
        await self._hand_over(row)
        crashpoint("sending.sent_before_commit")
        carried = {"carry": {"seconds": time.monotonic() - started}}
        row = await asyncio.to_thread(
            self._ledger.move_out, row.transfer, Out.SENT, facts={"stages": carried}
        )
        crashpoint("sending.sent")
        return row

    async def _hand_over(self, row: Outgoing) -> None:
        """Make the next hop have all of it; what is there already is not sent again."""
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

    async def _confirm(self, row: Outgoing) -> Outgoing:
        """Collect the receiver's receipts until the last one."""
        manifest = self._manifest(row)
        confirmation = Confirmation(self._identity, self._ledger, self._peers, manifest)
        try:
            row = await confirmation.collect(row)
        except PeerRefused as refused:
            # It has been restored from a backup. Without a receipt the same bundle will do; with
            # one, its receiver is asked what it remembers (``recalling``).
            forgotten = refused.peer_code == TransferUnknown.code
            if forgotten and not self._ledger.receipts(row.transfer, row.attempt, "out"):
                await self._hand_over(row)
            raise
        if row.state is Out.APPLIED:
            self._snapshots.forget_but(row.link, {snapshot_of(row)})
        self._spool.forget(row.transfer)
        crashpoint("sending.finished")
        return row

    # -- what can go wrong ----------------------------------------------------------------------

    def _failed(
        self, transfer: str, error: KumobashiError, tries: int, wait: float
    ) -> Outgoing | None:
        """Stop a transfer for good and return it, or note why it waits."""
        try:
            row = self._ledger.outgoing(transfer)
            if row.state in OUT_FINAL:  # a courier brought the last receipt meanwhile
                return row
            if not _passes(error, row.state):
                return self._stop(row, error)
            self._note(row, error, tries, wait)
        except StorageFailed as away:
            if not away.retryable:
                raise
            log.warning("state is away", extra={"code": away.code, "transfer": transfer})
        return None

    def _hold(self, row: Outgoing, held: OutsideBounds) -> Outgoing:
        cause = cause_of(held, side=self._identity.site, now=self._ledger.clock.now())
        row = self._ledger.move_out(row.transfer, Out.HELD, cause=cause)
        self._spool.forget(row.transfer)
        return row

    def _stop(self, row: Outgoing, error: KumobashiError) -> Outgoing:
        log.warning("transfer stopped", extra={"code": error.code, "transfer": row.transfer})
        cause = cause_of(error, side=self._identity.site, now=self._ledger.clock.now())
        facts = {}
        if isinstance(error, FindingsRefused):
            facts["released"] = {"findings": [asdict(finding) for finding in error.findings]}
        row = self._ledger.move_out(row.transfer, Out.REFUSED, facts=facts, cause=cause)
        self._spool.forget(row.transfer)
        return row

    def _note(self, row: Outgoing, error: KumobashiError, tries: int, wait: float) -> None:
        side = self._identity.site
        if isinstance(error, PeerUnreachable | PeerRefused):
            side = error.site
        now = self._ledger.clock.now()
        cause = cause_of(error, side=side, now=now, tries=tries, wait=wait, old=row.cause)
        self._ledger.move_out(row.transfer, None, cause=cause)

    def _manifest(self, row: Outgoing) -> Manifest:
        mine = {self._identity.signing.kid: self._identity.signing.public}
        return verify_manifest(row.manifest or "", mine)


def _passes(error: KumobashiError, state: Out) -> bool:
    """Whether waiting may help: the other side, the disk or the line is at fault, not the data."""
    if state not in {Out.EXTRACTING, Out.SEALED}:
        return True  # it has left: only a receipt that verifies says how it ended
    # A peer that says no may be set right by a person there; nothing is lost by asking again.
    return error.retryable or isinstance(error, PeerRefused)


def _numbers(manifest: Manifest, seconds: float) -> dict[str, object]:
    """Return what people see of a sealed bundle."""
    rows = manifest.rows + manifest.deleted_rows
    return {
        "sent": {
            "payload_bytes": manifest.payload_bytes,
            "sealed_bytes": manifest.sealed_bytes,
            "parts": len(manifest.parts),
            "rows": manifest.rows,
            "deleted_rows": manifest.deleted_rows,
        },
        "stages": {"seal": {"seconds": seconds, "rows": rows}},
        "stage": "carry",
    }


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
