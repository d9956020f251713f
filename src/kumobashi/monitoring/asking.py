"""Ask the gateway, and try the probes: the watch's own connections, each with little patience."""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from kumobashi.directory.monitor_models import Probe
from kumobashi.monitoring.locating import Seen

_ANSWER_SECONDS: Final = 10.0
_PROBE_SECONDS: Final = 3.0
_AT_ONCE: Final = 32
_LARGEST_BYTES: Final = 64 << 20  # an answer about 100,000 links is smaller
_SERVER_ERROR: Final = 500


class AskedGateway:
    """A gateway on this machine, over its local API."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None

    async def look(self, known: str) -> Mapping[str, Any] | None:
        """Return what it says, without the settled part if that is ``known``; none: silence."""
        try:
            async with (
                asyncio.timeout(_ANSWER_SECONDS),
                self._pool().get(
                    f"{self._url}/api/v1/watch",
                    params={"known": known},
                    headers=self._headers,
                    allow_redirects=False,
                ) as answer,
            ):
                if answer.status != 200:  # noqa: PLR2004 - all else is no answer
                    return None
                text = bytearray()
                async for piece in answer.content.iter_any():
                    text += piece
                    if len(text) > _LARGEST_BYTES:
                        return None
                said = json.loads(text)
                return said if isinstance(said, dict) else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._session:
            await self._session.close()
            self._session = None

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=2), trust_env=False
            )
        return self._session


class Connections:
    """Probes by TCP and HTTP."""

    async def probe(self, probes: Iterable[Probe]) -> Mapping[str, Seen]:
        """Return what each probe met, by its id; all are tried at once."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(probe: Probe) -> tuple[str, Seen]:
            async with gate:
                return probe.probe, Seen(over=probe.over, reached=await _is_reached(probe.ask))

        return dict(await asyncio.gather(*(one(probe) for probe in probes)))


async def _is_reached(address: str) -> bool:
    parts = urlsplit(address)
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            if parts.scheme == "tcp":
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                return True
            async with (
                aiohttp.ClientSession(trust_env=False) as session,
                session.get(address, allow_redirects=False) as answer,
            ):
                return answer.status < _SERVER_ERROR
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
