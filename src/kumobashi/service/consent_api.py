"""The local API of consents: one address for each deed, everything said in bodies."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.noting import LOCAL_API
from kumobashi.identity import Accounts
from kumobashi.service.consent_desk import ConsentDesk
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members

_MOST_TOKENS = 10_000


def consent_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the routes that ``kumobashi consent`` and the site's services call."""
    api = _ConsentApi(gateway, endpoint, accounts)
    guard = partial(guarded, gateway)
    return [
        Route("/api/v1/consents/withdrawn", guard(api.withdrawn), methods=["POST"]),
        Route("/api/v1/consents/{deed}", guard(api.deed), methods=["POST"]),
    ]


class _ConsentApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> None:
        self._desk = ConsentDesk(endpoint.consents, gateway.clock, accounts)
        self._endpoint = endpoint

    async def deed(self, request: Request) -> Response:
        said = await members(request)
        deed = str(request.path_params["deed"])
        return JSONResponse(await asyncio.to_thread(self._desk.do, deed, said, by=LOCAL_API))

    async def withdrawn(self, request: Request) -> Response:
        """Return which of some tokens of a link may not be used for a call or a notice."""
        said = await members(request)
        link, tokens = said.get("link"), said.get("tokens")
        if not isinstance(link, str):
            raise BadRequest(field="link", expected="the name of a link")
        if (
            not isinstance(tokens, list)
            or len(tokens) > _MOST_TOKENS
            or not all(isinstance(one, str) for one in tokens)
        ):
            raise BadRequest(field="tokens", expected=f"a list of at most {_MOST_TOKENS} tokens")
        among = self._endpoint.receiver.withdrawn.among
        return JSONResponse({"withdrawn": sorted(await asyncio.to_thread(among, link, tokens))})
