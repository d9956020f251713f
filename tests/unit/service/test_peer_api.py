"""What a peer's request meets before the inbox sees it."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from kumobashi.service import peer_api
from kumobashi.service.errors import BodyStalled


def request(*messages: MutableMapping[str, Any]) -> Request:
    """Return a request whose body comes in these messages, and then stands still."""
    waiting = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        if (message := next(waiting, None)) is not None:
            return message
        await asyncio.sleep(3600)
        raise AssertionError

    return Request({"type": "http", "method": "PUT", "path": "/", "headers": []}, receive)


def piece(body: bytes, *, more: bool) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def read(given: Request) -> bytes:
    return b"".join([part async for part in peer_api._pieces(given)])


async def test_a_body_is_read_to_its_end() -> None:
    assert await read(request(piece(b"a", more=True), piece(b"b", more=False))) == b"ab"


async def test_a_body_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_api, "STALL_SECONDS", 0.05)

    with pytest.raises(BodyStalled) as failure:
        await read(request(piece(b"half", more=True)))

    assert failure.value.status == 408
    assert failure.value.retryable


async def test_a_caller_that_hangs_up_is_no_failure_of_ours() -> None:
    async def handler(given: Request) -> Any:
        return await read(given)

    answer = await peer_api._safely(handler)(request({"type": "http.disconnect"}))

    assert answer.status_code == 400
    with pytest.raises(ClientDisconnect):
        await read(request({"type": "http.disconnect"}))
