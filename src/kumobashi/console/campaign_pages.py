"""The page of campaigns: how far coarsened data would miss whom each notice means."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door
from kumobashi.console.ports import BoardSource, CampaignSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPages:
    """Draws the error table."""

    board: BoardSource
    campaigns: CampaignSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [self.door.route("/campaigns", self.show)]

    async def show(self, request: Request) -> Response:
        """Answer with the table; the first to ask waits while it is counted."""
        board = await asyncio.to_thread(self.board.board)
        table = await asyncio.to_thread(self.campaigns.table)
        return draw("campaigns.html", request, board=board, table=table)
