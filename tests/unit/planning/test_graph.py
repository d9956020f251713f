"""The picture of a workspace: complete, deterministic, legible without colour."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

from kumobashi.planning.graph import graph
from kumobashi.planning.graph_parts import Box, Graph
from kumobashi.planning.graph_svg import svg
from kumobashi.planning.workspace import Workspace, load
from tests.unit.planning.test_plan import edit

NS = "{http://www.w3.org/2000/svg}"
REFUSED = ["welfare-to-citizen-app"]


def words(drawing: str) -> str:
    tree = ET.fromstring(drawing)  # noqa: S314 - our own drawing
    return "".join(text.text or "" for text in tree.iter(f"{NS}text"))


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def inside(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and inner.right <= outer.right
        and outer.y <= inner.y
        and inner.bottom <= outer.bottom
    )


def check(picture: Graph, workspace: Workspace) -> None:
    sites = {site.name: site for site in picture.sites}
    systems = {system.name: system for system in picture.systems}
    assert systems.keys() == workspace.systems.keys()
    assert sites.keys() == workspace.sites.keys()
    assert {lane.link for lane in picture.lanes} == workspace.links.keys()
    for name, box in systems.items():
        assert inside(box, sites[workspace.systems[name].site])
        assert not [other for other in systems.values() if other != box and overlap(box, other)]
    for one, other in pairwise(picture.sites):
        assert not overlap(one, other)
    for site in picture.sites:
        zone = workspace.sites[site.name].zone.value
        assert inside(site, next(band for band in picture.bands if band.name == zone))
    assert len({lane.y for lane in picture.lanes}) == len(picture.lanes)


def test_everything_of_the_sample_stands_in_the_picture_and_nothing_overlaps(
    workspace: Workspace,
) -> None:
    check(graph(workspace, refused=REFUSED), workspace)


def test_the_drawing_says_everything_in_words_too(workspace: Workspace) -> None:
    drawing = svg(graph(workspace, refused=REFUSED))

    told = words(drawing).replace("\n", "")
    assert "送れません" in told
    for system in workspace.systems.values():
        assert system.name in told
    for site in workspace.sites.values():
        assert site.name in told
        assert site.zone.ja in told
    for word in ("特定通信", "LGWAN", "IP-VPN", "封をしたまま通す"):
        assert word in told
    for link in workspace.links.values():
        assert link.name in told


def test_a_door_points_the_way_it_is_opened(workspace: Workspace) -> None:
    picture = graph(workspace)
    sites = {site.name: site for site in picture.sites}

    assert [(door.from_site, door.to_site) for door in picture.doors] == [
        ("asp-relay", "public-cloud"),
        ("hall-core", "hall-exchange"),
        ("hall-exchange", "asp-relay"),
    ]
    for door in picture.doors:
        assert door.points[0][0] == sites[door.from_site].right
        assert door.points[-1][0] == sites[door.to_site].x


def test_a_refused_link_ends_before_the_door(workspace: Workspace) -> None:
    picture = graph(workspace, refused=REFUSED)
    hall = next(site for site in picture.sites if site.name == "hall-core")

    (lane,) = [lane for lane in picture.lanes if lane.is_refused]
    assert lane.link == REFUSED[0]
    assert max(x for x, _ in lane.points) < hall.right


def test_the_same_files_give_the_same_drawing(folder: Path, workspace: Workspace) -> None:
    assert svg(graph(load(folder))) == svg(graph(workspace))


def test_the_drawing_fetches_and_runs_nothing(workspace: Workspace) -> None:
    drawing = svg(graph(workspace))

    assert "<script" not in drawing
    assert "href" not in drawing
    assert "url(http" not in drawing


def test_names_cannot_become_markup(folder: Path) -> None:
    edit(folder, "sites/public-cloud.yaml", "name: 公共クラウド", 'name: "<b>&雲"')

    drawing = svg(graph(load(folder)))

    ET.fromstring(drawing)  # noqa: S314 - our own drawing
    assert "&lt;b&gt;&amp;雲" in drawing


def test_a_link_between_two_receivers_and_a_second_cloud_find_their_place(folder: Path) -> None:
    """A chain: what the school got goes on to a second cloud, which no lane of the hall meets."""
    site = (folder / "sites/public-cloud.yaml").read_text("utf-8")
    site = site.replace("site: public-cloud", "site: school-cloud")
    (folder / "sites/school-cloud.yaml").write_text(site, encoding="utf-8")
    edit(
        folder,
        "sites/asp-relay.yaml",
        "- {site: public-cloud, by: ip_vpn}",
        "- {site: public-cloud, by: ip_vpn}\n  - {site: school-cloud, by: dedicated_line}",
    )
    system = (folder / "systems/school-register.yaml").read_text("utf-8")
    moved = system.replace("system: school-register", "system: school-app")
    moved = moved.replace("site: hall-core", "site: school-cloud")
    (folder / "systems/school-app.yaml").write_text(moved, encoding="utf-8")
    rule = (folder / "rules/resident-to-school.yaml").read_text("utf-8")
    rule = rule.replace("release: resident-to-school", "release: school-to-app")
    rule = rule.replace(
        "integrated-db.residents", "school-register.school_register_residents"
    ).replace('  only: {resident_status: ["1"]}\n', "")
    (folder / "rules/school-to-app.yaml").write_text(rule, encoding="utf-8")
    link = (folder / "links/resident-to-school.yaml").read_text("utf-8")
    link = link.replace("link: resident-to-school", "link: school-to-app")
    link = link.replace("release: resident-to-school", "release: school-to-app")
    link = link.replace("from: integrated-db", "from: school-register")
    link = link.replace("system: school-register,", "system: school-app,")
    (folder / "links/school-to-app.yaml").write_text(link, encoding="utf-8")
    workspace = load(folder)

    picture = graph(workspace)

    check(picture, workspace)
    assert len(picture.doors) == 4
