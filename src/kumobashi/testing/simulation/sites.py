"""Sites of the simulated world: the real sender, relay, inbox and receiver, on simulated disks.

Two steps are shortened, because they compute and decide nothing: sealing rows (here a content is
cut in two parts) and checking rows (here they are right). Everything around them is the real code.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.crypto.transfer_keys import key_hash
from kumobashi.exchange.changes import Changes
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.dispatching import Dispatcher
from kumobashi.exchange.holding import Holder
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Inbox
from kumobashi.exchange.incarnations import Incarnations
from kumobashi.exchange.leases import Leases
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.receiving import Receiver
from kumobashi.exchange.records import Incoming, Outgoing
from kumobashi.exchange.relaying import Relay
from kumobashi.exchange.remembering import PeerMemory
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.set_aside import SetAside
from kumobashi.exchange.states import In, Out
from kumobashi.exchange.transfer_keys import TransferKeys
from kumobashi.kernel import Clock, new_id
from kumobashi.messages.manifest import Compression, Manifest, MediaType, Mode, sign_manifest
from kumobashi.messages.parts import Part
from kumobashi.messages.receipts import Stage
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.tables import Load
from kumobashi.testing.simulation.disks import (
    Life,
    Parts,
    Secrets,
    SimulatedSecrets,
    SimulatedSpool,
    SimulatedStore,
    Target,
    empty_database,
)
from kumobashi.testing.simulation.network import Network, SimulatedPeers

if TYPE_CHECKING:
    from kumobashi.exchange.takers import Taker
    from kumobashi.storage.erasable import ErasableSecrets
    from kumobashi.storage.spool import Spool
    from kumobashi.storage.state import StateStore

SENDER, RECEIVER = "hall-core", "public-cloud"
RELAYS = ("hall-exchange", "asp-relay")
SITES = (SENDER, *RELAYS, RECEIVER)
BEGIN = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
_LIFE: ContextVar["Running | None"] = ContextVar("life", default=None)


class SimulatedClock:
    """The loop's time as a time of day."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the present of the simulated world."""
        return BEGIN + timedelta(seconds=self._loop.time())


@cache
def identities() -> dict[str, Identity]:
    """Return the sites of the sample workspace with fresh keys, made once for all lives."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "w"
        write_sample(folder)
        directory = load_directory(folder, now=datetime.now(UTC))
        return {
            site: Identity(
                tenant=directory.municipality.code,
                site=site,
                signing=SigningKey.load(folder / "private" / site / "sign.key"),
                sealing=SealKey.load(folder / "private" / site / "seal.key"),
                directory=directory,
                work=folder / "work",
            )
            for site in SITES
        }


@dataclass(slots=True)
class Running:
    """The tasks of one life of one site."""

    life: Life
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    def end(self) -> None:
        """Let nothing of this life go on."""
        self.life.is_over = True
        for task in self.tasks:
            task.cancel()


def task_factory(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any],
    **more: Any,  # noqa: ANN401
) -> "asyncio.Task[Any]":
    """Make a task that belongs to the life in which it was made."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
    running = _LIFE.get()
    if running is not None:
        running.tasks.append(task)
    return task


class SimulatedSender(Sender):
    """Seals a content instead of rows."""

    contents: dict[str, bytes]

    def _prepare(self, row: Outgoing) -> Outgoing:
        if self._spool.held(row.transfer, row.attempt):
            row = self._ledger.move_out(row.transfer, None, attempt=row.attempt + 1)
        self._spool.forget(row.transfer)
        content = self.contents[f"{row.link} {row.business_date}"]
        content = content + f" attempt {row.attempt}".encode()  # a new sealing, other bytes
        half = len(content) // 2
        site = identities()[RECEIVER].sealing.recipient
        recipient = self._keys.make(row.transfer, row.attempt, recipient=site)
        parts = []
        for number, body in enumerate((content[:half], content[half:]), 1):
            part = Part(number=number, digest=digest(body), bytes=len(body))
            self._spool.put(row.transfer, row.attempt, part.digest.removeprefix("sha256:"), body)
            parts.append(part)
        manifest = self._said(row, content, tuple(parts), recipient)
        token = sign_manifest(manifest, self._identity.signing)
        return self._ledger.move_out(row.transfer, Out.SEALED, manifest=token, to_site=RECEIVER)

    def _said(
        self, row: Outgoing, content: bytes, parts: tuple[Part, ...], recipient: str
    ) -> Manifest:
        now = self._ledger.clock.now()
        return Manifest(
            tenant=row.tenant,
            transfer=row.transfer,
            attempt=row.attempt,
            link=row.link,
            from_site=SENDER,
            to_site=RECEIVER,
            to_system="notice-cloud",
            to_dataset="notice_attributes",
            business_date=date.fromisoformat(row.business_date),
            sequence=row.sequence,
            mode=Mode.FULL,
            base_transfer=None,
            media_type=MediaType.PARQUET,
            charset=None,
            compression=Compression.NONE,
            payload_digest=digest(content),
            payload_bytes=len(content),
            sealed_digest=digest(content),
            sealed_bytes=len(content),
            key=key_hash(recipient),
            rows=1,
            deleted_rows=0,
            layout="notice-attributes",
            layout_version="1",
            parts=parts,
            created=now,
            expires=now + timedelta(days=30),
        )


class SimulatedReceiver(Receiver):
    """Opens, checks and applies a content instead of rows; states and receipts are real."""

    spool: SimulatedSpool
    target: Target
    life: Life

    def _take_in(self, bundle: Incoming) -> None:
        manifest = self._manifest(bundle)
        self._keys.opening(manifest)
        content = b""
        for part in manifest.parts:
            hex_ = part.digest.removeprefix("sha256:")
            with self.spool.open(bundle.transfer, bundle.attempt, hex_) as body:
                content += body.read()
        self._state(bundle, manifest, Stage.OPENED, In.OPENED)
        self._state(bundle, manifest, Stage.VALIDATED, In.VALIDATED)
        self.target.apply(_load(manifest), content, self.life)
        self._state(bundle, manifest, Stage.APPLIED, In.APPLIED)
        self.spool.forget(bundle.transfer, bundle.attempt)

    def _state(self, bundle: Incoming, manifest: Manifest, stage: Stage, state: In) -> None:
        self._statements.that(bundle, manifest, stage, state, rows=1)


class _NoSnapshots:
    def forget_but(self, _link: str, _transfers: set[str]) -> None:
        """Full transfers keep none."""


@dataclass(slots=True)
class SimulatedSite:
    """One site: its disks outlive its processes."""

    name: str
    network: Network
    chance: random.Random
    dies: Callable[[str], bool]
    fails: Callable[[str], Exception | None]
    restart_seconds: Callable[[], float]
    receiver_class: type[SimulatedReceiver] = SimulatedReceiver
    target: Target = field(default_factory=Target)
    contents: dict[str, bytes] = field(default_factory=dict)
    inbox: Inbox | None = None
    dispatcher: Dispatcher | None = None
    ledger: Ledger | None = None
    deaths: int = 0
    _spool_in: Parts = field(default_factory=dict)
    _spool_out: Parts = field(default_factory=dict)
    _secrets: Secrets = field(default_factory=dict)
    _database: Any = field(init=False)
    _running: Running | None = None

    def __post_init__(self) -> None:
        """Begin with an empty disk."""
        self._database = empty_database(self.name)

    def spooled(self) -> int:
        """Return how many parts lie on the disk."""
        return sum(map(len, (*self._spool_in.values(), *self._spool_out.values())))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something in this site's present process."""
        before = _LIFE.set(self._running)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _LIFE.reset(before)

    def start(self) -> None:
        """Begin a life, as a process does: read the disks and go on with what was under way."""
        life = Life(dies=self.dies, fails=self.fails)
        life.at_death = self._died
        self._running = Running(life)
        identity = identities()[self.name]
        clock = SimulatedClock(asyncio.get_running_loop())
        store = cast("StateStore", SimulatedStore(self._database, life))
        self.spawn(self._begin(store, identity, clock, life))

    async def _begin(
        self, store: "StateStore", identity: Identity, clock: Clock, life: Life
    ) -> None:
        try:
            self._open(store, identity, clock, life)
        except Exception:  # noqa: BLE001 - the process ends, and is started again
            life.is_over = True
            self._ended()

    def _open(self, store: "StateStore", identity: Identity, clock: Clock, life: Life) -> None:
        incarnations = Incarnations(store, identity.tenant, self.name, clock)
        incarnations.begin()
        leases = Leases(store, identity.tenant, owner=new_id(), seconds=60)
        leases.forget_all()
        holder = Holder(leases, seconds=60, is_shared=False)
        ledger = self.ledger = Ledger(store, identity.tenant, clock)
        memory = PeerMemory(ledger)
        lines = Lines(identity, clock, known=memory.known(), keep=memory.keep)
        peers = cast("Peers", SimulatedPeers(self.network, self.name, lines, life, self.chance))
        spool, changes = SimulatedSpool(self._spool_in, life), Changes()
        secrets = SimulatedSecrets(self._secrets, life)
        keys = TransferKeys(cast("ErasableSecrets", secrets), identity.sealing)
        taker: Taker
        if self.name in RELAYS:
            taker = Relay(
                identity, ledger, cast("Spool", spool), changes, peers, keys=keys, holder=holder
            )
        else:
            taker = self._receiver(
                identity, spool, changes, incarnations, life, keys=keys, holder=holder
            )
        inbox = Inbox(identity, ledger, cast("Spool", spool), changes, taker, keys=keys, works=True)
        inbox.resume()
        self.inbox = inbox
        if self.name == SENDER:
            sender = self._sender(identity, ledger, peers, keys, life)
            sender.clear()
            self.dispatcher = Dispatcher(
                identity, ledger, sender, lines, Deeds(ledger), holder=holder
            )
            self.dispatcher.start()

    def _receiver(
        self,
        identity: Identity,
        spool: SimulatedSpool,
        changes: Changes,
        incarnations: Incarnations,
        life: Life,
        *,
        keys: TransferKeys,
        holder: Holder,
    ) -> SimulatedReceiver:
        assert self.ledger is not None, "made before"
        receiver = self.receiver_class(
            identity=identity,
            ledger=self.ledger,
            spool=cast("Spool", spool),
            changes=changes,
            receptions=_no_reception,
            limits=Limits(memory_mib=64),
            set_aside=SetAside(Path()),
            keys=keys,
            deletions=cast("Any", None),
            checkpoint=lambda: None,
            incarnations=incarnations,
            holder=holder,
        )
        receiver.spool, receiver.target, receiver.life = spool, self.target, life
        return receiver

    def _sender(
        self, identity: Identity, ledger: Ledger, peers: Peers, keys: TransferKeys, life: Life
    ) -> SimulatedSender:
        sender = SimulatedSender(
            identity=identity,
            ledger=ledger,
            spool=cast("Spool", SimulatedSpool(self._spool_out, life)),
            peers=peers,
            orders=_no_order,
            snapshots=cast("Any", _NoSnapshots()),
            histories=cast("Any", None),  # no rows, nothing told of anybody
            individual=cast("Any", None),
            keys=keys,
            limits=Limits(memory_mib=64),
            token_secret=None,
        )
        sender.contents = self.contents
        return sender

    def _died(self) -> None:
        self.deaths += 1
        self._ended()

    def _ended(self) -> None:
        self.inbox = self.dispatcher = None
        if self._running:
            self._running.end()
        loop = asyncio.get_running_loop()
        loop.call_later(self.restart_seconds(), self.start)


def _no_order(_link: str) -> Any:  # noqa: ANN401 - never asked
    raise AssertionError("contents are sealed without an order")


def _no_reception(_link: str) -> Any:  # noqa: ANN401 - never asked
    raise AssertionError("contents are applied without a reception")


def _load(manifest: Manifest) -> Load:
    return Load(
        tenant=manifest.tenant,
        transfer=manifest.transfer,
        link=manifest.link,
        business_date=manifest.business_date,
        sequence=manifest.sequence,
        mode="full",
        base_transfer=None,
        table="",
        columns=(),
        key=(),
        rows=1,
        deleted=0,
        connection=cast("Any", None),
        relation="",
        deleted_relation=None,
        before_commit=lambda: None,
    )
