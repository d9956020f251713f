"""Access tokens of this gateway: signed, short, for one client and one provider.

To a client a token is opaque; a provider asks the gateway what it is worth (RFC 7662). It is a JWS
with this site's key, so every process of the site knows it, and no other site does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kumobashi.calls.linkage.errors import LinkageFailed, TokenRefused
from kumobashi.calls.linkage.scopes import Scope, read_scopes
from kumobashi.crypto import jws
from kumobashi.crypto.canonical import canonical, read_json
from kumobashi.crypto.errors import CryptoFailed
from kumobashi.crypto.keys import SigningKey

LIFE: Final = timedelta(minutes=5)
_TYPE: Final = "kumobashi-linkage-token+jws"
_LARGEST: Final = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token says."""

    issuer: str
    tenant: str
    client_id: str
    scopes: tuple[Scope, ...]
    issued: datetime
    token: str  # its id

    @property
    def ends(self) -> datetime:
        """When it is worth nothing any more."""
        return self.issued + LIFE

    @property
    def provider(self) -> str:
        """The one provider it is for."""
        return self.scopes[0].provider


def write_token(token: Token, key: SigningKey) -> str:
    """Return a token as it is given out."""
    said = {
        "iss": token.issuer,
        "tenant": token.tenant,
        "client_id": token.client_id,
        "scope": " ".join(map(str, token.scopes)),
        "iat": int(token.issued.timestamp()),
        "jti": token.token,
    }
    return jws.sign(canonical(said), key, _TYPE)


def read_token(text: str, key: SigningKey, tenant: str, now: datetime) -> Token:
    """Return what a token of this site says.

    Raises:
        TokenRefused: of another site or municipality, changed, or its time is over.
    """
    try:
        signed = jws.verify(text, {key.kid: key.public}, _TYPE, limit=_LARGEST)
        said: Any = read_json(signed.payload)
        token = Token(
            issuer=said["iss"],
            tenant=said["tenant"],
            client_id=said["client_id"],
            scopes=read_scopes(said["scope"]),
            issued=datetime.fromtimestamp(said["iat"], UTC),
            token=said["jti"],
        )
    except (CryptoFailed, LinkageFailed, KeyError, TypeError, ValueError):
        raise TokenRefused(reason="signature") from None
    if token.tenant != tenant:
        raise TokenRefused(reason="tenant")
    if token.ends <= now:
        raise TokenRefused(reason="expired")
    return token
