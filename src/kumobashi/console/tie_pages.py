"""Ties (紐付け) at a browser: services with counts, one resident's ties, and what she wants done.

/ties                  services, searched by words
/ties/resident         POST: one resident, by number, by a code of a system here, or by a tie
/ties/asking/{act}     POST: what will happen, and a form
/ties/acts/{act}       POST: done for the resident, who is at the counter; then her ties as they are

Who a resident is stands in bodies of forms only, never in an address, and not in the pages.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, is_allowed, who
from kumobashi.console.listing import LONGEST_SEARCH
from kumobashi.console.ports import BoardSource, TiedResident, TieSource
from kumobashi.identity import Deed
from kumobashi.kernel import KumobashiError
from kumobashi.ties import Act, Channel, Tie
from kumobashi.ties.errors import TermsUnfit, TermsWiden, TieUnknown
from kumobashi.ties.services import Status
from kumobashi.ties.states import State, after
from kumobashi.ties.terms import Terms

_LONGEST: Final = 8_000  # characters of a field: five hundred items
_ACTS: Final = {"accept": Act.RESIDENT_ACCEPT, "narrow": Act.NARROW, "withdraw": Act.WITHDRAW}
_BETWEEN: Final = re.compile(r"[\s,、，]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TiePages:
    """Shows ties, and does for a resident at the counter what she wants."""

    board: BoardSource
    ties: TieSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        page = self.door.route
        return [
            page("/ties", self.list),
            page("/ties/resident", self.back),
            page("/ties/resident", self.show, "POST"),
            page("/ties/asking/{act}", self.ask, "POST"),
            page("/ties/acts/{act}", self.do, "POST"),
        ]

    async def list(self, request: Request) -> Response:
        """Answer with the services."""
        return await self._listed(request)

    async def back(self, request: Request) -> Response:
        """Answer with the way in: an address names no resident."""
        return go(request, "/ties")

    async def show(self, request: Request) -> Response:
        """Answer with one resident's services and ties.

        Raises:
            NotPermitted, FormStale: nobody was looked up.
        """
        session, form = await asked_by(request, Deed.SERVE_COUNTER)
        by = session.account.name
        try:
            if system := form.get("system", ""):
                code = form.get("code", "").strip()
                held = await asyncio.to_thread(partial(self.ties.held, system, code, by=by))
                return await self._draw(request, "tie_held.html", system=system, held=held)
            if tie := form.get("tie", ""):
                found = await asyncio.to_thread(self.ties.resident_of, tie)
            else:
                look = partial(self.ties.resident, form.get("number", "").strip(), by=by)
                found = await asyncio.to_thread(look)
        except KumobashiError as error:
            return await self._listed(request, error)
        return await self._shown(request, found)

    async def ask(self, request: Request) -> Response:
        """Answer with what would happen, and a form that lets it happen."""
        act = _act_of(request)
        _, form = await asked_by(request, Deed.SERVE_COUNTER)
        tie = await self._tie(form)
        return await self._asked(request, act, tie, _fields(tie.terms))

    async def do(self, request: Request) -> Response:
        """Do it, then show the resident's ties as they are now.

        Raises:
            TermsUnlike, TieMove, …: nothing was changed.
        """
        act = _act_of(request)
        session, form = await asked_by(request, Deed.SERVE_COUNTER, longest=_LONGEST)
        tie = await self._tie(form)
        try:
            terms = _terms(form) if act == "narrow" else None
            done = partial(
                self.ties.do,
                _ACTS[act],
                tie.tie,
                by=session.account.name,
                seen=form.get("hash", ""),
                terms=terms,
            )
            await asyncio.to_thread(done)
        except (TermsUnfit, TermsWiden) as error:  # nothing that was typed is lost
            return await self._asked(request, act, tie, form, error)
        found = await asyncio.to_thread(self.ties.resident_of, tie.tie)
        return await self._shown(request, found, done=act)

    # -- inside ---------------------------------------------------------------------------------

    async def _tie(self, form: Mapping[str, str]) -> Tie:
        try:
            return await asyncio.to_thread(self.ties.tie, form.get("tie", ""))
        except TieUnknown:
            raise HTTPException(404) from None

    async def _listed(self, request: Request, error: KumobashiError | None = None) -> Response:
        words = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
        return await self._draw(
            request,
            "ties.html",
            status=error.status if error else 200,
            services=await asyncio.to_thread(self.ties.services, words),
            q=words,
            statuses=tuple(Status),
            states=tuple(State),
            may_look_up=is_allowed(who(request), Deed.SERVE_COUNTER),
            is_hall=self.ties.is_hall,
            systems=await asyncio.to_thread(self.ties.systems),
            error=error,
        )

    async def _shown(self, request: Request, found: TiedResident, done: str = "") -> Response:
        acts = {
            tie.tie: [name for name, act in _ACTS.items() if after(tie.state, act) is not None]
            for tie in found.ties
        }
        return await self._draw(request, "tie_resident.html", found=found, acts=acts, done=done)

    async def _asked(
        self,
        request: Request,
        act: str,
        tie: Tie,
        fields: Mapping[str, str],
        error: KumobashiError | None = None,
    ) -> Response:
        return await self._draw(
            request,
            "tie_act.html",
            status=error.status if error else 200,
            act=act,
            tie=tie,
            fields=fields,
            channels=[one for one in Channel if one in tie.terms.channels],
            is_possible=after(tie.state, _ACTS[act]) is not None,
            error=error,
        )

    async def _draw(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        board = await asyncio.to_thread(self.board.board)
        return draw(template, request, status=status, board=board, **values)


def _act_of(request: Request) -> str:
    act = str(request.path_params["act"])
    if act not in _ACTS:
        raise HTTPException(404)
    return act


def _fields(terms: Terms) -> Mapping[str, str]:
    """Return what the form of a narrowing begins with."""
    plain = terms.plain()
    said = {name: str(plain[name]) for name in ("times", "days", "first", "last")}
    chosen = {f"channel_{one}": "1" for one in terms.channels}
    return {**said, **chosen, "items": " ".join(plain["items"])}


def _terms(form: Mapping[str, str]) -> Terms:
    """Read what was typed; raise ``TermsUnfit`` naming the field."""
    said: dict[str, Any] = {
        "items": [one for one in _BETWEEN.split(form.get("items", "")) if one],
        "channels": [one.value for one in Channel if form.get(f"channel_{one}")],
        "first": form.get("first", ""),
        "last": form.get("last", ""),
    }
    for name in ("times", "days"):
        typed = form.get(name, "").strip()
        said[name] = int(typed) if typed.isdecimal() and len(typed) <= len("1000000") else None
    return Terms.of(said)
