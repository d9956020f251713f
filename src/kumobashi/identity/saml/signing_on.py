"""Sign on at a provider that speaks SAML 2.0, and out again, both ways.

1. ``begin``: a signed AuthnRequest goes with the browser, in an address. Its ID and the RelayState
   are random, kept here, and bound to a cookie of that browser.
2. The provider recognises somebody and sends the browser back with a form.
3. ``finish``: the way is taken, the response answers it, the assertion in it is signed by a
   certificate that people approved, was said to us, now, and for the first time.

Nobody comes in without having begun here: what a provider says of its own accord is refused.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kumobashi.identity.errors import ProviderUnfit, SignOnStale
from kumobashi.identity.known import Known
from kumobashi.identity.saml.answering import check_ended, check_response, read_ended
from kumobashi.identity.saml.asking import authn_request, logout_request, logout_response
from kumobashi.identity.saml.believing import Asked, believe
from kumobashi.identity.saml.keys import OwnKey, OwnKeys
from kumobashi.identity.saml.metadata import Metadata, own_metadata, read_metadata
from kumobashi.identity.saml.names import Names, Signed
from kumobashi.identity.saml.redirecting import REQUEST, RESPONSE, read_redirect, signed_address
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signed import signed_assertion
from kumobashi.identity.ways import Departure, Ways, new_browser
from kumobashi.kernel import Clock

_LONGEST: Final = 100_000  # characters of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Who came back, and how the provider calls them."""

    known: Known
    signed: Signed


class SamlSigningOn:
    """The way to one provider and back; called in worker threads."""

    def __init__(
        self,
        service: Service,
        ways: Ways,
        names: Names,
        *,
        described: Callable[[], bytes],
        keys: Path,
        clock: Clock,
    ) -> None:
        """Take what reads the provider's metadata, and the folder of our own keys."""
        self.service = service
        self._ways = ways
        self._names = names
        self._described = described
        host = urlsplit(service.back).hostname or service.provider
        self._keys = OwnKeys(keys, name=host)
        self._clock = clock

    def begin(self) -> Departure:
        """Return where to send a browser.

        Raises:
            ProviderSwapped, ProviderUnfit: there is no use in sending it.
        """
        there, key = self._there(), self._own()[0]
        browser = new_browser()
        way = self._ways.begin(self.service.provider, browser)
        message = authn_request(
            self.service, to=there.sign_on, number=_number(way.nonce), now=self._clock.now()
        )
        address = signed_address(there.sign_on, REQUEST, message, key, relay=way.state)
        return Departure(address=address, browser=browser)

    def finish(self, answer: Mapping[str, str], browser: str) -> Recognised:
        """Return who came back.

        Raises:
            SignOnStale: the way was not begun by this browser, or was taken before.
            ProviderRefused: the provider recognised nobody.
            ProviderSwapped, ProviderUnfit: what it answered cannot be believed.
        """
        service = self.service
        way = self._ways.take(service.provider, answer.get("RelayState", ""), browser)
        there, request = self._there(), _number(way.nonce)
        document = self._decoded(answer.get("SAMLResponse", ""))
        check_response(document, service, request=request)
        asked = Asked(
            provider=service.provider,
            issuer=service.issuer,
            audience=service.entity,
            recipient=service.back,
            request=request,
            subject=service.subject,
            shown=service.shown,
        )
        assertion = signed_assertion(
            document,
            certificates=there.certificates,
            provider=service.provider,
            keys=self._own() if service.is_encrypted else (),
        )
        believed = believe(assertion, asked, now=self._clock.now())
        self._demand_first("assertion", believed.assertion, believed.until)
        known = believed.known
        return Recognised(known=known, signed=Signed(name=believed.name, session=known.session))

    def keep(self, value: str, recognised: Recognised) -> None:
        """Remember how the provider calls whoever has the session of the cookie ``value``."""
        self._names.keep(self.service.provider, value, recognised.signed)

    def farewell(self, left: str) -> Departure | None:
        """Return where a browser goes to be signed out at the provider too.

        ``left`` is the cookie of the session that it has just left. None: the provider has no such
        page, or does not know that session.

        Raises:
            ProviderSwapped, ProviderUnfit: there is no use in sending it.
        """
        there, signed = self._there(), self._names.of(self.service.provider, left)
        if there.sign_out is None or signed is None:
            return None
        browser = new_browser()
        way = self._ways.begin(self.service.provider, browser)
        message = logout_request(
            self.service,
            to=there.sign_out,
            number=_number(way.nonce),
            now=self._clock.now(),
            name=signed.name,
            session=signed.session,
        )
        key = self._own()[0]
        address = signed_address(there.sign_out, REQUEST, message, key, relay=way.state)
        return Departure(address=address, browser=browser)

    def parted(self, query: str, browser: str) -> str | None:
        """Take what a provider says of signing out, and return where the browser goes next.

        None: it was the answer to a wish of ours, and the browser stays here.

        Raises:
            SignOnStale: it answers what this browser did not ask.
            ProviderSwapped, ProviderUnfit: it cannot be believed.
        """
        service, there = self.service, self._there()
        said = read_redirect(query, certificates=there.certificates, provider=service.provider)
        if not said.is_request:
            way = self._ways.take(service.provider, said.relay or "", browser)
            check_ended(said.message, service, request=_number(way.nonce))
            return None
        ended = read_ended(said.message, service, now=self._clock.now())
        self._demand_first("logout", ended.number, ended.until)
        self._names.end(service.provider, ended.name, ended.sessions)
        if there.signed_out is None:
            return None
        message = logout_response(
            service,
            to=there.signed_out,
            number=_number(new_browser()),
            now=self._clock.now(),
            answers=ended.number,
        )
        key = self._own()[0]
        return signed_address(there.signed_out, RESPONSE, message, key, relay=said.relay)

    def metadata(self) -> bytes:
        """Return what the provider has to know of this console."""
        return own_metadata(self.service, [one.certificate for one in self._own()])

    def _there(self) -> Metadata:
        return read_metadata(self._described(), self.service, now=self._clock.now())

    def _own(self) -> Sequence[OwnKey]:
        return self._keys.read(now=self._clock.now())

    def _demand_first(self, kind: str, number: str, until: datetime) -> None:
        if not self._ways.is_first(self.service.provider, f"{kind} {number}", until=until):
            raise ProviderUnfit(provider=self.service.provider, check=f"{kind}, used")

    def _decoded(self, said: str) -> bytes:
        if not said or len(said) > _LONGEST:
            raise SignOnStale
        try:
            return base64.b64decode("".join(said.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ProviderUnfit(provider=self.service.provider, check="base64") from None


def _number(random: str) -> str:
    """Return an ID for XML, which begins with no digit."""
    return f"_{random}"
