"""Find the way of a call between two sites, along connections in either direction.

Where the site before opens the connection, it hands the call over; where only the site behind does
(into the hall nobody may), the call waits before it and is fetched. The answer goes back the way
that the call came.

>>> from types import SimpleNamespace as S
>>> from kumobashi.kernel import Zone
>>> sites = {
...     "hall": S(zone=Zone.MYNUMBER, connects_to=(S(site="relay", by="lgwan"),)),
...     "relay": S(zone=Zone.LGWAN, connects_to=()),
...     "cloud": S(zone=Zone.INTERNET, connects_to=(S(site="relay", by="ip_vpn"),)),
... }
>>> [(leg.next_site, leg.is_fetched) for leg in call_route(sites, "cloud", "hall")]
[('relay', False), ('hall', True)]
>>> [(leg.next_site, leg.is_fetched) for leg in call_route(sites, "relay", "hall")]
[('hall', True)]
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from kumobashi.routing.errors import NoWay, OnlyInward
from kumobashi.routing.finding import BY_COURIER, Hop, Place, route


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One connection on the way of a call."""

    hop: Hop  # as it is opened
    is_fetched: bool  # opened by the site that the call goes to

    @property
    def next_site(self) -> str:
        """Where the call is after it."""
        return self.hop.from_site if self.is_fetched else self.hop.to_site


def call_route(sites: Mapping[str, Place], from_site: str, to_site: str) -> tuple[Leg, ...]:
    """Return the way of a call: handed over all along if it can be, else fetched, else both.

    Every site on it that asks for the rest of the way gets the rest of this one, so a call never
    goes in a circle.

    Raises:
        PlaceUnknown: one of the two is no site.
        NoWay: no chain of connections joins them.
    """
    try:
        return tuple(Leg(hop=hop, is_fetched=False) for hop in route(sites, from_site, to_site))
    except OnlyInward:
        back = route(sites, to_site, from_site)
        return tuple(Leg(hop=hop, is_fetched=True) for hop in reversed(back))
    except NoWay:
        found = _either_way(sites, from_site, to_site)
        if found is None:
            raise
        return found


def _either_way(sites: Mapping[str, Place], from_site: str, to_site: str) -> tuple[Leg, ...] | None:
    """Return the shortest way that may change between handing over and fetching."""
    reached: dict[str, tuple[Leg, ...]] = {from_site: ()}
    waiting = deque([from_site])
    while waiting:
        here = waiting.popleft()
        for leg in _legs(sites, here):
            if leg.next_site not in reached:
                reached[leg.next_site] = (*reached[here], leg)
                waiting.append(leg.next_site)
    return reached.get(to_site)


def _legs(sites: Mapping[str, Place], here: str) -> list[Leg]:
    return [
        Leg(hop=_hop(sites, one, connection.site, str(connection.by)), is_fetched=one != here)
        for one, place in sites.items()
        for connection in place.connects_to
        if here in {one, connection.site} and connection.site in sites
        if connection.by != BY_COURIER
    ]


def _hop(sites: Mapping[str, Place], from_site: str, to_site: str, by: str) -> Hop:
    here, there = sites[from_site].zone, sites[to_site].zone
    return Hop(from_site=from_site, to_site=to_site, by=by, from_zone=here, to_zone=there)
