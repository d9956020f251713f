import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

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

    def get(self, address: str, *, method: str = "GET", accept: str = "text/html") -> Answer:
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
            "headers": [(b"host", b"testserver"), (b"accept", accept.encode())],
            "server": ("testserver", 80),
        }

        async def receive() -> Message:
            await asyncio.Event().wait()  # the browser stays until it is answered
            raise AssertionError

        async def send(message: Message) -> None:
            said.append(message)

        try:
            asyncio.run(self._application(scope, receive, send))
        except RuntimeError:
            assert said  # Starlette answers with the page, then raises for the server's log
        headers = {key.decode(): value.decode() for key, value in said[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in said[1:])
        return Answer(said[0]["status"], headers, body)


Console = Callable[[Callable[[], Overview]], Browser]


@pytest.fixture
def console() -> Console:
    def opened(overview: Callable[[], Overview]) -> Browser:
        routes = console_routes(SceneBoard(overview), zones=views.ZONES)
        return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))

    return opened
