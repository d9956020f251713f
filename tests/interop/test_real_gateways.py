"""The console of real gateways: a demo's night, with a link that is red, and four people."""

from typing import TYPE_CHECKING

import pytest

from kumobashi.identity import Role
from tests.interop.conftest import RealHall
from tests.interop.looking import DESK, PHONE, Looker, sign_in
from tests.interop.test_every_page import faults

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.interop, pytest.mark.slow]

RED = "/links/childcare-notices"
PATHS = (
    "/",
    "/links",
    RED,
    "/links/notice-attributes",
    "/links/resident-to-nhi",
    "/links/welfare-to-citizen-app",
    "/plans",
    "/plans/notice-attributes",
    "/workspace",
    "/changes",
)


def test_a_night_seen_by_the_auditor_and_approved_by_two(
    browser: "Browser", real_hall: RealHall, axe: str
) -> None:
    found: list[str] = []
    for role, size, lang in (
        (Role.AUDITOR, PHONE, "ja"),
        (Role.OPERATOR, DESK, "en"),
        (Role.APPROVER, DESK, "ja"),
    ):
        with Looker(browser, real_hall.address, size=size, lang=lang) as looker:
            sign_in(looker, real_hall.credentials(role))
            for path in PATHS:
                found += faults(looker, path, 200, axe)
            looker.look(RED)
            told = looker.page.inner_text("main")
            # The demo's links are approved already: there is nothing to ask for, and no button.
            looker.look("/plans/notice-attributes")
            approved = looker.page.inner_text("main")
        if lang == "ja":
            assert "子育て通知サービスのデータベースに接続できません" in told
            assert "000-000-0013" in told
            assert "承認済" in approved

    assert not found, "\n".join(found)
