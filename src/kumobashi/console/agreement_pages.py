"""Agreements (利用協議) at a browser: the list, one with its steps, my act, its papers.

/agreements                             the list, searched, narrowed, page by page
/agreements/{agreement}                 one: steps, content, register, history
/agreements/{agreement}/acts/{act}      GET: what will happen, and a form   POST: done
/agreements/{agreement}/papers/{paper}  the application or the notice, on A4
/agreements/{agreement}/files/{number}  an attachment
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kumobashi.agreements import Act, State
from kumobashi.agreements.errors import AgreementUnknown
from kumobashi.agreements.printing import PAGES
from kumobashi.agreements.states import WAITING
from kumobashi.agreements.views import AgreementView, steps_of
from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, who
from kumobashi.console.listing import LONGEST_SEARCH
from kumobashi.console.ports import AgreementSource, BoardSource, Offer
from kumobashi.identity import Deed
from kumobashi.identity.errors import FormStale

_ONE = "/agreements/{agreement}"
_ACT = f"{_ONE}/acts/{{act}}"
_ELSEWHERE = frozenset({Act.CREATE, Act.EDIT, Act.REGISTER})  # take more than a note
WAITS = "waiting"  # beside the states: everything that an office has to act on
_PAPER_HEADERS = {
    **SAFE_HEADERS,
    # A paper brings its own style, and nothing that runs or is fetched.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; sandbox allow-modals allow-popups"
    ),
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementPages:
    """Shows agreements, and lets whoever signed in do what is theirs."""

    board: BoardSource
    agreements: AgreementSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        page = self.door.route
        return [
            page("/agreements", self.list),
            page(_ONE, self.show),
            page(_ACT, self.ask),
            page(_ACT, self.do, "POST"),
            page(f"{_ONE}/papers/{{paper}}", self.paper),
            page(f"{_ONE}/files/{{number:int}}", self.file),
        ]

    async def list(self, request: Request) -> Response:
        """Answer with the list; what waits comes first on its own chip."""
        board = await asyncio.to_thread(self.board.board)
        asked = request.query_params
        state, text = asked.get("state", ""), asked.get("q", "").strip()[:LONGEST_SEARCH]
        states = WAITING if state == WAITS else tuple(one for one in State if one.value == state)
        found = await asyncio.to_thread(
            partial(self.agreements.listed, states=states, text=text, after=asked.get("after", ""))
        )
        return draw(
            "agreements.html",
            request,
            board=board,
            found=found,
            state=state if states else "",
            q=text,
            is_first="after" not in asked,
            choices=[WAITS, *(one.value for one in State)],
        )

    async def show(self, request: Request) -> Response:
        """Answer with one agreement."""
        board = await asyncio.to_thread(self.board.board)
        view = await self._view(request)
        offers = await self._offers(request, view)
        return draw(
            "agreement.html",
            request,
            board=board,
            view=view,
            steps=steps_of(view),
            offers=[offer for offer in offers if offer.act not in _ELSEWHERE],
            may_edit=_is_offered(Act.EDIT, offers),
            may_register=_is_offered(Act.REGISTER, offers),
        )

    async def ask(self, request: Request) -> Response:
        """Answer with what would happen, and a form that lets it happen."""
        act, view = _act_of(request), await self._view(request)
        if who(request) is None:  # without accounts nobody may; the page says so
            return go(request, f"/agreements/{view.agreement}")
        mine = [offer for offer in await self._offers(request, view) if offer.act is act]
        board = await asyncio.to_thread(self.board.board)
        return draw("agreement_act.html", request, board=board, view=view, act=act, offers=mine)

    async def do(self, request: Request) -> Response:
        """Do it, then show the agreement as it is now.

        Raises:
            FormStale: somebody else did something since the form was drawn.
            NotYours, FourEyes, IllegalAct …: nothing was changed.
        """
        act, view = _act_of(request), await self._view(request)
        session, form = await asked_by(request, Deed.SEE_AGREEMENTS)  # what more, the offices say
        head = form.get("head", "")
        if not head.isascii() or not head.isdigit():
            raise FormStale
        await asyncio.to_thread(
            partial(
                self.agreements.do,
                view.agreement,
                act,
                account=session.account.name,
                instead_of=form.get("instead_of") or None,
                note=form.get("note", "").strip(),
                condition=form.get("condition", "").strip(),
                seen=int(head),
            )
        )
        return go(request, f"/agreements/{view.agreement}")

    async def file(self, request: Request) -> Response:
        """Answer with an attachment, to be kept; a browser never opens it by itself."""
        view, number = await self._view(request), int(request.path_params["number"])
        if not 1 <= number <= len(view.attachments):
            raise HTTPException(404)
        name, body = await asyncio.to_thread(self.agreements.file, view.agreement, number)
        headers = {
            **SAFE_HEADERS,
            "Cache-Control": "no-store",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        }
        return Response(body, headers=headers, media_type="application/octet-stream")

    async def paper(self, request: Request) -> Response:
        """Answer with a paper, ready to be printed."""
        paper = request.path_params["paper"]
        if paper not in PAGES:
            raise HTTPException(404)
        view = await self._view(request)
        html = await asyncio.to_thread(self.agreements.paper, view.agreement, paper)
        return HTMLResponse(html, headers=_PAPER_HEADERS)

    async def _view(self, request: Request) -> AgreementView:
        try:
            return await asyncio.to_thread(self.agreements.show, request.path_params["agreement"])
        except AgreementUnknown:
            raise HTTPException(404) from None

    async def _offers(self, request: Request, view: AgreementView) -> tuple[Offer, ...]:
        session = who(request)
        if session is None:
            return ()
        name = session.account.name
        found = await asyncio.to_thread(self.agreements.offers, view.agreement, name)
        return tuple(found)


def _is_offered(act: Act, offers: Sequence[Offer]) -> bool:
    """Whether whoever looks may do it in their own name."""
    return any(offer.act is act and not offer.instead_of for offer in offers)


def _act_of(request: Request) -> Act:
    try:
        act = Act(request.path_params["act"])
    except ValueError:
        raise HTTPException(404) from None
    if act in _ELSEWHERE:
        raise HTTPException(404)
    return act
