"""The local API of deletion: who holds what, ask for it to go, decide as the second person."""

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.holdings import Holding
from kumobashi.exchange.keeping import IN, OUT
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import AccountNeeded
from kumobashi.service.gateway import Gateway
from kumobashi.service.holding_desk import view_of
from kumobashi.service.local_api import guarded, members, plain
from kumobashi.service.signing_in import signed_in


def deletion_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the routes that ``kumobashi deletion`` calls."""
    api = _DeletionApi(gateway, endpoint, accounts)
    guard = partial(guarded, gateway)
    return [
        Route("/api/v1/deletions", guard(api.list), methods=["GET"]),
        Route("/api/v1/deletions/{transfer}", guard(api.show), methods=["GET"]),
        Route("/api/v1/deletions/{transfer}/request", guard(api.request), methods=["POST"]),
        Route("/api/v1/deletions/{transfer}/approve", guard(api.approve), methods=["POST"]),
        Route("/api/v1/deletions/{transfer}/withdraw", guard(api.withdraw), methods=["POST"]),
    ]


class _DeletionApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._accounts = accounts

    async def list(self, _request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._listed))

    async def show(self, request: Request) -> Response:
        holdings = self._endpoint.holdings
        await asyncio.to_thread(holdings.discover)
        held = await asyncio.to_thread(holdings.one, _transfer(request), OUT)
        return await self._said(held)

    async def request(self, request: Request) -> Response:
        by = await self._who(request, Deed.ASK_DELETION)
        await asyncio.to_thread(self._endpoint.holdings.discover)
        ask = self._endpoint.requester.ask
        held = await asyncio.to_thread(ask, _transfer(request), by=by)
        return await self._said(held, 202)

    async def approve(self, request: Request) -> Response:
        by = await self._who(request, Deed.APPROVE_DELETION)
        if by is None:
            raise AccountNeeded
        requester = self._endpoint.requester
        held = await asyncio.to_thread(requester.approve, _transfer(request), by=by)
        return await self._said(held, 202)

    async def withdraw(self, request: Request) -> Response:
        by = await self._who(request, Deed.ASK_DELETION)
        requester = self._endpoint.requester
        held = await asyncio.to_thread(requester.withdraw, _transfer(request), by=by)
        return await self._said(held)

    def _listed(self) -> dict[str, Any]:
        holdings = self._endpoint.holdings
        holdings.discover()
        workspace = self._endpoint.wiring.workspace()
        found = [*holdings.all(OUT), *holdings.all(IN)]
        views = [plain(view_of(self._gateway, workspace, held)) for held in found]
        return {"site": self._gateway.identity.site, "holdings": views}

    async def _who(self, request: Request, deed: Deed) -> str | None:
        """Return the account that signed in with this very request, if one did."""
        said = await members(request)
        return await asyncio.to_thread(signed_in, self._accounts, said, deed)

    async def _said(self, held: Holding, status: int = 200) -> Response:
        self._endpoint.wake()
        workspace = await asyncio.to_thread(self._endpoint.wiring.workspace)
        view = await asyncio.to_thread(view_of, self._gateway, workspace, held)
        return JSONResponse(plain(view), status_code=status)


def _transfer(request: Request) -> str:
    return str(request.path_params["transfer"])
