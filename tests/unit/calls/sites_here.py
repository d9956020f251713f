"""Three sites over real HTTP in one process: two that ask and answer, and a relay between them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from kumobashi.calls.answering import Answerer
from kumobashi.calls.asking import Asker
from kumobashi.calls.fetching import Fetcher
from kumobashi.calls.handing import Handing
from kumobashi.calls.here import Here
from kumobashi.calls.journal import Journal
from kumobashi.calls.permits import CallLink, Operation, Permitted
from kumobashi.calls.posting import Answered, Poster
from kumobashi.calls.refusals import Refusals
from kumobashi.calls.relaying import Relaying
from kumobashi.calls.sites import Sites
from kumobashi.calls.taking import Entrance
from kumobashi.calls.waiting import Waiting
from kumobashi.crypto.client_tls import ClientTls
from kumobashi.crypto.keys import SealKey, SigningKey
from kumobashi.directory.entries import (
    ConnectionEntry,
    ContactEntry,
    Directory,
    MunicipalityEntry,
    SiteEntry,
    SystemEntry,
)
from kumobashi.directory.models import By, NetworkModel, SiteKind
from kumobashi.evidence.entries import Entry
from kumobashi.kernel import KumobashiError, SystemClock, Zone
from kumobashi.service.call_api import FACE, LocalCalls, PeerCalls
from kumobashi.service.call_waiting_api import WaitingCalls

TENANT = "999997"
WAYS = {  # who opens a connection to whom
    "direct": {"hall": ("cloud",)},
    "through a relay": {"hall": ("relay",), "relay": ("cloud",)},
    "fetched": {"cloud": ("hall",)},
    "fetched through a relay": {"cloud": ("relay",), "relay": ("hall",)},
    "both only reach a relay": {"hall": ("relay",), "cloud": ("relay",)},
}
TOKEN = "shown-by-the-system"
NEAR = CallLink(
    link="payment-status",
    asker="arrears",
    answerer="collection",
    service="payments",
    sites=("cloud",),
    operations=(
        Operation(version="v1", name="get", method="GET", path="/payments/{payment}"),
        Operation(version="v1", name="find", method="POST", path="/payments/search"),
    ),
    purpose="arrears",
    unit="local-tax",
    kind="payment-status",
    plan="sha256:" + 64 * "1",
    answer_seconds=5.0,
    largest_answer_bytes=1_000_000,
)


@dataclass
class Office:
    """What one site permits, as its workspace would say it."""

    link: CallLink = NEAR
    base: str | None = None
    why: KumobashiError | None = None
    is_declared: bool = True

    def permitted(self, asker: str, asked: str) -> Permitted:
        if (asker, asked) != (self.link.asker, self.link.asked):
            return Permitted()
        in_force = self.is_declared and self.why is None
        return Permitted((self.link,) if in_force else (), self.why)

    def tested(self, _link: str) -> CallLink:
        if self.why:
            raise self.why
        return self.link

    def backend(self, _system: str, _service: str, *, is_test: bool) -> str | None:
        return None if is_test else self.base


@dataclass
class Place:
    """One site with its keys, office and journal."""

    name: str
    url: str
    folder: Path
    connects_to: tuple[str, ...]
    clock: SystemClock = field(default_factory=SystemClock)
    sign: SigningKey = field(default_factory=SigningKey.generate)
    seal: SealKey = field(default_factory=SealKey.generate)
    office: Office = field(default_factory=Office)
    noted: list[Entry] = field(default_factory=list)
    wire: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tamper: ASGIApp | None = None

    def entry(self) -> SiteEntry:
        return SiteEntry(
            name=self.name,
            kind=SiteKind.PRIVATE_CLOUD,
            zone=Zone.LGWAN,
            role="relay" if self.name == "relay" else "endpoint",
            provider="架空市",
            jurisdiction="JP",
            url=self.url,
            connects_to=tuple(ConnectionEntry(site=s, by=By.LGWAN) for s in self.connects_to),
            largest_part_bytes=1024,
            contact="desk",
            sign=(self.sign.public.jwk(),),
            seal=(self.seal.recipient,),
        )


class City:
    """All sites, what they know of each other, and what runs at each."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = {place.name: place for place in places}
        now = datetime.now(UTC)
        self.directory = Directory(
            format=1,
            version=1,
            issued=now,
            expires=now + timedelta(days=1),
            municipality=MunicipalityEntry(code=TENANT, name="架空市"),
            network_model=NetworkModel.ALPHA,
            sites={place.name: place.entry() for place in places},
            systems={
                name: SystemEntry(
                    name=name,
                    site=site,
                    kind="standard",
                    business=None,
                    contact="desk",
                    datasets={},
                )
                for name, site in (("arrears", "hall"), ("collection", "cloud"))
            },
            contacts={"desk": ContactEntry(name="情報政策課", phone="000-000-0000", hours="平日")},
        )
        self.poster = Poster()
        self.fetchers: dict[str, Fetcher] = {}
        self.fetching: dict[str, asyncio.Task[None]] = {}
        self.servers: dict[str, AbstractAsyncContextManager[str]] = {}
        self.rooms: dict[str, Waiting] = {}
        self.peers: dict[str, PeerCalls] = {}
        self.entrances: dict[str, Entrance] = {}
        self.journals: dict[str, Journal] = {}
        self.askers: dict[str, Asker] = {}

    def app(self, place: Place) -> ASGIApp:
        """Return what serves at one site."""
        journal = self.journals[place.name] = Journal(
            place.folder / place.name,
            process=f"{place.name}-1",
            clock=place.clock,
            note=place.noted.append,
            sealed=lambda _name: 0,
        )
        sites = Sites(self.directory, place.name)
        waiting = self.rooms[place.name] = Waiting()
        handing = Handing(self.poster, waiting, ClientTls(place.folder / "tls"))
        here = Here(
            tenant=TENANT,
            site=place.name,
            key=place.sign,
            sealing=place.seal,
            clock=place.clock,
            sites=lambda: sites,
            permits=place.office,
            journal=journal,
            poster=self.poster,
            handing=handing,
        )
        asker, answerer = Asker(here), Answerer(here)
        self.askers[place.name] = asker
        relaying = Relaying(place.name, place.sign, place.clock, lambda: sites, handing)
        entrance = self.entrances[place.name] = Entrance(
            TENANT, place.name, place.clock, lambda: sites
        )
        is_relay = place.name == "relay"
        peer = PeerCalls(
            entrance,
            answerer=None if is_relay else answerer,
            relaying=relaying if is_relay else None,
            refusals=None if is_relay else Refusals(journal, place.clock),
        )
        held = WaitingCalls(
            site=place.name, waiting=waiting, sites=lambda: sites, clock=place.clock
        )
        self.fetchers[place.name] = Fetcher(
            site=place.name,
            key=place.sign,
            clock=place.clock,
            sites=lambda: sites,
            poster=self.poster,
            tls=handing.tls,
            answer=peer.answer,
            holders=lambda: frozenset(sites.reachable),
        )
        self.peers[place.name] = peer
        known = sha256(TOKEN.encode()).digest()
        local = LocalCalls(asker, lambda system: known if system == "arrears" else None)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            if scope["path"].startswith(FACE):
                await local(scope, receive, send)
            elif held.has(scope["path"]):
                await held(scope, receive, send)
            elif place.tamper is not None:
                await place.tamper(scope, receive, send)
            else:
                await peer(scope, receive, send)

        return serve

    async def stop(self, name: str) -> None:
        """Let the gateway of a site be away."""
        self.fetching[name].cancel()
        await asyncio.gather(self.fetching[name], return_exceptions=True)
        await self.servers.pop(name).__aexit__(None, None, None)

    async def ask(
        self,
        path: str = "/payments/17?year=2026",
        *,
        method: str = "GET",
        body: bytes = b"",
        version: str = "v1",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Ask as the system would, at the gateway of its site."""
        said = {"authorization": f"Bearer {TOKEN}", "kumobashi-system": "arrears"}
        return await self.poster.send(
            method,
            f"{self.places['hall'].url}{FACE}collection/payments/{version}{path}",
            headers=said | (headers or {}),
            body=body,
            seconds=20,
            largest=10_000_000,
        )


@asynccontextmanager
async def city(folder: Path, way: str = "direct") -> AsyncIterator[City]:
    """Run the sites; the system answers at ``places["cloud"].office.base`` once one is set."""
    sockets = {name: _socket() for name in ("hall", "relay", "cloud")}
    places = [
        Place(name, _url(one), folder, connects_to=WAYS[way].get(name, ()))
        for name, one in sockets.items()
    ]
    held = City(places)
    held.servers = {place.name: run(held.app(place), sockets[place.name]) for place in places}
    try:
        for server in held.servers.values():
            await server.__aenter__()
        for journal in held.journals.values():
            journal.start()
        held.fetching = {
            name: asyncio.create_task(one.keep_fetching()) for name, one in held.fetchers.items()
        }
        yield held
    finally:
        for one in held.fetching.values():
            one.cancel()
        await asyncio.gather(*held.fetching.values(), return_exceptions=True)
        for room in held.rooms.values():
            room.close()
        for journal in held.journals.values():
            await journal.aclose()
        await held.poster.aclose()
        over = [server.__aexit__(None, None, None) for server in held.servers.values()]
        await asyncio.gather(*over)


@asynccontextmanager
async def run(app: ASGIApp, at: socket.socket) -> AsyncIterator[str]:
    """Serve an application on an open socket; gives its address."""
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = _uncaught  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(server.serve(sockets=[at]))
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    try:
        yield _url(at)
    finally:
        server.should_exit = True
        await task


def open_socket() -> socket.socket:
    """Return a socket for :func:`run`."""
    return _socket()


class _uncaught:  # noqa: N801 - stands for a method
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _socket() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(128)
    return found


def _url(found: socket.socket) -> str:
    return f"http://127.0.0.1:{found.getsockname()[1]}"
