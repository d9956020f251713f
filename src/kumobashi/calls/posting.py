"""HTTP to gateways and systems: one pool, bounded answers, every failure told apart.

What matters to whoever asks is whether anything was handed on: a connection that was not made is
another fault than an answer that did not come.
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

_CONNECT_SECONDS = 5.0


class NotConnected(Exception):
    """No connection: nothing was handed on."""


class NoAnswer(Exception):
    """It was handed on, and no whole answer came; ``is_late``: not within the time."""

    def __init__(self, *, is_late: bool) -> None:
        self.is_late = is_late
        super().__init__("late" if is_late else "broken off")


class TooLong(Exception):
    """The answer is larger than it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """The headers by name; of one that came twice, the last."""
        return dict(self.headers)


class Poster:
    """Sends requests; belongs to one event loop."""

    def __init__(self, *, limit: int = 0) -> None:
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]],
        body: bytes,
        seconds: float,
        largest: int,
    ) -> Answered:
        """Send a request and read the whole answer, of at most ``largest`` bytes.

        Raises:
            NotConnected, NoAnswer, TooLong: see there.
        """
        try:
            async with asyncio.timeout(seconds):
                async with self._pool().request(
                    method,
                    address,
                    data=io.BytesIO(body) if len(body) > _WHOLE else body or None,
                    headers=headers,
                    allow_redirects=False,
                    skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
                ) as answer:
                    told = answer.content_length
                    if told is not None and told > largest:
                        raise TooLong
                    read = bytearray() if told is None or told > _WHOLE else None
                    if read is None:
                        text = await answer.read()
                    else:
                        async for piece in answer.content.iter_chunked(1 << 18):
                            read += piece
                            if len(read) > largest:
                                raise TooLong
                        text = bytes(read)
                    fields = tuple((name.lower(), said) for name, said in answer.headers.items())
                    return Answered(status=answer.status, headers=fields, body=text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise NotConnected from None
        except TimeoutError:
            raise NoAnswer(is_late=True) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise NoAnswer(is_late=False) from None

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            # trust_env is off: a proxy variable must not send residents' data elsewhere.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=30),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


_WHOLE = 1 << 20  # bytes: what is larger is sent and read piece by piece
