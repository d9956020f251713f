"""The interconnection test over the local API: one JSON object a line, as the steps go by.

``POST /api/v1/links/{link}/test`` answers ``application/x-ndjson``: a step on each line, and last
the record with the signatures under it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kumobashi.calls.interconnection.asking import LinkTest
from kumobashi.kernel import KumobashiError
from kumobashi.service.errors import BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members

_LONGEST_NAME = 100


def link_test_routes(gateway: Gateway) -> list[Route]:
    """Return the route that the terminal calls."""

    async def test(request: Request) -> Response:
        said = await members(request)
        by, at = said.get("by"), said.get("at")
        if not (isinstance(by, str) and 0 < len(by) <= _LONGEST_NAME):
            raise BadRequest(field="by", expected="a name")
        if not (at is None or isinstance(at, str)):
            raise BadRequest(field="at", expected="a site")
        tried = gateway.calling.link_test(str(request.path_params["link"]), by=by, at=at)
        return StreamingResponse(_lines(tried), media_type="application/x-ndjson")

    handler: Callable[[Request], Awaitable[Response]] = guarded(gateway, test)
    return [Route("/api/v1/links/{link}/test", handler, methods=["POST"])]


async def _lines(tried: LinkTest) -> AsyncIterator[str]:
    problem: dict[str, Any] | None = None
    try:
        async for step in tried.run():
            yield _line({"step": step.as_json()})
    except KumobashiError as error:  # the other side does not sign, or the journal is broken
        problem = error.problem()
    kept = {"record": tried.record, "signatures": tried.signatures}
    yield _line({"passed": tried.is_passed, "kept": kept, "problem": problem})


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
