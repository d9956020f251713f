"""The local API: what this machine's terminal and systems ask of their own gateway.

Every call carries the site's token (``Authorization: Bearer …``), which only users of this machine
who may read ``private/<site>/api.token`` have.
"""

import asyncio
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from enum import Enum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.overview import transfer_view
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.views import Overview
from kumobashi.kernel import KumobashiError, business_date
from kumobashi.service.courier_desk import overdue_media
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import BadRequest, NotAllowed
from kumobashi.service.gateway import Gateway
from kumobashi.service.overviewing import names_for, overview
from kumobashi.service.problems import problem

Handler = Callable[[Request], Awaitable[Response]]
_LONGEST_WAIT_SECONDS = 25.0
_LOOK_AGAIN_SECONDS = 0.1


def local_routes(gateway: Gateway, endpoint: Endpoint) -> list[Route]:
    """Return the routes that the terminal calls."""
    api = _LocalApi(gateway, endpoint)

    def guard(handler: Handler) -> Handler:
        return guarded(gateway, handler)

    return [
        Route("/api/v1/overview", guard(api.overview), methods=["GET"]),
        Route("/api/v1/links/{link}/runs", guard(api.run), methods=["POST"]),
        Route("/api/v1/transfers/{transfer}", guard(api.transfer), methods=["GET"]),
        Route("/api/v1/transfers/{transfer}/accept", guard(api.accept), methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/cancel", guard(api.cancel), methods=["POST"]),
    ]


def guarded(gateway: Gateway, handler: Handler) -> Handler:
    """Ask for the token, and turn errors into problem documents."""

    async def answer(request: Request) -> Response:
        try:
            given = request.headers.get("authorization", "")
            expected = f"Bearer {gateway.api_token}"
            if not hmac.compare_digest(given.encode(), expected.encode()):
                raise NotAllowed
            return await handler(request)
        except KumobashiError as error:
            return problem(error)

    return answer


def current_overview(gateway: Gateway, endpoint: Endpoint) -> Overview:
    """Return the overview as it is now; reads the workspace and the state."""
    workspace = endpoint.wiring.workspace()
    now = gateway.clock.now()
    site = gateway.identity.site
    found = overview(workspace, gateway.directory, gateway.ledger, site, now)
    return dataclasses.replace(found, overdue_media=overdue_media(gateway))


class _LocalApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self._gateway = gateway
        self._endpoint = endpoint

    async def overview(self, _request: Request) -> Response:
        found = await asyncio.to_thread(current_overview, self._gateway, self._endpoint)
        return JSONResponse(plain(found))

    async def run(self, request: Request) -> Response:
        wish = await members(request)
        on = _date(wish.get("date")) or business_date(self._gateway.clock.now())
        row, is_new = await self._endpoint.run(
            str(request.path_params["link"]),
            on,
            again=wish.get("again") is True,
            full=wish.get("full") is True,
        )
        return JSONResponse({"is_new": is_new, **self._view(row)}, status_code=202)

    async def transfer(self, request: Request) -> Response:
        """Return a transfer, waiting a while for what the caller has not seen."""
        name = str(request.path_params["transfer"])
        seen = request.query_params.get("seen", "")
        loop = asyncio.get_running_loop()
        wait = min(float(_digits(request.query_params.get("wait", "0"))), _LONGEST_WAIT_SECONDS)
        until = loop.time() + wait
        before: Outgoing | None = None
        while True:
            row = await asyncio.to_thread(self._gateway.ledger.outgoing, name)
            over = loop.time() >= until or self._gateway.changes.is_over
            if row != before or over:  # drawing a view costs more than looking for a change
                before = row
                answer = self._view(row)
                if answer["version"] != seen or over:
                    return JSONResponse(answer)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def accept(self, request: Request) -> Response:
        row = await self._endpoint.accept(str(request.path_params["transfer"]))
        return JSONResponse(self._view(row), status_code=202)

    async def cancel(self, request: Request) -> Response:
        row = await self._endpoint.cancel(str(request.path_params["transfer"]))
        return JSONResponse(self._view(row))

    def _view(self, row: Outgoing) -> dict[str, Any]:
        gateway = self._gateway
        workspace = self._endpoint.wiring.workspace(seconds_old=1.0)
        names = names_for(workspace, gateway.directory, row.link)
        view = plain(transfer_view(row, names, gateway.clock.now()))
        return {"version": f"{row.state.value}-{hash_of(view)}", "transfer": view}


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return dataclasses, enums and times as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def hash_of(view: dict[str, Any]) -> str:
    """Return a short name of a view's content, to notice a change by."""
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()[:16]


async def members(request: Request) -> dict[str, Any]:
    """Return the members of a JSON object, the body of a request; none for an empty one."""
    body = await request.body()
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise BadRequest(field="body", expected="JSON") from None
    if not isinstance(value, dict):
        raise BadRequest(field="body", expected="an object")
    return value


def _date(text: object) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise BadRequest(field="date", expected="2026-11-21") from None


def _digits(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004
