"""HTTP to gateways and systems: one pool, bounded answers, every failure told apart.

What matters to whoever asks is whether anything was handed on: a connection that was not made is
another fault than an answer that did not come.
"""

import asyncio
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from kumobashi.calls.streams import (
    PIECE,
    SILENT_SECONDS,
    STREAM_SECONDS,
    WHOLE,
    Pieces,
    TooLong,
    gathered,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case
    body: bytes
    rest: Pieces | None = field(default=None, compare=False)  # what follows the body

    @property
    def fields(self) -> dict[str, str]:
        """The headers by name; of one that came twice, the last."""
        return dict(self.headers)

    async def whole(self, largest: int) -> Self:
        """Return it with all of its body; raise ``NoAnswer``, ``TooLong``."""
        if self.rest is None:
            return self
        return replace(self, body=await gathered(self.body, self.rest, largest), rest=None)


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

        Raises:
            NotConnected, NotLetIn, NoAnswer, TooLong: as :meth:`begin` does.
        """
        try:
            async with asyncio.timeout(seconds):
                came = await self.begin(
                    method,
                    address,
                    headers=headers,
                    body=body,
                    seconds=seconds,
                    largest=largest,
                    shown=shown,
                )
                return await came.whole(largest)
        except TimeoutError:
            raise NoAnswer(is_late=True) from None

    async def begin(
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
        """Send a request and read the answer, if it is a large one its beginning.

        ``shown`` is how another site is met by TLS; without it, as the machine is set up. ``rest``
        is what follows, at most ``largest`` bytes with the beginning; reading it raises
        ``NoAnswer`` and ``TooLong``.

        Raises:
            NotConnected, NoAnswer, TooLong: see there.
            NotLetIn: the entrance of the other site wants another certificate of ours.
        """
        try:
            came = await self._begin(
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
            if came.rest is not None:
                await came.rest.aclose()
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

    async def _begin(
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
        answer: aiohttp.ClientResponse | None = None
        try:
            with _told_apart():
                async with asyncio.timeout(seconds):
                    answer = await self._pool().request(
                        method,
                        address,
                        data=io.BytesIO(body) if len(body) > WHOLE else body or None,
                        headers=headers,
                        ssl=shown.context if shown else True,
                        allow_redirects=False,
                        skip_auto_headers=_NOT_ADDED,
                    )
                    begun, is_all = await _begun(answer, largest)
        except BaseException:
            if answer is not None:
                answer.close()
            raise
        fields = tuple((name.lower(), said) for name, said in answer.headers.items())
        rest = None if is_all else _Rest(answer, len(begun), largest)
        return Answered(status=answer.status, headers=fields, body=begun, rest=rest)

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


class _Rest:
    """What follows the beginning of an answer; its connection is let go at the end."""

    def __init__(self, answer: aiohttp.ClientResponse, size: int, largest: int) -> None:
        self._answer = answer
        self._size = size
        self._largest = largest
        self._until = asyncio.get_running_loop().time() + STREAM_SECONDS

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece, not empty; raise ``NoAnswer``, ``TooLong``."""
        try:
            with _told_apart():
                async with asyncio.timeout(SILENT_SECONDS), asyncio.timeout_at(self._until):
                    piece = await self._answer.content.readany()
        except BaseException:
            self._answer.close()
            raise
        if not piece:
            raise StopAsyncIteration
        self._size += len(piece)
        if self._size > self._largest:
            self._answer.close()
            raise TooLong
        return piece

    async def aclose(self) -> None:
        """Let the connection go; one that was read to its end goes back into the pool."""
        self._answer.close()


async def _begun(answer: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """Return the beginning of an answer, and whether it is all."""
    told = answer.content_length
    if told is not None and told > largest:
        raise TooLong
    if told is not None and told <= WHOLE:
        return await answer.read(), True
    held = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        held += piece
        if len(held) > largest:
            raise TooLong
        if len(held) > WHOLE:
            return bytes(held), False
    return bytes(held), True


@contextmanager
def _told_apart() -> Iterator[None]:
    """Tell one failure from the other; raise ``NotConnected``, ``NoAnswer``."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise NotConnected from None
    except TimeoutError:
        raise NoAnswer(is_late=True) from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise NoAnswer(is_late=False) from None


_NOT_ADDED = ("accept", "accept-encoding", "user-agent", "content-type")
