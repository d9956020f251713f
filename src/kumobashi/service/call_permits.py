"""What the two ends of calls ask a workspace: looked at once a second, beside the calls."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kumobashi.calls.permits import CallLink, Permitted
from kumobashi.calls.sites import Sites
from kumobashi.directory.entries import Directory
from kumobashi.kernel import KumobashiError
from kumobashi.planning.workspace import Workspace
from kumobashi.service.call_wiring import CallWiring
from kumobashi.service.errors import LinksUnread
from kumobashi.service.linkage_offers import Offer, offers

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
Asked = tuple[str, str]  # the asking system, and "system.service"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen at the last look."""

    unread: KumobashiError | None  # nothing is in force
    links: Mapping[Asked, Sequence[CallLink]] = field(default_factory=dict)
    refused: Mapping[Asked, KumobashiError] = field(default_factory=dict)
    backends: Mapping[tuple[str, str, bool], str] = field(default_factory=dict)
    offers: Sequence[Offer] = ()


class CallPermits:
    """The online links of one site; asked from the event loop, looked at from another thread."""

    def __init__(
        self,
        wiring: Callable[[Directory], CallWiring],
        workspace: Callable[[], Workspace],
        directory: Directory,
    ) -> None:
        self._wiring_for = wiring
        self._workspace = workspace
        self._wiring = wiring(directory)
        self._seen = _Seen(LinksUnread())

    def permitted(self, asker: str, asked: str) -> Permitted:
        """Return the links in force, or why a declared one is not; both of one look."""
        seen, key = self._seen, (asker, asked)
        return Permitted(seen.links.get(key, ()), seen.unread or seen.refused.get(key))

    def backend(self, system: str, service: str, *, is_test: bool) -> str | None:
        """Return where the system answers at this site: scheme, authority and base path."""
        return self._seen.backends.get((system, service, is_test))

    def tested(self, link: str) -> CallLink:
        """Return what an interconnection test of a link goes by; reads files."""
        return self._wiring.tested(link)

    def canary(self, link: str) -> Mapping[str, str]:
        """Return a fictional record of a link; reads files."""
        return self._wiring.canary(link)

    def offers(self) -> Sequence[Offer]:
        """Return what the internal-linkage profile may ask."""
        return self._seen.offers

    def document(self, system: str, service: str, version: str) -> bytes | None:
        """Return the document of a service that some link in force lets be asked; reads a file."""
        asked = f"{system}.{service}"
        if not any(
            operation.version == version
            for links in self._seen.links.values()
            for link in links
            if link.asked == asked
            for operation in link.operations
        ):
            return None
        workspace = self._workspace()
        held = workspace.systems[system].services[service].versions[version].document
        return (workspace.folder / held).read_bytes() if held else None

    def holders(self, sites: Sites) -> frozenset[str]:
        """Return where calls wait for the services of this site that nobody may hand over."""
        asking = {
            entry.site
            for links in self._seen.links.values()
            for link in links
            if sites.here in link.sites
            if (entry := sites.directory.systems.get(link.asker)) is not None
        }
        held = {sites.held_at(site) for site in asking - {sites.here}}
        return frozenset(one for one in held if one is not None)

    def use(self, directory: Directory) -> None:
        """Go by a newer directory from the next look on."""
        self._wiring = self._wiring_for(directory)

    def look(self) -> None:
        """See what is in force now; what cannot be read lets nothing through."""
        wiring = self._wiring
        try:
            workspace = self._workspace()
            found = wiring.seen()
            refused = {
                (call.to, f"{call.from_}.{call.service}"): reason
                for name, call in workspace.calls.items()
                if (reason := found.refusal(name)) is not None
            }
            backends = {
                (system, service, is_test): base
                for system, held in workspace.systems.items()
                for service in held.services
                for is_test in (False, True)
                if (base := wiring.backend(system, service, test=is_test)) is not None
            }
        except KumobashiError as error:
            log.warning("online links were not read", extra={"code": error.code})
            self._seen = _Seen(error)
        else:
            self._seen = _Seen(None, found.links, refused, backends, offers(workspace, found.links))

    async def keep_looking(self) -> None:
        """Look again and again."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                log.exception("online links were not read")
                self._seen = _Seen(LinksUnread())
            await asyncio.sleep(EVERY_SECONDS)
