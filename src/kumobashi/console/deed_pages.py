"""What an operator does on a link's page: each deed says what it will do and is confirmed first.

/links/{link}/deeds/{deed}   GET: what will happen, and a form   POST: done, back to the link
"""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, who
from kumobashi.console.ports import OF_LINK, BoardSource, DeedSource, LinkDeed
from kumobashi.identity import Deed
from kumobashi.identity.errors import FormStale

_ADDRESS = "/links/{link}/deeds/{deed}"
_AGAIN = frozenset({LinkDeed.RESEND, LinkDeed.RESEND_REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedPages:
    """Asks whether it is meant, then does it."""

    board: BoardSource
    deeds: DeedSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.door.route(_ADDRESS, self.ask),
            self.door.route(_ADDRESS, self.do, "POST"),
        ]

    async def ask(self, request: Request) -> Response:
        """Answer with what would happen, and a form that lets it happen."""
        deed, name = _deed_of(request), request.path_params["link"]
        session = who(request)
        if session is None:  # without accounts nobody may; the link's page says so
            return go(request, f"/links/{name}")
        session.check_may(_needed(deed))
        board = await asyncio.to_thread(self.board.board)
        link = await asyncio.to_thread(self.board.link, name)
        wanted = request.query_params.get("transfer", "")
        transfer = await asyncio.to_thread(self.board.transfer, name, wanted) if wanted else None
        if link is None or (transfer is None and deed not in OF_LINK):
            raise HTTPException(404)
        possible = await asyncio.to_thread(self.deeds.possible, name, wanted or None)
        return draw(
            "deed.html",
            request,
            board=board,
            link=link,
            transfer=None if deed in OF_LINK else transfer,
            deed=deed,
            possible=possible,
        )

    async def do(self, request: Request) -> Response:
        """Do it, then show the link as it is now.

        Raises:
            FormStale: another run of the link has begun since the form was drawn.
        """
        deed, name = _deed_of(request), request.path_params["link"]
        session, form = await asked_by(request, _needed(deed))
        if await asyncio.to_thread(self.board.link, name) is None:
            raise HTTPException(404)  # not one of this site's
        transfer = form.get("transfer", "")
        if deed in _AGAIN:
            possible = await asyncio.to_thread(self.deeds.possible, name, transfer)
            if form.get("newest", "") != possible.newest:
                raise FormStale
        await self.deeds.do(deed, name, transfer, by=session.account.name)
        return go(request, f"/links/{name}")


def _needed(deed: LinkDeed) -> Deed:
    """Return what somebody has to be allowed; what is sent again leaves once more."""
    return Deed.RELEASE if deed in _AGAIN else Deed.OPERATE


def _deed_of(request: Request) -> LinkDeed:
    try:
        return LinkDeed(request.path_params["deed"])
    except ValueError:
        raise HTTPException(404) from None
