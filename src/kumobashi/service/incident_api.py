"""The local API of incidents: one address for each deed, everything said in bodies."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.identity import Accounts
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.incident_desk import IncidentDesk
from kumobashi.service.local_api import guarded, members


def incident_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the routes that ``kumobashi incident`` calls."""
    desk = IncidentDesk(
        gateway.store,
        tenant=gateway.identity.tenant,
        site=gateway.identity.site,
        workspace=endpoint.wiring.workspace,
        directory=gateway.directory,
        clock=gateway.clock,
        accounts=accounts,
    )

    async def deed(request: Request) -> Response:
        said = await members(request)
        name = str(request.path_params["deed"])
        return JSONResponse(await asyncio.to_thread(desk.do, name, said))

    guard = partial(guarded, gateway)
    return [Route("/api/v1/incidents/{deed}", guard(deed), methods=["POST"])]
