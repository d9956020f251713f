"""Without a mouse: everything can be reached, in the order it stands, and one sees where one is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumobashi.identity import Role
from tests.interop.looking import DESK, PHONE, Looker

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.interop

PATHS = (
    "/",
    "/links",
    "/links/vaccination-reminders",
    "/plans",
    "/plans/notice-attributes",
    "/workspace",
    "/changes",
    "/nope",
)
_MOST_STOPS = 400
_REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter(e => e.checkVisibility({visibilityProperty: true}))
  .map((e, at) => { e.dataset.stop = at; return at; })"""
_HERE = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    stop: Number(e.dataset.stop ?? -1),
    what: e.outerHTML.slice(0, 120),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    covered: Boolean(middle) && !e.contains(middle) && !middle.contains(e),
    small: box.width < 24 || box.height < 24,
  };
}"""


def walked(looker: Looker) -> tuple[list[int], list[dict[str, Any]]]:
    """Press Tab from the top to the end; return what could be reached, and each stop."""
    reachable = list(looker.page.evaluate(_REACHABLE))
    stops: list[dict[str, Any]] = []
    for _ in range(_MOST_STOPS):
        looker.page.keyboard.press("Tab")
        here = looker.page.evaluate(_HERE)
        if here is None or (stops and here["stop"] == stops[0]["stop"]):
            break
        stops.append(here)
    return reachable, stops


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", PATHS)
def test_tab_reaches_everything_in_order_and_shows_where_it_is(
    browser: "Browser",
    hall: str,
    entered: dict[Role, Path],
    path: str,
    size: tuple[int, int],
) -> None:
    with Looker(browser, hall, size=size, cookies=entered[Role.AUDITOR]) as looker:
        looker.look(path)
        reachable, stops = walked(looker)

    assert [stop["stop"] for stop in stops] == reachable
    assert [stop["what"] for stop in stops if not stop["ring"]] == []
    assert [stop["what"] for stop in stops if not stop["inside"] or stop["covered"]] == []


@pytest.mark.parametrize("path", PATHS)
def test_the_skip_link_comes_first_is_seen_and_leads_to_the_content(
    browser: "Browser", open_house: str, path: str
) -> None:
    with Looker(browser, open_house) as looker:
        looker.look(path)
        looker.page.keyboard.press("Tab")
        first = looker.page.evaluate(_HERE)
        looker.page.keyboard.press("Enter")
        looker.page.keyboard.press("Tab")
        in_content = looker.page.evaluate("() => Boolean(document.activeElement.closest('main'))")

    assert 'class="skip"' in first["what"]
    assert first["inside"]
    assert in_content or path == "/changes"


def test_targets_are_large_enough_for_a_finger(browser: "Browser", open_house: str) -> None:
    with Looker(browser, open_house, size=PHONE) as looker:
        small = []
        for path in PATHS:
            looker.look(path)
            # WCAG 2.2, 2.5.8: 24 by 24, links in a sentence and the skip link apart.
            small += [
                (path, what)
                for what in looker.page.evaluate(
                    """() => [...document.querySelectorAll("button, nav a, input, select, .button")]
                    .filter(e => e.checkVisibility() && e.type !== "hidden")
                    .filter(e => Math.min(e.getBoundingClientRect().width,
                                          e.getBoundingClientRect().height) < 24)
                    .map(e => e.outerHTML.slice(0, 100))"""
                )
            ]

    assert not small


def test_keys_search_and_walk_the_links(browser: "Browser", open_house: str) -> None:
    with Looker(browser, open_house) as looker:
        looker.look("/links")
        looker.page.keyboard.press("j")
        looker.page.keyboard.press("j")
        second = looker.page.evaluate("() => document.activeElement.href")
        looker.page.keyboard.press("k")
        first = looker.page.evaluate("() => document.activeElement.href")
        looker.page.keyboard.press("/")
        looker.page.keyboard.type("子育て")
        looker.page.keyboard.press("Enter")
        looker.page.wait_for_url("**/links?*q=*")
        found = looker.page.locator("table.links tbody tr").count()

    assert first != second
    assert "/links/" in first
    assert found == 1


def test_two_people_approve_with_keys_alone(
    browser: "Browser", hall: str, entered: dict[Role, Path]
) -> None:
    address = "/plans/resident-to-school"
    with Looker(browser, hall, cookies=entered[Role.OPERATOR]) as looker:
        looker.look(address)
        looker.page.locator("form.act button").focus()
        looker.page.keyboard.press("Enter")
        looker.page.wait_for_load_state()
        asked = looker.page.inner_text("main")
    with Looker(browser, hall, cookies=entered[Role.APPROVER]) as looker:
        looker.look(address)
        looker.page.locator("form.act button").focus()
        looker.page.keyboard.press("Enter")
        looker.page.wait_for_load_state()
        given = looker.page.inner_text("main")

    assert "情報政策課 運用担当" in asked
    assert "福祉課 課長" in given
    assert "承認済" in given
