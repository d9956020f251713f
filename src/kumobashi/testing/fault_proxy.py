"""A bad line between two gateways: a TCP proxy that delays, cuts, repeats and falsifies.

It runs in a thread of the test. A :class:`Fault` holds for so many connections and then the line is
good again; setting one cuts the connections there are, so that the next call meets it.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_BLOCK = 1 << 14
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_PAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n"
    b"connection: close\r\n\r\n<html>ok</html>"
)


class Kind(StrEnum):
    """What the line does."""

    PASS = "pass"  # noqa: S105 - no secret
    DELAY = "delay"  # each block waits ``at`` milliseconds
    RESET = "reset"  # the request is cut behind ``at`` bytes, both sides see a reset
    DROP_REPLIES = "drop_replies"  # the request arrives, the answer does not
    TRUNCATE = "truncate"  # the answer ends behind ``at`` bytes
    FLIP = "flip"  # one bit of the request, at byte ``at``
    FLIP_REPLY = "flip_reply"  # one bit of the answer, at byte ``at``
    TWICE = "twice"  # the same request arrives again, on another connection
    HANG = "hang"  # taken, and never answered
    BAD_GATEWAY = "bad_gateway"
    PAGE = "page"  # 200 and a page that is none of ours


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, where it strikes, and how many connections it meets."""

    kind: Kind
    at: int = 0
    times: int = 1


class FaultProxy:
    """Passes what comes to ``port`` on to ``to_port``."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port = port
        self.to_port = to_port
        self.struck = 0
        self._fault = Fault(Kind.PASS)
        self._left = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()

    def set(self, fault: Fault) -> None:
        """Let the next connections meet ``fault``; those there are end."""

        def change() -> None:
            self._fault, self._left, self.struck = fault, fault.times, 0
            for task in self._tasks:
                task.cancel()

        self._loop.call_soon_threadsafe(change)

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        started.set()
        await stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = Fault(Kind.PASS)
        if self._left > 0 and self._fault.kind is not Kind.PASS:
            self._left -= 1
            self.struck += 1
            fault = self._fault
        task = asyncio.create_task(self._carry(fault, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        ends = [writer]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await self._between(fault, reader, writer, ends)
            finally:
                for end in ends:
                    _cut(end)

    async def _between(
        self,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
    ) -> None:
        if fault.kind is Kind.HANG:
            await asyncio.sleep(3600)
        if fault.kind in {Kind.BAD_GATEWAY, Kind.PAGE}:
            await reader.read(_BLOCK)
            writer.write(_PAGE if fault.kind is Kind.PAGE else _BAD_GATEWAY)
            await writer.drain()
            await asyncio.sleep(0.05)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        ends.append(back)
        requests = asyncio.create_task(self._requests(fault, reader, back, ends))
        replies = asyncio.create_task(_replies(fault, there, writer))
        try:
            await asyncio.wait({requests, replies}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (requests, replies):
                task.cancel()
            await asyncio.gather(requests, replies, return_exceptions=True)

    async def _requests(
        self,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
    ) -> None:
        seen = 0
        second = None
        if fault.kind is Kind.TWICE:
            _, second = await asyncio.open_connection("127.0.0.1", self.to_port)
            ends.append(second)
        while block := await reader.read(_BLOCK):
            if fault.kind is Kind.DELAY:
                await asyncio.sleep(fault.at / 1000)
            if fault.kind is Kind.FLIP:
                block = _flipped(block, fault.at - seen)
            if fault.kind is Kind.RESET and seen + len(block) > fault.at:
                writer.write(block[: fault.at - seen])
                await writer.drain()
                return
            seen += len(block)
            writer.write(block)
            await writer.drain()
            if second:
                second.write(block)
                await second.drain()


async def _replies(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    seen = 0
    while block := await reader.read(_BLOCK):
        if fault.kind is Kind.DROP_REPLIES:
            return
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.at / 1000)
        if fault.kind is Kind.FLIP_REPLY:
            block = _flipped(block, fault.at - seen)
        if fault.kind is Kind.TRUNCATE and seen + len(block) > fault.at:
            writer.write(block[: fault.at - seen])
            await writer.drain()
            await asyncio.sleep(0.02)
            return
        seen += len(block)
        writer.write(block)
        await writer.drain()


def _flipped(block: bytes, at: int) -> bytes:
    if not 0 <= at < len(block):
        return block
    return block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]


def _cut(writer: asyncio.StreamWriter) -> None:
    held = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@contextlib.contextmanager
def fault_proxy(port: int, to_port: int) -> Iterator[FaultProxy]:
    """Run a proxy from ``port`` to ``to_port`` of this machine as long as the block."""
    proxy = FaultProxy(port, to_port)
    started, stop = threading.Event(), asyncio.Event()
    loop = proxy._loop  # noqa: SLF001 - its own module

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(proxy._serve(started, stop))  # noqa: SLF001 - likewise
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="fault-proxy", daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
