"""Errors as RFC 9457 problem documents; what is not ours is logged and told without detail."""

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kumobashi.kernel import KumobashiError
from kumobashi.messages.errors import PartsMissing, PartTooLarge
from kumobashi.messages.media_types import PROBLEM

log = logging.getLogger(__name__)


def problem(error: KumobashiError) -> Response:
    """Return the answer that tells a peer or a program about an error."""
    body = error.problem()
    if isinstance(error, PartsMissing):
        body["missing"] = error.facts.get("digests", [])
    if isinstance(error, PartTooLarge):
        body["limit"] = error.facts.get("limit")
    return JSONResponse(body, status_code=error.status, media_type=PROBLEM)


async def unexpected(_request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw: the log has the place, the caller gets a code."""
    log.error("unexpected error", exc_info=error)
    return problem(KumobashiError())
