"""The page that says what a link's rule tells of people: measured, climbed, and by an example."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door
from kumobashi.console.ports import BoardSource, PlanSource
from kumobashi.console.story import story_of
from kumobashi.exchange.views import LinkView, TransferView

if TYPE_CHECKING:
    from kumobashi.planning.explaining import Explanation
    from kumobashi.release.gate_report import GateReport

OF_PLAN = "plan"  # value of ``of``: the figures counted for the plan, not those of a transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePages:
    """Draws what a rule tells of people."""

    board: BoardSource
    plans: PlanSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [self.door.route("/links/{link}/gate", self.show)]

    async def show(self, request: Request) -> Response:
        """Answer with the page; figures are those of a transfer, else those of the plan."""
        name = request.path_params["link"]
        link = await asyncio.to_thread(self.board.link, name)
        explained = await asyncio.to_thread(self.plans.explanation, name)
        if link is None and explained is None:
            raise HTTPException(404)
        transfer = await self._transfer(name, link, request.query_params)
        report = transfer.gate if transfer else await asyncio.to_thread(self._counted, name)
        levels = explained.levels(report) if explained else None
        return draw(
            "gate.html",
            request,
            board=await asyncio.to_thread(self.board.board),
            name=link.name if link else explained.name if explained else name,
            is_on_board=link is not None,
            link=name,
            transfer=transfer,
            report=report,
            explained=explained,
            levels=levels or {},
            is_other=levels is None and explained is not None,
            clues=_clues(explained, report, levels),
        )

    def _counted(self, name: str) -> "GateReport | None":
        document = self.plans.plan(name)
        return story_of(document).gate if document else None

    async def _transfer(
        self, name: str, link: LinkView | None, query: Mapping[str, str]
    ) -> TransferView | None:
        """Return the transfer whose figures are asked for; none: the plan's are."""
        if query.get("of") == OF_PLAN or link is None:
            return None
        if wanted := query.get("transfer", ""):
            found = await asyncio.to_thread(self.board.transfer, name, wanted)
            if found is None:
                raise HTTPException(404)
            return found
        return link.latest if link.latest and link.latest.gate else None


def _clues(
    explained: "Explanation | None",
    report: "GateReport | None",
    levels: Mapping[str, int] | None,
) -> tuple[tuple[str, str], ...]:
    """Return what can be compared; of figures of another rule, nothing is said about this one."""
    if explained is None or levels is None:
        return ()
    return explained.clues({} if report is None else levels)
