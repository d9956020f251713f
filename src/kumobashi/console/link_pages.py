"""The page of one link: its newest or an earlier transfer, a year of days, findings as files."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.asking import file
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, is_allowed, is_let, who, within
from kumobashi.console.export import findings_csv, findings_json, link_json
from kumobashi.console.history import year_of
from kumobashi.console.listing import wish_of
from kumobashi.console.ports import BoardSource, DeedSource
from kumobashi.console.reader import reader_of
from kumobashi.exchange.views import Board, Light, LinkView, TransferView
from kumobashi.identity import Deed
from kumobashi.kernel import Zone, business_date

FINDINGS_PER_PAGE = 50
POLL_SECONDS = 3  # while something runs
YEAR = timedelta(days=364)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPages:
    """Draws the pages of single links."""

    source: BoardSource
    zones: Mapping[str, Zone]
    door: Door
    deeds: DeedSource | None

    def routes(self) -> list[Route]:
        """Return the routes."""
        route = self.door.route
        return [
            route("/links/{link}", self.show, name="console-link"),
            route("/links/{link}/findings.csv", self.save_csv),
            route("/links/{link}/findings.json", self.save_json),
            route("/links/{link}/link.json", self.save_link),
        ]

    async def show(self, request: Request) -> Response:
        """Answer with the page."""
        board, link, transfer = await self._chosen(request)
        board, may_read = within(board, request), is_let(request, Deed.SEE_CONTENT)
        if transfer and not may_read:
            transfer = replace(transfer, findings=(), gate=None)
        held = len(transfer.findings) if transfer else 0
        pages = max(ceil(held / FINDINGS_PER_PAGE), 1)
        page = min(wish_of(request.query_params).page, pages)
        past = transfer is not None and (
            link.latest is None or transfer.transfer != link.latest.transfer
        )
        today = business_date(board.at)
        days = await asyncio.to_thread(self.source.days, [link.link], today - YEAR)
        possible = None
        if self.deeds:
            name = transfer.transfer if transfer else None
            possible = await asyncio.to_thread(self.deeds.possible, link.link, name)
        return draw(
            "link.html",
            request,
            board=board,
            link=link,
            transfer=transfer,
            past=past,
            possible=possible,
            may_operate=is_allowed(who(request), Deed.OPERATE),
            may_read=may_read,
            year=year_of(days.get(link.link, ()), today),
            first=(page - 1) * FINDINGS_PER_PAGE,
            findings=transfer.findings[(page - 1) * FINDINGS_PER_PAGE :][:FINDINGS_PER_PAGE]
            if transfer
            else (),
            page=page,
            pages=pages,
            zones=self.zones,
            poll=POLL_SECONDS if link.light is Light.RUNNING and not past else None,
        )

    async def save_csv(self, request: Request) -> Response:
        """Answer with the findings as a file for Excel."""
        _, _, transfer = await self._chosen(request)
        if transfer is None:
            raise HTTPException(404)
        body = findings_csv(transfer, reader_of(request).lang)
        return file(body, "text/csv; charset=utf-8", _named(transfer, "csv"))

    async def save_json(self, request: Request) -> Response:
        """Answer with the findings as a file for programs."""
        _, _, transfer = await self._chosen(request)
        if transfer is None:
            raise HTTPException(404)
        return file(findings_json(transfer), "application/json", _named(transfer, "json"))

    async def save_link(self, request: Request) -> Response:
        """Answer with everything known about the link, as a file for programs."""
        board, link, _ = await self._chosen(request)
        return file(link_json(board, link), "application/json", "link.json")

    async def _chosen(self, request: Request) -> tuple[Board, LinkView, TransferView | None]:
        name = request.path_params["link"]
        board = await asyncio.to_thread(self.source.board)
        link = await asyncio.to_thread(self.source.link, name)
        if link is None:
            raise HTTPException(404)
        wanted = request.query_params.get("transfer", "")
        if not wanted:
            return board, link, link.latest
        transfer = await asyncio.to_thread(self.source.transfer, name, wanted)
        if transfer is None:
            raise HTTPException(404)
        return board, link, transfer


def _named(transfer: TransferView, ending: str) -> str:
    return f"findings-{transfer.business_date.isoformat()}-{transfer.sequence}.{ending}"
