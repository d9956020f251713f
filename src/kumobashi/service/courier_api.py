"""The local API of the courier: permits, what goes on media, what came on them, codes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.courier.carrying import Load
from kumobashi.courier.content import Papers, Said
from kumobashi.courier.permits import Permit, Wish
from kumobashi.courier.writing import index_digest
from kumobashi.crypto import base64url
from kumobashi.identity import Deed
from kumobashi.kernel import business_date, to_wire
from kumobashi.service.courier_desk import CourierDesk
from kumobashi.service.errors import BadRequest
from kumobashi.service.local_api import Handler, members

_ROOT = "/api/v1/courier"
_LABEL_LETTERS = 40
_MOST_LABELS = 99
_PURPOSE_LETTERS = 200
_SHA256_LETTERS = 64


def courier_routes(desk: CourierDesk, guard: Callable[[Handler], Handler]) -> list[Route]:
    """Return the routes that ``kumobashi courier`` calls."""
    api = _CourierApi(desk)
    permit, arrival = f"{_ROOT}/permits/{{permit}}", f"{_ROOT}/arrivals/{{medium}}"
    calls = [
        ("POST", f"{_ROOT}/permits", api.ask),
        ("GET", f"{_ROOT}/permits", api.permits),
        ("GET", permit, api.permit),
        ("POST", f"{permit}/decision", api.decide),
        ("POST", f"{permit}/close", api.close_permit),
        ("GET", f"{permit}/load", api.load),
        ("POST", f"{permit}/media", api.begin),
        ("POST", f"{permit}/media/{{medium}}", api.finish),
        ("POST", f"{_ROOT}/arrivals", api.arrive),
        ("POST", f"{_ROOT}/refusals", api.refuse),
        ("POST", f"{arrival}/manifest", api.announce),
        ("PUT", f"{arrival}/parts/{{digest}}", api.part),
        ("POST", f"{arrival}/close", api.close_bundle),
        ("POST", f"{arrival}/receipts", api.receipts),
        ("POST", f"{arrival}/end", api.end),
        ("GET", f"{_ROOT}/codes/{{transfer}}", api.code),
        ("POST", f"{_ROOT}/codes/{{transfer}}", api.confirm),
    ]
    return [Route(path, guard(call), methods=[method]) for method, path, call in calls]


class _CourierApi:
    def __init__(self, desk: CourierDesk) -> None:
        self._desk = desk

    # -- permits --------------------------------------------------------------------------------

    async def ask(self, request: Request) -> Response:
        wish = await members(request)
        by = await self._person(wish, Deed.PROPOSE)
        labels = wish.get("labels")
        if (
            not isinstance(labels, list)
            or not 1 <= len(labels) <= _MOST_LABELS
            or len(set(map(str, labels))) != len(labels)
        ):
            raise BadRequest(field="labels", expected=f"1 .. {_MOST_LABELS}")
        said = Wish(
            labels=tuple(_text({"label": one}, "label", _LABEL_LETTERS) for one in labels),
            purpose=_text(wish, "purpose", _PURPOSE_LETTERS),
            return_by=_day(wish, "return_by"),
            by=by,
        )
        carrying = self._desk.carrying
        if wish.get("to_site") is not None:
            site = _text(wish, "to_site", _LABEL_LETTERS * 2)
            made = await asyncio.to_thread(carrying.ask_for_receipts, site, said)
        else:
            transfer = _text(wish, "transfer", _LABEL_LETTERS)
            made = await asyncio.to_thread(carrying.ask_for_bundle, transfer, said)
        return JSONResponse(self._plain(made), status_code=201)

    async def permits(self, _request: Request) -> Response:
        found = await asyncio.to_thread(self._desk.book.all)
        return JSONResponse({"permits": [self._plain(one) for one in found]})

    async def permit(self, request: Request) -> Response:
        return JSONResponse(self._plain(await self._found(request)))

    async def decide(self, request: Request) -> Response:
        wish = await members(request)
        by = await self._person(wish, Deed.APPROVE)  # before anything is said of the permit
        found = await self._found(request)
        is_approved = wish.get("approved")
        if not isinstance(is_approved, bool):
            raise BadRequest(field="approved", expected="true / false")
        made = await asyncio.to_thread(
            self._desk.book.decide, found.permit, is_approved=is_approved, by=by
        )
        return JSONResponse(self._plain(made))

    async def close_permit(self, request: Request) -> Response:
        wish = await members(request)
        by = await self._person(wish, Deed.PROPOSE)  # before anything is said of the permit
        found = await self._found(request)
        made = await asyncio.to_thread(
            self._desk.book.close, found.permit, is_lost=wish.get("lost") is True, by=by
        )
        return JSONResponse(self._plain(made))

    # -- what goes on media ---------------------------------------------------------------------

    async def load(self, request: Request) -> Response:
        found = await self._found(request)
        load = await asyncio.to_thread(self._desk.carrying.load, found.permit)
        return JSONResponse(self._plain_load(load))

    async def begin(self, request: Request) -> Response:
        wish = await members(request)
        found = await self._found(request)
        made = await asyncio.to_thread(
            self._desk.carrying.begin,
            found.permit,
            medium=_text(wish, "medium", _LABEL_LETTERS),
            first_part=_number(wish, "first_part"),
            last_part=_number(wish, "last_part"),
        )
        return JSONResponse(self._plain(made))

    async def finish(self, request: Request) -> Response:
        wish = await members(request)
        found = await self._found(request)
        token = _text(wish, "index", 8 << 20)
        medium = str(request.path_params["medium"])
        made = await asyncio.to_thread(
            self._desk.book.finish, found.permit, medium, index=index_digest(token)
        )
        return JSONResponse(self._plain(made))

    # -- what came on media ---------------------------------------------------------------------

    async def arrive(self, request: Request) -> Response:
        wish = await members(request)
        token = _text(wish, "index", 8 << 20)
        arrival = await asyncio.to_thread(self._desk.arriving.begin, token)
        return JSONResponse({"medium": arrival.medium, "kind": arrival.kind.value})

    async def refuse(self, request: Request) -> Response:
        wish = await members(request)
        code, medium = _text(wish, "code", _LABEL_LETTERS * 2), wish.get("medium")
        known = medium if isinstance(medium, str) else None
        await asyncio.to_thread(self._desk.arriving.refuse, code, medium=known)
        return JSONResponse({"code": code})

    async def announce(self, request: Request) -> Response:
        wish = await members(request)
        medium = str(request.path_params["medium"])
        papers = Papers(manifest=_text(wish, "manifest", 8 << 20), key=_octets(wish, "key"))
        found = await self._desk.arriving.announce(medium, papers)
        return JSONResponse(asdict(found))

    async def part(self, request: Request) -> Response:
        hex_ = str(request.path_params["digest"])
        if len(hex_) != _SHA256_LETTERS or not set(hex_) <= set("0123456789abcdef"):
            raise BadRequest(field="digest", expected="64 hexadecimal digits")
        medium = str(request.path_params["medium"])
        is_new = await self._desk.arriving.part(medium, hex_, _pieces(request))
        return JSONResponse({"is_new": is_new}, status_code=201 if is_new else 200)

    async def close_bundle(self, request: Request) -> Response:
        wish = await members(request)
        medium = str(request.path_params["medium"])
        state = await self._desk.arriving.close(medium, _text(wish, "manifest", 8 << 20))
        return JSONResponse({"state": state})

    async def receipts(self, request: Request) -> Response:
        wish = await members(request)
        medium = str(request.path_params["medium"])
        said = wish.get("transfers")
        if not isinstance(said, list):
            raise BadRequest(field="transfers", expected="a list")
        found = await asyncio.to_thread(
            self._desk.arriving.receipts, medium, [_said(one) for one in said]
        )
        return JSONResponse({"transfers": found})

    async def end(self, request: Request) -> Response:
        medium = str(request.path_params["medium"])
        await asyncio.to_thread(self._desk.arriving.end, medium)
        return JSONResponse({"medium": medium})

    # -- codes ----------------------------------------------------------------------------------

    async def code(self, request: Request) -> Response:
        transfer = str(request.path_params["transfer"])
        code = await asyncio.to_thread(self._desk.settling.code, transfer)
        return JSONResponse({"transfer": transfer, "code": code})

    async def confirm(self, request: Request) -> Response:
        wish = await members(request)
        transfer = str(request.path_params["transfer"])
        row, confirmed = await asyncio.to_thread(
            self._desk.settling.confirm, transfer, _text(wish, "code", _LABEL_LETTERS * 2)
        )
        said = {"stage": confirmed.stage.value, "receipt": confirmed.receipt_begins}
        return JSONResponse({"transfer": transfer, "state": row.state.value, **said})

    # -- inside ---------------------------------------------------------------------------------

    async def _found(self, request: Request) -> Permit:
        return await asyncio.to_thread(self._desk.book.get, str(request.path_params["permit"]))

    async def _person(self, wish: dict[str, Any], deed: Deed) -> str:
        name, password = _text(wish, "account", _LABEL_LETTERS), _text(wish, "password", 1024)
        code = _text(wish, "code", _LABEL_LETTERS)
        return await asyncio.to_thread(self._desk.person, name, password, code, deed)

    def _plain(self, permit: Permit) -> dict[str, Any]:
        times = ("asked_at", "decided_at", "closed_at")
        said = {name: getattr(permit, name) for name in times}
        held = asdict(permit)
        del held["secret"]
        return {
            **held,
            **{name: None if at is None else to_wire(at) for name, at in said.items()},
            "return_by": permit.return_by.isoformat(),
            "is_overdue": permit.is_overdue(business_date(self._desk.clock.now())),
        }

    def _plain_load(self, load: Load) -> dict[str, Any]:
        key = load.papers.key if load.papers else None
        return {
            "permit": self._plain(load.permit),
            "number": load.number,
            "label": load.label,
            "recipient": load.recipient,
            "expires": to_wire(load.expires),
            "manifest": load.papers.manifest if load.papers else None,
            "key": base64url.encode(key) if key is not None else None,
            "left": [part.number for part in load.left],
            "said": [asdict(one) for one in load.said],
            "begun": asdict(load.begun) if load.begun else None,
            # Whoever may call this may read the site's keys too.
            "secret": base64url.encode(load.permit.secret),
        }


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece


def _said(value: object) -> Said:
    if isinstance(value, dict):
        match value:
            case {"transfer": str(transfer), "attempt": int(attempt), "receipts": list(receipts)}:
                if all(isinstance(one, str) for one in receipts):
                    return Said(transfer=transfer, attempt=attempt, receipts=tuple(receipts))
            case _:
                pass
    raise BadRequest(field="transfers", expected="transfer, attempt, receipts")


def _text(wish: dict[str, Any], name: str, longest: int) -> str:
    value = wish.get(name)
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest:
        raise BadRequest(field=name, expected=f"1 .. {longest}")
    return value.strip()


def _octets(wish: dict[str, Any], name: str) -> bytes | None:
    value = wish.get(name)
    if value is None:
        return None
    try:
        return base64url.decode(value)
    except (TypeError, ValueError):
        raise BadRequest(field=name, expected="base64url") from None


def _day(wish: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(wish.get(name)))
    except ValueError:
        raise BadRequest(field=name, expected="2026-11-28") from None


def _number(wish: dict[str, Any], name: str) -> int | None:
    value = wish.get(name)
    if value is not None and (type(value) is not int or value < 1):
        raise BadRequest(field=name, expected="1 ..")
    return value
