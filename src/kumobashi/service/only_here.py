"""What is not for peers answers on this machine only, and only under its own names.

Pages are also there under the name that a file of ``sign-on`` gives the console: a proxy on this
machine ends TLS for it. Nobody sees a page by that name without having signed in.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from kumobashi.service.errors import OnlyHere
from kumobashi.service.problems import problem
from kumobashi.service.scraping import Scrapers
from kumobashi.service.training import is_loopback

_OPEN_TO_ALL: Final = ("/peer/", "/health")
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
SchemeOf = Callable[[str, str], str | None]
"""Of a ``Host`` and a path, how people ask for it from elsewhere; none: it is not for them."""


def known_by_no_other_name(_host: str, _path: str) -> None:
    """Meet ``SchemeOf`` where there is no console."""


class ForThisMachine:
    """Refuses whoever is elsewhere."""

    def __init__(self, app: ASGIApp, scheme_of: SchemeOf, scrapers: Scrapers) -> None:
        self._app = app
        self._scheme_of = scheme_of
        self._scrapers = scrapers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer ``service.only_here``."""
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN_TO_ALL):
            request = Request(scope)
            is_here = is_loopback(getattr(request.client, "host", None))
            # A page elsewhere could point its own name at 127.0.0.1; its Host gives it away.
            if is_here and request.url.hostname not in _LOCAL_NAMES:
                host = request.headers.get("host", "")
                scheme = await asyncio.to_thread(self._scheme_of, host, scope["path"])
                is_here = scheme is not None
                scope = {**scope, "scheme": scheme or scope["scheme"]}
            if not is_here and not self._scrapers.may(scope):
                await problem(OnlyHere())(scope, receive, send)
                return
        await self._app(scope, receive, send)
