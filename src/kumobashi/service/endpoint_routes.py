"""The routes that only an endpoint has: the local API and the console."""

import asyncio

from starlette.routing import BaseRoute

from kumobashi.console import console_routes
from kumobashi.exchange.views import Overview
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import current_overview, local_routes


def endpoint_routes(gateway: Gateway, endpoint: Endpoint) -> list[BaseRoute]:
    """Return the routes for the people and programs of this machine."""

    async def overview() -> Overview:
        return await asyncio.to_thread(current_overview, gateway, endpoint)

    zones = {name: site.zone for name, site in gateway.directory.sites.items()}
    return [*local_routes(gateway, endpoint), *console_routes(overview, zones=lambda: zones)]
