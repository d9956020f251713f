import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from kumobashi.console import console_routes, error_pages
from kumobashi.exchange.views import Overview
from kumobashi.identity import Enrolment
from kumobashi.testing import views
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from kumobashi.testing.office import code_of


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

    def __init__(
        self, application: Starlette, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
    ) -> None:
        """Ask ``application``, which lives in the loop that ``run`` runs in."""
        self._application = application
        self._run = run
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

    def upload(
        self,
        address: str,
        fields: Mapping[str, str],
        name: str,
        body: bytes,
        *,
        origin: str = "http://testserver",
    ) -> Answer:
        """Send a form with a file, as browsers do."""
        boundary, line = "----WebKitFormBoundaryKumobashi01", "Content-Disposition: form-data"
        parts = [
            f'--{boundary}\r\n{line}; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        head = f'{line}; name="file"; filename="{name}"\r\nContent-Type: application/x-test'
        parts += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), body, b"\r\n"]
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"accept": "text/html", "origin": origin, "content-type": kind}
        return self._ask(address, "POST", headers, b"".join(parts) + f"--{boundary}--\r\n".encode())

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
            self._run(self._asked(scope, receive, send))
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

    async def _asked(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def token_of(answer: Answer) -> str:
    """Return the token of the first form of a page."""
    found = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def sign_in(browser: Browser, who: Enrolment, clock: HandClock) -> Browser:
    """Sign somebody in; the clock goes on, for a code is taken once."""
    clock.at += timedelta(seconds=31)
    fields = {
        "token": token_of(browser.get("/sign-in")),
        "name": who.account.name,
        "password": who.password,
        "code": code_of(who.secret, clock.at),
    }
    assert browser.post("/sign-in", fields).status == 303
    return browser


Console = Callable[[Callable[[], Overview]], Browser]


@pytest.fixture
def console() -> Console:
    def opened(overview: Callable[[], Overview]) -> Browser:
        routes = console_routes(SceneBoard(overview), zones=views.ZONES)
        return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))

    return opened
