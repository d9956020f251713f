"""障害 and 状態: what is wrong, on whose side, whom to call; how each site has been.

/faults   /faults/{fault}   /faults/{fault}/report   /status   /sites/{site}
POST /faults/{fault}/take, /note, /close
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, visible_to, within
from kumobashi.console.fault_ports import FaultSource
from kumobashi.console.ports import BoardSource
from kumobashi.identity import Deed
from kumobashi.monitoring.errors import FaultUnknown
from kumobashi.monitoring.faults import EntryKind, Fault
from kumobashi.monitoring.standing import DAYS, bars

_PER_PAGE = 50
_LONGEST_NOTE = 2_000
_SITE_DAYS = 30
_KINDS = (EntryKind.ENQUIRY, EntryKind.MEASURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPages:
    """Draws faults and sites, and takes what people say of them."""

    board: BoardSource
    faults: FaultSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/faults/{fault}"
        return [
            self.door.route("/faults", self.listed),
            self.door.route(one, self.show),
            self.door.route(one + "/report", self.report),
            self.door.route(one + "/take", self.take, "POST"),
            self.door.route(one + "/note", self.note, "POST"),
            self.door.route(one + "/close", self.close, "POST"),
            self.door.route("/status", self.status),
            self.door.route("/sites/{site}", self.site),
        ]

    async def listed(self, request: Request) -> Response:
        """Answer with what goes on, in full, then what is over, a page at a time."""
        board = within(await asyncio.to_thread(self.board.board), request)
        page = _page(request)
        skip = (page - 1) * _PER_PAGE
        found = await asyncio.to_thread(partial(self.faults.listed, limit=_PER_PAGE + 1, skip=skip))
        shown = seen_by(found[:_PER_PAGE], visible_to(request))
        return draw(
            "faults.html",
            request,
            board=board,
            faults=[one for one in shown if one.ended is None],
            over=[one for one in shown if one.ended is not None],
            watched=await asyncio.to_thread(self.faults.is_watched),
            page=page,
            has_more=len(found) > _PER_PAGE,
        )

    async def show(self, request: Request) -> Response:
        """Answer with one fault and its timeline."""
        return await self._one(request, "fault.html")

    async def report(self, request: Request) -> Response:
        """Answer with the same as a report to print."""
        return await self._one(request, "fault_report.html")

    async def _one(self, request: Request, template: str) -> Response:
        board = within(await asyncio.to_thread(self.board.board), request)
        try:
            found = await asyncio.to_thread(self.faults.get, request.path_params["fault"])
        except FaultUnknown:
            raise HTTPException(404) from None
        if not (seen := seen_by((found,), visible_to(request))):
            raise HTTPException(404)
        fault = seen[0]
        names = {row.link: row.name for row in board.rows}
        return draw(template, request, board=board, fault=fault, names=names, kinds=_KINDS)

    async def take(self, request: Request) -> Response:
        """Note that whoever asks sees to it."""
        session, _ = await asked_by(request, Deed.HANDLE_FAULT)
        fault = request.path_params["fault"]
        await asyncio.to_thread(partial(self.faults.take, fault, by=session.account.shown))
        return go(request, f"/faults/{fault}")

    async def note(self, request: Request) -> Response:
        """Add a line to the timeline."""
        session, form = await asked_by(request, Deed.HANDLE_FAULT, longest=_LONGEST_NOTE)
        fault = request.path_params["fault"]
        kind = EntryKind.ENQUIRY if form.get("kind") == "enquiry" else EntryKind.MEASURE
        said = partial(self.faults.note, fault, kind, form.get("text", ""))
        await asyncio.to_thread(partial(said, by=session.account.shown))
        return go(request, f"/faults/{fault}")

    async def close(self, request: Request) -> Response:
        """Close the record with its cause."""
        session, form = await asked_by(request, Deed.HANDLE_FAULT, longest=_LONGEST_NOTE)
        fault = request.path_params["fault"]
        said = partial(self.faults.close, fault, form.get("cause", ""))
        await asyncio.to_thread(partial(said, by=session.account.shown))
        return go(request, f"/faults/{fault}")

    async def status(self, request: Request) -> Response:
        """Answer with how every site stands."""
        board = await asyncio.to_thread(self.board.board)
        sites = await asyncio.to_thread(partial(self.faults.sites, days=DAYS))
        return draw(
            "status.html",
            request,
            board=board,
            sites=sites,
            bars={one.site: bars(one) for one in sites},
            watched=await asyncio.to_thread(self.faults.is_watched),
            days=DAYS,
        )

    async def site(self, request: Request) -> Response:
        """Answer with one site: its month, its clock, its faults, the links that pass it."""
        board = await asyncio.to_thread(self.board.board)
        name = request.path_params["site"]
        sites = await asyncio.to_thread(partial(self.faults.sites, days=_SITE_DAYS))
        standing = next((one for one in sites if one.site == name), None)
        if standing is None:
            raise HTTPException(404)
        found = partial(self.faults.listed, side=name, limit=_PER_PAGE, skip=0)
        return draw(
            "site.html",
            request,
            board=board,
            standing=standing,
            bars=bars(standing),
            faults=await asyncio.to_thread(found),
            links=[row for row in board.rows if any(site == name for site, _ in row.sites)],
            days=_SITE_DAYS,
        )


def seen_by(faults: Sequence[Fault], visible: frozenset[str] | None) -> list[Fault]:
    """Return the faults that stop a link which somebody may see; of the others, no word."""
    if visible is None:
        return list(faults)
    return [
        replace(one, seen=replace(one.seen, links=mine, overdue=_of(one, mine)))
        for one in faults
        if (mine := one.seen.links & visible)
    ]


def _of(fault: Fault, links: frozenset[str]) -> frozenset[tuple[str, date]]:
    return frozenset((link, on) for link, on in fault.seen.overdue if link in links)


def _page(request: Request) -> int:
    said = request.query_params.get("page", "1")
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) < 6 else 1  # noqa: PLR2004 - pages
