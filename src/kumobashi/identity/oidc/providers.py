"""What a provider says of itself (OpenID Connect Discovery 1.0), and the keys it signs with.

The issuer is compared letter by letter with the one that the workspace names. Keys are read again
once when a token names one that is not known, and at most once a minute: a forged ``kid`` makes
nobody ask for more.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kumobashi.crypto import base64url, foreign_tokens
from kumobashi.crypto.canonical import read_json
from kumobashi.crypto.errors import KeyUnfit, NotCanonical, TokenUnfit
from kumobashi.identity.addresses import is_sealed
from kumobashi.identity.errors import ProviderUnfit
from kumobashi.identity.oidc.client import Client
from kumobashi.identity.oidc.fetching import Fetching
from kumobashi.kernel import Clock

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_KEPT: Final = timedelta(hours=1)
_AGAIN: Final = timedelta(minutes=1)  # between two readings of the keys
_MOST_KEYS: Final = 50
_KINDS: Final = frozenset({"RSA", "EC", "OKP"})  # a key that is shared would sign for everybody
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The addresses of a provider, and what it can do."""

    issuer: str
    authorization: str
    token: str
    keys: str
    user_info: str | None
    end_session: str | None
    pushed: str | None  # PAR
    proofs: frozenset[str]  # how clients may prove themselves
    says_issuer: bool  # RFC 9207


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Claims that a provider has signed, and with which algorithm."""

    claims: Mapping[str, object]
    algorithm: str
    typ: str | None


class Provider:
    """One provider, asked when it is needed and remembered for an hour."""

    def __init__(self, client: Client, clock: Clock, fetching: Fetching | None = None) -> None:
        self.client = client
        self.clock = clock
        self.fetching = fetching or Fetching(client.provider)
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, list[Mapping[str, object]]] | None = None
        self._reading = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself.

        Raises:
            ProviderAway, ProviderUnfit: it does not say it, or what it says does not do.
        """
        async with self._reading:
            now = self.clock.now()
            if self._metadata is None or not now - _KEPT < self._metadata[0] <= now:
                said = await self.fetching.get(self.client.issuer.rstrip("/") + _WELL_KNOWN)
                if said.status != _OK:
                    raise ProviderUnfit(provider=self.client.provider, check="discovery")
                self._metadata = (now, read_metadata(said.body, self.client))
            return self._metadata[1]

    async def read(self, token: object) -> Token:
        """Return the claims of a token that this provider signed; nothing else of it is checked.

        Raises:
            ProviderAway: its keys cannot be had.
            ProviderUnfit: not signed by one of its keys, or not as it may be.
        """
        header = self._header(token)
        metadata = await self.metadata()
        keys = await self._known_keys(metadata.keys, header.get("kid"))
        try:
            payload = foreign_tokens.verify(
                token, {"keys": keys}, algorithms=self.client.algorithms
            )
            claims = read_json(payload)
        except TokenUnfit as error:
            raise self._unfit(f"token {error.reason}") from None
        except KeyUnfit as error:
            raise self._unfit(f"keys {error.reason}") from None
        except NotCanonical:
            raise self._unfit("token json") from None
        if not isinstance(claims, dict):
            raise self._unfit("token json")
        typ = header.get("typ")
        return Token(
            claims=claims,
            algorithm=str(header["alg"]),
            typ=typ.lower() if isinstance(typ, str) else None,
        )

    def _header(self, token: object) -> Mapping[str, object]:
        """Return the header as it is written; who looks into it believes nothing yet."""
        try:
            header = read_json(base64url.decode(str(token).partition(".")[0]), limit=4096)
        except (ValueError, NotCanonical):
            raise self._unfit("token form") from None
        if not isinstance(header, dict):
            raise self._unfit("token form")
        return header

    async def _known_keys(self, address: str, kid: object) -> list[Mapping[str, object]]:
        async with self._reading:
            now = self.clock.now()
            held = self._keys
            is_old = held is None or not now - _KEPT < held[0] <= now
            is_new = held is not None and kid is not None and not _has(held[1], kid)
            if is_old or (is_new and held is not None and now - held[0] >= _AGAIN):
                held = (now, await self._fetched_keys(address))
                self._keys = held
            return held[1] if held else []

    async def _fetched_keys(self, address: str) -> list[Mapping[str, object]]:
        said = await self.fetching.get(address)
        keys = said.body.get("keys")
        if said.status != _OK or not isinstance(keys, list) or len(keys) > _MOST_KEYS:
            raise self._unfit("jwks")
        return [
            one
            for one in keys
            if isinstance(one, dict)
            and one.get("kty") in _KINDS
            and one.get("use", "sig") == "sig"
            and "d" not in one
        ]

    def _unfit(self, check: str) -> ProviderUnfit:
        return ProviderUnfit(provider=self.client.provider, check=check)


def read_metadata(said: Mapping[str, object], client: Client) -> Metadata:
    """Return what a provider says of itself; raise ``ProviderUnfit`` with the member at fault."""

    def address(name: str, *, needed: bool = False) -> str | None:
        found = said.get(name)
        if found is None and not needed:
            return None
        if not isinstance(found, str) or not is_sealed(found):
            raise ProviderUnfit(provider=client.provider, check=name)
        return found

    def names(name: str, otherwise: frozenset[str]) -> frozenset[str]:
        found = said.get(name)
        if found is None:
            return otherwise
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise ProviderUnfit(provider=client.provider, check=name)
        return frozenset(found)

    if said.get("issuer") != client.issuer:
        raise ProviderUnfit(provider=client.provider, check="issuer")
    # A provider that says which methods it knows, and not S256, would drop the challenge.
    if "S256" not in names("code_challenge_methods_supported", frozenset({"S256"})):
        raise ProviderUnfit(provider=client.provider, check="code_challenge_methods_supported")
    signs = "id_token_signing_alg_values_supported"
    if not client.algorithms & names(signs, client.algorithms):
        raise ProviderUnfit(provider=client.provider, check=signs)
    return Metadata(
        issuer=client.issuer,
        authorization=str(address("authorization_endpoint", needed=True)),
        token=str(address("token_endpoint", needed=True)),
        keys=str(address("jwks_uri", needed=True)),
        user_info=address("userinfo_endpoint"),
        end_session=address("end_session_endpoint"),
        pushed=address("pushed_authorization_request_endpoint"),
        proofs=names("token_endpoint_auth_methods_supported", frozenset({"client_secret_basic"})),
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _has(keys: list[Mapping[str, object]], kid: object) -> bool:
    return any(one.get("kid") == kid for one in keys)
