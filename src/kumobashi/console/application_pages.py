"""Applying for an agreement at a browser: a draft is written, or written anew after it came back.

/agreements/new                 GET: a form, of a link where one is named   POST: kept as a draft
/agreements/{agreement}/edit    the same, with what the draft says
/agreements/{agreement}/files   POST: a file is attached to a draft
/agreements/{agreement}/register  POST: the register of processors, as a file

What was wrong is said above the form, and nothing that was typed is lost. The draft is applied for
on its own page, where its items and its plan are seen first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.agreements.errors import AgreementFailed, AgreementUnknown, IllegalAct
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, who
from kumobashi.console.ports import BoardSource, DraftForm, DraftSource
from kumobashi.console.uploading import upload_by
from kumobashi.identity import Deed
from kumobashi.kernel.errors import KumobashiError
from kumobashi.planning.errors import PlanningFailed

_NEW: Final = "/agreements/new"
_EDIT: Final = "/agreements/{agreement}/edit"
_FILES: Final = "/agreements/{agreement}/files"
_REGISTER: Final = "/agreements/{agreement}/register"
_LONGEST: Final = 4_000  # characters of a field: beyond what an application may say
_MOST_LINKS: Final = 300  # that are proposed while one types


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPages:
    """Lets whoever signed in write an application."""

    board: BoardSource
    drafts: DraftSource
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.door.route(path, page, method)
            for path in (_NEW, _EDIT)
            for method, page in (("GET", self.ask), ("POST", self.keep))
        ] + [
            self.door.route(path, page, "POST")
            for path, page in ((_FILES, self.attach), (_REGISTER, self.register))
        ]

    async def ask(self, request: Request) -> Response:
        """Answer with the form."""
        session, agreement = who(request), request.path_params.get("agreement")
        if session is None:  # without accounts nobody may; the list says so
            return go(request, "/agreements")
        try:
            form = await self._form(request, agreement)
        except IllegalAct:  # it is no draft any more; its page says what it is
            return go(request, f"/agreements/{agreement}")
        return await self._drawn(request, form)

    async def keep(self, request: Request) -> Response:
        """Keep the draft and show it; or say what is wrong with what was typed."""
        agreement = request.path_params.get("agreement")
        session, said = await asked_by(request, Deed.SEE_AGREEMENTS, longest=_LONGEST)
        keep = partial(self.drafts.keep, said, account=session.account.name, agreement=agreement)
        try:
            made = await asyncio.to_thread(keep)
        except AgreementUnknown:
            raise HTTPException(404) from None
        except (AgreementFailed, PlanningFailed) as error:
            form = await self._form(request, agreement)
            typed = {name: said.get(name, value) for name, value in form.fields.items()}
            return await self._drawn(request, replace(form, fields=typed), error)
        return go(request, f"/agreements/{made}")

    async def attach(self, request: Request) -> Response:
        """Attach a file, and show the draft."""
        agreement = request.path_params["agreement"]
        session, name, body = await upload_by(
            request, Deed.SEE_AGREEMENTS
        )  # what more, the offices say
        attach = partial(self.drafts.attach, account=session.account.name)
        return await self._done(request, partial(attach, agreement, name, body))

    async def register(self, request: Request) -> Response:
        """Replace the register of processors, and show the agreement."""
        agreement = request.path_params["agreement"]
        session, _, body = await upload_by(request, Deed.SEE_AGREEMENTS)
        register = partial(self.drafts.register, account=session.account.name)
        return await self._done(request, partial(register, agreement, body))

    async def _done(self, request: Request, work: Callable[[], None]) -> Response:
        try:
            await asyncio.to_thread(work)
        except AgreementUnknown:
            raise HTTPException(404) from None
        return go(request, f"/agreements/{request.path_params['agreement']}")

    async def _form(self, request: Request, agreement: str | None) -> DraftForm:
        session = who(request)
        account = session.account.name if session else ""
        if agreement is None:
            link = request.query_params.get("link", "")
            return await asyncio.to_thread(partial(self.drafts.blank, link, account=account))
        try:
            return await asyncio.to_thread(partial(self.drafts.filled, agreement, account=account))
        except AgreementUnknown:
            raise HTTPException(404) from None

    async def _drawn(
        self, request: Request, form: DraftForm, error: KumobashiError | None = None
    ) -> Response:
        board = await asyncio.to_thread(self.board.board)
        return draw(
            "agreement_draft.html",
            request,
            status=error.status if error else 200,
            board=board,
            form=form,
            proposed=form.links[:_MOST_LINKS],
            link_name=dict(form.links).get(form.fields["link"]),
            agreement=request.path_params.get("agreement"),
            error=error,
        )
