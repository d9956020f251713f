"""What one look at a picture has found so far, and the names and contacts around it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.exchange.views import ContactView
from kumobashi.monitoring import sentences
from kumobashi.monitoring.picture import CauseSeen, Picture, Way
from kumobashi.monitoring.suspicions import Suspicion

Path = tuple[tuple[str, str, str], ...]


@dataclass(slots=True, kw_only=True)
class Case:
    """One look: the picture, the rules, and what was found."""

    picture: Picture
    rules: MonitorFile
    found: dict[str, Suspicion] = field(default_factory=dict)
    network: str | None = None  # key of what the parts of the network tell
    stopped: frozenset[str] = frozenset()  # sites that failed parts keep away

    def add(self, one: Suspicion) -> None:
        """Note something that nothing else explains."""
        self.found[one.key] = one

    def lay(self, key: str, links: Iterable[str | None], cause: CauseSeen | None = None) -> None:
        """Lay links to what was found already."""
        old = self.found[key]
        known = self.picture.settled.links
        more = {link for link in links if link is not None and link in known}
        tried = sentences.tried(cause.tries, cause.next_try) if cause else None
        self.found[key] = replace(old, links=old.links | more, tried=tried or old.tried)

    def name(self, site: str) -> str:
        """Return how people call a site."""
        known = self.picture.settled.sites.get(site)
        return known.name if known else site

    def contact(self, site: str) -> ContactView | None:
        """Return whom to call for a site."""
        known = self.picture.settled.sites.get(site)
        return self.called(known.contact if known else None)

    def called(self, contact: str | None) -> ContactView | None:
        """Return a contact by its id."""
        return self.picture.settled.contacts.get(contact or "")

    def links_over(self, near: str, far: str) -> frozenset[str]:
        """Return the links whose way goes from one site to the next."""
        return frozenset(
            name
            for name, link in self.picture.settled.links.items()
            if (near, far) in zip(link.sites, link.sites[1:], strict=False)
        )

    def links_by(self, site: str) -> frozenset[str]:
        """Return the links whose way touches a site."""
        links = self.picture.settled.links
        return frozenset(name for name, link in links.items() if site in link.sites)

    def answers(self, site: str) -> bool:
        """Whether the newest pulses reached a site."""
        said = self.picture.said
        return said is not None and any(
            word.site == site for way in said.ways for word in way.words
        )

    def path(self, way: Way) -> Path:
        """Return a way with the site that does not answer marked."""
        return self._marked(way.way, way.broken_to or "")

    def path_of(self, links: Iterable[str], side: str) -> Path:
        """Return the way of the first of ``links`` that passes ``side``."""
        known = self.picture.settled.links
        ways = (known[link].sites for link in links if link in known)
        return self._marked(next((sites for sites in ways if side in sites), ()), side)

    def _marked(self, sites: Iterable[str], bad: str) -> Path:
        steps: list[tuple[str, str, str]] = []
        states: Mapping[str, str] = {"ok": "ok", "bad": "unknown", "unknown": "unknown"}
        state = "ok"
        for site in sites:
            state = "bad" if site == bad else states[state]
            steps.append((site, self.name(site), state))
        return tuple(steps)
