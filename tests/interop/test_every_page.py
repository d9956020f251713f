"""Every page, in both languages, from the phone to the projector, as each role: axe and manners."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumobashi.identity import Role
from kumobashi.testing import scenes
from kumobashi.testing.office import Office
from tests.interop.looking import DESK, PHONE, PROJECTOR, Looker

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.interop

LINKS = tuple(link.link for link in scenes.every_light().links)
PLANS = ("notice-attributes", "resident-to-school", "welfare-to-citizen-app", "resident-to-nhi")
GATE = "/links/notice-attributes/gate"
GATES = ("notice-attributes", "care-visits", "campaign-targets", "resident-to-nhi")
PAGES = {
    "/": 200,
    "/links": 200,
    "/links?state=stopped&q=e&dates=western": 200,
    "/links?q=nothing-is-called-so": 200,
    **{f"/links/{link}": 200 for link in LINKS},
    "/links/vaccination-reminders?page=2": 200,
    **{f"/links/{link}/gate": 200 for link in GATES},
    "/links/notice-attributes/gate?of=plan": 200,
    "/plans": 200,
    **{f"/plans/{link}": 200 for link in PLANS},
    "/workspace": 200,
    "/changes": 200,
    "/sign-in": 200,
    "/nope": 404,
}
SIZES = {"phone": PHONE, "desk": DESK, "projector": PROJECTOR}
OF_ROLES = (
    "/",
    "/links",
    "/links/vaccination-reminders",
    "/links/notice-attributes/gate",
    "/plans",
    "/plans/notice-attributes",
    "/workspace",
    "/changes",
)


def faults(looker: Looker, path: str, status: int, axe: str) -> list[str]:
    """Return everything that is wrong with a page as this browser shows it."""
    looker.said.clear()
    looker.asked.clear()
    got = looker.look(path)
    found = [] if got == status else [f"status {got}, not {status}"]
    found += looker.violations(axe)
    found += [f"wider than the window: {what}" for what in looker.overflow()]
    # A browser reports each answer of 404 and 403 in its console; that is the page we asked for.
    found += [said for said in looker.said if not (status >= 400 and f"status of {status}" in said)]
    found += [f"asked elsewhere: {asked}" for asked in looker.elsewhere()]
    return [f"{path} {looker.lang}: {one}" for one in found]


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_as_it_should_be(
    browser: "Browser", open_house: str, axe: str, size: str, lang: str
) -> None:
    with Looker(browser, open_house, size=SIZES[size], lang=lang) as looker:
        found = [one for path, status in PAGES.items() for one in faults(looker, path, status, axe)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("role", list(Role))
def test_pages_are_as_they_should_be_for_each_role(
    browser: "Browser",
    hall: str,
    office: Office,
    entered: dict[Role, Path],
    axe: str,
    role: Role,
    lang: str,
) -> None:
    kept = Role.AUDITOR
    wanted = {
        path: 403
        if path == "/changes" and role not in {kept, Role.APPROVER, Role.OPERATOR}
        else 200
        for path in OF_ROLES
    }
    with Looker(browser, hall, size=PHONE, lang=lang, cookies=entered[role]) as looker:
        found = [
            one for path, status in wanted.items() for one in faults(looker, path, status, axe)
        ]
        assert office.people[role].account.shown in looker.page.inner_text("header")

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "shown", [{"colours": "dark"}, {"forced_colours": True}], ids=["dark", "forced"]
)
def test_other_colours_leave_nothing_unreadable(
    browser: "Browser", open_house: str, axe: str, shown: dict[str, object]
) -> None:
    with Looker(browser, open_house, **shown) as looker:  # type: ignore[arg-type]
        found = [
            one
            for path in (
                "/",
                "/links",
                "/links/childcare-notices",
                "/plans/notice-attributes",
                GATE,
            )
            for one in faults(looker, path, 200, axe)
        ]

    assert not found, "\n".join(found)


def test_a_fault_would_be_seen(browser: "Browser", open_house: str, axe: str) -> None:
    with Looker(browser, open_house, size=PHONE) as looker:
        looker.look("/")
        looker.page.evaluate(
            """() => { const wide = document.createElement("img");
            wide.src = "http://example.invalid/x.png"; wide.width = 2000;
            document.querySelector("main").append(wide);
            console.error("oops"); }"""
        )
        looker.page.wait_for_timeout(200)

        assert any("image-alt" in one for one in looker.violations(axe))
        assert looker.overflow()
        assert any("oops" in said for said in looker.said)
        assert looker.elsewhere() == ["http://example.invalid/x.png"]
