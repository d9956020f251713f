"""A network between a hall and a cloud whose parts can be cut: real sockets, one chain a probe.

    probe ──► router ──► line ──► exchange ──► core ──► host ──► system ──► application

Every part is a forwarder of its own; a probe's request passes all of its parts and is answered by
the last. A part that is down takes no connection and drops those it has. Beside the chain stands a
mobile line that reaches exchange and core another way, as a hall keeps one for disasters.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from kumobashi.monitoring.points import Pattern

PARTS: Mapping[str, tuple[str, str, str]] = {  # part: kind, name, side
    "hall-router": ("device", "庁舎のルーター", "情報政策課"),
    "hall-pc": ("terminal", "窓口の端末", "情報政策課"),
    "line-a": ("access_line", "庁舎のアクセス回線", "架空通信"),
    "exchange": ("exchange", "架空局舎", "架空通信"),
    "core": ("core_network", "基幹網", "架空通信"),
    "mobile": ("access_line", "予備のモバイル回線", "予備通信"),
    "cloud-host": ("hardware", "クラウドの機器", "架空クラウド"),
    "cloud-base": ("base_software", "クラウドの基盤", "架空クラウド"),
    "cloud-app": ("application", "クラウドの業務", "架空クラウド"),
}
_CHAIN = ("hall-router", "line-a", "exchange", "core", "cloud-host", "cloud-base", "cloud-app")
PATHS: Mapping[str, tuple[str, ...]] = {
    "terminal": ("hall-pc",),
    **{f"to-{part}": _CHAIN[: at + 1] for at, part in enumerate(_CHAIN)},
    "mobile": ("mobile",),
    "mobile-exchange": ("mobile", "exchange"),
    "mobile-core": ("mobile", "core"),
}
_LINES = {"line-a", "exchange", "core"}
BROKEN: Mapping[Pattern, frozenset[str]] = {  # report 003, table 2-14
    Pattern.SINGLE_LINE: frozenset({"line-a"}),
    Pattern.LARGE_LINE: frozenset({"core"}),
    Pattern.CLOUD_HARDWARE: frozenset({"cloud-host"}),
    Pattern.CLOUD_SOFTWARE: frozenset({"cloud-base", "cloud-app"}),
    Pattern.HALL_DEVICE: frozenset({"hall-router"}),
    Pattern.HALL_TERMINAL: frozenset({"hall-pc"}),
    Pattern.LOCAL_POWER_CUT: frozenset({"hall-router", "hall-pc"}),
    Pattern.DISASTER: frozenset(_LINES),
    Pattern.DISASTER_POWER_CUT: frozenset({*_LINES, "hall-router", "hall-pc"}),
}
_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class NetworkParts:
    """Use it in an ``async with`` block."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.ports: dict[str, int] = {}  # by probe
        self._servers: list[asyncio.Server] = []
        self._open: dict[str, set[asyncio.StreamWriter]] = {part: set() for part in PARTS}

    async def __aenter__(self) -> Self:
        for probe, path in PATHS.items():
            behind: int | None = None
            for part in reversed(path):
                behind = await self._stand(part, behind)
            assert behind is not None
            self.ports[probe] = behind
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut(PARTS)
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()

    def cut(self, parts: Iterable[str]) -> None:
        """Take parts down, with every connection that goes over them."""
        self.down |= set(parts)
        for part in self.down:
            for writer in list(self._open[part]):
                writer.close()

    def mend(self) -> None:
        """Bring all parts up again."""
        self.down.clear()

    def write_rules(self, workspace: Path) -> None:
        """Write ``monitor.yaml`` for this network."""
        lines = ["kumobashi: 1", "parts:"]
        for part, (kind, name, side) in PARTS.items():
            lines.append(f"  - {{part: {part}, kind: {kind}, name: {name}, side: {side}}}")
        lines.append("probes:")
        for probe, path in PATHS.items():
            ask = f'"http://127.0.0.1:{self.ports[probe]}/"'
            lines.append(f"  - {{probe: {probe}, ask: {ask}, over: [{', '.join(path)}]}}")
        text = "\n".join([*lines, ""])
        (workspace / "monitor.yaml").write_text(text, encoding="utf-8")

    async def _stand(self, part: str, behind: int | None) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open[part].add(writer)
            try:
                if part not in self.down:
                    await self._pass(reader, writer, behind)
            except OSError:
                pass
            finally:
                self._open[part].discard(writer)
                await _closed(writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: int | None
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            if behind is None:
                writer.write(_ANSWER)
            else:
                writer.write(await _asked(behind, request))
            await writer.drain()


async def _asked(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        await _closed(writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
