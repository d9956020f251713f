"""The local API of the auditor's question: to whom was this resident's data sent in a year.

The number comes in the body. That somebody asked is a record, written before the answer leaves.
"""

import asyncio
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.evidence.entries import Entry, Fact
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.kernel import to_wire
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import AccountNeeded, BadRequest
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members
from kumobashi.service.person_trace import PersonTrace, number_in, presences
from kumobashi.service.signing_in import signed_in

_FIRST_YEAR, _LAST_YEAR = 2000, 9998
Json = dict[str, Any]


def person_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the route that ``kumobashi audit person`` calls."""
    api = _PersonApi(gateway, endpoint, accounts)
    return [Route("/api/v1/audit/person", guarded(gateway, api.ask), methods=["POST"])]


class _PersonApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._accounts = accounts
        self._trace = PersonTrace(gateway, endpoint)

    async def ask(self, request: Request) -> Response:
        said = await members(request)
        by = await asyncio.to_thread(signed_in, self._accounts, said, Deed.AUDIT_PERSON)
        if by is None:
            raise AccountNeeded
        number, year = number_in(said.get("number")), _year(said.get("year"))
        return JSONResponse(await asyncio.to_thread(self._told, number, year, by))

    def _told(self, number: str, year: int, by: str) -> Json:
        gateway = self._gateway
        now = gateway.clock.now()
        told = self._trace.told(number, date(year, 1, 1), date(year, 12, 31))
        facts: dict[str, Fact] = {
            "purpose": "audit",
            "counts": {"year": year, "transfers": len(told), **presences(told)},
        }
        entry = Entry(event="person.audited", at=now, by=f"account:{by}", facts=facts)
        gateway.evidence.note(entry)
        return {
            "municipality": self._endpoint.wiring.workspace().municipality.municipality.name,
            "site": gateway.identity.site,
            "year": year,
            "made": to_wire(now),
            "transfers": told,
        }


def _year(value: object) -> int:
    if type(value) is not int or not _FIRST_YEAR <= value <= _LAST_YEAR:
        raise BadRequest(field="year", expected="2026")
    return value
