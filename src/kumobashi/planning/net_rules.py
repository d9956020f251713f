"""The allow list of 特定通信: exactly the connections that the declared links need.

One rule a connection between two gateways, in the direction in which it is opened: from whom (MAC
and IP) to whom, by which protocol and port, from which segment into which, and which device
enforces it. Answers come back on the same connection; nothing is opened for them. Source: the
guideline on local governments' information security policies (特定通信: limited by MAC, IP,
protocol and port); its wording is not compared with the original here (未確認).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kumobashi.directory.models import By
from kumobashi.planning.ways import call_way, way_of
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.finding import Hop

PROTOCOL: Final = "TCP"
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a rule; empty texts are what nobody wrote down yet."""

    site: str
    name: str
    ip: str = ""
    mac: str = ""
    segment: str = ""
    device: str = ""
    device_kind: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of the site's ``network`` that are not written."""
        return () if self.ip else ("ip", "mac", "segment", "device")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetRule:
    """One connection that is allowed; everything else is not."""

    source: End
    target: End
    by: str  # lgwan, designated_communication, …
    port: int
    links: tuple[str, ...]  # that need it
    protocol: str = PROTOCOL


@dataclass(frozen=True, slots=True, kw_only=True)
class NetRules:
    """What is allowed, and what the workspace could do without."""

    rules: tuple[NetRule, ...]
    unused: tuple[tuple[str, str], ...]  # connections that are written down, and no link needs

    @property
    def missing(self) -> tuple[str, ...]:
        """The sites whose ``network`` is not written."""
        ends = {end.site: end for rule in self.rules for end in (rule.source, rule.target)}
        return tuple(site for site, end in sorted(ends.items()) if end.missing)


def net_rules(workspace: Workspace) -> NetRules:
    """Return the allow list of all links, whether or not they are approved."""
    needed: dict[tuple[str, str, str], list[str]] = {}
    for link, hop in _hops(workspace):
        if is_line(hop):
            needed.setdefault((hop.from_site, hop.to_site, str(hop.by)), []).append(link)
    written = [
        (name, one.site, str(one.by))
        for name, site in workspace.sites.items()
        for one in site.connects_to
        if one.by is not By.COURIER
    ]
    return NetRules(
        rules=tuple(
            rule_between(workspace, *key, links=tuple(dict.fromkeys(needed[key])))
            for key in written
            if key in needed
        ),
        unused=tuple((key[0], key[1]) for key in written if key not in needed),
    )


def is_line(hop: Hop) -> bool:
    """Whether a hop goes over a network at all."""
    return hop.by not in {By.COURIER, "same_site"}


def rule_between(
    workspace: Workspace, from_site: str, to_site: str, by: str, *, links: tuple[str, ...]
) -> NetRule:
    """Return the rule of one connection."""
    return NetRule(
        source=_end(workspace, from_site),
        target=_end(workspace, to_site),
        by=by,
        port=_port(workspace.sites[to_site].url),
        links=links,
    )


def _hops(workspace: Workspace) -> Iterator[tuple[str, Hop]]:
    systems = workspace.systems
    for name, link in workspace.links.items():
        way, _ = way_of(workspace, systems[link.from_].site, systems[link.to.system].site)
        yield from ((name, hop) for hop in way)
    for name, call in workspace.calls.items():
        answering = systems[call.from_]
        for site in (answering.site, *(one.site for one in answering.standby)):
            found, _ = call_way(workspace, systems[call.to].site, site)
            yield from ((name, hop) for hop in found.hops)


def _end(workspace: Workspace, site: str) -> End:
    held = workspace.sites[site]
    if held.network is None:
        return End(site=site, name=held.name)
    network = held.network
    return End(
        site=site,
        name=held.name,
        ip=str(network.ip),
        mac=network.mac,
        segment=network.segment,
        device=network.device.name,
        device_kind=network.device.kind,
    )


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]
