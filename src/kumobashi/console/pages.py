"""The console's routes: the morning, 連携状況一覧, and a page per link.

    console_routes(board) ──► Starlette routes     error_pages() ──► handlers for 404, 405, 500

Pages ask for the views anew each time, and only for what they draw.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from kumobashi.agreements.states import WAITING
from kumobashi.console import labels, wording
from kumobashi.console.access_ports import AccessBook
from kumobashi.console.account_pages import AccountPages
from kumobashi.console.agreement_pages import AgreementPages
from kumobashi.console.answering import Assets
from kumobashi.console.application_pages import ApplicationPages
from kumobashi.console.campaign_pages import CampaignPages
from kumobashi.console.deed_pages import DeedPages
from kumobashi.console.drawing import HERE, draw
from kumobashi.console.entering import Door, is_let, visible_to, within
from kumobashi.console.evidence_pages import EvidencePages
from kumobashi.console.evidence_ports import EvidenceSource
from kumobashi.console.fault_pages import FaultPages, seen_by
from kumobashi.console.fault_ports import FaultSource
from kumobashi.console.gate_pages import GatePages
from kumobashi.console.history import STRIP_DAYS, Squares, strip
from kumobashi.console.link_pages import POLL_SECONDS, LinkPages
from kumobashi.console.listing import Sort, Wish, choices, lights, listed, wish_of
from kumobashi.console.morning import MOST_CALLS, Call, calls
from kumobashi.console.plan_pages import PlanPages
from kumobashi.console.ports import (
    AgreementPage,
    AgreementSource,
    BoardSource,
    CampaignSource,
    DeedSource,
    DraftSource,
    PlanSource,
    TieSource,
)
from kumobashi.console.reader import reader_of
from kumobashi.console.reading import target_days
from kumobashi.console.sign_on_pages import SignOnPages
from kumobashi.console.sign_on_ports import SignOnSource
from kumobashi.console.tie_pages import TiePages
from kumobashi.exchange.views import Board, Light, LinkRow, LinkView
from kumobashi.identity import Accounts, Deed
from kumobashi.kernel import Language, Zone, business_date
from kumobashi.monitoring.faults import Fault

ROWS_IN_THE_MORNING = 12


def console_routes(  # noqa: PLR0913 - one for each kind of page
    source: BoardSource,
    *,
    zones: Mapping[str, Zone] | None = None,
    plans: PlanSource | None = None,
    campaigns: CampaignSource | None = None,
    deeds: DeedSource | None = None,
    agreements: AgreementSource | None = None,
    drafts: DraftSource | None = None,
    ties: TieSource | None = None,
    faults: FaultSource | None = None,
    evidence: EvidenceSource | None = None,
    sign_on: SignOnSource | None = None,
    accounts: Accounts | None = None,
    book: AccessBook | None = None,
) -> list[BaseRoute]:
    """Return the routes of the console, to be put at the root of an application.

    Args:
        source: gives the present views.
        zones: the zone of each site by its id, drawn beside the way when known.
        plans: gives plans and takes decisions on them; without it there are no such pages.
        campaigns: counts whom notices mean; without it there is no such page.
        deeds: pauses links, cancels transfers and sends them again; without it pages only show.
        agreements: shows agreements between offices; without it there are no such pages.
        drafts: takes applications for agreements; without it they are made at the terminal.
        ties: shows ties between residents and services; without it there are no such pages.
        faults: shows what a watch has seen; without it there are no such pages.
        evidence: shows the records of this site; without it there are no such pages.
        sign_on: sends people to the municipality's providers; without it there are none.
        accounts: who may sign in; without any, whoever reaches the console may look.
        book: keeps who looked at whom, and who was refused what.
    """
    known = zones or {}
    door = Door(accounts, source, book, sign_on.offered if sign_on else tuple)
    console = _Lists(source=source, zones=known, agreements=agreements, faults=faults)
    more = PlanPages(board=source, plans=plans, door=door).routes() if plans else []
    if deeds:
        more += DeedPages(board=source, deeds=deeds, door=door).routes()
    if plans:
        more += GatePages(board=source, plans=plans, door=door).routes()
    if campaigns:
        more += CampaignPages(board=source, campaigns=campaigns, door=door).routes()
    if drafts:  # before the pages of one agreement, whose addresses take any name
        more += ApplicationPages(board=source, drafts=drafts, door=door).routes()
    if agreements:
        more += AgreementPages(board=source, agreements=agreements, door=door).routes()
    if faults:
        more += FaultPages(board=source, faults=faults, door=door).routes()
    if evidence:
        more += EvidencePages(board=source, evidence=evidence, door=door).routes()
    if accounts:
        more += AccountPages(board=source, accounts=accounts, door=door).routes()
    if ties:
        more += TiePages(board=source, ties=ties, door=door).routes()
    return [
        door.route("/", console.morning, name="console"),
        door.route("/links", console.links),
        *LinkPages(source=source, zones=known, door=door, deeds=deeds).routes(),
        *more,
        *door.routes(),
        *(SignOnPages(source=sign_on, door=door).routes() if sign_on else []),
        Mount("/static", Assets(directory=HERE / "static"), name="console-static"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    source: BoardSource
    zones: Mapping[str, Zone]
    agreements: AgreementSource | None
    faults: FaultSource | None

    async def morning(self, request: Request) -> Response:
        """Answer with what failed, why, whom to call; then the links that come first."""
        board = within(await asyncio.to_thread(self.source.board), request)
        faults = await asyncio.to_thread(self.faults.open) if self.faults else ()
        faults = seen_by(faults, visible_to(request))
        gathered = [call for call in calls(board.rows) if not _is_told(call, faults)]
        firsts = [
            (call, link)
            for call in gathered[:MOST_CALLS]
            if (link := await asyncio.to_thread(self.source.link, call.first.link))
        ]
        shown = listed(board.rows, Wish(), per_page=ROWS_IN_THE_MORNING)
        views, squares = await self._drawn(board, shown.rows)
        return draw(
            "morning.html",
            request,
            board=board,
            answer=answer(board, reader_of(request).lang),
            days=target_days(board.rows),
            calls=firsts,
            more_calls=sum(len(call.rows) for call in gathered[MOST_CALLS:]),
            shown=shown,
            views=views,
            squares=squares,
            rest=_all_alike(board.rows, shown.rows),
            zones=self.zones,
            poll=_poll(board),
            waiting=await self._waiting() if is_let(request, Deed.SEE_AGREEMENTS) else None,
            faults=faults,
            watched=await asyncio.to_thread(self.faults.is_watched) if self.faults else True,
        )

    async def _waiting(self) -> AgreementPage | None:
        """Return the agreements that wait for an office; none where there are no such pages."""
        if self.agreements is None:
            return None
        few = partial(self.agreements.listed, states=WAITING, limit=MOST_CALLS)
        return await asyncio.to_thread(few)

    async def links(self, request: Request) -> Response:
        """Answer with 連携状況一覧."""
        board = within(await asyncio.to_thread(self.source.board), request)
        wish = wish_of(request.query_params)
        shown = listed(board.rows, wish)
        views, squares = await self._drawn(board, shown.rows)
        return draw(
            "links.html",
            request,
            board=board,
            answer=answer(board, reader_of(request).lang),
            days=target_days(board.rows),
            counts=lights(board.rows),
            choices=choices(board.rows),
            sorts=tuple(Sort),
            wish=wish,
            shown=shown,
            views=views,
            squares=squares,
            zones=self.zones,
            poll=_poll(board),
        )

    async def _drawn(
        self, board: Board, rows: Sequence[LinkRow]
    ) -> tuple[dict[str, LinkView], dict[str, Squares]]:
        """Return what a table draws of these rows: newest transfers and strips of days."""
        names = [row.link for row in rows]
        today = business_date(board.at)
        first = today - timedelta(days=STRIP_DAYS - 1)
        views = await asyncio.to_thread(self.source.links, names)
        days = await asyncio.to_thread(self.source.days, names, first)
        return (
            {view.link: view for view in views},
            {name: strip(days.get(name, ()), today) for name in names},
        )


def answer(board: Board, lang: Language) -> str:
    """Return the one sentence that says how things stand."""
    found = lights(board.rows)
    total = f"{len(board.rows):,}"
    if not found:
        return wording.say("answer_none", lang)
    words = [(f"{count:,}", wording.pick(labels.LIGHTS[light], lang)) for light, count in found]
    if len(words) == 1:
        return wording.say("answer_one", lang, total=total, label=words[0][1])
    items = [wording.say("answer_item", lang, count=count, label=label) for count, label in words]
    return wording.say(
        "answer_some", lang, total=total, list=wording.say("answer_comma", lang).join(items)
    )


def _is_told(call: Call, faults: Iterable[Fault]) -> bool:
    """Whether a fault that is shown already says why these links wait."""
    return call.light is Light.STOPPED and any(
        one.seen.side == call.side and one.seen.links >= {row.link for row in call.rows}
        for one in faults
    )


def _all_alike(rows: Sequence[LinkRow], shown: Iterable[LinkRow]) -> Light | None:
    """Return the light that all rows have which are not shown, if it is one."""
    there = {row.link for row in shown}
    left = {row.light for row in rows if row.link not in there}
    return left.pop() if len(left) == 1 else None


def _poll(board: Board) -> int | None:
    is_running = any(row.light is Light.RUNNING for row in board.rows)
    return POLL_SECONDS if is_running else None
