"""Ten thousand transfers wait for a peer that is down; it comes back: how it is drained.

``python -m kumobashi.testing.backlog --transfers 10000`` fills a sender's ledger and spool with
sealed transfers of several links, lets the real dispatcher meet a peer that does not listen, then
starts the peer: a process with the real peer API over HTTP that signs the receiver's receipts at
once. It prints how long draining took, the calls as the peer counted them, whether a link that
keeps its order kept it, and the sender's memory. It fails when something is missing, came too fast
or out of order.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from kumobashi.crypto.canonical import digest
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.entries import Directory
from kumobashi.exchange.changes import Changes
from kumobashi.exchange.deeds import Deeds
from kumobashi.exchange.differences import Snapshots
from kumobashi.exchange.dispatching import Dispatcher
from kumobashi.exchange.identity import Identity
from kumobashi.exchange.inbox import Downstream, Inbox
from kumobashi.exchange.ledger import Ledger
from kumobashi.exchange.lines import Lines
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.orders import Order
from kumobashi.exchange.packing import Limits
from kumobashi.exchange.peers import Peers
from kumobashi.exchange.records import Incoming
from kumobashi.exchange.remembering import PeerMemory
from kumobashi.exchange.sending import Sender
from kumobashi.exchange.sql import outgoing
from kumobashi.exchange.states import In, Out
from kumobashi.kernel import Clock, SystemClock, new_id, to_micros
from kumobashi.messages.manifest import (
    Compression,
    Manifest,
    MediaType,
    Mode,
    sign_manifest,
    verify_manifest,
)
from kumobashi.messages.parts import split
from kumobashi.messages.receipts import (
    Receipt,
    Stage,
    next_receipt,
    sign_receipt,
    verify_receipt,
)
from kumobashi.planning.publishing import load_directory, publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.service.peer_api import peer_routes
from kumobashi.storage.spool import Spool
from kumobashi.storage.sqlite import StateStore
from kumobashi.testing.town import SITES, free_ports

SENDER, HOP, RECEIVER = "hall-core", "hall-exchange", "public-cloud"
STREAM, URGENT = "stream-00", "urgent-01"
LINKS = 20
_BODY_BYTES = 2_000
_STAGES = (Stage.DELIVERED, Stage.OPENED, Stage.VALIDATED, Stage.APPLIED)
Figures = dict[str, Any]


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


# -- the sender ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """A sender's half of a gateway, without its HTTP."""

    here: Identity
    store: StateStore
    ledger: Ledger
    spool: Spool
    lines: Lines
    peers: Peers
    dispatcher: Dispatcher

    async def aclose(self) -> None:
        """Stop and let go of everything."""
        await self.dispatcher.aclose()
        await self.peers.aclose()
        self.store.close()


def outbox(folder: Path, clock: Clock | None = None) -> Outbox:
    """Return the outbox of the sending site of a workspace; made inside an event loop."""
    directory = load_directory(folder, now=datetime.now(UTC))
    here, var = identity(folder, directory, SENDER), folder / "var" / SENDER
    clock = clock or SystemClock()
    store = StateStore(var / "state.db", owner=SENDER)
    migrate(store)
    ledger, spool = Ledger(store, here.tenant, clock), Spool(var / "spool" / "out")
    memory = PeerMemory(ledger)
    lines = Lines(here, clock, known=memory.known(), keep=memory.keep)
    peers = Peers(here, clock, lines)
    sender = Sender(
        identity=here,
        ledger=ledger,
        spool=spool,
        peers=peers,
        orders=_no_orders,
        snapshots=Snapshots(var / "snapshots"),
        limits=Limits(memory_mib=64),
        token_secret=None,
    )
    return Outbox(
        here=here,
        store=store,
        ledger=ledger,
        spool=spool,
        lines=lines,
        peers=peers,
        dispatcher=Dispatcher(here, ledger, sender, lines, Deeds(ledger)),
    )


def found_workspace(folder: Path, profile: str) -> Mapping[str, int]:
    """Write a sample workspace whose next hop has this profile; return the ports of its sites."""
    ports = dict(zip(SITES, free_ports(len(SITES)), strict=True))
    write_sample(folder, ports=ports)
    site = folder / "sites" / f"{HOP}.yaml"
    site.write_text(f"{site.read_text('utf-8')}profile: {{{profile}}}\n", encoding="utf-8")
    publish_directory(folder, now=datetime.now(UTC))
    return ports


def fill(ledger: Ledger, spool: Spool, here: Identity, transfers: int) -> None:
    """Write sealed transfers of several links, as a night of many small ones leaves them."""
    now = datetime.now(UTC)
    rows: list[Mapping[str, object]] = []
    for number in range(transfers):
        kind = number % LINKS
        link = {0: STREAM, 1: URGENT}.get(kind, f"free-{kind:02}")
        body = random.Random(number).randbytes(_BODY_BYTES)  # sealed bytes look like noise
        rows.append(sealed_row(here, spool, link, number // LINKS, body=body, now=now))
    ledger.store.write(lambda held: held.execute(sa.insert(outgoing), rows))


def sealed_row(
    here: Identity,
    spool: Spool,
    link: str,
    number: int,
    *,
    body: bytes,
    now: datetime,
    part_bytes: int = 1 << 22,
) -> Mapping[str, object]:
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
        "rank": 10 if link == URGENT else 20,
        "in_order": link == STREAM,
    }


def _no_orders(_link: str) -> Order:
    raise AssertionError("everything is sealed already")


# -- the peer -----------------------------------------------------------------------------------


class Signing:
    """A taker that signs what a receiver would, at once, and notes in which order bundles came."""

    def __init__(self, receiver: Identity, ledger: Ledger, changes: Changes, notes: Path) -> None:
        self._receiver = receiver
        self._ledger = ledger
        self._changes = changes
        self._notes = notes
        self._tasks: set[asyncio.Task[None]] = set()

    def closed_state(self) -> In:
        """Return that it plays a relay, too."""
        return In.CLOSED

    def receipt_for(self, manifest: Manifest, _state: In) -> tuple[str, str]:
        """Sign that everything arrived."""
        return self._signed(None, manifest, Stage.DELIVERED)[1]

    def downstream(self, _bundle: Incoming) -> Downstream:
        """Nothing is behind it."""
        return Downstream()

    def start(self) -> None:
        """Nothing is left of before."""

    def wake(self, bundle: Incoming) -> None:
        """Sign the other receipts as soon as the bundle is closed."""
        if bundle.state is In.CLOSED:
            with self._notes.open("a", encoding="ascii") as notes:
                notes.write(f"{bundle.link} {bundle.transfer}\n")
            task = asyncio.create_task(asyncio.to_thread(self._finish, bundle))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Nothing goes on."""

    def _finish(self, bundle: Incoming) -> None:
        keys = self._receiver.keys_of(bundle.from_site)
        manifest = verify_manifest(bundle.manifest or "", keys)
        key = (bundle.transfer, bundle.attempt)
        mine = {self._receiver.signing.kid: self._receiver.signing.public}
        last = verify_receipt(self._ledger.receipts(*key, "in")[0], mine)
        more = []
        for stage in _STAGES[1:]:
            last, signed = self._signed(last, manifest, stage)
            more.append(signed)
        self._ledger.keep_receipts(*key, "in", more)
        self._ledger.move_in(bundle, In.PASSED)
        self._ledger.move_in(bundle, In.SETTLED)
        self._changes.tell(key)

    def _signed(
        self, last: Receipt | None, manifest: Manifest, stage: Stage
    ) -> tuple[Receipt, tuple[str, str]]:
        receipt = next_receipt(
            last,
            manifest=manifest,
            stage=stage,
            receipt=new_id(),
            at=datetime.now(UTC),
            rows=None if stage is Stage.DELIVERED else 1,
        )
        return receipt, (stage.value, sign_receipt(receipt, self._receiver.signing))


class _Counting:
    """Counts the calls that come, second by second, and how many are open at once."""

    def __init__(self, app: ASGIApp, file: Path) -> None:
        self._app, self._file = app, file
        self._calls: Counter[int] = Counter()
        self._open = self._most = 0
        self._written = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._calls[int(time.monotonic())] += 1
        self._open += 1
        self._most = max(self._most, self._open)
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            if time.monotonic() - self._written > 0.5:  # noqa: PLR2004 - seconds
                self._written = time.monotonic()
                said = {"calls": dict(self._calls), "at_once": self._most}
                self._file.write_text(json.dumps(said), encoding="ascii")


def peer_app(folder: Path) -> tuple[Starlette, Ledger]:
    """Return the peer API of the next hop, and what it remembers; made inside an event loop."""
    directory = load_directory(folder, now=datetime.now(UTC))
    here, clock, var = identity(folder, directory, HOP), SystemClock(), folder / "var" / HOP
    store = StateStore(var / "state.db", owner=HOP)
    migrate(store)
    ledger, changes = Ledger(store, here.tenant, clock), Changes()
    taker = Signing(identity(folder, directory, RECEIVER), ledger, changes, folder / "order.txt")
    inbox = Inbox(here, ledger, Spool(var / "spool" / "in"), changes, taker)
    return Starlette(routes=peer_routes(here, inbox, clock)), ledger


def peer(folder: Path, port: int) -> None:
    """Serve the peer API of the next hop until killed."""
    asyncio.run(_peer(folder, port))


async def _peer(folder: Path, port: int) -> None:
    app = _Counting(peer_app(folder)[0], folder / "calls.json")
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    await uvicorn.Server(config).serve()


# -- the measuring ------------------------------------------------------------------------------


async def measure(folder: Path, *, transfers: int, per_minute: int, down_seconds: float) -> Figures:
    """Return the figures of one outage and what follows it."""
    ports = found_workspace(folder, f"requests_per_minute: {per_minute}, at_once: 16")
    out = outbox(folder)
    ledger, dispatcher = out.ledger, out.dispatcher
    await asyncio.to_thread(fill, ledger, out.spool, out.here, transfers)
    process = multiprocessing.get_context("spawn").Process(
        target=peer, args=(folder, ports[HOP]), daemon=True
    )
    tasks_before = len(asyncio.all_tasks())
    dispatcher.start()
    try:
        await asyncio.sleep(down_seconds)
        line = out.lines.to(HOP)
        probes = line.pace.last_minute(asyncio.get_running_loop().time())
        written = _changed(ledger)
        waiting = dispatcher.waiting_for(HOP)
        tasks = len(asyncio.all_tasks()) - tasks_before
        process.start()
        begun = time.monotonic()
        left = transfers
        while left and time.monotonic() - begun < 3600:  # noqa: PLR2004 - seconds
            await asyncio.sleep(0.5)
            left = len(await asyncio.to_thread(ledger.under_way))
        seconds = time.monotonic() - begun
    finally:
        await out.aclose()
        if process.pid:
            process.kill()
            process.join()
    said = json.loads((folder / "calls.json").read_text("ascii"))
    return {
        "transfers": transfers,
        "left": left,
        "waiting_while_down": waiting,
        "down_seconds": down_seconds,
        "calls_while_down": probes,
        "rows_written_while_down": written,
        "tasks_while_down": tasks,
        "drained_seconds": round(seconds, 1),
        **_calls({int(second): count for second, count in said["calls"].items()}),
        "per_minute_permitted": per_minute,
        "calls_at_once": said["at_once"],
        **_order((folder / "order.txt").read_text("ascii").splitlines()),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": round(os.getloadavg()[0], 1),
    }


def _changed(ledger: Ledger) -> int:
    """Return how many waiting rows were written to, for a cause or a next try."""
    query = sa.select(sa.func.count()).where(
        sa.or_(outgoing.c.next_try_at.is_not(None), outgoing.c.state != Out.SEALED.value)
    )
    return int(ledger.store.read(lambda held: held.execute(query).scalar_one()))


def _calls(calls: Mapping[int, int]) -> Figures:
    first, last = min(calls), max(calls)
    minute = max(
        sum(calls.get(second, 0) for second in range(at, at + 60)) for at in range(first, last + 1)
    )
    opening = [calls.get(second, 0) for second in range(first, first + 5)]
    return {
        "calls": sum(calls.values()),
        "most_calls_in_a_second": max(calls.values()),
        "most_calls_in_a_minute": minute,
        "calls_of_the_first_seconds": opening,
    }


def _order(closed: list[str]) -> Figures:
    links = [line.split()[0] for line in closed]
    stream = [line.split()[1] for line in closed if line.startswith(STREAM)]
    urgent = [at for at, link in enumerate(links) if link == URGENT]
    return {
        "closed": len(closed),
        "closed_twice": len(closed) - len(set(closed)),
        "stream": len(stream),
        "stream_out_of_order": sum(a > b for a, b in pairwise(stream)),
        "last_urgent_at": max(urgent, default=0),
        "links_in_the_middle": len(set(links[len(links) // 2 : len(links) // 2 + 200])),
    }


def check(figures: Figures) -> list[str]:
    """Return what is wrong with the figures; nothing: it was drained as it should be."""
    wanted = {
        "everything was applied": figures["left"] == 0,
        "each was closed once": figures["closed"] == figures["transfers"]
        and not figures["closed_twice"],
        "the stream kept its order": figures["stream_out_of_order"] == 0 and figures["stream"] > 0,
        "no more calls in a minute than the profile permits": figures["most_calls_in_a_minute"]
        <= figures["per_minute_permitted"],
        "no more at once than the profile permits": figures["calls_at_once"] <= 16,  # noqa: PLR2004
        # Those that were under way when it was noticed, then one probe after the other.
        "while down only probes called": figures["calls_while_down"]
        <= 8 + 3 + figures["down_seconds"],
        "while down no transfer was written to": figures["rows_written_while_down"] == 0,
    }
    return [what for what, is_so in wanted.items() if not is_so]


def main() -> None:
    """Measure, print, and fail when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=10_000)
    parser.add_argument("--per-minute", type=int, default=12_000)
    parser.add_argument("--down-seconds", type=float, default=20.0)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(
            measure(
                Path(folder) / "w",
                transfers=wish.transfers,
                per_minute=wish.per_minute,
                down_seconds=wish.down_seconds,
            )
        )
    print(json.dumps(figures, ensure_ascii=False, indent=1))  # noqa: T201 - what it is for
    if wrong := check(figures):
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
