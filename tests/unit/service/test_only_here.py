"""Who reaches pages and calls: this machine, under its own names or the console's, and no other."""

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from kumobashi.service.only_here import ForThisMachine
from kumobashi.service.scraping import Scrapers

CONSOLE = "kumobashi.city.example.jp"


async def _says_its_scheme(request: Request) -> Response:
    return PlainTextResponse(request.url.scheme)


def _scheme_of(host: str, path: str) -> str | None:
    return "https" if host == CONSOLE and not path.startswith("/api/") else None


def asked(path: str, host: str, caller: str) -> tuple[int, str]:
    """Return status and text of an answer."""
    paths = ("/links", "/api/v1/overview", "/health")
    inner = Starlette(routes=[Route(one, _says_its_scheme) for one in paths])
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": (caller, 1),
    }
    asyncio.run(
        ForThisMachine(inner, _scheme_of, Scrapers(Path("no-folder")))(scope, receive, send)
    )
    return said[0]["status"], said[1]["body"].decode()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_this_machine_reaches_all_under_its_own_names(host: str) -> None:
    assert asked("/api/v1/overview", host, "127.0.0.1") == (200, "http")


def test_a_proxy_of_this_machine_reaches_pages_under_the_name_of_the_console_as_https() -> None:
    assert asked("/links", CONSOLE, "127.0.0.1") == (200, "https")


@pytest.mark.parametrize(
    ("path", "host", "caller"),
    [
        ("/api/v1/overview", CONSOLE, "127.0.0.1"),
        ("/links", "rebound.example", "127.0.0.1"),
        ("/links", CONSOLE, "192.0.2.7"),
        ("/links", "127.0.0.1", "192.0.2.7"),
    ],
    ids=["a-call-by-that-name", "another-name", "from-elsewhere", "a-lie"],
)
def test_others_are_refused(path: str, host: str, caller: str) -> None:
    status, text = asked(path, host, caller)

    assert (status, "service.only_here" in text) == (403, True)


def test_health_is_for_all() -> None:
    assert asked("/health", "anything.example", "192.0.2.7")[0] == 200
