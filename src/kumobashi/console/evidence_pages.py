"""証跡: what happened and who looked, each record with its proof; unusual access, answered for.

/evidence   /evidence.csv   /evidence/{number}   /evidence/{number}/proof.json
POST /evidence/unusual/{finding}
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.console.answering import SAFE_HEADERS
from kumobashi.console.asking import file
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, is_allowed, who
from kumobashi.console.evidence_ports import EvidenceSource
from kumobashi.console.paging import page_number
from kumobashi.console.ports import BoardSource
from kumobashi.console.reader import reader_of
from kumobashi.evidence.errors import RecordNotFound
from kumobashi.exchange.evidence_search import EvidenceWish, Topic
from kumobashi.exchange.evidence_tables import COLUMNS, row, write_csv
from kumobashi.identity import Deed
from kumobashi.identity.errors import FormStale, OwnAccess
from kumobashi.identity.unusual import Answer
from kumobashi.kernel import JST

MOST_SAVED: Final = 10_000  # records in one file of the page; the command writes all
_LONGEST = 100  # characters of what is looked for
_SHOWN = ("number", "at", "by", "event", "link", "change", "code")
_ONE = "/evidence/{number:int}"
_WISHES = ("since", "until", "topic", "by", "q")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePages:
    """Draws the evidence of a site, and takes what was found of unusual access."""

    board: BoardSource
    evidence: EvidenceSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.door.route("/evidence", self.show),
            self.door.route("/evidence.csv", self.save),
            self.door.route(_ONE, self.record),
            self.door.route(f"{_ONE}/proof.json", self.proof),
            self.door.route("/evidence/unusual/{finding}", self.answer, "POST"),
        ]

    async def show(self, request: Request) -> Response:
        """Answer with how the log stands, unusual access, and the records that are wished for."""
        wish, session = wish_of(request.query_params), who(request)
        noticed = await asyncio.to_thread(self.evidence.noticed)
        found = await asyncio.to_thread(self.evidence.search, wish)
        lang = reader_of(request).lang
        return draw(
            "evidence.html",
            request,
            board=await asyncio.to_thread(self.board.board),
            standing=await asyncio.to_thread(self.evidence.standing),
            noticed=noticed,
            open=[one for one in noticed if one.answer is None],
            may_answer=is_allowed(session, Deed.REVIEW_ACCESS),
            me=session.account.name if session else "",
            answers=tuple(Answer),
            found=found,
            rows=[row(number, said, lang) for number, said in found.records],
            columns=[(name, COLUMNS[name]) for name in _SHOWN],
            wish=wish,
            query={key: held for key in _WISHES if (held := request.query_params.get(key))},
            topics=tuple(Topic),
        )

    async def save(self, request: Request) -> Response:
        """Answer with the records that are wished for as a file for Excel."""
        wish = replace(wish_of(request.query_params), before=None)
        found = await asyncio.to_thread(partial(self.evidence.each, wish, most=MOST_SAVED))
        target = io.BytesIO()
        await asyncio.to_thread(write_csv, target, found, reader_of(request).lang)
        return file(target.getvalue(), "text/csv; charset=utf-8", "evidence.csv")

    async def record(self, request: Request) -> Response:
        """Answer with one record and whether it is what was signed."""
        number, lang = request.path_params["number"], reader_of(request).lang
        try:
            held = await asyncio.to_thread(self.evidence.record, number)
        except RecordNotFound:
            raise HTTPException(404) from None
        standing = await asyncio.to_thread(self.evidence.standing)
        cells = row(number, held.said, lang)
        return draw(
            "evidence_record.html",
            request,
            board=await asyncio.to_thread(self.board.board),
            standing=standing,
            held=held,
            raw=held.body.decode("utf-8", "backslashreplace"),
            cells=[(COLUMNS[name], text) for name, text in cells.items() if text],
        )

    async def proof(self, request: Request) -> Response:
        """Answer with a record and its proof for programs."""
        try:
            held = await asyncio.to_thread(self.evidence.record, request.path_params["number"])
        except RecordNotFound:
            raise HTTPException(404) from None
        name = f'attachment; filename="record-{held.number}.json"'
        headers = {**SAFE_HEADERS, "Cache-Control": "no-store", "Content-Disposition": name}
        return JSONResponse(held.portable(), headers=headers)

    async def answer(self, request: Request) -> Response:
        """Note what was found of a day; not by whoever it is about."""
        session, form = await asked_by(request, Deed.REVIEW_ACCESS)
        noticed = await asyncio.to_thread(self.evidence.noticed)
        wished = request.path_params["finding"]
        held = next((one for one in noticed if one.finding.id == wished), None)
        if held is None:
            raise HTTPException(404)
        if held.finding.by == session.account.name:
            raise OwnAccess
        try:
            said = Answer(form.get("answer", ""))
        except ValueError:
            raise FormStale from None
        if self.door.book is None:
            raise FormStale
        noted = replace(held, answer=said, answered_by=session.account.name)
        await asyncio.to_thread(self.door.book.explained, session.account, noted)
        return go(request, "/evidence")


def wish_of(query: Mapping[str, str]) -> EvidenceWish:
    """Read what is looked for from an address; what makes no sense is as if it were not there.

    >>> wish_of({"since": "2026-04-31", "topic": "nonsense", "by": " sato "}).by
    'sato'
    """
    before = query.get("before", "")
    last = _day(query.get("until", ""))
    return EvidenceWish(
        since=_day(query.get("since", "")),
        until=last + timedelta(days=1) if last else None,
        topic=next((topic for topic in Topic if topic.value == query.get("topic")), None),
        by=query.get("by", "").strip()[:_LONGEST],
        q=query.get("q", "").strip()[:_LONGEST],
        before=page_number(before) if before else None,
    )


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=JST)
