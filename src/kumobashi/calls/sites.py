"""The directory as calls need it: keys, addresses and ways, worked out once for each version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kumobashi.calls.errors import CallForeign
from kumobashi.crypto.keys import VerifyKey
from kumobashi.directory.entries import Directory, SiteEntry
from kumobashi.directory.models import By
from kumobashi.routing.calling import Leg, call_route
from kumobashi.routing.errors import RoutingFailed


@dataclass(frozen=True)
class Sites:
    """One version of the directory, seen from one site."""

    directory: Directory
    here: str

    @cached_property
    def _keys(self) -> dict[str, Mapping[str, VerifyKey]]:
        return {name: site.verify_keys for name, site in self.directory.sites.items()}

    @cached_property
    def _opened(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, connection.site)
            for name, site in self.directory.sites.items()
            for connection in site.connects_to
            if connection.by is not By.COURIER
        )

    @cached_property
    def _hops(self) -> dict[str, str | None]:
        return {}

    def entry(self, site: str) -> SiteEntry:
        """Return a site; raise :class:`CallForeign` when there is none."""
        try:
            return self.directory.sites[site]
        except KeyError:
            raise CallForeign(field="site") from None

    def keys_of(self, site: str) -> Mapping[str, VerifyKey]:
        """Return the keys that a site signs with, by ``kid``."""
        self.entry(site)
        return self._keys[site]

    def may_open(self, caller: str, site: str) -> bool:
        """Whether the directory lets ``caller`` open a connection to ``site``."""
        return caller == site or (caller, site) in self._opened

    def runs(self, system: str, site: str) -> bool:
        """Whether the directory says that a system runs at a site, or stands by there."""
        entry = self.directory.systems.get(system)
        return entry is not None and site in {entry.site, *entry.standby}

    def next_hop(self, to_site: str) -> str | None:
        """Return the site to hand a call for ``to_site`` to; nothing when no line leads there.

        Where :meth:`may_open` forbids it, the call waits here until that site fetches it.
        """
        if to_site not in self._hops:
            self.entry(to_site)
            legs = self._legs(self.here, to_site)
            self._hops[to_site] = legs[0].next_site if legs else None
        return self._hops[to_site]

    def held_at(self, asking_site: str) -> str | None:
        """Return where calls of a site wait for this one; nothing where they are handed over."""
        legs = self._legs(asking_site, self.here)
        return legs[-1].hop.to_site if legs and legs[-1].is_fetched else None

    def way_to(self, to_site: str) -> tuple[Leg, ...]:
        """Return the way of a call; nothing when there is none, or a medium is carried on it."""
        self.entry(to_site)
        return self._legs(self.here, to_site)

    @property
    def reachable(self) -> tuple[str, ...]:
        """The sites that this one may open a connection to."""
        return tuple(sorted(site for caller, site in self._opened if caller == self.here))

    def _legs(self, from_site: str, to_site: str) -> tuple[Leg, ...]:
        try:
            legs = call_route(self.directory.sites, from_site, to_site)
        except RoutingFailed:
            return ()
        return () if any(leg.hop.by == By.COURIER for leg in legs) else legs

    def contact(self, site: str) -> str:
        """Return whom to call about a site."""
        contact = self.directory.contact_of(site)
        return f"{contact.name} {contact.phone}" if contact else "-"


CurrentSites = Callable[[], Sites]  # changes when a newer directory is taken over
