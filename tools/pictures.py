"""Takes the pictures in ``docs/pictures``: `make pictures`.

    python -m tools.pictures              all of them
    python -m tools.pictures plan links   these
    python -m tools.pictures --list       their names, and what each one shows

A made morning, a clock that stands still and keys made of names (:mod:`kumobashi.testing.office`):
the same tree, browser and fonts give the same bytes, so a picture changes when its page does.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from kumobashi.exchange.views import Overview
from kumobashi.identity import Role
from kumobashi.planning.graph import graph
from kumobashi.planning.graph_svg import svg
from kumobashi.planning.workspace import load
from kumobashi.testing import scenes
from kumobashi.testing.fault_night import FAULT
from kumobashi.testing.office import Office, served
from tools import browsing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LARGEST_BYTES = 150_000
REFUSED = ("welfare-to-citizen-app",)
_MARGIN = 12  # pixels around a part of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page, or the part of it that ``part`` selects, as somebody sees it."""

    name: str
    shows: str
    path: str
    scene: Callable[[], Overview] = scenes.every_light
    role: Role | None = None
    is_watched: bool = False
    part: str = ""
    width: int = 960
    height: int = 900


DRAWN = "workspace.svg"  # by `kumobashi workspace graph`, without a browser
PROPOSED = "notice-attributes"  # an operator asks for it before the pictures of deciding
GATE = "/links/notice-attributes/gate"
PICTURES = (
    Picture(
        name="console",
        shows="the morning page: one link has stopped, why, whom to call",
        path="/",
        scene=scenes.morning,
        width=1080,
        height=860,
    ),
    Picture(
        name="console-phone",
        shows="the same on a phone",
        path="/",
        scene=scenes.morning,
        width=360,
        height=740,
    ),
    Picture(name="links", shows="連携状況一覧 with each light", path="/links", height=1000),
    Picture(
        name="link-stopped",
        shows="a link that has stopped: its way, cause and contact",
        path="/links/childcare-notices",
        height=820,
    ),
    Picture(
        name="receipts",
        shows="four signed receipts",
        path="/links/notice-attributes",
        part="section[aria-labelledby=receipts]",
    ),
    Picture(
        name="findings",
        shows="findings: line, item, expected, got",
        path="/links/resident-to-nhi",
        part="section[aria-labelledby=findings]",
    ),
    Picture(
        name="fault",
        shows="a fault: side, telephone number, who was told, what was done",
        path=f"/faults/{FAULT}",
        is_watched=True,
        height=1120,
    ),
    Picture(
        name="status",
        shows="状態: each site, its week, its clock",
        path="/status",
        is_watched=True,
        width=1180,
        height=560,
    ),
    Picture(
        name="accounts",
        shows="who may do what, and what to look at",
        path="/accounts",
        role=Role.APPROVER,
        is_watched=True,
        width=1180,
        height=620,
    ),
    Picture(
        name="evidence",
        shows="records that can be proved, and a night that somebody answers for",
        path="/evidence",
        role=Role.APPROVER,
        is_watched=True,
        width=1180,
        height=900,
    ),
    Picture(
        name="plan",
        shows="what becomes of each item",
        path="/plans/notice-attributes",
        part="section[aria-labelledby=items]",
        height=640,
    ),
    Picture(
        name="plan-refused",
        shows="a plan that is refused: article, form, line of the file",
        path="/plans/welfare-to-citizen-app",
        part="section[aria-labelledby=verdict]",
    ),
    Picture(
        name="gate",
        shows="what the gate measured, and the steps that it climbed",
        path="/links/notice-attributes",
        part="section[aria-labelledby=k]",
    ),
    Picture(
        name="gate-refused",
        shows="a transfer that the gate refused: why, and the three ways out",
        path="/links/care-visits",
        part="section[aria-labelledby=k]",
    ),
    Picture(
        name="gate-question",
        shows="what someone who knows a neighbour's birthday could learn",
        path=GATE,
        part="section[aria-labelledby=question]",
    ),
    Picture(
        name="gate-ladders",
        shows="an invented resident at every step of the ladders",
        path=GATE,
        part="section[aria-labelledby=ladders]",
        width=1200,
    ),
    Picture(
        name="gate-bars",
        shows="how many people look alike, as written and as it leaves",
        path=GATE,
        part="section[aria-labelledby=bars]",
    ),
    Picture(
        name="gate-predicate",
        shows="what leaves of the invented resident, with predicate-only beside it",
        path=GATE,
        part="section[aria-labelledby=becomes]",
        height=700,
    ),
    Picture(name="sign-in", shows="signing in", path="/sign-in", role=None, height=620),
    Picture(
        name="propose",
        shows="an operator may ask for approval",
        path="/plans/resident-to-nhi",
        role=Role.OPERATOR,
        part="section[aria-labelledby=approval]",
    ),
    Picture(
        name="approve",
        shows="another person may approve what was asked for",
        path=f"/plans/{PROPOSED}",
        role=Role.APPROVER,
        part="section[aria-labelledby=approval]",
    ),
    Picture(
        name="changes",
        shows="who asked, who approved, when",
        path="/changes",
        role=Role.AUDITOR,
        height=560,
    ),
)


def take(wanted: Sequence[str], folder: Path = FOLDER) -> list[Path]:
    """Write the pictures of these names, all without any; return their files.

    Raises:
        BrowserMissing: see :mod:`tools.browsing`.
        ValueError: no picture of that name, or one larger than a page should carry.
    """
    if unknown := set(wanted) - {"workspace"} - {one.name for one in PICTURES}:
        raise ValueError(f"no such picture: {', '.join(sorted(unknown))}")
    chosen = [one for one in PICTURES if not wanted or one.name in wanted]
    written = []
    if not wanted or "workspace" in wanted:
        written.append(_draw(folder))
    if chosen:
        with browsing.browser() as browser:
            for scene in dict.fromkeys(one.scene for one in chosen):
                group = [one for one in chosen if one.scene is scene]
                written += _of_scene(browser, scene, group, folder)
    return written


def _draw(folder: Path) -> Path:
    with tempfile.TemporaryDirectory() as made:
        office = Office(Path(made), scenes.morning, signs_in=False)
        drawn = svg(graph(load(office.folder), refused=list(REFUSED)))
    target = folder / DRAWN
    target.write_text(drawn, encoding="utf-8")
    return target


def _of_scene(
    browser: "Browser", scene: Callable[[], Overview], group: list[Picture], folder: Path
) -> list[Path]:
    written = []
    for signs_in, is_watched in product((False, True), repeat=2):
        mine = [
            one
            for one in group
            if (one.role is not None or one.name == "sign-in") == signs_in
            and one.is_watched == is_watched
        ]
        if not mine:
            continue
        with tempfile.TemporaryDirectory() as made:
            office = Office(Path(made), scene, signs_in=signs_in, is_watched=is_watched)
            with served(office.application) as address:
                if signs_in and not is_watched:
                    office.propose(PROPOSED)
                written += [_one(browser, office, address, one, folder) for one in mine]
            office.close()
    return written


def _one(browser: "Browser", office: Office, address: str, one: Picture, folder: Path) -> Path:
    context = browser.new_context(
        base_url=address,
        viewport={"width": one.width, "height": one.height},
        locale="ja-JP",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        if one.role is not None:
            page.goto("/sign-in")
            for field, value in office.credentials(one.role).items():
                page.fill(f"#{field}", value)
            page.click("main button[type=submit]")
            page.wait_for_url(f"{address}/")
        page.goto(one.path)
        image = _part(page, one) if one.part else page.screenshot()
    finally:
        context.close()
    if len(image) > LARGEST_BYTES:
        raise ValueError(f"{one.name}: {len(image):,} bytes, more than {LARGEST_BYTES:,}")
    target = folder / f"{one.name}.png"
    target.write_bytes(image)
    return target


def _part(page: "Page", one: Picture) -> bytes:
    box = page.locator(one.part).bounding_box()
    if box is None:
        raise ValueError(f"{one.name}: {one.part} is not on {one.path}")
    clip = {
        "x": max(0, box["x"] - _MARGIN),
        "y": max(0, box["y"] - _MARGIN),
        "width": box["width"] + 2 * _MARGIN,
        "height": min(box["height"] + 2 * _MARGIN, one.height),
    }
    return bytes(page.screenshot(clip=clip, full_page=True))  # type: ignore[arg-type,unused-ignore]


def main(arguments: list[str]) -> int:
    """Take the pictures and say how large each is; 1 when there is no browser."""
    if arguments == ["--list"]:
        for one in PICTURES:
            print(f"{one.name:14} {one.shows}")
        return 0
    try:
        for written in take(arguments):
            print(f"{written.name:20} {written.stat().st_size / 1000:6.1f} kB")
    except browsing.BrowserMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
