"""The HTTP application of a gateway: peer API for all, local API and console for this machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kumobashi import __version__
from kumobashi.calls.signing import PATH
from kumobashi.kernel import from_micros, to_wire
from kumobashi.service.bounded_http import BoundedProtocol
from kumobashi.service.call_api import FACE
from kumobashi.service.calling import Calling
from kumobashi.service.ending import asked_to_end
from kumobashi.service.errors import NothingToShare
from kumobashi.service.gateway import Gateway
from kumobashi.service.heaps import share_heaps
from kumobashi.service.linkage_api import FACE as LINKAGE_FACE
from kumobashi.service.only_here import ForThisMachine, SchemeOf, known_by_no_other_name
from kumobashi.service.peer_api import peer_routes
from kumobashi.service.peer_evidence import PeerEvidence
from kumobashi.service.problems import unexpected
from kumobashi.service.readings import Readings
from kumobashi.service.scraping import PATH as METRICS
from kumobashi.service.scraping import Scrapers, metrics_of
from kumobashi.service.settings import Settings, listen_at
from kumobashi.service.soap_api import FACE as SOAP_FACE
from kumobashi.service.stating import state_reference
from kumobashi.storage.errors import StorageFailed

log = logging.getLogger(__name__)


async def serve(settings: Settings, ready: Callable[[str], None] = lambda _url: None) -> None:
    """Run the gateway until it is asked to stop (Ctrl-C or SIGTERM)."""
    share_heaps()
    gateway = Gateway(settings)
    url = gateway.identity.here.url
    host, port = listen_at(settings, url)
    config = uvicorn.Config(
        application(gateway, ready=lambda: ready(url)),
        host=host,
        port=port,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,
    )
    await _Server(config, at_exit=gateway.changes.end).serve()


async def work(settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Work on transfers and bundles without serving, until asked to stop.

    Raises:
        NothingToShare: the state is a file, which one process has at a time.
    """
    if state_reference(settings) is None:
        raise NothingToShare(site=settings.site)
    share_heaps()
    gateway = Gateway(settings)
    over = asyncio.Event()
    with asked_to_end(lambda _number: over.set()):
        try:
            gateway.start()
            ready()
            await over.wait()
        finally:
            await gateway.aclose()


class _Server(uvicorn.Server):
    """Ends when asked to, without raising the signal again: a clean end is no failure."""

    def __init__(self, config: uvicorn.Config, *, at_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_exit = at_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop serving; who waits for news is let go first."""
        self._at_exit()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let whoever asks end the serving."""
        with asked_to_end(lambda number: self.handle_exit(number, None)):
            yield


def application(gateway: Gateway, ready: Callable[[], None] = lambda: None) -> ASGIApp:
    """Return the ASGI application of a gateway."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        gateway.start()
        ready()
        yield
        await readings.aclose()
        await gateway.aclose()

    readings = Readings(gateway)
    routes: list[BaseRoute] = [
        *peer_routes(
            gateway.identity,
            gateway.inbox,
            gateway.clock,
            PeerEvidence(gateway),
            gateway.pulsing.answer,
        ),
        Route("/health", _health(gateway), methods=["GET"]),
        Route(METRICS, metrics_of(readings), methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {Exception: unexpected}
    scheme_of: SchemeOf = known_by_no_other_name
    if gateway.endpoint:
        from kumobashi.console import error_pages  # noqa: PLC0415 - not for relays
        from kumobashi.service.endpoint_routes import endpoint_routes  # noqa: PLC0415 - likewise
        from kumobashi.service.sign_on import sign_ons_of  # noqa: PLC0415 - likewise

        sign_ons = sign_ons_of(gateway, gateway.endpoint)
        routes += endpoint_routes(gateway, gateway.endpoint, sign_ons)
        scheme_of = sign_ons.scheme_of
        handlers |= error_pages()
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    settings = gateway.settings
    private = settings.workspace / "private" / settings.site
    app.state.is_training = gateway.settings.is_training
    return _CallsFirst(gateway.calling, ForThisMachine(app, scheme_of, Scrapers(private)))


def _health(gateway: Gateway) -> Callable[[Request], Awaitable[Response]]:
    async def health(_request: Request) -> Response:
        state: dict[str, object] = {"reachable": True}
        try:
            now = await asyncio.to_thread(gateway.incarnations.current)
            restored = await asyncio.to_thread(gateway.incarnations.restored)
            state |= {"incarnation": now.incarnation, "epoch": now.epoch}
            state |= {"restored": to_wire(from_micros(restored.at)) if restored else None}
        except StorageFailed:  # it serves, and waits for its database
            state["reachable"] = False
        return JSONResponse(
            {
                "status": "ok",
                "site": gateway.identity.site,
                "version": __version__,
                "time": to_wire(gateway.clock.now()),
                "state": state,
            }
        )

    return health


class _CallsFirst:
    """Hand calls over before anything else looks at the request: they are many, and in a hurry."""

    def __init__(self, calling: Calling, app: ASGIApp) -> None:
        self._calling = calling
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path == PATH and scope["method"] == "POST":
                await self._calling.peer(scope, receive, send)
                return
            if scope["method"] == "POST" and self._calling.held.has(path):
                await self._calling.held(scope, receive, send)
                return
            if self._calling.local and path.startswith(FACE):
                await self._calling.local(scope, receive, send)
                return
            if self._calling.soap and path.startswith(SOAP_FACE):
                await self._calling.soap(scope, receive, send)
                return
            if self._calling.linkage and path.startswith(LINKAGE_FACE):
                await self._calling.linkage(scope, receive, send)
                return
        await self._app(scope, receive, send)
