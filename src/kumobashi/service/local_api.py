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
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.exchange.deeds import Deed
from kumobashi.exchange.overview import transfer_view
from kumobashi.exchange.records import Outgoing
from kumobashi.exchange.views import Overview
from kumobashi.kernel import KumobashiError, business_date
from kumobashi.service.access_records import call_code
from kumobashi.service.courier_desk import overdue_media
from kumobashi.service.described import described
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import BadRequest, NotAllowed
from kumobashi.service.gateway import Gateway
from kumobashi.service.holding_desk import overdue_views
from kumobashi.service.incident_clocks import open_incidents
from kumobashi.service.overviewing import names_for, overview
from kumobashi.service.problems import problem
from kumobashi.service.request_overdue import overdue_requests

Handler = Callable[[Request], Awaitable[Response]]
_REFUSALS = frozenset({401, 403, 429})
_LONGEST_WAIT_SECONDS = 25.0
_LOOK_AGAIN_SECONDS = 0.1


def local_routes(gateway: Gateway, endpoint: Endpoint) -> list[Route]:
    """Return the routes that the terminal calls."""
    api = _LocalApi(gateway, endpoint)

    def guard(handler: Handler) -> Handler:
        return guarded(gateway, handler)

    cancel, pause = guard(api.doing(Deed.CANCEL)), guard(api.doing(Deed.PAUSE))
    resume, send_first = (
        guard(api.doing(Deed.RESUME)),
        guard(api.doing(Deed.SEND_FIRST)),
    )
    return [
        Route("/api/v1/openapi.yaml", described("local"), methods=["GET"]),
        Route("/api/v1/overview", guard(api.overview), methods=["GET"]),
        Route("/api/v1/links/{link}/runs", guard(api.run), methods=["POST"]),
        Route("/api/v1/transfers/{transfer}", guard(api.transfer), methods=["GET"]),
        Route("/api/v1/transfers/{transfer}/accept", guard(api.accept), methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/cancel", cancel, methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/pause", pause, methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/resume", resume, methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/send-first", send_first, methods=["POST"]),
        Route("/api/v1/transfers/{transfer}/resend", guard(api.resend), methods=["POST"]),
        Route("/api/v1/links/{link}/pause", guard(api.pause_link), methods=["POST"]),
        Route("/api/v1/links/{link}/resume", guard(api.resume_link), methods=["POST"]),
        Route("/api/v1/lines", guard(api.lines), methods=["GET"]),
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
            if error.status in _REFUSALS:
                asked = call_code(request)
                note = partial(gateway.access.refused, None, page=asked, code=error.code)
                await asyncio.to_thread(note)
            return problem(error)

    return answer


def current_overview(gateway: Gateway, endpoint: Endpoint) -> Overview:
    """Return the overview as it is now; reads the workspace and the state."""
    workspace = endpoint.wiring.workspace()
    now = gateway.clock.now()
    found = overview(
        workspace,
        gateway.directory,
        gateway.ledger,
        gateway.identity.site,
        now=now,
        reasons=endpoint.dispatcher.reasons(),
    )
    return replace(
        found,
        overdue=overdue_views(gateway, endpoint),
        overdue_media=overdue_media(gateway),
        overdue_requests=overdue_requests(gateway),
        incidents=open_incidents(gateway),
    )


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

    def doing(self, deed: Deed) -> Handler:
        """Return the handler of one deed."""

        async def do(request: Request) -> Response:
            row = await self._endpoint.do(deed, str(request.path_params["transfer"]))
            return JSONResponse(self._view(row))

        return do

    async def resend(self, request: Request) -> Response:
        wish = await members(request)
        row, is_new = await self._endpoint.resend(
            str(request.path_params["transfer"]), rejected_only=wish.get("rejected_only") is True
        )
        return JSONResponse({"is_new": is_new, **self._view(row)}, status_code=202)

    async def pause_link(self, request: Request) -> Response:
        return await self._pause_link(request, paused=True)

    async def resume_link(self, request: Request) -> Response:
        return await self._pause_link(request, paused=False)

    async def _pause_link(self, request: Request, *, paused: bool) -> Response:
        link = str(request.path_params["link"])
        await self._endpoint.pause_link(link, paused=paused)
        return JSONResponse({"link": link, "paused": paused})

    async def lines(self, _request: Request) -> Response:
        """Return how the lines to all peers stand, and what waits for them."""
        dispatcher = self._endpoint.dispatcher
        states = [line.state() for line in self._gateway.lines.all()]
        waiting = {
            state.site: await asyncio.to_thread(dispatcher.waiting_for, state.site)
            for state in states
        }
        lines = [{**plain(state), "waiting": waiting[state.site]} for state in states]
        paused = await asyncio.to_thread(self._endpoint.deeds.paused_links)
        return JSONResponse({"lines": lines, "paused_links": sorted(paused)})

    def _view(self, row: Outgoing) -> dict[str, Any]:
        gateway = self._gateway
        workspace = self._endpoint.wiring.workspace(seconds_old=1.0)
        names = names_for(workspace, gateway.directory, row.link)
        seen = self._endpoint.dispatcher.reasons().seen(row)
        view = plain(transfer_view(seen, names, gateway.clock.now()))
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
    except (ValueError, RecursionError):  # RecursionError: brackets within brackets, without end
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
