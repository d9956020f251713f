"""A sender's outbox without its HTTP, and sealed transfers for it, for tests and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.entries import Directory
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.dispatching import Dispatcher
from kumobashi.exchange.histories import Histories
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.individual import IndividualLists
from kumobashi.exchange.leases import Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.orders import Order, Orders
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.ranks import NORMAL
from kumobashi.exchange.remembering import PeerMemory
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.states import Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import Clock, SystemClock, new_id, to_micros
from kumobashi.messages.manifest import (
    Compression,
    Manifest,
    MediaType,
    Mode,
    sign_manifest,
)
from kumobashi.messages.parts import split
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.erasable import ErasableSecrets
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.town import SITES, free_ports

SENDER, HOP, RECEIVER = "hall-core", "hall-exchange", "public-cloud"


def identity(folder: Path, directory: Directory, site: str) -> Identity:
    """Return a site of the sample workspace with its keys."""
    private = folder / "private" / site
    return Identity(
        tenant=directory.municipality.code,
        site=site,
        signing=SigningKey.load(private / "sign.key"),
        sealing=SealKey.load(private / "seal.key"),
        directory=directory,
        work=folder / "var" / site / "work",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """A sender's half of a gateway, without its HTTP."""

    here: Identity
    store: SQLiteState
    ledger: Ledger
    spool: Spool
    lines: Lines
    peers: Peers
    sender: Sender
    dispatcher: Dispatcher

    async def aclose(self) -> None:
        """Stop and let go of everything."""
        await self.dispatcher.aclose()
        await self.peers.aclose()
        self.store.close()


def outbox(
    folder: Path,
    clock: Clock | None = None,
    *,
    orders: Orders | None = None,
    token_secret: bytes | None = None,
) -> Outbox:
    """Return the outbox of the sending site of a workspace; made inside an event loop.

    Without ``orders`` everything it carries is sealed already.
    """
    directory = load_directory(folder, now=datetime.now(UTC))
    here, var = identity(folder, directory, SENDER), folder / "var" / SENDER
    clock = clock or SystemClock()
    store = SQLiteState(var / "state.db", owner=SENDER)
    migrate(store)
    ledger, spool = Ledger(store, here.tenant, clock), Spool(var / "spool" / "out")
    memory = PeerMemory(ledger)
    process = Leases(store, here.tenant, owner="only", seconds=30)
    lines = Lines(here, clock, known=memory.known(), keep=memory.keep)
    peers = Peers(here, clock, lines, ClientTls(folder / "private" / SENDER / "tls"))
    keys = TransferKeys(ErasableSecrets(var / "keys"), here.sealing)
    sender = Sender(
        identity=here,
        ledger=ledger,
        spool=spool,
        peers=peers,
        orders=orders or _no_orders,
        snapshots=Snapshots(var / "snapshots", keys),
        histories=Histories(var / "histories", keys),
        individual=IndividualLists(var / "individual", keys),
        keys=keys,
        limits=Limits(memory_mib=64),
        token_secret=token_secret,
    )
    return Outbox(
        here=here,
        store=store,
        ledger=ledger,
        spool=spool,
        lines=lines,
        peers=peers,
        sender=sender,
        dispatcher=Dispatcher(
            here,
            ledger,
            sender,
            lines,
            Deeds(ledger),
            holder=Holder(process, seconds=30, is_shared=store.is_shared),
        ),
    )


def found_workspace(folder: Path, profile: str) -> Mapping[str, int]:
    """Write a sample workspace whose next hop has this profile; return the ports of its sites."""
    ports = dict(zip(SITES, free_ports(len(SITES)), strict=True))
    write_sample(folder, ports=ports)
    site = folder / "sites" / f"{HOP}.yaml"
    site.write_text(f"{site.read_text('utf-8')}profile: {{{profile}}}\n", encoding="utf-8")
    publish_directory(folder, now=datetime.now(UTC))
    return ports


def sealed_row(
    here: Identity,
    spool: Spool,
    link: str,
    number: int,
    *,
    body: bytes,
    now: datetime,
    part_bytes: int = 1 << 22,
) -> dict[str, object]:
    """Return the row of a sealed transfer whose parts are put into the spool."""
    transfer, whole = new_id(), digest(body)
    on = date(2026, 1, 1) + timedelta(days=number)
    parts = []
    for part, piece in split(BytesIO(body), part_bytes):
        place = spool.root / transfer / "1" / f"{part.digest.removeprefix('sha256:')}.part"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(piece)  # without waiting for the disk: this is not what is measured
        parts.append(part)
    manifest = Manifest(
        tenant=here.tenant,
        transfer=transfer,
        attempt=1,
        link=link,
        from_site=SENDER,
        to_site=RECEIVER,
        to_system="notice-cloud",
        to_dataset="notice_attributes",
        business_date=on,
        sequence=1,
        mode=Mode.FULL,
        base_transfer=None,
        media_type=MediaType.PARQUET,
        charset=None,
        compression=Compression.NONE,
        payload_digest=whole,
        payload_bytes=len(body),
        sealed_digest=whole,
        sealed_bytes=len(body),
        rows=1,
        deleted_rows=0,
        layout="notice-attributes",
        layout_version="1",
        parts=tuple(parts),
        created=now,
        expires=now + timedelta(days=7),
    )
    return {
        "tenant": here.tenant,
        "transfer": transfer,
        "link": link,
        "business_date": on.isoformat(),
        "sequence": 1,
        "attempt": 1,
        "mode": "full",
        "state": Out.SEALED.value,
        "plan_hash": "sha256:0",
        "bounds_accepted": False,
        "facts": {},
        "manifest": sign_manifest(manifest, here.signing),
        "started_at": to_micros(now),
        "to_site": RECEIVER,
        "rank": NORMAL,
        "in_order": False,
    }


def _no_orders(_link: str) -> Order:
    raise AssertionError("everything is sealed already")
