"""Connections that cost much and say little are told so and closed; others go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kumobashi.service import bounded_http
from kumobashi.service.bounded_http import LARGEST_HEAD, BoundedProtocol
from tests.unit.calls.sites_here import open_socket

HEAD = b"POST / HTTP/1.1\r\nhost: here\r\n"


class Service:
    """Says how long the body was, and whether somebody hung up."""

    def __init__(self) -> None:
        self.hung_up = 0

    async def size(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            self.hung_up += 1
            raise
        return PlainTextResponse(str(len(body)))


@asynccontextmanager
async def _serving() -> AsyncIterator[tuple[int, Service]]:
    service, at = Service(), open_socket()
    app = Starlette(routes=[Route("/", service.size, methods=["POST"])])
    config = uvicorn.Config(
        app, http=BoundedProtocol, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(sockets=[at]))  # without its signals
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    try:
        yield at.getsockname()[1], service
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def serving(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[int, Service]]:
    monkeypatch.setattr(bounded_http, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(bounded_http, "BODY_SECONDS", 0.5)
    async with _serving() as found:
        yield found


async def _said(port: int, *pieces: bytes, pause: float = 0.0) -> tuple[int, dict[str, Any] | str]:
    """Send pieces, then read until the other side closes; return status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
    except ConnectionError:
        pass
    async with asyncio.timeout(10):
        try:
            answer = await reader.read()
        except ConnectionError:
            answer = b""
    writer.close()
    if not answer:
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    is_problem = b"application/problem+json" in head
    return int(head.split()[1]), json.loads(body) if is_problem else body.decode()


CLOSE = b"connection: close\r\n"


async def test_a_whole_request_is_answered(serving: tuple[int, Service]) -> None:
    assert await _said(serving[0], HEAD + CLOSE + b"content-length: 3\r\n\r\nabc") == (200, "3")


async def test_a_body_that_comes_slowly_but_goes_on_is_taken(serving: tuple[int, Service]) -> None:
    pieces = [b"x" * 1024] * 8

    came = await _said(
        serving[0], HEAD + CLOSE + b"content-length: 8192\r\n\r\n", *pieces, pause=0.15
    )

    assert came == (200, "8192")


@pytest.mark.parametrize(
    ("pieces", "pause", "status", "code"),
    [
        ((), 0.0, 0, ""),
        ((b"P",), 0.0, 408, "service.request_slow"),
        ((HEAD, *[b"x: y\r\n"] * 12), 0.1, 408, "service.request_slow"),
        ((HEAD + b"content-length: 5\r\n\r\nab",), 0.0, 408, "service.request_slow"),
        ((HEAD + b"content-length: 99\r\n\r\n", *[b"a"] * 12), 0.1, 408, "service.request_slow"),
        ((HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab",), 0.0, 408, "service.request_slow"),
        ((HEAD, *[b"x: " + b"y" * 9000 + b"\r\n"] * 20), 0.0, 431, "service.head_too_large"),
        ((HEAD + b"x: " + b"y" * (LARGEST_HEAD + 1),), 0.0, 431, "service.head_too_large"),
        ((b"\x16\x03\x01\x02\x00",), 0.0, 400, "service.request_malformed"),
        ((HEAD + b"content-length: a\r\n\r\n",), 0.0, 400, "service.request_malformed"),
        (
            (HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",),
            0.0,
            400,
            "service.request_malformed",
        ),
        (
            (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",),
            0.0,
            400,
            "service.request_malformed",
        ),
    ],
)  # fmt: skip
async def test_what_does_not_come_or_is_too_much_is_told_and_closed(
    serving: tuple[int, Service], pieces: tuple[bytes, ...], pause: float, status: int, code: str
) -> None:
    came, said = await _said(serving[0], *pieces, pause=pause)

    assert came == status
    assert not code or (isinstance(said, dict) and said["code"] == code)


async def test_many_slow_ones_keep_nobody_else_waiting(serving: tuple[int, Service]) -> None:
    port, service = serving
    slow = [
        asyncio.create_task(_said(port, HEAD + b"content-length: 9\r\n\r\na")) for _ in range(300)
    ]
    await asyncio.sleep(0.2)

    for _ in range(20):
        assert await _said(port, HEAD + CLOSE + b"content-length: 2\r\n\r\nok") == (200, "2")

    assert {status for status, _ in await asyncio.gather(*slow)} == {408}
    assert service.hung_up == 300


async def test_whoever_closes_its_half_has_hung_up(serving: tuple[int, Service]) -> None:
    port, service = serving
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"content-length: 9\r\n\r\nabc")
    writer.write_eof()

    async with asyncio.timeout(5):
        assert await reader.read() == b""
        while not service.hung_up:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    writer.close()
