"""Which receivers are reached over which next hop, and how a hop is asked how things stand."""

from kumobashi.exchange.identity import Identity
from kumobashi.exchange.line import Line
from kumobashi.routing.errors import RoutingFailed

_POLL_SECONDS = 20


def behind_each_hop(identity: Identity) -> dict[str, frozenset[str]]:
    """Return, by next hop, the sites that are reached over it."""
    found: dict[str, set[str]] = {}
    for site in identity.directory.sites:
        try:
            found.setdefault(identity.next_hop(site), set()).add(site)
        except RoutingFailed:
            continue  # nothing is ever sent there from here
    return {hop: frozenset(sites) for hop, sites in found.items()}


def polls_at_once(line: Line) -> int:
    """Return how many of a peer's connections may stand open to wait for news."""
    at_once = line.profile.at_once
    return max(1, at_once - max(1, at_once // 4))


def poll_seconds(line: Line) -> int:
    """Return how long one of them may be waited upon; the only connection not for long."""
    if line.profile.at_once == 1:
        return 1
    return min(_POLL_SECONDS, line.profile.answer_seconds // 2)
