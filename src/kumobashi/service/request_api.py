"""The local API of requests of residents: one address for each deed, everything said in bodies."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.noting import LOCAL_API
from kumobashi.identity import Accounts
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import AccountNeeded, BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members
from kumobashi.service.request_desk import DEEDS, RequestDesk
from kumobashi.service.signing_in import signed_in


def request_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the route that ``kumobashi request`` calls."""
    desk = RequestDesk(gateway, endpoint)

    async def deed(request: Request) -> Response:
        said = await members(request)
        name = str(request.path_params["deed"])
        if name not in DEEDS:
            raise BadRequest(field="deed", expected=", ".join(DEEDS))
        by, needed = LOCAL_API, DEEDS[name]
        if needed is not None:
            account = await asyncio.to_thread(signed_in, accounts, said, needed)
            if account is None:
                raise AccountNeeded
            by = f"account:{account}"
        return JSONResponse(await asyncio.to_thread(desk.do, name, said, by=by))

    guard = partial(guarded, gateway)
    return [Route("/api/v1/requests/{deed}", guard(deed), methods=["POST"])]
