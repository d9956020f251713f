"""Decide whether a signed assertion was said to us, now, as an answer; say who it is.

Pure: the assertion comes from `signed`, the time and what was asked are handed in. That it is used
once only is for the caller, who keeps its id until `Believed.until`. A transient name names nobody:
it is another one each time, so nobody could be shut out by it. Where a provider has no other, an
attribute has to be named that stays.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree

from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.known import Known
from kumobashi.identity.saml.signed import ASSERTION

_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_METHODS = {
    f"{_CLASSES}Password": frozenset({"pwd"}),
    f"{_CLASSES}PasswordProtectedTransport": frozenset({"pwd"}),
    f"{_CLASSES}TimeSyncToken": frozenset({"otp", "mfa"}),
    f"{_CLASSES}SmartcardPKI": frozenset({"sc", "mfa"}),
    f"{_CLASSES}MobileTwoFactorContract": frozenset({"mfa"}),
    f"{_CLASSES}MobileTwoFactorUnregistered": frozenset({"mfa"}),
    "https://refeds.org/profile/mfa": frozenset({"mfa"}),
    "http://schemas.microsoft.com/claims/multipleauthn": frozenset({"mfa"}),
}
_FURTHER = (
    "http://schemas.microsoft.com/claims/authnmethodsreferences"  # an attribute that says how
)
_LONGEST = 256
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_Demand = Callable[[bool, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a provider, by one browser."""

    provider: str  # id in the workspace
    issuer: str  # entityID of the provider, as it was approved
    audience: str  # our entityID
    recipient: str  # our address for answers
    request: str  # ID of our AuthnRequest
    subject: str | None = None  # the attribute that names people for good; none: the NameID
    shown: str = "displayName"  # the attribute that pages call people by
    skew: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameId:
    """How a provider calls somebody; signing out there has to say it back letter by letter."""

    text: str
    form: str | None = None
    qualifier: str | None = None
    sp_qualifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Who it is, and how long the id of the assertion has to be remembered."""

    known: Known
    name: NameId
    assertion: str
    until: datetime


def believe(assertion: etree._Element, asked: Asked, *, now: datetime) -> Believed:
    """Return whom ``assertion`` names.

    Raises:
        ProviderUnfit: it is another's, for another, from another time, or not an answer to this.
    """

    def demand(is_so: bool, check: str) -> None:  # noqa: FBT001 - reads as a claim
        if not is_so:
            raise ProviderUnfit(provider=asked.provider, check=check)

    demand(_only(assertion, "Issuer", demand).text == asked.issuer, "issuer")
    subject = _only(assertion, "Subject", demand)
    until = _confirmed(subject, asked, now, demand)
    _conditions(assertion, asked, now, demand)
    name = read_name(_only(subject, "NameID", demand))
    demand(_is_plain(name.text), "name")
    statement = _only(assertion, "AuthnStatement", demand)
    session = statement.get("SessionIndex")
    demand(session is None or _is_plain(session), "session")
    ends = statement.get("SessionNotOnOrAfter")
    again = _time(ends, demand) if ends else None
    demand(again is None or now < again + asked.skew, "time")
    at = _time(statement.get("AuthnInstant"), demand)
    demand(at <= now + asked.skew, "time")
    how = _only(_only(statement, "AuthnContext", demand), "AuthnContextClassRef", demand).text
    attributes = _attributes(assertion)
    if asked.subject is None:
        demand(name.form != _TRANSIENT, "name, transient")
        whom = name.text
    else:
        said = attributes.get(asked.subject, ())
        demand(len(said) == 1 and _is_plain(said[0]), "name, attribute")
        whom = said[0]
    identity = assertion.get("ID") or ""
    demand(bool(identity), "id")
    return Believed(
        known=Known(
            provider=asked.provider,
            subject=whom,
            shown=next(iter(attributes.get(asked.shown, ())), whom),
            attributes=attributes,
            methods=_methods([how or "", *attributes.get(_FURTHER, ())]),
            at=at,
            session=session,
            until=again,
        ),
        name=name,
        assertion=identity,
        until=until + asked.skew,
    )


def read_name(named: etree._Element) -> NameId:
    """Return a name as it is written."""
    return NameId(
        text=named.text or "",
        form=named.get("Format"),
        qualifier=named.get("NameQualifier"),
        sp_qualifier=named.get("SPNameQualifier"),
    )


def _confirmed(subject: etree._Element, asked: Asked, now: datetime, demand: _Demand) -> datetime:
    confirmation = _only(subject, "SubjectConfirmation", demand)
    demand(confirmation.get("Method") == _BEARER, "confirmation")
    said = _only(confirmation, "SubjectConfirmationData", demand)
    demand(said.get("Recipient") == asked.recipient, "recipient")
    demand(said.get("InResponseTo") == asked.request, "request")
    demand(said.get("NotBefore") is None, "confirmation")
    until = _time(said.get("NotOnOrAfter"), demand)
    demand(now < until + asked.skew, "time")
    return until


def _conditions(assertion: etree._Element, asked: Asked, now: datetime, demand: _Demand) -> None:
    conditions = _only(assertion, "Conditions", demand)
    demand(now >= _time(conditions.get("NotBefore"), demand) - asked.skew, "time")
    demand(now < _time(conditions.get("NotOnOrAfter"), demand) + asked.skew, "time")
    limits = conditions.findall(f"{{{ASSERTION}}}AudienceRestriction")
    demand(bool(limits), "audience")
    for limit in limits:  # each has to name us
        named = [one.text for one in limit.findall(f"{{{ASSERTION}}}Audience")]
        demand(asked.audience in named, "audience")


def _only(parent: etree._Element, name: str, demand: _Demand) -> etree._Element:
    found = parent.findall(f"{{{ASSERTION}}}{name}")
    demand(len(found) == 1, "form")
    return found[0]


def _time(text: str | None, demand: _Demand) -> datetime:
    demand(text is not None and text.endswith("Z"), "time")
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        demand(False, "time")  # noqa: FBT003 - always refuses
        raise


def _methods(said: Iterable[str]) -> frozenset[str]:
    """Return how somebody was recognised: by our names for it, and by those that were said."""
    names = frozenset(one for one in said if one)
    return names.union(*(_METHODS.get(one, frozenset()) for one in names))


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= _LONGEST and name == name.strip() and name.isprintable()


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in assertion.iterfind(f"{{{ASSERTION}}}AttributeStatement/{{{ASSERTION}}}Attribute"):
        values = tuple(v.text or "" for v in one.iterfind(f"{{{ASSERTION}}}AttributeValue"))
        for name in {one.get("Name"), one.get("FriendlyName")} - {None, ""}:
            found[str(name)] = found.get(str(name), ()) + values
    return found
