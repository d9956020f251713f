"""The pages of plans: what would leave and whether; one person asks, another approves."""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, is_allowed, who
from kumobashi.console.plan_listing import (
    listed_entries,
    listed_plans,
    plan_wish_of,
    standings,
)
from kumobashi.console.ports import BoardSource, PlanSource
from kumobashi.console.story import story_of
from kumobashi.identity import Deed

_MOST_ROWS = 200  # of the table below the picture
_PICTURE_MAY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPages:
    """Draws plans and takes decisions on them."""

    board: BoardSource
    plans: PlanSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        pages = {
            "/plans": self.show_all,
            "/plans/{link}": self.show,
            "/changes": self.show_record,
            "/workspace": self.show_workspace,
            "/workspace/picture.svg": self.picture,
        }
        deeds = {"propose": self.propose, "approve": self.approve}
        return [
            *(self.door.route(path, page) for path, page in pages.items()),
            *(self.door.route(f"/plans/{{link}}/{n}", do, "POST") for n, do in deeds.items()),
        ]

    async def show_all(self, request: Request) -> Response:
        """Answer with the plans of all links."""
        board = await asyncio.to_thread(self.board.board)
        rows = await asyncio.to_thread(self.plans.plans)
        wish = plan_wish_of(request.query_params)
        return draw(
            "plans.html",
            request,
            board=board,
            total=len(rows),
            counts=standings(rows),
            wish=wish,
            shown=listed_plans(rows, wish),
        )

    async def show(self, request: Request) -> Response:
        """Answer with one plan, and what the reader may do about it."""
        name = request.path_params["link"]
        document = await asyncio.to_thread(self.plans.plan, name)
        if document is None:
            raise HTTPException(404)
        board = await asyncio.to_thread(self.board.board)
        row = next((row for row in board.rows if row.link == name), None)
        proposal = await asyncio.to_thread(self.plans.proposal, name)
        session = who(request)
        story = story_of(document)
        return draw(
            "plan.html",
            request,
            board=board,
            name=row.name if row else story.name,
            story=story,
            proposal=proposal,
            may_propose=is_allowed(session, Deed.PROPOSE),
            may_approve=is_allowed(session, Deed.APPROVE)
            and proposal is not None
            and session is not None
            and session.account.name != proposal.by,
        )

    async def show_record(self, request: Request) -> Response:
        """Answer with who changed what."""
        board = await asyncio.to_thread(self.board.board)
        entries = await asyncio.to_thread(self.plans.record)
        wish = plan_wish_of(request.query_params)
        return draw(
            "changes.html",
            request,
            board=board,
            wish=wish,
            shown=listed_entries(entries, wish),
        )

    async def show_workspace(self, request: Request) -> Response:
        """Answer with what the workspace describes."""
        board = await asyncio.to_thread(self.board.board)
        return draw(
            "workspace.html",
            request,
            board=board,
            rows=board.rows[:_MOST_ROWS],
            version=self.plans.directory_version,
            has_picture=await asyncio.to_thread(self.plans.picture) is not None,
        )

    async def picture(self, _request: Request) -> Response:
        """Answer with the drawing of the workspace, which may style itself and nothing else."""
        drawn = await asyncio.to_thread(self.plans.picture)
        if drawn is None:
            raise HTTPException(404)
        headers = {**SAFE_HEADERS, "Content-Security-Policy": _PICTURE_MAY}
        return Response(drawn, media_type="image/svg+xml", headers=headers)

    async def propose(self, request: Request) -> Response:
        """Ask for approval, then show the plan again."""
        return await self._decided(request, Deed.PROPOSE)

    async def approve(self, request: Request) -> Response:
        """Approve, then show the plan again."""
        return await self._decided(request, Deed.APPROVE)

    async def _decided(self, request: Request, deed: Deed) -> Response:
        link = request.path_params["link"]
        session, form = await asked_by(request, deed)
        act = self.plans.propose if deed is Deed.PROPOSE else self.plans.approve
        account = session.account
        await asyncio.to_thread(
            act, link, form.get("hash", ""), by=account.name, shown=account.shown
        )
        return go(request, f"/plans/{link}")
