"""The OpenAPI documents that say what this gateway serves; each is served where its calls are.

They are written by hand beside the code, and tried against a gateway that runs.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE: Final = "application/yaml"


def text_of(name: str) -> bytes:
    """Return the document of this name."""
    return (files("kumobashi.service") / "openapi" / f"{name}.yaml").read_bytes()


def described(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler that answers with the document of this name."""
    text = text_of(name)

    async def answer(_request: Request) -> Response:
        return Response(text, media_type=MEDIA_TYPE)

    return answer
