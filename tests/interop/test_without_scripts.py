"""With JavaScript off, and on the real thing: a demo's gateways, signed in by hand."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumobashi.identity import Role
from kumobashi.testing.office import Office
from tests.interop.looking import PHONE, Looker, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.interop

PATHS = (
    "/",
    "/links",
    "/links/childcare-notices",
    "/plans/notice-attributes",
    "/workspace",
    "/nope",
)


def test_pages_say_the_same_without_scripts(browser: "Browser", open_house: str) -> None:
    told: list[list[str]] = []
    for scripts in (True, False):
        with Looker(browser, open_house, size=PHONE, scripts=scripts) as looker:
            texts = []
            for path in PATHS:
                looker.look(path)
                texts.append(looker.page.inner_text("body"))
                assert not looker.overflow(), path
            told.append(texts)

    assert told[0] == told[1]
    assert all(len(text) > 100 for text in told[0])


def test_searching_filtering_and_switching_work_without_scripts(
    browser: "Browser", open_house: str
) -> None:
    with Looker(browser, open_house, scripts=False) as looker:
        looker.look("/links")
        looker.page.fill("#q", "子育て")
        looker.page.click("form.filters button")
        looker.page.wait_for_url("**q=*")
        found = looker.page.locator("table.links tbody tr").count()
        looker.page.click("header .switches a[lang=en]")
        title = looker.page.title()

    assert found == 1
    assert "Links" in title or "link" in title.lower()


def test_signing_in_asking_and_signing_out_work_without_scripts(
    browser: "Browser", office: Office, hall: str
) -> None:
    address = "/plans/resident-to-long-term-care"
    with Looker(browser, hall, scripts=False) as looker:
        sign_in(looker, office.credentials(Role.OPERATOR))
        looker.look(address)
        looker.page.click("form.act button")
        looker.page.wait_for_load_state()
        asked = looker.page.inner_text("main")
        looker.page.click("header .me button")
        looker.page.wait_for_url("**/sign-in")
        looker.look("/")
        ended = looker.page.url

    assert "情報政策課 運用担当" in asked
    assert "/sign-in" in ended


def test_a_refused_sign_in_says_so_and_is_read_out(
    browser: "Browser", office: Office, hall: str, axe: str, entered: dict[Role, Path]
) -> None:
    with Looker(browser, hall) as looker:
        looker.look("/sign-in")
        wrong = {**office.credentials(Role.VIEWER), "password": "not the password"}
        for field, value in wrong.items():
            looker.page.fill(f"#{field}", value)
        looker.page.click("main button")
        looker.page.wait_for_selector("[role=alert]")
        broken = looker.violations(axe)
        described = looker.page.get_attribute("#name", "aria-describedby")

    assert not broken
    assert described == "refused"
