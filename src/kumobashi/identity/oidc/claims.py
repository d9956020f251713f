"""Whether what a provider signed was said to us, now, and in answer to what was asked. Pure.

OpenID Connect Core 1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6. Each check has a name, which the
refusal says; a value is never quoted.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from kumobashi.crypto import base64url
from kumobashi.identity.errors import ProviderUnfit

SKEW: Final = timedelta(seconds=60)
FRESH: Final = timedelta(minutes=10)  # how old what is said may be
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_NAME: Final = 255
_LATEST: Final = 253402300799  # the last second of 9999
_MOST_ATTRIBUTES, _MOST_VALUES, _LONGEST_VALUE = 200, 500, 500
_HASHES: Final = {"256": "sha256", "384": "sha384", "512": "sha512", "EdDSA": "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Who it is, by an ID token that holds."""

    subject: str
    session: str | None
    at: datetime
    methods: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Whom a provider has signed out, by a logout token that holds; one of the two is there."""

    subject: str | None
    session: str | None
    number: str  # jti
    until: datetime  # until when it has to be remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """To whom and when something has to have been said."""

    provider: str
    issuer: str
    client_id: str
    now: datetime


def proved(
    claims: Mapping[str, object],
    asked: Asked,
    *,
    nonce: str,
    algorithm: str,
    access_token: str | None = None,
) -> Proved:
    """Return who an ID token says it is.

    Raises:
        ProviderUnfit: naming the first check that does not hold.
    """
    _check_ends(claims, asked)
    issued = _check_times(claims, asked)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise _unfit(asked, "nonce")
    if "events" in claims:
        raise _unfit(asked, "events")  # a logout token is no proof of anybody
    _check_hash(claims, asked, algorithm, access_token)
    at = issued
    if "auth_time" in claims:
        at = _time(claims, "auth_time", asked)
        if at > asked.now + SKEW:
            raise _unfit(asked, "auth_time")
    subject = _name(claims, "sub", asked)
    if subject is None:
        raise _unfit(asked, "sub")
    return Proved(
        subject=subject,
        session=_name(claims, "sid", asked),
        at=at,
        methods=_methods(claims, asked),
    )


def ended(claims: Mapping[str, object], asked: Asked, *, typ: str | None) -> Ended:
    """Return whom a logout token signs out.

    Raises:
        ProviderUnfit: naming the first check that does not hold.
    """
    if typ not in {None, "jwt", "logout+jwt"}:
        raise _unfit(asked, "typ")
    _check_ends(claims, asked)
    issued = _check_times(claims, asked)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise _unfit(asked, "events")
    if "nonce" in claims:
        raise _unfit(asked, "nonce")  # an ID token ends nobody's session
    number = _name(claims, "jti", asked)
    if number is None:
        raise _unfit(asked, "jti")
    subject, session = _name(claims, "sub", asked), _name(claims, "sid", asked)
    if subject is None and session is None:
        raise _unfit(asked, "sub, sid")
    return Ended(
        subject=subject, session=session, number=number, until=issued + FRESH + SKEW + SKEW
    )


def attributes(*said: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Return what rules may look at; of two that say the same name, the first counts.

    >>> attributes({"groups": ["職員"], "realm_access": {"roles": ["admin"]}, "n": 3})
    {'groups': ('職員',), 'realm_access.roles': ('admin',), 'n': ('3',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for claims in said:
        for name, value in claims.items():
            inner = value.items() if isinstance(value, dict) else ()
            for key, held in [(name, value), *((f"{name}.{key}", one) for key, one in inner)]:
                values = _values(held)
                if values and key not in found and len(found) < _MOST_ATTRIBUTES:
                    found[key] = values
    return found


def _values(value: object) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    texts = [
        ("true" if one else "false") if isinstance(one, bool) else str(one)
        for one in several[:_MOST_VALUES]
        if isinstance(one, str | int)
    ]
    return tuple(text for text in texts if text and len(text) <= _LONGEST_VALUE)


def _check_ends(claims: Mapping[str, object], asked: Asked) -> None:
    """Check from whom and to whom it is."""
    if claims.get("iss") != asked.issuer:
        raise _unfit(asked, "iss")
    said = claims.get("aud")
    audience = said if isinstance(said, list) else [said]
    if asked.client_id not in audience:
        raise _unfit(asked, "aud")
    other = claims.get("azp")
    if other != asked.client_id and (other is not None or len(audience) > 1):
        raise _unfit(asked, "azp")


def _check_times(claims: Mapping[str, object], asked: Asked) -> datetime:
    """Check that it counts now, and return when it was said."""
    issued, ends = _time(claims, "iat", asked), _time(claims, "exp", asked)
    if ends <= asked.now - SKEW:
        raise _unfit(asked, "exp")
    if not asked.now - FRESH - SKEW <= issued <= asked.now + SKEW or ends <= issued:
        raise _unfit(asked, "iat")
    if "nbf" in claims and _time(claims, "nbf", asked) > asked.now + SKEW:
        raise _unfit(asked, "nbf")
    return issued


def _check_hash(
    claims: Mapping[str, object], asked: Asked, algorithm: str, access_token: str | None
) -> None:
    """Check that the access token that came along is the one that was meant."""
    if access_token is None or "at_hash" not in claims:
        return
    name = _HASHES.get(algorithm) or _HASHES[algorithm[-3:]]
    digest = hashlib.new(name, access_token.encode()).digest()
    expected = base64url.encode(digest[: len(digest) // 2])
    said = claims["at_hash"]
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), expected.encode()):
        raise _unfit(asked, "at_hash")


def _methods(claims: Mapping[str, object], asked: Asked) -> frozenset[str]:
    """Return how it was proved: ``amr``, and ``acr`` as one more name that may be asked for."""
    said = claims.get("amr", [])
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise _unfit(asked, "amr")
    acr = claims.get("acr")
    if acr is not None and not isinstance(acr, str):
        raise _unfit(asked, "acr")
    return frozenset(said[:_MOST_VALUES]) | ({acr} if acr else frozenset())


def _time(claims: Mapping[str, object], name: str, asked: Asked) -> datetime:
    said = claims.get(name)
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= _LATEST:
        raise _unfit(asked, name)
    return datetime.fromtimestamp(said, UTC)


def _name(claims: Mapping[str, object], name: str, asked: Asked) -> str | None:
    said = claims.get(name)
    if said is None:
        return None
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST_NAME or not said.isprintable():
        raise _unfit(asked, name)
    return said


def _unfit(asked: Asked, check: str) -> ProviderUnfit:
    return ProviderUnfit(provider=asked.provider, check=check)
