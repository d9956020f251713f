"""``GET /metrics``: for programs of this machine, and for one elsewhere that shows the token.

The token is in ``private/<site>/metrics.token`` (mode 0600). It opens nothing but this page.
Without that file nobody from another machine reads it.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from kumobashi.crypto.errors import KeyUnreadable
from kumobashi.crypto.private_files import read_private
from kumobashi.kernel import KumobashiError

if TYPE_CHECKING:
    from kumobashi.service.readings import Readings

PATH: Final = "/metrics"
TOKEN: Final = "metrics.token"  # noqa: S105 - the name of a file
SHORTEST: Final = 32  # characters: what is shorter could be guessed
_LONGEST: Final = 512
_BEARER: Final = b"Bearer "
log = logging.getLogger(__name__)


def metrics_of(readings: "Readings") -> Callable[[Request], Awaitable[Response]]:
    """Return the handler that shows the page."""

    async def show(request: Request) -> Response:
        page = await readings.page()
        body, media_type = page.text(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    return show


class Scrapers:
    """Knows who may read the page from another machine."""

    def __init__(self, private: Path) -> None:
        self._file = private / TOKEN
        self._told = ""

    def may(self, scope: Scope) -> bool:
        """Whether a request shows the token, and asks for the page and nothing else."""
        if scope["path"] != PATH or scope["method"] not in {"GET", "HEAD"}:
            return False
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1 or not given[0].startswith(_BEARER):
            return False
        shown = given[0].removeprefix(_BEARER)
        if not SHORTEST <= len(shown) <= _LONGEST:
            return False
        expected = self._token()
        return expected is not None and hmac.compare_digest(shown, expected)

    def _token(self) -> bytes | None:
        """Return the token as it is now; a change of the file counts at once."""
        try:
            token = read_private(self._file, expected=TOKEN).strip()
        except KeyUnreadable:
            return None
        except KumobashiError as error:
            self._tell(error.code)
            return None
        return token if SHORTEST <= len(token) <= _LONGEST else None

    def _tell(self, code: str) -> None:
        if self._told != code:
            log.warning("the token for metrics cannot be used", extra={"code": code})
            self._told = code
