"""Who this gateway is: its site, its keys, the directory it trusts, its folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kumobashi.crypto.keys import SealKey, SigningKey, VerifyKey
from kumobashi.directory.entries import Directory, SiteEntry
from kumobashi.directory.models import By
from kumobashi.messages.errors import MessageForeign
from kumobashi.routing.finding import route


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One gateway, as its own code and its peers see it."""

    tenant: str
    site: str
    signing: SigningKey = field(repr=False)
    sealing: SealKey = field(repr=False)
    directory: Directory
    work: Path  # private folder for files that live as long as one step
    asking: SigningKey | None = field(default=None, repr=False)  # of requests; none: the same

    @property
    def asks_with(self) -> SigningKey:
        """What requests and pulses are signed with, also while the clock here is wrong."""
        return self.asking or self.signing

    @property
    def here(self) -> SiteEntry:
        """The own entry in the directory."""
        return self.at(self.site)

    def at(self, site: str) -> SiteEntry:
        """Return a site's entry; raise ``MessageForeign`` when there is none."""
        try:
            return self.directory.sites[site]
        except KeyError:
            raise MessageForeign(field="site") from None

    def keys_of(self, site: str) -> Mapping[str, VerifyKey]:
        """Return the keys that a site signs with, by their ``kid``."""
        return self.at(site).verify_keys

    def may_call(self, caller: str) -> bool:
        """Whether the directory lets ``caller`` open a connection to this site."""
        opened = {
            connection.site
            for connection in self.at(caller).connects_to
            if connection.by is not By.COURIER
        }
        return caller == self.site or self.site in opened

    def is_carried(self, site: str) -> bool:
        """Whether only media go to a site that bundles of this one are handed to."""
        said = (c for c in self.here.connects_to if c.site == site and c.by is By.COURIER)
        if next(said, None) is None:
            return False
        return route(self.directory.sites, self.site, site)[0].by == By.COURIER

    def next_hop(self, to_site: str) -> str:
        """Return the site to hand a bundle for ``to_site`` to."""
        return route(self.directory.sites, self.site, to_site)[0].to_site
