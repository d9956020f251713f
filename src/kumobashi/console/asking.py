"""How a page is asked for: its handler guarded, failures shown in the same tone, files sent."""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kumobashi.console import wording
from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.drawing import draw
from kumobashi.console.reader import reader_of, remember
from kumobashi.identity.errors import IdentityFailed
from kumobashi.kernel import KumobashiError

Handler = Callable[[Request], Awaitable[Response]]
_SERVER_ERROR = 500


def guarded(page: Handler) -> Handler:
    """Show what the views refuse, and what is not there, as pages in the same tone."""

    async def shown(request: Request) -> Response:
        try:
            response = await page(request)
        except HTTPException as error:
            return error_page(request, error.status_code)
        except KumobashiError as error:
            # A page that only shows fails on our side; a refused form is its sender's matter.
            theirs = request.method == "POST" or isinstance(error, IdentityFailed)
            status = error.status if theirs else max(error.status, _SERVER_ERROR)
            return error_page(request, status, error)
        remember(request, response)
        return response

    return shown


def error_pages() -> dict[int, Callable[[Request, Exception], Response]]:
    """Return ``exception_handlers`` for Starlette: a page for people, a problem for programs."""

    def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else _SERVER_ERROR
        # With 405 it says what may be asked instead (RFC 9110, 15.5.6).
        said = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if "text/html" in request.headers.get("accept", ""):
            page = error_page(request, status)
            page.headers.update(said)
            return page
        problem = {
            "type": "about:blank",
            "status": status,
            "title": wording.say(f"error_{status}", "en"),
        }
        headers = {**SAFE_HEADERS, **said}
        return JSONResponse(problem, status, headers, media_type="application/problem+json")

    return {404: failed, 405: failed, _SERVER_ERROR: failed}


def error_page(request: Request, status: int, error: KumobashiError | None = None) -> Response:
    """Say what went wrong and what to do, with the code for whoever is called."""
    lang = reader_of(request).lang
    key = f"error_{status}" if f"error_{status}" in wording.TEXT else "error_500"
    return draw(
        "error.html",
        request,
        status=status,
        title=wording.say(key, lang),
        why=error.say(lang) if error else wording.say(f"{key}_why", lang),
        remedy=error.remedy(lang) if error else "",
        code=error.code if error else str(status),
    )


def file(body: bytes, media_type: str, name: str) -> Response:
    """Answer with a file to be saved."""
    headers = {
        **SAFE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(body, media_type=media_type, headers=headers)
