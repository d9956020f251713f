"""HTTP to gateways and systems: one pool, bounded answers, every failure told apart.

What matters to whoever asks is whether anything was handed on: a connection that was not made is
another fault than an answer that did not come.
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from kumobashi.crypto.client_tls import Shown
from kumobashi.exchange.entrances import NotLetIn, is_refusal, is_shut

_CONNECT_SECONDS = 5.0
_SHUT_SECONDS = 1.0  # calls that fail together ask once


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
        self._shut: dict[str, tuple[float, Shown, asyncio.Future[bool]]] = {}

    async def send(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]],
        body: bytes,
        seconds: float,
        largest: int,
        shown: Shown | None = None,
    ) -> Answered:
        """Send a request and read the whole answer, of at most ``largest`` bytes.

        ``shown`` is how another site is met by TLS; without it, as the machine is set up.

        Raises:
            NotConnected, NoAnswer, TooLong: see there.
            NotLetIn: the entrance of the other site wants another certificate of ours.
        """
        try:
            came = await self._send(
                method,
                address,
                headers=headers,
                body=body,
                seconds=seconds,
                largest=largest,
                shown=shown,
            )
        except (NotConnected, NoAnswer) as error:
            is_late = isinstance(error, NoAnswer) and error.is_late
            if shown and not is_late and await self._is_shut(address, shown):
                raise NotLetIn(shown=shown.has_certificate) from None
            raise
        if shown and is_refusal(came.status, came.fields.get("content-type", ""), came.body):
            raise NotLetIn(shown=shown.has_certificate)
        return came

    async def _is_shut(self, address: str, shown: Shown) -> bool:
        """Whether it was our certificate; found out by a connection without a call on it."""
        door, now = f"https://{urlsplit(address).netloc}", asyncio.get_running_loop().time()
        said = self._shut.get(door)
        if said is None or now - said[0] >= _SHUT_SECONDS or said[1] is not shown:
            found = asyncio.ensure_future(asyncio.to_thread(is_shut, door, shown))
            said = self._shut[door] = (now, shown, found)
        return await asyncio.shield(said[2])

    async def _send(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]],
        body: bytes,
        seconds: float,
        largest: int,
        shown: Shown | None,
    ) -> Answered:
        try:
            async with asyncio.timeout(seconds):
                async with self._pool().request(
                    method,
                    address,
                    data=io.BytesIO(body) if len(body) > _WHOLE else body or None,
                    headers=headers,
                    ssl=shown.context if shown else True,
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
