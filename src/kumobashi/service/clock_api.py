"""How far the clocks of others are from the one here, and whether the one here is believed."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.kernel import to_wire
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded


def clock_routes(gateway: Gateway) -> list[Route]:
    """Return the route that shows clocks."""

    async def look(_request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(clocks, gateway))

    return [Route("/api/v1/clocks", guarded(gateway, look), methods=["GET"])]


def clocks(gateway: Gateway) -> dict[str, Any]:
    """Return the verdict on the clock here, and every source: seconds, ahead when positive."""
    own = gateway.own_clock
    found = own.verdict()
    return {
        "site": gateway.identity.site,
        "at": to_wire(gateway.clock.now()),
        "stops_at_seconds": own.stop.total_seconds() or None,
        "own": None
        if found is None
        else {
            "ahead_seconds": round(found.ahead.total_seconds(), 3),
            "within_seconds": round(found.within.total_seconds(), 3),
            "agree": list(found.agree),
            "heard": found.heard,
        },
        "sources": [
            {
                "kind": source.partition(":")[0],
                "name": source.partition(":")[2],
                "ahead_seconds": round(skew.ahead.total_seconds(), 3),
                "within_seconds": round(skew.within.total_seconds(), 3),
                "heard_seconds_ago": round(ago, 1),
            }
            for source, skew, ago in own.sources()
        ],
    }
