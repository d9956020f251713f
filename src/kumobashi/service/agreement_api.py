"""The local API of agreements (利用協議), for ``kumobashi agreement``.

What decides is asked for with password and code in the very call, as the other deeds of two persons
are; looking needs the site's token alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.agreements import Act, Actor, State
from kumobashi.agreements.acting import Wish
from kumobashi.agreements.models import lines_of, wish_of
from kumobashi.agreements.printing import PAGES
from kumobashi.agreements.views import AgreementView
from kumobashi.crypto import base64url
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.service.agreement_desk import AgreementDesk
from kumobashi.service.errors import AccountNeeded, BadRequest
from kumobashi.service.local_api import Handler, members, plain
from kumobashi.service.signing_in import signed_in

ROOT: Final = "/api/v1/agreements"
ACTS: Final = (
    Act.SUBMIT, Act.REVIEW, Act.CONCUR, Act.APPROVE, Act.REFUSE, Act.RETURN, Act.WITHDRAW,
)  # fmt: skip
_CREDENTIALS: Final = frozenset({"account", "password", "code", "instead_of", "submit", "number"})
_LONGEST_NOTE: Final = 2_000
_LONGEST_NUMBER: Final = 40


def agreement_routes(
    desk: AgreementDesk, accounts: Accounts, guard: Callable[[Handler], Handler]
) -> list[Route]:
    """Return the routes that ``kumobashi agreement`` calls."""
    api = _AgreementApi(desk, accounts)
    one = f"{ROOT}/{{agreement}}"
    calls = [
        ("GET", ROOT, api.list),
        ("POST", ROOT, api.new),
        ("GET", f"{ROOT}/verification", api.verify),
        ("GET", one, api.show),
        ("GET", f"{one}/papers/{{paper}}", api.paper),
        ("GET", f"{one}/attachments/{{number:int}}", api.file),
        ("POST", f"{one}/edit", api.edit),
        ("POST", f"{one}/attachments", api.attach),
        ("POST", f"{one}/processors", api.processors),
        *(("POST", f"{one}/{act.value}", api.acting(act)) for act in ACTS),
    ]
    return [Route(path, guard(call), methods=[method]) for method, path, call in calls]


class _AgreementApi:
    def __init__(self, desk: AgreementDesk, accounts: Accounts) -> None:
        self._desk = desk
        self._accounts = accounts

    async def list(self, request: Request) -> Response:
        asked = request.query_params
        states = tuple(_state(one) for one in asked.get("state", "").split(",") if one)
        found = await asyncio.to_thread(
            partial(
                self._desk.listed,
                states=states,
                link=asked.get("link") or None,
                text=asked.get("text", ""),
                after=asked.get("after", ""),
            )
        )
        return JSONResponse(plain(found))

    async def show(self, request: Request) -> Response:
        return _said(await asyncio.to_thread(self._desk.show, _name(request)))

    async def paper(self, request: Request) -> Response:
        paper = str(request.path_params["paper"])
        if paper not in PAGES:
            raise BadRequest(field="paper", expected=", ".join(PAGES))
        html = await asyncio.to_thread(self._desk.paper, _name(request), paper)
        return JSONResponse({"paper": paper, "html": html})

    async def file(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        name, body = await asyncio.to_thread(self._desk.file, _name(request), number)
        return JSONResponse({"name": name, "body": base64url.encode(body)})

    async def verify(self, _request: Request) -> Response:
        return JSONResponse(plain(await asyncio.to_thread(self._desk.verify)))

    async def new(self, request: Request) -> Response:
        said = await members(request)
        actor = await self._who(said)
        submit = said.get("submit") is True
        number = _text(said, "number", _LONGEST_NUMBER) or None
        wish = wish_of(_rest(said))
        new = partial(self._desk.drafts.new, wish, actor, submit=submit, number=number)
        return _said(await asyncio.to_thread(new), 201)

    async def edit(self, request: Request) -> Response:
        said = await members(request)
        actor = await self._who(said)
        wish = wish_of(_rest(said))
        return _said(await asyncio.to_thread(self._desk.drafts.edit, _name(request), wish, actor))

    async def attach(self, request: Request) -> Response:
        said = await members(request)
        actor = await self._who(said)
        try:
            body = base64url.decode(_text(said, "body", None))
        except ValueError:
            raise BadRequest(field="body", expected="base64url") from None
        name = _text(said, "name", None)
        return _said(
            await asyncio.to_thread(self._desk.drafts.attach, _name(request), name, body, actor)
        )

    async def processors(self, request: Request) -> Response:
        said = await members(request)
        actor = await self._who(said)
        lines = lines_of(said.get("processors"))
        note = _text(said, "note", _LONGEST_NOTE)
        done = partial(self._desk.processors, _name(request), lines, actor, note=note)
        return _said(await asyncio.to_thread(done))

    def acting(self, act: Act) -> Handler:
        """Return the handler of one act."""

        async def do(request: Request) -> Response:
            said = await members(request)
            actor = await self._who(said)
            conditions = said.get("conditions", [])
            if not isinstance(conditions, list) or not all(
                isinstance(one, str) and 0 < len(one) <= _LONGEST_NOTE for one in conditions
            ):
                raise BadRequest(field="conditions", expected="texts")
            wish = Wish(
                act=act, note=_text(said, "note", _LONGEST_NOTE), conditions=tuple(conditions)
            )
            seen = said.get("seen")
            done = partial(
                self._desk.act,
                _name(request),
                wish,
                actor,
                seen=seen if type(seen) is int else None,
                number=_text(said, "number", _LONGEST_NUMBER) or None,
                dry_run=said.get("dry_run") is True,
            )
            return _said(await asyncio.to_thread(done))

        return do

    async def _who(self, said: Mapping[str, Any]) -> Actor:
        """Return who signed in with this very call; what more somebody may, the offices say."""
        name = await asyncio.to_thread(signed_in, self._accounts, said, Deed.SEE_AGREEMENTS)
        if name is None:
            raise AccountNeeded
        other = said.get("instead_of")
        instead_of = other if isinstance(other, str) and other else None
        return await asyncio.to_thread(self._desk.actor, name, instead_of)


def _said(view: AgreementView, status: int = 200) -> Response:
    return JSONResponse(plain(view), status_code=status)


def _name(request: Request) -> str:
    return str(request.path_params["agreement"])


def _rest(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in _CREDENTIALS}


def _text(said: Mapping[str, Any], name: str, longest: int | None) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        raise BadRequest(field=name, expected=f"a text of up to {longest} letters")
    return value


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise BadRequest(field="state", expected=", ".join(State)) from None
