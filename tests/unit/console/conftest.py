import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from kumobashi.console import console_routes, error_pages
from kumobashi.exchange.views import Overview
from kumobashi.testing import views
from kumobashi.testing.boards import SceneBoard


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """Asks the application directly, as a server would; no sockets."""

    def __init__(self, application: Starlette) -> None:
        self._application = application
        self.cookies: dict[str, str] = {}

    def get(self, address: str, *, method: str = "GET", accept: str = "text/html") -> Answer:
        """Ask for a page, with the cookies that were set before."""
        return self._ask(address, method, {"accept": accept}, b"")

    def post(
        self, address: str, fields: Mapping[str, str], *, origin: str = "http://testserver"
    ) -> Answer:
        """Send a form."""
        headers = {"origin": origin, "content-type": "application/x-www-form-urlencoded"}
        return self._ask(
            address, "POST", {"accept": "text/html", **headers}, urlencode(fields).encode()
        )

    def _ask(self, address: str, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path = urlsplit(address)
        said: list[Message] = []
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path.path,
            "raw_path": path.path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": quote(path.query, safe="=&%+").encode(),
            "headers": [
                (b"host", b"testserver"),
                *((key.encode(), value.encode()) for key, value in headers.items()),
                (b"cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()).encode()),
            ],
            "server": ("testserver", 80),
        }

        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()  # the browser stays until it is answered
            raise AssertionError

        async def send(message: Message) -> None:
            said.append(message)

        try:
            asyncio.run(self._application(scope, receive, send))
        except RuntimeError:
            assert said  # Starlette answers with the page, then raises for the server's log
        given = {key.decode(): value.decode() for key, value in said[0]["headers"]}
        for key, value in said[0]["headers"]:
            if key == b"set-cookie":
                name, _, rest = value.decode().partition("=")
                kept = rest.partition(";")[0]
                self.cookies[name] = kept.strip('"')
        said_body = b"".join(message.get("body", b"") for message in said[1:])
        return Answer(said[0]["status"], given, said_body)


Console = Callable[[Callable[[], Overview]], Browser]


@pytest.fixture
def console() -> Console:
    def opened(overview: Callable[[], Overview]) -> Browser:
        routes = console_routes(SceneBoard(overview), zones=views.ZONES)
        return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))

    return opened
