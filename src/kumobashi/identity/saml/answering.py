"""What stands around an assertion, and what ends a session: from whom, to whom, as an answer.

A response is not signed, only the assertion in it; what is checked of it here can only refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from lxml import etree

from kumobashi.identity.errors import ProviderRefused, ProviderUnfit
from kumobashi.identity.saml.asking import SUCCESS
from kumobashi.identity.saml.believing import NameId, read_name
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signed import ASSERTION, PROTOCOL, read_bounded

SKEW: Final = timedelta(seconds=60)
FRESH: Final = timedelta(minutes=10)  # how old what ends a session may be
_STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
_MOST_SESSIONS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Whom a provider has signed out; no sessions: all of them."""

    number: str  # ID of its request
    name: NameId
    sessions: Sequence[str]
    until: datetime  # until when the number has to be remembered


def check_response(document: bytes, service: Service, *, request: str) -> None:
    """Raise unless a response is one to ``request``, and says that somebody was recognised.

    Raises:
        ProviderUnfit: it is another's, to another, or answers something else.
        ProviderRefused: the provider recognised nobody.
    """
    root = _read(document, "Response", service, to=service.back)
    if root.get("InResponseTo") != request:
        raise _unfit(service, "response, request")
    status = _status(root)
    if status != SUCCESS:
        raise ProviderRefused(provider=service.provider, reason=_reason(root))


def read_ended(document: bytes, service: Service, *, now: datetime) -> Ended:
    """Return whom a request to end sessions is about.

    Raises:
        ProviderUnfit: it is another's, to another, too old, or names nobody.
    """
    root = _read(document, "LogoutRequest", service, to=service.parted)
    issued = _time(root.get("IssueInstant"), service)
    if not now - FRESH - SKEW <= issued <= now + SKEW:
        raise _unfit(service, "time")
    ends = root.get("NotOnOrAfter")
    if ends is not None and now >= _time(ends, service) + SKEW:
        raise _unfit(service, "time")
    number, names = root.get("ID"), root.findall(f"{{{ASSERTION}}}NameID")
    if not number or len(names) != 1:
        raise _unfit(service, "name")
    sessions = [one.text or "" for one in root.findall(f"{{{PROTOCOL}}}SessionIndex")]
    if len(sessions) > _MOST_SESSIONS:
        raise _unfit(service, "size")
    return Ended(
        number=number,
        name=read_name(names[0]),
        sessions=sessions,
        until=issued + FRESH + SKEW + SKEW,
    )


def check_ended(document: bytes, service: Service, *, request: str) -> None:
    """Raise ``ProviderUnfit`` unless this answers our wish to sign somebody out."""
    root = _read(document, "LogoutResponse", service, to=service.parted)
    if root.get("InResponseTo") != request:
        raise _unfit(service, "response, request")


def _read(document: bytes, kind: str, service: Service, *, to: str) -> etree._Element:
    root = read_bounded(document, provider=service.provider)
    if root.tag != f"{{{PROTOCOL}}}{kind}" or root.get("Version") != "2.0":
        raise _unfit(service, "response")
    if root.get("Destination") != to:
        raise _unfit(service, "destination")
    issuers = root.findall(f"{{{ASSERTION}}}Issuer")
    # Around an assertion, which has one of its own, it may be left out (SAML Profiles, 4.1.4.2).
    least = 0 if kind == "Response" else 1
    if not least <= len(issuers) <= 1 or any(one.text != service.issuer for one in issuers):
        raise _unfit(service, "issuer")
    return root


def _status(root: etree._Element) -> str | None:
    codes = root.findall(f"{{{PROTOCOL}}}Status/{{{PROTOCOL}}}StatusCode")
    return codes[0].get("Value") if len(codes) == 1 else None


def _reason(root: etree._Element) -> str:
    """Return the last part of the innermost status that the standard names."""
    found = [one.get("Value") or "" for one in root.iter(f"{{{PROTOCOL}}}StatusCode")]
    names = [one.removeprefix(_STATUS) for one in found if one.startswith(_STATUS)]
    plain = [one for one in names if one.isascii() and one.isalpha()]
    return plain[-1][:40] if plain else "error"


def _time(text: str | None, service: Service) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        raise _unfit(service, "time") from None
    if found.tzinfo is None:
        raise _unfit(service, "time")
    return found.astimezone(UTC)


def _unfit(service: Service, check: str) -> ProviderUnfit:
    return ProviderUnfit(provider=service.provider, check=check)
