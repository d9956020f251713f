"""What every answer of the console carries: strict headers, and the address of other pages."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SAFE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Nothing inline, nothing from elsewhere, in nobody's frame."""


class Assets(StaticFiles):
    """The console's own files, with the same headers; unchanged ones answer 304."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file at ``path``."""
        response = await super().get_response(path, scope)
        response.headers.update(SAFE_HEADERS)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Addresses:
    """Makes addresses of pages that keep the mount point.

    >>> here = Addresses("/hall")
    >>> here("/links/税→給付", page=2, state="")
    '/hall/links/%E7%A8%8E%E2%86%92%E7%B5%A6%E4%BB%98?page=2'
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def __call__(self, path: str, **query: str | int | None) -> str:
        """Return the address of ``path``; empty values of ``query`` are left out."""
        wanted = {key: str(value) for key, value in query.items() if value not in ("", None)}
        return f"{self._root}{quote(path)}{f'?{urlencode(wanted)}' if wanted else ''}"

    def link(self, link: str, rest: str = "", **query: str | int | None) -> str:
        """Return the address of a link's page, or of ``rest`` below it."""
        return self(f"/links/{link}{rest}", **query)
