"""What each call of this machine needs of whoever makes it: one table, and none without a row.

The site's token is what programs of this machine and whoever may read its folder have; it stands
for the site, not for somebody. What has to be somebody's asks for an account besides. Pages are in
``console.permits``, which the door of the console reads; a test lays both tables beside the routes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.routing import BaseRoute, Route

from kumobashi.console.permits import FREE, PERMITS
from kumobashi.identity import Deed


class Asks(StrEnum):
    """What is asked of a caller."""

    NOTHING = "nothing"  # whoever reaches the gateway
    MACHINE = "machine"  # whoever is on this machine
    PEER = "peer"  # a request that a gateway of the directory signed
    TOKEN = "token"  # noqa: S105 - the site's token, which is no secret of this file
    ACCOUNT = "account"  # the token, and somebody who signs in with this very call
    PROVIDER = "provider"  # a token that this site gave a provider of its accounts
    MIXED = "mixed"  # the token, and for some deeds an account: the desk's table says which


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a call asks for; a deed goes with an account."""

    asks: Asks
    deed: Deed | None = None


_NOTHING: Final = Entrance(Asks.NOTHING)
_MACHINE: Final = Entrance(Asks.MACHINE)
_PEER: Final = Entrance(Asks.PEER)
_TOKEN: Final = Entrance(Asks.TOKEN)
_OF_PROVIDERS: Final = Entrance(Asks.PROVIDER)
_MIXED: Final = Entrance(Asks.MIXED)
_OFFICE: Final = Entrance(Asks.ACCOUNT, Deed.SEE_AGREEMENTS)  # what more, the offices say
_PROPOSES: Final = Entrance(Asks.ACCOUNT, Deed.PROPOSE)
_TRANSFER: Final = "/peer/v1/transfers/{transfer:uuid}/{attempt:int}"
_COURIER: Final = "/api/v1/courier"
_AGREEMENTS: Final = "/api/v1/agreements"
_AGREEMENT: Final = f"{_AGREEMENTS}/{{agreement}}"
_ACTS: Final = ("submit", "review", "concur", "approve", "refuse", "return", "withdraw")
_PROVIDER: Final = "/r1/{instance}/{member_class}/{member}/{application}"
_SCIM: Final = ("/scim/v2", "/scim/v2/{rest:path}")
CONSENT_FACE: Final = "/consent-bb/"
"""Everything below it asks for the token; what it offers is its own table."""

ENTRANCES: Final[Mapping[tuple[str, str], Entrance]] = {
    ("GET", "/health"): _NOTHING,
    ("GET", "/metrics"): _MACHINE,  # from elsewhere with the token for it: ``scraping``
    ("POST", "/peer/v1/transfers"): _PEER,
    ("POST", "/peer/v1/recall"): _PEER,
    ("POST", "/peer/v1/pulse"): _PEER,
    ("POST", "/peer/v1/withdrawals"): _PEER,
    ("GET", _TRANSFER): _PEER,
    ("PUT", f"{_TRANSFER}/parts/{{digest:str}}"): _PEER,
    ("PUT", f"{_TRANSFER}/key"): _PEER,
    ("POST", f"{_TRANSFER}/close"): _PEER,
    ("POST", f"{_TRANSFER}/deletion"): _PEER,
    ("GET", "/peer/v1/evidence/{site:str}/consistency"): _PEER,
    ("POST", "/peer/v1/evidence/{site:str}/witness"): _PEER,
    ("GET", "/api/v1/openapi.yaml"): _MACHINE,
    ("GET", "/directory/v1"): _MACHINE,
    ("GET", "/directory/v1/openapi.yaml"): _MACHINE,
    ("GET", "/listClients"): _MACHINE,
    ("GET", f"{_PROVIDER}/listMethods"): _MACHINE,
    ("GET", f"{_PROVIDER}/allowedMethods"): _MACHINE,
    ("GET", f"{_PROVIDER}/getOpenAPI"): _MACHINE,
    ("GET", "/api/v1/overview"): _TOKEN,
    ("GET", "/api/v1/lines"): _TOKEN,
    ("GET", "/api/v1/watch"): _TOKEN,
    ("GET", "/api/v1/clocks"): _TOKEN,
    ("POST", "/api/v1/systems/{system}/failures"): _TOKEN,
    ("POST", "/api/v1/links/{link}/runs"): _TOKEN,
    ("POST", "/api/v1/links/{link}/test"): _TOKEN,
    ("POST", "/api/v1/links/{link}/pause"): _TOKEN,
    ("POST", "/api/v1/links/{link}/resume"): _TOKEN,
    ("GET", "/api/v1/transfers/{transfer}"): _TOKEN,
    **{
        ("POST", f"/api/v1/transfers/{{transfer}}/{deed}"): _TOKEN
        for deed in ("accept", "cancel", "pause", "resume", "send-first", "resend")
    },
    ("GET", "/api/v1/deletions"): _TOKEN,
    ("GET", "/api/v1/deletions/{transfer}"): _TOKEN,
    ("POST", "/api/v1/deletions/{transfer}/request"): _MIXED,  # an account, where one is named
    ("POST", "/api/v1/deletions/{transfer}/withdraw"): _MIXED,
    ("POST", "/api/v1/deletions/{transfer}/approve"): Entrance(Asks.ACCOUNT, Deed.APPROVE_DELETION),
    ("GET", "/api/v1/individual"): _TOKEN,  # how many, not who
    ("POST", "/api/v1/individual/{transfer}"): Entrance(Asks.ACCOUNT, Deed.SEE_INDIVIDUAL),
    ("POST", "/api/v1/audit/person"): Entrance(Asks.ACCOUNT, Deed.AUDIT_PERSON),
    ("POST", "/api/v1/requests/{deed}"): _MIXED,
    ("POST", "/api/v1/incidents/{deed}"): _MIXED,
    ("POST", "/api/v1/consents/withdrawn"): _TOKEN,
    ("POST", "/api/v1/consents/{deed}"): _MIXED,  # a document that was seen needs a clerk
    ("POST", "/api/v1/ties/{deed}"): _TOKEN,
    ("POST", f"{_COURIER}/permits"): _PROPOSES,
    ("GET", f"{_COURIER}/permits"): _TOKEN,
    ("GET", f"{_COURIER}/permits/{{permit}}"): _TOKEN,
    ("POST", f"{_COURIER}/permits/{{permit}}/decision"): Entrance(Asks.ACCOUNT, Deed.APPROVE),
    ("POST", f"{_COURIER}/permits/{{permit}}/close"): _PROPOSES,
    ("GET", f"{_COURIER}/permits/{{permit}}/load"): _TOKEN,
    ("POST", f"{_COURIER}/permits/{{permit}}/media"): _TOKEN,
    ("POST", f"{_COURIER}/permits/{{permit}}/media/{{medium}}"): _TOKEN,
    ("POST", f"{_COURIER}/arrivals"): _TOKEN,
    ("POST", f"{_COURIER}/refusals"): _TOKEN,
    ("POST", f"{_COURIER}/arrivals/{{medium}}/manifest"): _TOKEN,
    ("PUT", f"{_COURIER}/arrivals/{{medium}}/parts/{{digest}}"): _TOKEN,
    ("POST", f"{_COURIER}/arrivals/{{medium}}/close"): _TOKEN,
    ("POST", f"{_COURIER}/arrivals/{{medium}}/receipts"): _TOKEN,
    ("POST", f"{_COURIER}/arrivals/{{medium}}/end"): _TOKEN,
    ("GET", f"{_COURIER}/codes/{{transfer}}"): _TOKEN,
    ("POST", f"{_COURIER}/codes/{{transfer}}"): _TOKEN,
    ("GET", _AGREEMENTS): _TOKEN,
    ("POST", _AGREEMENTS): _OFFICE,
    ("GET", f"{_AGREEMENTS}/verification"): _TOKEN,
    ("GET", _AGREEMENT): _TOKEN,
    ("GET", f"{_AGREEMENT}/papers/{{paper}}"): _TOKEN,
    ("GET", f"{_AGREEMENT}/attachments/{{number:int}}"): _TOKEN,
    ("POST", f"{_AGREEMENT}/edit"): _OFFICE,
    ("POST", f"{_AGREEMENT}/attachments"): _OFFICE,
    ("POST", f"{_AGREEMENT}/processors"): _OFFICE,
    **{("POST", f"{_AGREEMENT}/{act}"): _OFFICE for act in _ACTS},
    **{
        (method, path): _OF_PROVIDERS
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for path in _SCIM
    },
}


def check_entrances(routes: Iterable[BaseRoute]) -> None:
    """Raise ``LookupError`` for a route that nobody thought of: the gateway does not start."""
    for route in routes:
        if not isinstance(route, Route) or route.path.startswith(CONSENT_FACE):
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            key = (method, route.path)
            if key not in ENTRANCES and key not in PERMITS and key not in FREE:
                raise LookupError(f"{method} {route.path} has no row in service.entrances")
