"""HTTP to a provider: sealed lines, no redirects, small answers, little time.

Each request has a connection of its own, so a provider that dies leaves nothing behind here. Plain
http is for this machine only.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from kumobashi.crypto.canonical import read_json
from kumobashi.crypto.errors import NotCanonical
from kumobashi.identity.addresses import is_sealed
from kumobashi.identity.errors import ProviderAway, ProviderUnfit

LARGEST: Final = 256 * 1024  # bytes of an answer
_SECONDS: Final = 10.0  # for a whole request
_CONNECT_SECONDS: Final = 3.0
_FAILED: Final = 500
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a provider answered: a status and a JSON object."""

    status: int
    body: Mapping[str, object]


class Fetching:
    """Asks one provider; may be used from any event loop."""

    def __init__(self, provider: str, *, seconds: float = _SECONDS) -> None:
        self._provider = provider
        self._seconds = seconds

    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> Said:
        """Return what is at ``address``.

        Raises:
            ProviderAway: no answer in time, or one that says that it cannot now.
            ProviderUnfit: a redirect, too much, or no JSON object.
        """
        return await self._ask("GET", address, headers or {}, None)

    async def post(
        self, address: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Said:
        """Send a form and return the answer; fails as :meth:`get` does."""
        return await self._ask("POST", address, headers or {}, fields)

    async def _ask(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None,
    ) -> Said:
        if not is_sealed(address):
            raise ProviderUnfit(provider=self._provider, check="https")
        timeout = aiohttp.ClientTimeout(total=self._seconds, sock_connect=_CONNECT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
                ) as session,
                session.request(
                    method,
                    address,
                    headers={**_HEADERS, **headers},
                    data=fields,
                    allow_redirects=False,
                ) as came,
            ):
                body = await self._bounded(came)
                status = came.status
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError):
            raise ProviderAway(provider=self._provider) from None
        except ValueError:  # an address, or a header of the answer, that is none
            raise ProviderUnfit(provider=self._provider, check="http") from None
        if status >= _FAILED:
            raise ProviderAway(provider=self._provider)
        return Said(status=status, body=self._object(body))

    async def _bounded(self, came: aiohttp.ClientResponse) -> bytes:
        body = b""
        async for piece in came.content.iter_chunked(LARGEST):
            body += piece
            if len(body) > LARGEST:
                raise ProviderUnfit(provider=self._provider, check="size")
        return body

    def _object(self, body: bytes) -> Mapping[str, object]:
        try:
            found = read_json(body, limit=LARGEST)
        except NotCanonical:
            raise ProviderUnfit(provider=self._provider, check="json") from None
        if not isinstance(found, dict):
            raise ProviderUnfit(provider=self._provider, check="json")
        return found
