"""A bad line between two gateways: a TCP proxy that delays, cuts, repeats and falsifies.

It runs in a thread of the test, or as a program of its own that takes its faults over a socket:

    python -m kumobashi.testing.line_control 9001 9002 --control line.sock --wire-log wire.jsonl

A :class:`Fault` holds for so many connections and then the line is good again; setting one cuts the
connections there are, so that the next call meets it.
"""

import asyncio
import contextlib
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kumobashi.testing.wire_log import Ear, WireLog

ALWAYS = 1 << 30  # connections
_BLOCK = 1 << 14
_QUIET_SECONDS = 0.15  # a request is over when so long nothing more of it comes
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
_PAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n"
    b"connection: close\r\n\r\n<html>ok</html>"
)
_LENGTH = re.compile(rb"(?i)(content-length: )(\d+)")


class Kind(StrEnum):
    """What the line does."""

    PASS = "pass"  # noqa: S105 - no secret
    DELAY = "delay"  # each block waits ``at`` milliseconds
    JITTER = "jitter"  # each block waits up to ``at`` milliseconds
    TRICKLE = "trickle"  # ``at`` bytes each hundredth of a second, both ways
    RESET = "reset"  # the request is cut behind ``at`` bytes, both sides see a reset
    LOSSY = "lossy"  # ``at`` in 100 connections are reset at once
    PARTITION = "partition"  # every connection is reset at once
    DROP_REQUESTS = "drop_requests"  # nothing of the request arrives, and nobody says so
    DROP_REPLIES = "drop_replies"  # the request arrives, the answer does not
    TRUNCATE = "truncate"  # the answer ends behind ``at`` bytes
    FLIP = "flip"  # one bit of the request, at byte ``at``
    FLIP_REPLY = "flip_reply"  # one bit of the answer, at byte ``at``
    WRONG_LENGTH = "wrong_length"  # the answer says it is ``at`` bytes longer than it is
    DUPLICATE = "duplicate"  # the same request arrives ``at`` more times, on other connections
    LATE = "late"  # the caller is cut off; its request arrives ``at`` milliseconds later
    HANG = "hang"  # taken, and never answered
    STATUS = "status"  # answered with the status ``at``, and not passed on
    ERROR_AFTER = "error_after"  # passed on and done, and answered with the status ``at``
    PAGE = "page"  # 200 and a page that is none of ours


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, where it strikes, and how many connections it meets."""

    kind: Kind
    at: int = 0
    times: int = 1


GOOD = Fault(Kind.PASS)


class FaultProxy:
    """Passes what comes to ``port`` on to ``to_port``."""

    def __init__(
        self, port: int, to_port: int, *, log: WireLog | None = None, seed: int = 0
    ) -> None:
        self.port = port
        self.to_port = to_port
        self.struck = 0
        self._log = log or WireLog()
        self._chance = random.Random(seed)
        self._fault = GOOD
        self._left = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()

    def set(self, fault: Fault) -> None:
        """Let the next connections meet ``fault``; those there are end."""
        self._loop.call_soon_threadsafe(self.change, fault)

    def change(self, fault: Fault) -> None:
        """Do what :meth:`set` does, within the proxy's own loop."""
        self._fault, self._left, self.struck = fault, fault.times, 0
        for task in self._tasks:
            task.cancel()

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        """Carry until ``stop`` is set."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        started.set()
        await stop.wait()
        server.close()
        tasks = self._tasks | self._late
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = GOOD
        if self._left > 0 and self._fault.kind is not Kind.PASS:
            self._left -= 1
            self.struck += 1
            fault = self._fault
        ends = [writer]
        task = asyncio.create_task(self._carry(fault, reader, writer, ends))
        self._tasks.add(task)

        def over(_task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            for end in ends:  # here, since a task that is cancelled before it began does nothing
                _cut(end)

        task.add_done_callback(over)

    async def _carry(
        self,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._between(fault, reader, writer, ends)

    async def _between(
        self,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
    ) -> None:
        ear = self._log.connection(fault.kind.value)
        match fault.kind:
            case Kind.PARTITION:
                return
            case Kind.LOSSY if self._chance.randrange(100) < fault.at:
                return
            case Kind.HANG | Kind.DROP_REQUESTS:
                while await reader.read(_BLOCK):
                    pass
                await asyncio.sleep(3600)
            case Kind.STATUS | Kind.PAGE:
                await reader.read(_BLOCK)
                writer.write(_PAGE if fault.kind is Kind.PAGE else _answer(fault.at))
                await writer.drain()
                await asyncio.sleep(0.05)
                return
            case Kind.LATE:
                body = await _whole(reader)
                late = asyncio.create_task(self._deliver_late(body, fault.at / 1000, ear))
                self._late.add(late)  # not among those that healing cuts
                late.add_done_callback(self._late.discard)
                return
            case _:
                pass
        there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        ends.append(back)
        pumps = [
            asyncio.create_task(self._requests(fault, reader, back, ends, ear)),
            asyncio.create_task(self._replies(fault, there, writer, ear)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _requests(
        self,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
        ear: Ear,
    ) -> None:
        seen, copies = 0, []
        for _ in range(fault.at if fault.kind is Kind.DUPLICATE else 0):
            _, copy = await asyncio.open_connection("127.0.0.1", self.to_port)
            ends.append(copy)
            copies.append(copy)
        while block := await reader.read(_BLOCK):
            ear.request(block)
            if fault.kind is Kind.FLIP:
                block = _flipped(block, fault.at - seen)
            if fault.kind is Kind.RESET and seen + len(block) > fault.at:
                writer.write(block[: fault.at - seen])
                await writer.drain()
                return
            seen += len(block)
            for end in (writer, *copies):
                await self._pass_on(fault, block, end)

    async def _replies(
        self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ear: Ear
    ) -> None:
        seen = 0
        while block := await reader.read(_BLOCK):
            ear.reply(block)
            if fault.kind is Kind.DROP_REPLIES:
                return
            if fault.kind is Kind.ERROR_AFTER:
                writer.write(_answer(fault.at))
                await writer.drain()
                await asyncio.sleep(0.05)
                return
            if fault.kind is Kind.FLIP_REPLY:
                block = _flipped(block, fault.at - seen)
            if fault.kind is Kind.WRONG_LENGTH:
                block = _LENGTH.sub(lambda m: m[1] + str(int(m[2]) + fault.at).encode(), block)
            if fault.kind is Kind.TRUNCATE and seen + len(block) > fault.at:
                writer.write(block[: fault.at - seen])
                await writer.drain()
                await asyncio.sleep(0.02)
                return
            seen += len(block)
            await self._pass_on(fault, block, writer)

    async def _pass_on(self, fault: Fault, block: bytes, writer: asyncio.StreamWriter) -> None:
        """Write a block at the pace of the line."""
        step = max(1, fault.at) if fault.kind is Kind.TRICKLE else len(block)
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.at / 1000)
        if fault.kind is Kind.JITTER:
            await asyncio.sleep(self._chance.uniform(0, fault.at / 1000))
        for start in range(0, len(block), step):
            writer.write(block[start : start + step])
            await writer.drain()
            if fault.kind is Kind.TRICKLE:
                await asyncio.sleep(0.01)

    async def _deliver_late(self, body: bytes, seconds: float, ear: Ear) -> None:
        """Bring a request to the server long after its caller has given up."""
        with contextlib.suppress(OSError):
            await asyncio.sleep(seconds)
            reader, writer = await asyncio.open_connection("127.0.0.1", self.to_port)
            try:
                ear.request(body)
                writer.write(body)
                await writer.drain()
                ear.reply(await _whole(reader))
            finally:
                _cut(writer)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until nothing more comes."""
    body = await reader.read(_BLOCK)
    with contextlib.suppress(TimeoutError):
        while block := await asyncio.wait_for(reader.read(_BLOCK), _QUIET_SECONDS):
            body += block
    return body


def _answer(status: int) -> bytes:
    line = f"HTTP/1.1 {status} By The Line\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    return line.encode("ascii")


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
def fault_proxy(
    port: int, to_port: int, *, wire_log: Path | None = None, name: str = "", seed: int = 0
) -> Iterator[FaultProxy]:
    """Run a proxy from ``port`` to ``to_port`` of this machine as long as the block."""
    proxy = FaultProxy(port, to_port, log=WireLog(wire_log, name), seed=seed)
    started, stop = threading.Event(), asyncio.Event()
    loop = proxy._loop  # noqa: SLF001 - its own module

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(proxy.serve(started, stop))
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
