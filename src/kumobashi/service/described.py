"""The OpenAPI documents that say what this gateway serves; each is served where its calls are.

They are written by hand beside the code, and tried against a gateway that runs.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response


def described(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler that answers with the document of this name."""
    text = (files("kumobashi.service") / "openapi" / f"{name}.yaml").read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(text, media_type="application/yaml")

    return answer
