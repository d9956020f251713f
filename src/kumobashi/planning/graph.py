"""Where everything of a workspace's picture lies: zones, sites, systems, doors and links.

Every link is one lane, straight from left to right. A system's box covers the lanes that begin or
end in it, a site's box covers its systems, a zone is a band behind its sites. The same files give
the same picture, to the pixel; ``graph_svg`` draws it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kumobashi.kernel import Zone
from kumobashi.planning.graph_parts import Box, DoorArrow, Graph, Lane
from kumobashi.planning.workspace import Workspace
from kumobashi.routing.errors import RoutingFailed
from kumobashi.routing.finding import route

LANE = 46  # pixels from one lane to the next
HEAD = 64  # of a site: name, provider, and the doors
TOP, MARGIN = 92, 28
_SYSTEM, _RELAY = 146, 146  # widths
_MIDDLE, _DOOR, _PAD = 252, 92, 16
_BACK = 15  # how far left of a column its own lanes run
_ZONES = (Zone.MYNUMBER, Zone.LGWAN, Zone.INTERNET)


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
            width = inner + 2 * _PAD + _left_room(sub) if sub else _RELAY
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
            left = site.x + _PAD + _left_room([side])
            x = left if side == "left" else site.right - _PAD - _SYSTEM
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
                points, label = self._door(here, there)
                yield DoorArrow(
                    from_site=name,
                    to_site=connection.site,
                    by=connection.by,
                    points=points,
                    label=label,
                )

    def _door(self, here: Box, there: Box) -> tuple[tuple[tuple[int, int], ...], tuple[int, int]]:
        """Return a straight arrow to a neighbour on the right, else one over the boxes between."""
        if self.columns.index(there.name) - self.columns.index(here.name) == 1:
            y = TOP + HEAD // 2
            return ((here.right, y), (there.x, y)), ((here.right + there.x) // 2, y - 16)
        up, start, end = TOP - 13, here.right - 18, there.x + 18
        points = ((start, TOP), (start, up), (end, up), (end, TOP))
        before = there.x - _DOOR // 2 if here.x < there.x else there.right + _DOOR // 2
        return points, (before, up)

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
                points = _to(source, target, y)
            columns = len(self.workspace.rules[link.release].columns)
            mode = {"full": "全件", "difference": "差分"}[link.mode]
            when = f"毎日 {link.schedule.daily}・" if link.schedule else ""
            yield Lane(
                number=number,
                link=way.link,
                name=link.name,
                note=f"{when}{mode}・{columns} 項目",
                y=y,
                start=start,
                points=points,
                label_width=self._room(source, target, sites[way.sites[0]]),
                sealed=tuple(
                    (sites[site].x, sites[site].right) for site in way.sites[1:-1] if not is_refused
                ),
                is_refused=is_refused,
            )

    def _room(self, source: Box, target: Box, home: Box) -> int:
        """Return how wide a lane's words may be: to its receiver, or to the edge of the site."""
        ends = min(target.x, home.right)
        return (ends if ends > source.right else source.right + _MIDDLE) - source.right - 50

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


def _left_room(sub: Sequence[str]) -> int:
    """Return the room left of a column of givers, for lines that stay in it."""
    return 14 if "left" in sub else 0


def _to(source: Box, target: Box, y: int) -> tuple[tuple[int, int], ...]:
    """Return a lane's way: straight, round a corner, or back along the left of one column."""
    middle = target.y + target.height // 2
    if target.x < source.right:
        margin = source.x - _BACK
        return (source.x, y), (margin, y), (margin, middle), (target.x, middle)
    if target.y < y < target.bottom:
        return (source.right, y), (target.x, y)
    corner = target.x - 24
    return (source.right, y), (corner, y), (corner, middle), (target.x, middle)


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
