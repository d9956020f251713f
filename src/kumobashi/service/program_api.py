"""Programs of a site's systems report how they ended; failures reach the hall with the next pulse.

Detection point 4 of report 001, item (6): what a cloud's programs write to their logs is collected
there and told. A program says a code, never what it worked on.
"""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.observe.notices import Notices
from kumobashi.service.errors import BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members

_CODE = re.compile(r"[a-z0-9_]{1,60}")
_SYSTEM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def program_routes(gateway: Gateway) -> list[Route]:
    """Return the route that programs report to."""
    api = _ProgramApi(gateway.notices)
    failed = guarded(gateway, api.failed)
    return [Route("/api/v1/systems/{system}/failures", failed, methods=["POST"])]


class _ProgramApi:
    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def failed(self, request: Request) -> Response:
        """Note that a program of a system failed, with its code."""
        said, system = await members(request), str(request.path_params["system"])
        code = said.get("code")
        if not _SYSTEM.fullmatch(system):
            raise BadRequest(field="system", expected="a-z, 0-9, -")
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise BadRequest(field="code", expected="a-z, 0-9, _")
        noted = f"{system.replace('-', '_')}.{code}"
        self._notices.note(noted, system)
        return JSONResponse({"noted": noted}, status_code=202)
