"""Try from a running site what its network lets through: what is allowed, and what is not.

From one site only what it opens can be tried: every site does it for itself. A connection is opened
and closed at once; nothing is sent. What is neither taken nor refused is dropped on the way.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from kumobashi.planning.net_rules import NetRules
from kumobashi.planning.workspace import Workspace

# What gets in the way of a list of exactly one port: remote shells, file shares, databases, web.
OFTEN_OPEN: Final = (22, 80, 139, 443, 445, 1433, 1521, 3306, 3389, 5432, 5985, 8080)
_SECONDS: Final = 2.0
_AT_ONCE: Final = 16
_MOST: Final = 2000
Done = Callable[[int, int, str], None]


class Found(StrEnum):
    """What a try came to."""

    OPEN = "open"
    REFUSED = "refused"  # the host answers, nobody listens
    DROPPED = "dropped"  # no answer in time
    UNREACHABLE = "unreachable"  # no way there


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One connection to be tried."""

    to_site: str
    host: str
    port: int
    is_allowed: bool
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of it."""

    probe: Probe
    found: Found

    @property
    def is_right(self) -> bool:
        """Whether the network does what the list says."""
        return (self.found is Found.OPEN) is self.probe.is_allowed


def probes_from(workspace: Workspace, found: NetRules, site: str) -> tuple[Probe, ...]:
    """Return what to try from a site: its own rules, and whatever else the workspace knows of."""
    mine = {rule.target.site: rule for rule in found.rules if rule.source.site == site}
    taken: dict[tuple[str, int], Probe] = {}
    for to_site, rule in mine.items():
        host = _host(workspace, to_site)
        taken[host, rule.port] = Probe(
            to_site=to_site, host=host, port=rule.port, is_allowed=True, links=rule.links
        )
    own = _host(workspace, site)
    for probe in _others(workspace, site):
        if probe.host != own or probe.port not in OFTEN_OPEN:  # our own services are ours
            taken.setdefault((probe.host, probe.port), probe)
    return tuple(list(taken.values())[:_MOST])


def _others(workspace: Workspace, site: str) -> Iterator[Probe]:
    """Give the gateway of every other site, then the ports that often stand open."""
    others = [name for name in workspace.sites if name != site]
    for name in others:
        parts = urlsplit(workspace.sites[name].url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = _host(workspace, name)
        yield Probe(to_site=name, host=host, port=port, is_allowed=False)
    for name in others:
        for port in OFTEN_OPEN:
            host = _host(workspace, name)
            yield Probe(to_site=name, host=host, port=port, is_allowed=False)


def try_all(probes: Sequence[Probe], told: Done = lambda *_: None) -> tuple[Tried, ...]:
    """Try them, some at once, and return what they came to, in order."""
    tried: list[Tried] = []
    with ThreadPoolExecutor(_AT_ONCE, "probe") as pool:
        for probe, found in zip(probes, pool.map(_try, probes), strict=True):
            tried.append(Tried(probe=probe, found=found))
            told(len(tried), len(probes), probe.to_site)
    return tuple(tried)


def _try(probe: Probe) -> Found:
    try:
        with socket.create_connection((probe.host, probe.port), timeout=_SECONDS):
            return Found.OPEN
    except ConnectionRefusedError:
        return Found.REFUSED
    except TimeoutError:
        return Found.DROPPED
    except OSError:
        return Found.UNREACHABLE


def _host(workspace: Workspace, site: str) -> str:
    """Return the address on the wire where it is written, else that of the url."""
    held = workspace.sites[site]
    return str(held.network.ip) if held.network else urlsplit(held.url).hostname or ""
