"""Where everything of a workspace's picture lies: zones, sites, systems, doors and links.

Every link is one lane, straight from left to right. A system's box covers the lanes that begin or
end in it, a site's box covers its systems, a zone is a band behind its sites. The same files give
the same picture, to the pixel; ``graph_svg`` draws it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kumobashi.directory.models import By
from kumobashi.kernel import Zone
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import route

LANE = 46  # pixels from one lane to the next
HEAD = 64  # of a site: name, provider, and the doors
TOP, MARGIN = 92, 28
_SYSTEM, _RELAY = 146, 146  # widths
_MIDDLE, _DOOR, _PAD = 252, 92, 16
_ZONES = (Zone.MYNUMBER, Zone.LGWAN, Zone.INTERNET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with its words."""

    name: str
    title: str
    note: str
    x: int
    y: int
    width: int
    height: int
    is_relay: bool = False

    @property
    def right(self) -> int:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorArrow:
    """A connection that one site opens to another."""

    from_site: str
    to_site: str
    by: By
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A link from its source to its receiver; ``stop`` is where a refused one ends."""

    number: int
    link: str
    name: str
    note: str
    y: int
    points: tuple[tuple[int, int], ...]
    label_width: int
    sealed: tuple[tuple[int, int], ...]  # from x to x: inside relays, which cannot read it
    is_refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The whole picture, in pixels from the upper left corner."""

    title: str
    width: int
    height: int
    bands: tuple[Box, ...]
    sites: tuple[Box, ...]
    systems: tuple[Box, ...]
    doors: tuple[DoorArrow, ...]
    lanes: tuple[Lane, ...]
    reads: tuple[tuple[tuple[int, int], ...], ...]  # from a system that a rule joins to its source


def graph(workspace: Workspace, *, refused: Sequence[str] = ()) -> Graph:
    """Lay the workspace out; links in ``refused`` end before the first door."""
    return _Layout(workspace, frozenset(refused)).graph()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    link: str
    sites: tuple[str, ...]
    source: str
    target: str


class _Layout:
    def __init__(self, workspace: Workspace, refused: frozenset[str]) -> None:
        self.workspace = workspace
        self.refused = refused
        self.columns = _columns(workspace)
        self.ways = sorted(_ways(workspace), key=self._order)
        self.senders = {way.source for way in self.ways}
        self.read = {
            (workspace.dataset(reference)[0].system, link.from_)
            for link in workspace.links.values()
            for reference in workspace.rules[link.release].datasets.values()
        }
        self.lane_y = {
            way.link: TOP + HEAD + LANE * number + LANE // 2 for number, way in enumerate(self.ways)
        }
        self.idle = self._idle()
        rows = len(self.ways) + max((len(held) for held in self.idle.values()), default=0)
        self.bottom = TOP + HEAD + LANE * max(rows, 1) + _PAD

    def _order(self, way: _Way) -> tuple[object, ...]:
        """Sort lanes: those that stay inside first, then by where they end."""
        link = self.workspace.links[way.link]
        daily = link.schedule.daily if link.schedule else "~"
        return (
            way.source,
            len(way.sites),
            way.sites,
            self._first_of(way.target),
            way.target,
            daily,
        )

    def _first_of(self, target: str) -> str:
        days = [
            link.schedule.daily if link.schedule else "~"
            for link in self.workspace.links.values()
            if link.to.system == target
        ]
        return min(days, default="~")

    def _idle(self) -> dict[str, list[str]]:
        """Return the systems without a lane, by site: they stand below the lanes."""
        busy = {way.source for way in self.ways} | {way.target for way in self.ways}
        found: dict[str, list[str]] = {}
        for name, system in self.workspace.systems.items():
            if name not in busy:
                found.setdefault(system.site, []).append(name)
        return found

    def graph(self) -> Graph:
        sites = self._sites()
        systems = self._systems(sites)
        by_name = {box.name: box for box in systems}
        width = max((box.right for box in sites.values()), default=400) + MARGIN + _PAD
        town = self.workspace.municipality
        return Graph(
            title=f"{town.municipality.name}（{town.municipality.code}）の連携"
            f" ── {town.network_model.ja}",
            width=width,
            height=self.bottom + _PAD + MARGIN + 14,
            bands=tuple(self._bands(sites)),
            sites=tuple(sites.values()),
            systems=systems,
            doors=tuple(self._doors(sites)),
            lanes=tuple(self._lanes(sites, by_name)),
            reads=tuple(self._reads(by_name)),
        )

    # -- boxes ----------------------------------------------------------------------------------

    def _sites(self) -> dict[str, Box]:
        found, x = {}, MARGIN + _PAD
        for site in self.columns:
            held = self.workspace.sites[site]
            sub = self._sub_columns(site)
            inner = _SYSTEM * len(sub) + _MIDDLE * max(0, len(sub) - 1)
            if sub == ["left"]:  # room for the labels of what leaves
                inner += _MIDDLE
            width = inner + 2 * _PAD if sub else _RELAY
            found[site] = Box(
                name=site,
                title=held.name,
                note=held.provider,
                x=x,
                y=TOP,
                width=width,
                height=self.bottom - TOP,
                is_relay=held.role == "relay",
            )
            x += width + _DOOR
        return found

    def _sub_columns(self, site: str) -> list[str]:
        sides = {self._side(name) for name, s in self.workspace.systems.items() if s.site == site}
        return [side for side in ("left", "right") if side in sides]

    def _side(self, system: str) -> str:
        """Return left for who gives, right for who takes; what only stands there, on the left."""
        if system in self.senders or any(system == giver for giver, _ in self.read):
            return "left"
        return "right" if any(way.target == system for way in self.ways) else "left"

    def _systems(self, sites: Mapping[str, Box]) -> tuple[Box, ...]:
        found = []
        below = {site: TOP + HEAD + LANE * len(self.ways) for site in sites}
        for name, system in self.workspace.systems.items():
            site = sites[system.site]
            side = self._side(name)
            x = site.x + _PAD if side == "left" else site.right - _PAD - _SYSTEM
            lanes = [
                self.lane_y[way.link]
                for way in self.ways
                if (way.source == name if name in self.senders else way.target == name)
            ]
            if lanes:
                top, height = min(lanes) - LANE // 2 + 5, max(lanes) - min(lanes) + LANE - 10
            else:
                top, height = below[system.site] + 5, LANE - 10
                below[system.site] += LANE
            found.append(
                Box(
                    name=name,
                    title=system.name,
                    note=_KINDS[system.kind],
                    x=x,
                    y=top,
                    width=_SYSTEM,
                    height=height,
                )
            )
        return tuple(found)

    def _bands(self, sites: Mapping[str, Box]) -> Iterator[Box]:
        for zone in _ZONES:
            held = [sites[s] for s in self.columns if self.workspace.sites[s].zone is zone]
            if held:
                x = min(box.x for box in held) - _PAD
                yield Box(
                    name=zone.value,
                    title=zone.ja,
                    note="",
                    x=x,
                    y=TOP - 40,
                    width=max(box.right for box in held) + _PAD - x,
                    height=self.bottom - TOP + 40 + _PAD,
                )

    # -- lines ----------------------------------------------------------------------------------

    def _doors(self, sites: Mapping[str, Box]) -> Iterator[DoorArrow]:
        for name, site in self.workspace.sites.items():
            for connection in site.connects_to:
                here, there = sites[name], sites[connection.site]
                step = abs(self.columns.index(connection.site) - self.columns.index(name)) - 1
                y = TOP + HEAD // 2 - 14 * min(step, 2)
                if here.x < there.x:
                    start, end = (here.right, y), (there.x, y)
                else:
                    start, end = (here.x, y + 20), (there.right, y + 20)
                yield DoorArrow(
                    from_site=name,
                    to_site=connection.site,
                    by=connection.by,
                    start=start,
                    end=end,
                )

    def _lanes(self, sites: Mapping[str, Box], systems: Mapping[str, Box]) -> Iterator[Lane]:
        for number, way in enumerate(self.ways, 1):
            link, y = self.workspace.links[way.link], self.lane_y[way.link]
            source, target = systems[way.source], systems[way.target]
            is_refused = way.link in self.refused
            start = (source.right, y)
            if is_refused:
                edge = sites[way.sites[0]].right - _PAD
                points: tuple[tuple[int, int], ...] = (start, (edge, y))
            else:
                points = (start, *_into(target, y, is_back=target.x < source.right))
            columns = len(self.workspace.rules[link.release].columns)
            mode = {"full": "全件", "difference": "差分"}[link.mode]
            when = f"毎日 {link.schedule.daily}・" if link.schedule else ""
            yield Lane(
                number=number,
                link=way.link,
                name=link.name,
                note=f"{when}{mode}・{columns} 項目",
                y=y,
                points=points,
                label_width=((min(sites[way.sites[0]].right, target.x)) - source.right - 50),
                sealed=tuple(
                    (sites[site].x, sites[site].right) for site in way.sites[1:-1] if not is_refused
                ),
                is_refused=is_refused,
            )

    def _reads(self, systems: Mapping[str, Box]) -> Iterator[tuple[tuple[int, int], ...]]:
        """Give the lines from a system whose rows a rule joins to the one that sends them."""
        for giver, sender in sorted(self.read):
            here, there = systems[giver], systems[sender]
            if giver == sender or here.x != there.x:
                continue
            x = here.x - 7
            y = here.y + here.height // 2
            end = there.bottom - 14 if there.y < here.y else there.y + 14
            yield (here.x, y), (x, y), (x, end), (there.x, end)


def _into(target: Box, y: int, *, is_back: bool) -> tuple[tuple[int, int], ...]:
    """Return the last points of a lane: straight in, or round a corner where the box is not."""
    edge = target.right if is_back else target.x
    if target.y < y < target.bottom and not is_back:
        return ((edge, y),)
    corner = edge + 24 if is_back else edge - 24
    middle = target.y + target.height // 2
    return (corner, y), (corner, middle), (edge, middle)


def _columns(workspace: Workspace) -> tuple[str, ...]:
    """Return the sites from left to right: by zone, then by how far a link has come."""
    depth = dict.fromkeys(workspace.sites, 0)
    for _ in workspace.sites:  # long enough for any chain; a circle simply ends
        for name, site in workspace.sites.items():
            for connection in site.connects_to:
                if workspace.sites[connection.site].zone is site.zone:
                    depth[connection.site] = min(
                        max(depth[connection.site], depth[name] + 1), len(depth)
                    )
    order = {zone: number for number, zone in enumerate(_ZONES)}
    return tuple(
        sorted(workspace.sites, key=lambda n: (order[workspace.sites[n].zone], depth[n], n))
    )


def _ways(workspace: Workspace) -> Iterator[_Way]:
    for name, link in workspace.links.items():
        here, there = workspace.systems[link.from_].site, workspace.systems[link.to.system].site
        try:
            hops = route(workspace.sites, here, there)
        except RoutingFailed:
            sites: tuple[str, ...] = (here, there)
        else:
            sites = tuple(dict.fromkeys([here, *(hop.to_site for hop in hops)]))
        yield _Way(link=name, sites=sites, source=link.from_, target=link.to.system)


_KINDS = {
    "standard": "標準化対象の業務",
    "local_policy": "独自施策",
    "legacy": "既存",
    "external": "外部",
}
