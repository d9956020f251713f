"""The local API of ties: one address for each deed, everything said in bodies."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.noting import LOCAL_API
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members
from kumobashi.service.tie_desk import TieDesk


def tie_routes(gateway: Gateway, endpoint: Endpoint) -> list[Route]:
    """Return the routes that ``kumobashi tie`` and the site's services call."""
    desk = TieDesk(endpoint.consents, gateway.clock)

    async def deed(request: Request) -> Response:
        said = await members(request)
        name = str(request.path_params["deed"])
        return JSONResponse(await asyncio.to_thread(desk.do, name, said, by=LOCAL_API))

    guard = partial(guarded, gateway)
    return [Route("/api/v1/ties/{deed}", guard(deed), methods=["POST"])]
