"""The providers of one console, as ``sign-on/*.yaml`` has them now; secrets are read here.

A file that says something else makes its provider anew; rules count as they are at each sign-on.
While the workspace is broken the providers stay as they were.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kumobashi.console.permits import FREE, PERMITS
from kumobashi.console.sign_on_ports import Offered
from kumobashi.directory.sign_on_models import OpenIdClient, ProviderFile, SamlProvider
from kumobashi.identity import Accounts, Role
from kumobashi.identity.admitting import Admitting
from kumobashi.identity.errors import ProviderUnfit, SignOnStale
from kumobashi.identity.known import Doorkeeper
from kumobashi.identity.oidc.client import Client
from kumobashi.identity.oidc.providers import Provider
from kumobashi.identity.oidc.signing_on import SigningOn
from kumobashi.identity.oidc.signing_out import farewell, hear_ended
from kumobashi.identity.rules import Rule
from kumobashi.identity.saml.names import Names
from kumobashi.identity.saml.service import Service
from kumobashi.identity.saml.signing_on import SamlSigningOn
from kumobashi.identity.ways import Departure, Ways
from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.workspace import Workspace
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.gateway import Gateway
from kumobashi.service.secrets import secret

_LARGEST_METADATA = 1 << 20  # bytes; whoever reads them refuses fewer
_PAGES: Final = frozenset(
    {"static", "scim", *(path.split("/")[1] for _, path in {*PERMITS, *FREE})}
)


class SignOns:
    """Meets ``console.sign_on_ports.SignOnSource``."""

    def __init__(
        self, workspace: Callable[[], Workspace], accounts: Accounts, *, site: str, folder: Path
    ) -> None:
        """``folder``: the workspace's, from where secrets are found."""
        self._workspace = workspace
        self.accounts = accounts
        self._ways = Ways(accounts)
        self._site = site
        self._folder = folder
        self._files: Mapping[str, ProviderFile] | None = None
        self._made: dict[str, tuple[ProviderFile, SigningOn | SamlSigningOn]] = {}
        self._lock = threading.Lock()

    def offered(self) -> Sequence[Offered]:
        """Return the providers, in the order of their names."""
        return tuple(
            Offered(
                provider=one.provider,
                name=one.name,
                posts=one.saml is not None,
                is_sealed=_is_sealed(one),
            )
            for _, one in sorted(self._known().items())
        )

    def scheme_of(self, host: str, path: str) -> str | None:
        """Meet ``only_here.SchemeOf`` for the pages of this console, by the name in its files.

        So does what providers call to bring accounts (``/scim``): each request has their token.

        A proxy on this machine ends TLS and hands requests on with the ``Host`` that was asked.
        """
        if path.split("/")[1] not in _PAGES:
            return None
        try:
            said = [urlsplit(one.console) for one in self._known().values()]
        except WorkspaceBroken:  # one that was never read names no console
            return None
        return next((one.scheme for one in said if one.netloc.lower() == host.lower()), None)

    async def begin(self, provider: str) -> Departure:
        """Return where a browser goes, and the cookie that it comes back with."""
        way = await self._way(provider)
        return await (way.begin() if isinstance(way, SigningOn) else asyncio.to_thread(way.begin))

    async def finish(self, provider: str, answer: Mapping[str, str], browser: str) -> str:
        """Return the value for the cookie of a new session."""
        way, doorkeeper = await self._way(provider), self._doorkeeper(provider)
        if isinstance(way, SigningOn):
            return await asyncio.to_thread(doorkeeper.admit, await way.finish(answer, browser))

        def admit() -> str:
            recognised = way.finish(answer, browser)
            value = doorkeeper.admit(recognised.known)
            way.keep(value, recognised)
            return value

        return await asyncio.to_thread(admit)

    async def farewell(self, provider: str, left: str) -> Departure | None:
        """Return where a browser goes to be signed out there too, if there is such a page."""
        way = await self._way(provider)
        if not isinstance(way, SigningOn):
            return await asyncio.to_thread(way.farewell, left)
        address = await farewell(way.provider)
        return Departure(address=address, browser="") if address else None

    async def hear_ended(self, provider: str, said: Mapping[str, str]) -> int:
        """End the sessions that a provider says it has ended, and return how many."""
        way = await self._way(provider)
        if not isinstance(way, SigningOn):
            raise SignOnStale  # it says so by a browser
        token = said.get("logout_token", "")
        return await hear_ended(way.provider, self._ways, self._doorkeeper(provider), token)

    async def parted(self, provider: str, query: str, browser: str) -> str | None:
        """Take what a browser brings of signing out at a provider; return where it goes next."""
        way = await self._way(provider)
        if isinstance(way, SigningOn):
            raise SignOnStale
        return await asyncio.to_thread(way.parted, query, browser)

    async def metadata(self, provider: str) -> bytes | None:
        """Return what a provider has to know of this console, if it reads such a thing."""
        way = await self._way(provider)
        return None if isinstance(way, SigningOn) else await asyncio.to_thread(way.metadata)

    async def _way(self, provider: str) -> SigningOn | SamlSigningOn:
        return await asyncio.to_thread(self._of, provider)

    def _of(self, provider: str) -> SigningOn | SamlSigningOn:
        file = self._file(provider)
        with self._lock:
            held = self._made.get(provider)
            if held is None or held[0] != file:
                held = (file, self._signing_on(file))
                self._made[provider] = held
            return held[1]

    def _signing_on(self, file: ProviderFile) -> SigningOn | SamlSigningOn:
        if file.openid is not None:
            return self._openid(file, file.openid)
        if file.saml is not None:
            return self._saml(file, file.saml)
        raise SignOnStale

    def _openid(self, file: ProviderFile, said: OpenIdClient) -> SigningOn:
        base = file.console.rstrip("/")
        client = Client(
            provider=file.provider,
            name=file.name,
            issuer=said.issuer,
            client_id=said.client_id,
            back=f"{base}/sign-in/{file.provider}/back",
            after=f"{base}/sign-in",
            secret=secret(self._folder, said.client_secret) if said.client_secret else None,
            scopes=said.scopes,
            algorithms=frozenset(said.algorithms),
            shown=said.shown,
        )
        return SigningOn(Provider(client, self.accounts.clock), self._ways)

    def _saml(self, file: ProviderFile, said: SamlProvider) -> SamlSigningOn:
        base = file.console.rstrip("/")
        service = Service(
            provider=file.provider,
            entity=f"{base}/sign-in/{file.provider}/metadata",
            back=f"{base}/sign-in/{file.provider}/back",
            parted=f"{base}/sign-out/{file.provider}/back",
            issuer=said.entity,
            certificates=frozenset(said.certificates),
            described_by=said.metadata_certificate,
            subject=said.subject,
            shown=said.shown,
            contexts=said.contexts,
            is_encrypted=said.encrypted,
        )
        return SamlSigningOn(
            service,
            self._ways,
            Names(self.accounts),
            described=lambda: _described(self._folder / said.metadata, file.provider),
            keys=self._folder / "private" / self._site / "saml",
            clock=self.accounts.clock,
        )

    def _doorkeeper(self, provider: str) -> Doorkeeper:
        def rules() -> list[Rule]:
            said = self._file(provider).rules
            return [Rule(role=Role(rule.role), when=rule.when) for rule in said]

        return Admitting(
            self.accounts,
            rules=rules,
            factors=lambda: frozenset(self._file(provider).second_factor),
        )

    def _file(self, provider: str) -> ProviderFile:
        file = self._known().get(provider)
        if file is None:
            raise SignOnStale  # it is not there any more
        return file

    def _known(self) -> Mapping[str, ProviderFile]:
        """Return the providers here; raise ``WorkspaceBroken`` if they were never read."""
        try:
            held = self._workspace().providers
        except WorkspaceBroken:
            if self._files is None:
                raise
            return self._files
        self._files = {name: one for name, one in held.items() if one.site == self._site}
        return self._files


def _described(path: Path, provider: str) -> bytes:
    """Return a file of metadata, or its beginning."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_METADATA)
    except OSError:
        raise ProviderUnfit(provider=provider, check="metadata, file") from None


def sign_ons_of(gateway: Gateway, endpoint: Endpoint) -> SignOns:
    """Return the providers of a gateway's console, and its accounts."""
    settings = gateway.settings
    accounts = Accounts(
        settings.workspace / "private" / settings.site,
        tenant=gateway.identity.tenant,
        site=gateway.identity.site,
        clock=gateway.clock,
    )
    workspace = partial(endpoint.wiring.workspace, seconds_old=1.0)
    return SignOns(workspace, accounts, site=gateway.identity.site, folder=settings.workspace)


def _is_sealed(file: ProviderFile) -> bool:
    return file.console.startswith("https:")
