"""HTTP to a linked cloud's SCIM service: patient where it says when, bounded in all it may answer.

A request that got no answer is sent again: whoever makes somebody twice is told of it by the other
side (409), and changes say what something becomes, not by how much.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from kumobashi.identity.addresses import is_sealed
from kumobashi.identity.scim.errors import FarAway, FarRefused, FarUnfit
from kumobashi.kernel import Clock

LARGEST: Final = 4 * 1024 * 1024  # bytes of an answer
LONGEST_WAIT: Final = 300.0  # seconds that the other side may ask us to wait at once
_TRIES: Final = 5
_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 5.0
_LATER: Final = frozenset({429, 503})
_REFUSED: Final = frozenset({401, 403})
_FAILED: Final = 500
_MOVED: Final = range(300, 400)
_PAGE: Final = 100
_MOST_PAGES: Final = 500
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the other side answered."""

    status: int
    body: Mapping[str, Any]
    version: str | None


class FarSide:
    """One service; used within its ``open``."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        token: str,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not is_sealed(base):
            raise FarUnfit(check="https")
        self._session = session
        self._base = base.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/scim+json",
            "Accept-Encoding": "identity",
        }
        self._clock = clock
        self._sleep = sleep

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        base: str,
        token: str,
        clock: Clock,
        *,
        seconds: float = _SECONDS,
        sleep: Sleep = asyncio.sleep,
    ) -> AsyncIterator["FarSide"]:
        """Connect to a service."""
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            yield cls(session, base, token, clock, sleep)

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the answer to a request.

        Raises:
            FarAway: no answer, or none but "later", for too long.
            FarRefused, FarUnfit: it will not help to ask again.
        """
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/scim+json"
        if version is not None:
            headers["If-Match"] = version
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(_TRIES):
            wait = float(2**attempt)
            try:
                async with self._session.request(
                    method,
                    f"{self._base}{path}",
                    data=data,
                    params=query,
                    headers=headers,
                    allow_redirects=False,
                ) as answer:
                    if answer.status not in _LATER:
                        return await self._read(answer)
                    said = answer.headers.get("Retry-After")
                    wait = wait_of(said, self._clock.now(), otherwise=wait)
            except (aiohttp.ClientError, TimeoutError):
                pass
            if wait > LONGEST_WAIT or attempt == _TRIES - 1:
                break
            await self._sleep(wait)
        raise FarAway

    async def all(self, path: str, pattern: str | None) -> list[Mapping[str, Any]]:
        """Return everything on a list, page by page."""
        found: list[Mapping[str, Any]] = []
        for _ in range(_MOST_PAGES):
            query = {"startIndex": str(len(found) + 1), "count": str(_PAGE)}
            query |= {"filter": pattern} if pattern else {}
            reply = await self.ask("GET", path, query=query)
            held = reply.body.get("Resources") or []
            total = reply.body.get("totalResults")
            if reply.status != 200 or not isinstance(held, list) or type(total) is not int:  # noqa: PLR2004 - HTTP
                raise FarUnfit(check=f"list, {reply.status}")
            found += [one for one in held if isinstance(one, dict)]
            if not held or len(found) >= total:
                return found
        raise FarUnfit(check="list")

    async def _read(self, answer: aiohttp.ClientResponse) -> Reply:
        if answer.status in _REFUSED:
            raise FarRefused
        if answer.status in _MOVED:
            raise FarUnfit(check=str(answer.status))
        if answer.status >= _FAILED:
            raise aiohttp.ClientPayloadError  # a failure of theirs, which may pass
        taken = bytearray()
        async for piece in answer.content.iter_chunked(65_536):
            taken += piece
            if len(taken) > LARGEST:
                raise FarUnfit(check="size")
        try:
            body = json.loads(taken) if taken else {}
        except (ValueError, RecursionError):
            raise FarUnfit(check="json") from None
        if not isinstance(body, dict):
            raise FarUnfit(check="json")
        return Reply(status=answer.status, body=body, version=answer.headers.get("ETag"))


def wait_of(said: str | None, now: datetime, *, otherwise: float) -> float:
    """Return how many seconds a ``Retry-After`` asks for (RFC 9110, 10.2.3).

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    >>> wait_of("7", now, otherwise=1.0), wait_of("soon", now, otherwise=1.0)
    (7.0, 1.0)
    >>> wait_of("Tue, 24 Nov 2026 05:00:30 GMT", now, otherwise=1.0)
    30.0
    """
    if said is None:
        return otherwise
    if said.isascii() and said.isdigit():
        return float(said[:6])
    try:
        until = parsedate_to_datetime(said)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return otherwise
