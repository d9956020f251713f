"""Answers too large to be held, over real HTTP: whole and proven, or not taken for whole."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from kumobashi.calls.asking import Asker
from kumobashi.calls.bridging import After, Bridge
from kumobashi.calls.errors import AnswerUntrusted
from kumobashi.calls.parts import End, PartsReader, PartsWriter
from kumobashi.calls.posting import NoAnswer
from kumobashi.calls.showing import Shown
from kumobashi.calls.streams import MOST_STREAMS, PIECE, gathered
from kumobashi.crypto.keys import SigningKey
from kumobashi.service.call_api import FACE
from tests.unit.calls.sites_here import NEAR, TOKEN, WAYS, City, city, open_socket, run

MIB = 1 << 20
PATH = f"{FACE}collection/payments/v1/payments/17"
SAID = {"authorization": f"Bearer {TOKEN}", "kumobashi-system": "arrears"}
BLOCK = random.Random(7).randbytes(MIB)


class System:
    """A system with much to say."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = [BLOCK] * 9
        self.breaks = False
        self.told = False  # how long it is
        self.pause = 0.0
        self.ended: list[str] = []

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            for block in self.blocks:
                yield block
                await asyncio.sleep(self.pause)
            if self.breaks:
                raise OSError
            self.ended.append("all")
        except (asyncio.CancelledError, GeneratorExit):
            self.ended.append("cut")
            raise

    async def get(self, _request: Request) -> Response:
        headers = {"content-length": str(sum(map(len, self.blocks)))} if self.told else {}
        return StreamingResponse(self._body(), media_type="text/csv", headers=headers)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/v1/payments/{payment}", self.get, methods=["GET"])])


@asynccontextmanager
async def _running(folder: Path, way: str) -> AsyncIterator[tuple[City, System]]:
    system = System()
    async with city(folder, way) as held, run(system.app(), open_socket()) as url:
        held.places["cloud"].office.base = f"{url}/api"
        _let(held, largest_answer_bytes=200 * MIB)
        yield held, system


@pytest.fixture(params=WAYS)
async def running(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[City, System]]:
    async with _running(tmp_path, request.param) as found:
        yield found


@pytest.fixture(params=["direct", "through a relay"])
async def handed(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[City, System]]:
    async with _running(tmp_path, request.param) as found:
        yield found


def _let(held: City, **more: Any) -> None:
    for name in ("hall", "cloud"):
        held.places[name].office.link = replace(held.places[name].office.link, **more)


@asynccontextmanager
async def _asked(held: City) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(held.places["hall"].url + PATH, headers=SAID) as answer,
    ):
        yield answer


async def _read(held: City) -> tuple[int, bytes, bool]:
    """Ask as a system does; return the status, what came, and whether that was all."""
    came = bytearray()
    async with _asked(held) as answer:
        try:
            async for piece in answer.content.iter_any():
                came += piece
        except aiohttp.ClientPayloadError:
            return answer.status, bytes(came), False
    return answer.status, bytes(came), True


def _records(held: City, site: str) -> list[dict[str, Any]]:
    files = sorted((held.places[site].folder / site).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


async def test_a_large_answer_comes_whole_and_both_keep_the_same_of_it(
    running: tuple[City, System],
) -> None:
    held, system = running

    status, came, is_all = await _read(held)

    assert (status, is_all) == (200, True)
    assert sha256(came).digest() == sha256(b"".join(system.blocks)).digest()
    kept = [
        {r["event"]: (r["digest"], r.get("status")) for r in _records(held, site)}
        for site in ("hall", "cloud")
    ]
    assert kept[0] == kept[1]
    assert kept[0].keys() == {"call.asked", "call.answered"}


async def test_of_records_only_what_may_leave_leaves(running: tuple[City, System]) -> None:
    held, system = running
    records = [{"payment": str(n), "shimei": "架空　太郎", "amount": n} for n in range(60_000)]
    text = json.dumps({"result": records, "debtors": ["架空　太郎"]}).encode()
    system.blocks = [text[at : at + 50_000] for at in range(0, len(text), 50_000)]
    shown = Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset({"shimei"}))
    _let(held, operations=(replace(NEAR.operations[0], shown=shown),))

    status, came, is_all = await _read(held)

    assert (status, is_all) == (200, True)
    assert json.loads(came) == {"result": [{"shimei": None, "amount": n} for n in range(60_000)]}


async def test_much_of_which_little_may_leave_is_a_small_answer(
    running: tuple[City, System],
) -> None:
    held, system = running
    system.blocks = [
        b'{"debtors": "',
        *[b"x" * 100_000] * 10,
        b'", "result": [{"memo": "',
        BLOCK.hex().encode()[: MIB - 9],
        b'"}]}',
    ]
    shown = Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset())
    _let(held, operations=(replace(NEAR.operations[0], shown=shown),))

    assert await _read(held) == (200, b'{"result":[{}]}', True)


async def test_what_turns_out_to_be_unreadable_is_refused_and_not_whole(
    handed: tuple[City, System],
) -> None:
    held, system = handed
    text = json.dumps({"result": [{"amount": n} for n in range(200_000)]}).encode()
    system.blocks = [text[:-2], b', "a taxpayer"]}']
    shown = Shown(at="/result", kept=frozenset({"amount"}), blanked=frozenset())
    _let(held, operations=(replace(NEAR.operations[0], shown=shown),))

    _, came, is_all = await _read(held)

    assert not is_all
    assert b"taxpayer" not in came
    for site in ("hall", "cloud"):
        assert [r["status"] for r in _records(held, site) if r["event"] == "call.answered"] == [502]


async def test_a_system_that_breaks_off_is_told_of_by_a_signed_refusal(
    running: tuple[City, System],
) -> None:
    held, system = running
    system.breaks = True

    status, came, is_all = await _read(held)

    assert (status, is_all) == (200, False)
    assert b"".join(system.blocks).startswith(came)
    for site in ("hall", "cloud"):
        (kept,) = [r for r in _records(held, site) if r["event"] == "call.answered"]
        assert kept["status"] == 502
        assert kept["fields"]["content-type"] == "application/problem+json"


async def test_more_than_the_link_permits_does_not_come(handed: tuple[City, System]) -> None:
    held, system = handed
    _let(held, largest_answer_bytes=4 * MIB)
    _, came, is_all = await _read(held)
    assert not is_all
    assert len(came) <= 4 * MIB

    system.told = True
    async with _asked(held) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert problem["code"] == "call.answer_too_large"


Change = Callable[[bytes, int], list[bytes]]


def _flipped(piece: bytes, number: int) -> list[bytes]:
    at = len(piece) // 2
    return [piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :] if number == 9 else piece]


def _dropped(piece: bytes, number: int) -> list[bytes]:
    return [] if number == 9 else [piece]


def _twice(piece: bytes, number: int) -> list[bytes]:
    return [piece, piece] if number == 9 else [piece]


def _ended_early(piece: bytes, number: int) -> list[bytes]:
    return [piece] if number < 9 or len(piece) < PIECE else []


@pytest.mark.parametrize("change", [_flipped, _dropped, _twice, _ended_early])
async def test_what_was_changed_on_the_way_never_reaches_the_system(
    handed: tuple[City, System], change: Change
) -> None:
    held, system = handed
    place, count = held.places["cloud"], 0

    async def between(scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            nonlocal count
            if message["type"] != "http.response.body" or not message.get("more_body"):
                await send(message)
                return
            count += 1
            for piece in change(message["body"], count):
                await send({**message, "body": piece})

        await held.peers["cloud"](scope, receive, changed)

    place.tamper = between
    status, came, is_all = await _read(held)

    assert status == 200
    assert not is_all
    assert b"".join(system.blocks).startswith(came)
    assert [r["event"] for r in _records(held, "hall")] == ["call.asked"]


async def test_whoever_hangs_up_ends_it_everywhere(running: tuple[City, System]) -> None:
    held, system = running
    system.blocks, system.pause = [BLOCK] * 100, 0.01

    async with _asked(held) as answer:
        await answer.content.readexactly(3 * MIB)

    async with asyncio.timeout(10):
        while not system.ended:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
    assert system.ended == ["cut"]
    assert _under_way(held.askers["hall"]) == 0


async def test_only_so_many_are_under_way_at_once(running: tuple[City, System]) -> None:
    held, system = running
    system.blocks, system.pause = [BLOCK, BLOCK, *[b"x"] * 20], 0.1

    answers = await asyncio.gather(*(_read(held) for _ in range(MOST_STREAMS + 8)))

    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [200] * MOST_STREAMS + [503] * 8
    assert all(is_all for _, _, is_all in answers)
    assert _under_way(held.askers["hall"]) == 0


def _under_way(asker: Asker) -> int:
    return asker._streams.under_way  # nobody else has to know


class _Pieces:
    """A line that gives pieces of some size."""

    def __init__(self, text: bytes, size: int) -> None:
        self._pieces = iter([text[at : at + size] for at in range(0, len(text), size)])

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        found = next(self._pieces, None)
        if found is None:
            raise StopAsyncIteration
        return found

    async def aclose(self) -> None: ...


async def _parts(text: bytes, size: int, key: SigningKey, request: str) -> list[bytes | End]:
    keys = {key.kid: key.public}
    reader = PartsReader(b"", _Pieces(text, size), request=request, keys=keys)
    found: list[bytes | End] = []
    while not found or not isinstance(found[-1], End):
        found.append(await reader.next())
    await reader.over()
    return found


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_parts_are_read_in_pieces_of_any_size(size: int) -> None:
    key = SigningKey.generate()
    writer = PartsWriter("sha256:1", key)
    frames = [writer.key(), writer.part(b"a" * 100), writer.part(b"b"), writer.end(200, {"a": "b"})]

    end = End(status=200, fields={"a": "b"}, body=b"")
    assert await _parts(b"".join(frames), size, key, "sha256:1") == [b"a" * 100, b"b", end]


async def test_parts_in_another_order_of_another_request_or_another_key_are_refused() -> None:
    key = SigningKey.generate()
    writer = PartsWriter("sha256:1", key)
    start, a, b = writer.key(), writer.part(b"a"), writer.part(b"b")
    end = writer.end(200, {})
    wrong = [
        (start + b + a + end, "sha256:1"),
        (start + a + a + end, "sha256:1"),
        (start + a + b + end, "sha256:2"),
        (a + b + end, "sha256:1"),
        (start + a + b, "sha256:1"),
        (start + a + b + end + b"x", "sha256:1"),
        (start + a + b"\x09\0\0\0\x01x" + end, "sha256:1"),
        (start + b"\x02\xff\xff\xff\xff" + a, "sha256:1"),
        (PartsWriter("sha256:1", SigningKey.generate()).key() + a + end, "sha256:1"),
        (start + a + b"\x03\0\0\0\x04null", "sha256:1"),
    ]
    for text, request in wrong:
        with pytest.raises(AnswerUntrusted):
            await _parts(text, 1000, key, request)


async def test_a_bridge_takes_each_piece_once_and_in_its_order() -> None:
    over: list[str] = []
    bridge = Bridge(lambda: over.append("over"), After.MORE)

    async def bring() -> list[bool]:
        return [
            await bridge.bring(1, b"a", After.MORE),
            await bridge.bring(1, b"a", After.MORE),
            await bridge.bring(3, b"c", After.MORE),
            await bridge.bring(2, b"b", After.END),
            await bridge.bring(3, b"c", After.END),
        ]

    bringing = asyncio.create_task(bring())
    assert [piece async for piece in bridge] == [b"a", b"b"]
    assert await bringing == [True, True, False, True, False]
    assert over == ["over"]


async def test_a_bridge_that_nobody_reads_takes_nothing_more() -> None:
    bridge = Bridge(lambda: None, After.MORE)
    assert await bridge.bring(1, b"a", After.MORE)
    waiting = asyncio.create_task(bridge.bring(2, b"b", After.MORE))
    await asyncio.sleep(0.01)
    await bridge.aclose()
    assert await waiting is False


async def test_what_was_broken_off_before_a_bridge_is_not_whole() -> None:
    bridge = Bridge(lambda: None, After.MORE)
    assert await bridge.bring(1, b"a", After.BROKEN)
    assert await anext(bridge) == b"a"
    with pytest.raises(NoAnswer):
        await anext(bridge)


async def test_all_of_it_is_what_was_there() -> None:
    assert await gathered(b"ab", _Pieces(b"cdef", 3), 6) == b"abcdef"
