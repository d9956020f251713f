"""Find the way between two sites.

>>> from types import SimpleNamespace as S
>>> sites = {
...     "hall": S(
...         zone=Zone.MYNUMBER, connects_to=(S(site="relay", by="designated_communication"),)
...     ),
...     "relay": S(zone=Zone.LGWAN, connects_to=(S(site="cloud", by="ip_vpn"),)),
...     "cloud": S(zone=Zone.INTERNET, connects_to=()),
... }
>>> [(hop.from_site, hop.to_site, hop.by) for hop in route(sites, "hall", "cloud")]
[('hall', 'relay', 'designated_communication'), ('relay', 'cloud', 'ip_vpn')]
>>> [hop.by for hop in route(sites, "hall", "hall")]
['same_site']

Media go from the first site straight to the last, and only where no line leads.

>>> sites["island"] = S(zone=Zone.MYNUMBER, connects_to=())
>>> sites["hall"].connects_to += (S(site="island", by="courier"), S(site="cloud", by="courier"))
>>> [(hop.to_site, hop.by) for hop in route(sites, "hall", "island")]
[('island', 'courier')]
>>> [hop.by for hop in route(sites, "hall", "cloud")]
['designated_communication', 'ip_vpn']
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kumobashi.kernel import Zone
from kumobashi.routing.errors import NoWay, OnlyInward, PlaceUnknown

BY_COURIER = "courier"


class Opens(Protocol):
    """A connection that a place opens."""

    @property
    def site(self) -> str:
        """Where it leads."""

    @property
    def by(self) -> str:
        """What it runs over."""


class Place(Protocol):
    """What a site must tell for a way to be found."""

    @property
    def zone(self) -> Zone:
        """Its security zone."""

    @property
    def connects_to(self) -> Sequence[Opens]:
        """The connections it opens; nobody opens one to it in return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One connection on the way."""

    from_site: str
    to_site: str
    by: str  # "same_site": both ends are one site
    from_zone: Zone
    to_zone: Zone


def route(sites: Mapping[str, Place], from_site: str, to_site: str) -> tuple[Hop, ...]:
    """Return the shortest way; of two that are as short, the one that is written first.

    Raises:
        PlaceUnknown: one of the two is no site.
        NoWay: no chain of connections leads there; ``OnlyInward`` when one leads back.
    """
    for site in (from_site, to_site):
        if site not in sites:
            raise PlaceUnknown(site=site)
    if from_site == to_site:
        zone = sites[from_site].zone
        hop = Hop(
            from_site=from_site, to_site=to_site, by="same_site", from_zone=zone, to_zone=zone
        )
        return (hop,)
    reached = _reached(sites, from_site)
    if to_site not in reached:
        if any(c.site == to_site and c.by == BY_COURIER for c in sites[from_site].connects_to):
            here, there = sites[from_site].zone, sites[to_site].zone
            return (
                Hop(
                    from_site=from_site,
                    to_site=to_site,
                    by=BY_COURIER,
                    from_zone=here,
                    to_zone=there,
                ),
            )
        if from_site in _reached(sites, to_site):
            raise OnlyInward(from_site=from_site, to_site=to_site)
        last = next(reversed(reached))
        raise NoWay(from_site=from_site, to_site=to_site, reached="、".join(reached), last=last)
    hops: list[Hop] = []
    at = to_site
    while (last_hop := reached[at]) is not None:
        hops.insert(0, last_hop)
        at = last_hop.from_site
    return tuple(hops)


def _reached(sites: Mapping[str, Place], start: str) -> dict[str, Hop | None]:
    """Return every site that can be reached, with the last hop towards it, nearest first."""
    reached: dict[str, Hop | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for connection in sites[here].connects_to:
            there = connection.site
            if there in reached or there not in sites or connection.by == BY_COURIER:
                continue
            reached[there] = Hop(
                from_site=here,
                to_site=there,
                by=str(connection.by),
                from_zone=sites[here].zone,
                to_zone=sites[there].zone,
            )
            waiting.append(there)
    return reached
