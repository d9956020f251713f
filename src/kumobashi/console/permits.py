"""What each page needs of whoever asks for it: one table, and a page without a row is not served.

A page that shows something of one resident also names the purpose for which it exists; every look
is a record with it. An account that is bound to links reaches the pages in ``WITHIN_A_SCOPE`` only.

>>> page_code("POST", "/ties/acts/{act}"), page_code("GET", "/")
('post:ties/acts/-', 'get:morning')
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kumobashi.identity import Account, Deed, Role, may

_PARAMETER: Final = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Permit:
    """A deed, and why one resident's data may be looked at; none: no resident is seen."""

    deed: Deed
    purpose: str | None = None


_AGREEMENT: Final = "/agreements/{agreement}"
_FAULT: Final = "/faults/{fault}"
_COUNTER: Final = Permit(Deed.SERVE_COUNTER, purpose="counter")
PERMITS: Final[Mapping[tuple[str, str], Permit]] = {
    ("GET", "/"): Permit(Deed.LOOK),
    ("GET", "/links"): Permit(Deed.LOOK),
    ("GET", "/links/{link}"): Permit(Deed.LOOK),
    ("GET", "/links/{link}/findings.csv"): Permit(Deed.SEE_CONTENT),
    ("GET", "/links/{link}/findings.json"): Permit(Deed.SEE_CONTENT),
    ("GET", "/links/{link}/link.json"): Permit(Deed.SEE_CONTENT),
    ("GET", "/links/{link}/gate"): Permit(Deed.SEE_CONTENT),
    ("GET", "/links/{link}/deeds/{deed}"): Permit(Deed.OPERATE),  # some need RELEASE as well
    ("POST", "/links/{link}/deeds/{deed}"): Permit(Deed.OPERATE),
    ("GET", "/plans"): Permit(Deed.SEE_CONTENT),
    ("GET", "/plans/{link}"): Permit(Deed.SEE_CONTENT),
    ("POST", "/plans/{link}/propose"): Permit(Deed.PROPOSE),
    ("POST", "/plans/{link}/approve"): Permit(Deed.APPROVE),
    ("GET", "/changes"): Permit(Deed.AUDIT),
    ("GET", "/evidence"): Permit(Deed.AUDIT),
    ("GET", "/evidence.csv"): Permit(Deed.AUDIT, purpose="export"),  # who carried it out of here
    ("GET", "/evidence/{number:int}"): Permit(Deed.AUDIT),
    ("GET", "/evidence/{number:int}/proof.json"): Permit(Deed.AUDIT),
    ("POST", "/evidence/unusual/{finding}"): Permit(Deed.REVIEW_ACCESS),
    ("GET", "/workspace"): Permit(Deed.SEE_CONTENT),
    ("GET", "/workspace/picture.svg"): Permit(Deed.SEE_CONTENT),
    ("GET", "/campaigns"): Permit(Deed.SEE_CONTENT),
    ("GET", "/agreements"): Permit(Deed.SEE_AGREEMENTS),
    ("GET", "/agreements/new"): Permit(Deed.SEE_AGREEMENTS),
    ("POST", "/agreements/new"): Permit(Deed.SEE_AGREEMENTS),  # what more, the offices say
    ("GET", _AGREEMENT): Permit(Deed.SEE_AGREEMENTS),
    ("GET", f"{_AGREEMENT}/edit"): Permit(Deed.SEE_AGREEMENTS),
    ("POST", f"{_AGREEMENT}/edit"): Permit(Deed.SEE_AGREEMENTS),
    ("POST", f"{_AGREEMENT}/files"): Permit(Deed.SEE_AGREEMENTS),
    ("POST", f"{_AGREEMENT}/register"): Permit(Deed.SEE_AGREEMENTS),
    ("GET", f"{_AGREEMENT}/acts/{{act}}"): Permit(Deed.SEE_AGREEMENTS),
    ("POST", f"{_AGREEMENT}/acts/{{act}}"): Permit(Deed.SEE_AGREEMENTS),
    ("GET", f"{_AGREEMENT}/papers/{{paper}}"): Permit(Deed.SEE_AGREEMENTS),
    ("GET", f"{_AGREEMENT}/files/{{number:int}}"): Permit(Deed.SEE_AGREEMENTS),
    ("GET", "/faults"): Permit(Deed.SEE_FAULTS),
    ("GET", _FAULT): Permit(Deed.SEE_FAULTS),
    ("GET", f"{_FAULT}/report"): Permit(Deed.SEE_FAULTS),
    ("POST", f"{_FAULT}/take"): Permit(Deed.HANDLE_FAULT),
    ("POST", f"{_FAULT}/note"): Permit(Deed.HANDLE_FAULT),
    ("POST", f"{_FAULT}/close"): Permit(Deed.HANDLE_FAULT),
    ("GET", "/status"): Permit(Deed.SEE_SITES),
    ("GET", "/sites/{site}"): Permit(Deed.SEE_SITES),
    ("GET", "/accounts"): Permit(Deed.SEE_ACCESS),
    ("GET", "/accounts.csv"): Permit(Deed.SEE_ACCESS),
    ("POST", "/accounts/{name}/keep"): Permit(Deed.REVIEW_ACCESS),
    ("POST", "/accounts/{name}/take-away"): Permit(Deed.REVIEW_ACCESS),
    ("GET", "/ties"): Permit(Deed.SEE_CONTENT),  # services and counts; residents are behind it
    ("GET", "/ties/resident"): Permit(Deed.SEE_CONTENT),  # leads back: an address names nobody
    ("POST", "/ties/resident"): _COUNTER,
    ("POST", "/ties/asking/{act}"): _COUNTER,
    ("POST", "/ties/acts/{act}"): _COUNTER,
}
FREE: Final = frozenset(
    {
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/sign-in/{provider}"),
        ("GET", "/sign-in/{provider}/back"),
        ("POST", "/sign-in/{provider}/back"),
        ("GET", "/sign-in/{provider}/metadata"),  # what the provider has to know of us
        ("GET", "/sign-out/{provider}"),
        ("GET", "/sign-out/{provider}/back"),  # what the provider signed
        ("POST", "/sign-out/{provider}/back-channel"),  # what the provider signed
    }
)
"""What is there for whoever has yet to sign in."""

WITHIN_A_SCOPE: Final = frozenset(
    {"/", "/links", "/links/{link}", "/faults", _FAULT, f"{_FAULT}/report"}
)
"""Pages that leave out every link to which an account is not bound."""


def permit_of(method: str, path: str) -> Permit:
    """Return what a page needs; a page that nobody thought of stops the gateway from starting."""
    try:
        return PERMITS[method, path]
    except KeyError:
        raise LookupError(f"{method} {path} has no row in console.permits") from None


def is_open_to(account: Account | None, path: str) -> bool:
    """Whether somebody finds something at a page; where nobody signs in, all do."""
    if account is None:
        return True
    is_within = account.scope is None or path in WITHIN_A_SCOPE
    return is_within and may(account.role, permit_of("GET", path).deed)


def page_code(method: str, path: str) -> str:
    """Return how records call a page: what its address would say of a resident is left out."""
    return f"{method.lower()}:{_PARAMETER.sub('-', path).strip('/') or 'morning'}"


def first_page(role: Role) -> str:
    """Return where somebody begins."""
    return "/" if may(role, Deed.LOOK) else "/accounts"
