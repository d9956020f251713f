"""Sign on at a provider: send a browser there, and find out from its answer who came back.

1. ``begin``: state, nonce and verifier are made and kept; the browser goes to the provider.
2. The provider recognises somebody and sends the browser back with a code.
3. ``finish``: the way is taken, the answer is of this provider (RFC 9207), the code is exchanged
   with the verifier, the ID token holds, UserInfo is of the same person.

Whatever fails, nothing is left over: the way is gone with the first answer, and no session was
begun before the last check.
"""

import asyncio
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from kumobashi.identity.errors import ProviderRefused, ProviderUnfit, SignOnStale
from kumobashi.identity.known import Known
from kumobashi.identity.oidc.claims import Asked, attributes, proved
from kumobashi.identity.oidc.client import proof
from kumobashi.identity.oidc.providers import Metadata, Provider
from kumobashi.identity.ways import Departure, Way, Ways, new_browser

_OK, _CREATED = 200, 201
_LONGEST_CODE: Final = 4000
_REASON: Final = re.compile(r"[a-z_]{1,40}")
_PROFILE: Final = frozenset({"openid"})  # with these alone there is nothing at UserInfo


class SigningOn:
    """The way to one provider and back."""

    def __init__(self, provider: Provider, ways: Ways) -> None:
        self.provider = provider
        self._client = provider.client
        self._ways = ways

    async def begin(self) -> Departure:
        """Return where to send a browser.

        Raises:
            ProviderAway, ProviderUnfit: there is no use in sending it.
        """
        metadata = await self.provider.metadata()
        browser = new_browser()
        way = await asyncio.to_thread(self._ways.begin, self._client.provider, browser)
        wanted = self._wanted(way)
        if metadata.pushed:
            wanted = await self._pushed(metadata, wanted)
        joint = "&" if urlsplit(metadata.authorization).query else "?"
        address = f"{metadata.authorization}{joint}{urlencode(wanted)}"
        return Departure(address=address, browser=browser)

    async def finish(self, answer: Mapping[str, str], browser: str) -> Known:
        """Return who came back.

        Raises:
            SignOnStale: the way was not begun by this browser, or was taken before.
            ProviderRefused: the provider recognised nobody.
            ProviderAway: it stopped answering in between.
            ProviderUnfit: what it answered cannot be believed.
        """
        way = await asyncio.to_thread(
            self._ways.take, self._client.provider, answer.get("state", ""), browser
        )
        metadata = await self.provider.metadata()
        self._check_issuer(answer, metadata)
        if "error" in answer:
            raise ProviderRefused(
                provider=self._client.provider, reason=_reason(answer.get("error"))
            )
        code = answer.get("code", "")
        if not code or len(code) > _LONGEST_CODE:
            raise SignOnStale
        tokens = await self._exchanged(metadata, code, way)
        return await self._known(metadata, tokens, way)

    def _wanted(self, way: Way) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.back,
            "scope": " ".join(dict.fromkeys(("openid", *self._client.scopes))),
            "state": way.state,
            "nonce": way.nonce,
            "code_challenge": way.challenge,
            "code_challenge_method": "S256",
        }

    async def _pushed(self, metadata: Metadata, wanted: dict[str, str]) -> dict[str, str]:
        """Hand the request to the provider itself, so that no browser sees or changes it."""
        said = await self._sent(metadata, str(metadata.pushed), wanted)
        reference = said.get("request_uri")
        if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST_CODE:
            raise self._unfit("request_uri")
        return {"client_id": self._client.client_id, "request_uri": reference}

    def _check_issuer(self, answer: Mapping[str, str], metadata: Metadata) -> None:
        said = answer.get("iss")
        if said is None and not metadata.says_issuer:
            return
        if said is None or not hmac.compare_digest(said.encode(), metadata.issuer.encode()):
            raise self._unfit("iss of the answer")

    async def _exchanged(self, metadata: Metadata, code: str, way: Way) -> Mapping[str, object]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.back,
            "code_verifier": way.verifier,
        }
        return await self._sent(metadata, metadata.token, fields)

    async def _sent(
        self, metadata: Metadata, address: str, fields: Mapping[str, str]
    ) -> Mapping[str, object]:
        shown = proof(
            self._client,
            audience=metadata.issuer,
            accepted=metadata.proofs,
            now=self.provider.clock.now(),
        )
        said = await self.provider.fetching.post(
            address, {**fields, **shown.fields}, headers=shown.headers
        )
        if said.status not in {_OK, _CREATED}:
            place = "token" if address == metadata.token else "par"
            raise self._unfit(f"{place} {_reason(said.body.get('error'))}")
        return said.body

    async def _known(self, metadata: Metadata, tokens: Mapping[str, object], way: Way) -> Known:
        access = tokens.get("access_token")
        kind = tokens.get("token_type")
        if not isinstance(access, str) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise self._unfit("token_type")
        read = await self.provider.read(tokens.get("id_token"))
        if read.typ not in {None, "jwt"}:
            raise self._unfit("typ")
        who = proved(
            read.claims,
            Asked(
                provider=self._client.provider,
                issuer=metadata.issuer,
                client_id=self._client.client_id,
                now=self.provider.clock.now(),
            ),
            nonce=way.nonce,
            algorithm=read.algorithm,
            access_token=access,
        )
        said = attributes(read.claims, await self._user_info(metadata, access, who.subject))
        return Known(
            provider=self._client.provider,
            subject=who.subject,
            shown=next(iter(said.get(self._client.shown, ())), ""),
            attributes=said,
            methods=who.methods,
            at=who.at,
            session=who.session,
        )

    async def _user_info(
        self, metadata: Metadata, access: str, subject: str
    ) -> Mapping[str, object]:
        if metadata.user_info is None or set(self._client.scopes) <= _PROFILE:
            return {}
        if not access.isascii() or not access.isprintable():
            raise self._unfit("access_token")
        said = await self.provider.fetching.get(
            metadata.user_info, headers={"Authorization": f"Bearer {access}"}
        )
        if said.status != _OK:
            raise self._unfit("userinfo")
        if said.body.get("sub") != subject:
            raise self._unfit("userinfo sub")
        return said.body

    def _unfit(self, check: str) -> ProviderUnfit:
        return ProviderUnfit(provider=self._client.provider, check=check)


def _reason(said: object) -> str:
    """Return the name of an error as RFC 6749 writes it; what is written otherwise is not shown."""
    return said if isinstance(said, str) and _REASON.fullmatch(said) else "error"
