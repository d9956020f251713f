"""利用者と権限: who may do what, since when, when they last came; somebody says that it is right.

/accounts   /accounts.csv   POST /accounts/{name}/keep   POST /accounts/{name}/take-away
"""

import asyncio
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kumobashi.console import wording
from kumobashi.console.asking import file
from kumobashi.console.drawing import draw
from kumobashi.console.entering import Door, asked_by, go, is_allowed, who
from kumobashi.console.export import harmless
from kumobashi.console.ports import BoardSource
from kumobashi.console.reader import reader_of
from kumobashi.identity import Account, Accounts, Deed
from kumobashi.identity.reviewing import EVERY, UNUSED, Row, overdue
from kumobashi.identity.reviews import Reviews
from kumobashi.kernel import Language, to_wire

_ONE = "/accounts/{name}"
_COLUMNS = (
    "access_name",
    "access_shown",
    "access_role",
    "access_source",
    "access_scope",
    "access_since",
    "access_seen",
    "access_remarks",
    "access_reviewed",
    "access_reviewed_by",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPages:
    """Draws the review of access, and takes what is said of an account."""

    board: BoardSource
    accounts: Accounts
    door: Door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.door.route("/accounts", self.show),
            self.door.route("/accounts.csv", self.save),
            self.door.route(f"{_ONE}/keep", self.keep, "POST"),
            self.door.route(f"{_ONE}/take-away", self.take_away, "POST"),
        ]

    async def show(self, request: Request) -> Response:
        """Answer with all accounts, those with something to look at first."""
        rows = await asyncio.to_thread(Reviews(self.accounts).rows)
        session = who(request)
        return draw(
            "accounts.html",
            request,
            board=await asyncio.to_thread(self.board.board),
            rows=rows,
            overdue=overdue(rows),
            may_review=is_allowed(session, Deed.REVIEW_ACCESS),
            me=session.account.name if session else "",
            unused_days=UNUSED.days,
            review_days=EVERY.days,
        )

    async def save(self, request: Request) -> Response:
        """Answer with the same as a file for Excel."""
        rows = await asyncio.to_thread(Reviews(self.accounts).rows)
        body = accounts_csv(rows, reader_of(request).lang)
        return file(body, "text/csv; charset=utf-8", "accounts.csv")

    async def keep(self, request: Request) -> Response:
        """Note that an account may go on."""
        return await self._said(request, Reviews(self.accounts).keep, is_kept=True)

    async def take_away(self, request: Request) -> Response:
        """Shut an account, and end its sessions."""
        return await self._said(request, Reviews(self.accounts).take_away, is_kept=False)

    async def _said(
        self, request: Request, say: Callable[..., Account], *, is_kept: bool
    ) -> Response:
        session, form = await asked_by(request, Deed.REVIEW_ACCESS)
        name, by = request.path_params["name"], session.account
        of = await asyncio.to_thread(partial(say, name, by=by.name, role=form.get("role", "")))
        if self.door.book:
            noted = partial(self.door.book.reviewed, by, of=of, is_kept=is_kept)
            await asyncio.to_thread(noted)
        return go(request, "/accounts")


def accounts_csv(rows: Sequence[Row], lang: Language) -> bytes:
    """Return the review as CSV in UTF-8 with a byte order mark and CRLF, safe to open."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([wording.say(key, lang) for key in _COLUMNS])
    for row in rows:
        one = row.access
        scope = sorted((*one.scope.links, *one.scope.systems)) if one.scope is not None else []
        said = [wording.say(f"remark_{remark.value}", lang) for remark in row.remarks]
        cells = (
            one.name,
            one.shown,
            one.role.ja if lang == "ja" else one.role.value,
            one.provider or wording.say("access_local", lang),
            " ".join(scope),
            to_wire(one.since),
            to_wire(one.seen) if one.seen else "",
            " ".join(said),
            to_wire(one.reviewed) if one.reviewed else "",
            one.reviewed_by or "",
        )
        writer.writerow([harmless(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig")
