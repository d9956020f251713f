"""How a provider knows this console, and how the console proves itself to it.

A secret that is a private JWK is never sent: the console signs an assertion with it instead
(``private_key_jwt``, RFC 7523). Names and secrets are form-encoded before they are joined for HTTP
Basic (RFC 6749, 2.3.1); a colon in a name would otherwise end it.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from kumobashi.identity.errors import ProviderUnfit

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 60
_BY_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How one provider knows this console."""

    provider: str  # id in the workspace
    name: str  # on the button
    issuer: str
    client_id: str
    back: str  # redirect_uri, exactly as the provider has it
    after: str  # where the provider sends people whom it has signed out
    secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
    shown: str = "name"  # the attribute that pages call people by


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What goes with a request to the token endpoint."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


def proof(client: Client, *, audience: str, accepted: frozenset[str], now: datetime) -> Proof:
    """Return how ``client`` proves itself by a method that the provider has ``accepted``.

    Raises:
        ProviderUnfit: it accepts none that this client has.
    """
    me = {"client_id": client.client_id}
    if client.secret is None:
        return Proof(fields=me)
    if client.secret.startswith("{"):
        if "private_key_jwt" not in accepted:
            raise ProviderUnfit(provider=client.provider, check="private_key_jwt")
        signed = _assertion(client, client.secret, audience, now)
        return Proof(fields=me | {"client_assertion_type": _ASSERTION, "client_assertion": signed})
    if "client_secret_basic" in accepted:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        return Proof(headers={"Authorization": f"Basic {basic}"})
    if "client_secret_post" in accepted:
        return Proof(fields=me | {"client_secret": client.secret})
    raise ProviderUnfit(provider=client.provider, check="token_endpoint_auth_methods")


def _assertion(client: Client, secret: str, audience: str, now: datetime) -> str:
    at = int(now.timestamp())
    try:
        key: dict[str, Any] = json.loads(secret)
        named = key.get("alg") or _BY_CURVE.get(str(key.get("crv")), "PS256")
        header = {"alg": str(named)} | ({"kid": str(key["kid"])} if "kid" in key else {})
        claims = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(16),
            "iat": at,
            "exp": at + _ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, JWKRegistry.import_key(key), algorithms=[str(named)])
    except (JoseError, ValueError, TypeError, KeyError):
        raise ProviderUnfit(provider=client.provider, check="client key") from None
