"""The local API of the lists of protected persons: which there are, and one list for an account.

Which transfers left how many persons to people is for everybody who may ask this gateway; who they
are is for an account that may look, and each look is a record of the evidence log.
"""

import asyncio
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kumobashi.evidence.entries import Entry
from kumobashi.exchange.individual import IndividualList
from kumobashi.identity import Accounts
from kumobashi.identity.roles import Deed
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.errors import AccountNeeded
from kumobashi.service.gateway import Gateway
from kumobashi.service.local_api import guarded, members
from kumobashi.service.signing_in import signed_in


def individual_routes(gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> list[Route]:
    """Return the routes that ``kumobashi individual`` calls."""
    api = _IndividualApi(gateway, endpoint, accounts)
    guard = partial(guarded, gateway)
    return [
        Route("/api/v1/individual", guard(api.lists), methods=["GET"]),
        Route("/api/v1/individual/{transfer}", guard(api.show), methods=["POST"]),
    ]


class _IndividualApi:
    def __init__(self, gateway: Gateway, endpoint: Endpoint, accounts: Accounts) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._accounts = accounts

    async def lists(self, _request: Request) -> Response:
        found = await asyncio.to_thread(self._endpoint.individual.all)
        return JSONResponse({"lists": [_told(one) for one in found]})

    async def show(self, request: Request) -> Response:
        said = await members(request)
        by = await asyncio.to_thread(signed_in, self._accounts, said, Deed.SEE_INDIVIDUAL)
        if by is None:
            raise AccountNeeded
        transfer = str(request.path_params["transfer"])
        found, numbers = await asyncio.to_thread(self._read, transfer, by)
        return JSONResponse({**_told(found), "numbers": numbers})

    def _read(self, transfer: str, by: str) -> tuple[IndividualList, list[str]]:
        rooms = self._gateway.identity.work
        rooms.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=rooms) as room:
            found, numbers = self._endpoint.individual.numbers(transfer, room=Path(room))
        self._gateway.evidence.note(
            Entry(
                event="individual.read",
                at=self._gateway.clock.now(),
                by=f"account:{by}",
                facts={
                    "link": found.link,
                    "transfer": transfer,
                    "business_date": found.on.isoformat(),
                    "purpose": "protection",
                    "counts": {"people": len(numbers)},
                },
            )
        )
        return found, numbers


def _told(one: IndividualList) -> dict[str, object]:
    return {
        "link": one.link,
        "business_date": one.on.isoformat(),
        "transfer": one.transfer,
        "people": one.people,
    }
