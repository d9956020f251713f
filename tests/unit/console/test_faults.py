"""The pages of faults and sites, over a real book: what is wrong, and what people say of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.identity import Accounts, Enrolment, Role
from kumobashi.monitoring.book import FaultBook, watch_file
from kumobashi.monitoring.following import Change, Turn
from kumobashi.monitoring.health import Hours
from kumobashi.service.fault_desk import FaultDesk
from kumobashi.testing import scenes
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Browser, sign_in, token_of
from tests.unit.monitoring.pictures import CLOUD, DESK, NOW, RELAY, picture, said, settled, way
from tests.unit.monitoring.test_following import suspicion

FAULT = "0199f0a0-0000-7000-8000-00000a1b2c3d"
PATH = (("hall", "庁内", "ok"), (RELAY, "中継", "ok"), (CLOUD, "雲<b>", "bad"))


class Office:
    """A console with faults and accounts."""

    def __init__(self, var: Path) -> None:
        self.clock = HandClock(NOW)
        self.file = watch_file(var)
        self.book = FaultBook(self.file, tenant="999997", site="hall", clock=self.clock)
        self.hours = Hours(self.file, "999997")
        self.accounts = Accounts(var, tenant="999997", site="hall", clock=self.clock)
        self.desk = FaultDesk(var, tenant="999997", site="hall", clock=self.clock)
        self.people: dict[str, Enrolment] = {}

    def fails(self, turn: Turn = Turn.OPENED, **more: Any) -> None:
        seen = suspicion(contact=DESK, path=PATH, **more)
        self.book.turn(Change(turn=turn, fault=FAULT, suspicion=seen))

    def looks(self) -> None:
        facts = settled("one")
        for number in range(12):
            far = CLOUD if number % 2 else None
            at = NOW - timedelta(hours=number)
            self.hours.look(replace(picture(said(way(broken_to=far)), facts), now=at))
        links = {
            "one": {
                "name": "連携一",
                "daily": None,
                "deadline": None,
                "sites": ["hall", RELAY, CLOUD],
                "contact": None,
            }
        }
        sites = {s: {"name": f"サイト{s}", "contact": None} for s in ("hall", RELAY, CLOUD)}
        whole = {
            "municipality": ["999997", "架空市"],
            "sites": sites,
            "contacts": {},
            "links": links,
        }
        self.book.looked("1", whole)

    def browser(self) -> Browser:
        routes = console_routes(
            SceneBoard(scenes.morning), faults=self.desk, accounts=self.accounts
        )
        return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))

    def enter(self, role: Role) -> Browser:
        name = role.value
        if name not in self.people:
            self.people[name] = self.accounts.add(name, shown=f"{role.ja}さん", role=role)
        self.clock.at += timedelta(seconds=30)
        return sign_in(self.browser(), self.people[name], self.clock)

    def close(self) -> None:
        self.book.close()
        self.accounts.close()
        self.desk._book.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    held = Office(tmp_path)
    yield held
    held.close()


def test_without_a_watch_the_page_says_how_to_start_one(office: Office) -> None:
    page = office.browser().get("/faults").text
    assert "見張りはまだ始められていません" in page
    assert "kumobashi watch --site" in page
    assert "いま、障害はありません" in page


def test_a_watch_that_stopped_looking_is_told_on_the_morning_page(office: Office) -> None:
    office.looks()
    assert "見張りが動いていません" not in office.browser().get("/").text
    office.clock.at += timedelta(minutes=10)
    assert "見張りが動いていません" in office.browser().get("/").text


def test_the_morning_names_cause_side_number_and_what_was_tried(office: Office) -> None:
    office.fails(side_name="架空クラウド")
    page = office.browser().get("/").text
    for said_there in ("架空クラウド", "架空窓口", "tel:000-000-0000", "検知②"):
        assert said_there in page
    assert "雲&lt;b&gt;" in page, "names are escaped"


def test_a_fault_is_taken_noted_and_closed_with_its_cause(office: Office) -> None:
    office.fails()
    clerk = office.enter(Role.OPERATOR)
    address = f"/faults/{FAULT}"
    token = token_of(clerk.get(address))

    assert clerk.post(f"{address}/take", {"token": token}).status == 303
    said_there = {"token": token, "kind": "enquiry", "text": "窓口に<i>3件</i>"}
    assert clerk.post(f"{address}/note", said_there).status == 303
    early = clerk.post(f"{address}/close", {"token": token, "cause": "手順の誤り"})
    assert (early.status, "障害が続いているため" in early.text) == (409, True)
    office.fails(Turn.ENDED)
    assert clerk.post(f"{address}/close", {"token": token, "cause": "手順の誤り"}).status == 303

    page = clerk.get(address).text
    assert "運用さん" in page
    assert "窓口に&lt;i&gt;3件&lt;/i&gt;" in page
    report = clerk.get(f"{address}/report").text
    for line in ("障害報告書", "手順の誤り", "問い合わせ", "復旧"):
        assert line in report


@pytest.mark.parametrize("deed", ["take", "note", "close"])
def test_who_may_only_look_changes_nothing(office: Office, deed: str) -> None:
    office.fails()
    viewer = office.enter(Role.VIEWER)
    token = token_of(viewer.get(f"/faults/{FAULT}"))

    answer = viewer.post(f"/faults/{FAULT}/{deed}", {"token": token, "text": "x", "cause": "x"})

    assert answer.status == 403
    assert [entry.kind for entry in office.book.get(FAULT).entries] == ["opened"]


def test_a_note_without_words_is_refused(office: Office) -> None:
    office.fails()
    clerk = office.enter(Role.OPERATOR)
    token = token_of(clerk.get(f"/faults/{FAULT}"))
    answer = clerk.post(f"/faults/{FAULT}/note", {"token": token, "text": " \x00 "})
    assert (answer.status, "monitor.note_missing" in answer.text) == (400, True)


def test_the_status_shows_every_site_with_its_hours_and_clock(office: Office) -> None:
    office.looks()
    office.fails()
    page = office.browser().get("/status").text
    assert page.count('class="hours"') == 3
    assert "1 個のサイトに異常があります" in page
    assert "±" in page


def test_a_site_has_a_page_with_its_faults_and_links(office: Office) -> None:
    office.looks()
    office.fails()
    page = office.browser().get(f"/sites/{CLOUD}").text
    assert "1B2C3D" in page
    assert office.browser().get("/sites/elsewhere").status == 404


def test_an_unknown_fault_and_a_strange_page_number_are_no_failure(office: Office) -> None:
    assert office.browser().get("/faults/%25").status == 404
    assert office.browser().get("/faults?page=-1").status == 200
    assert office.browser().get("/faults?page=99999999999").status == 200
    assert office.browser().get("/faults?lang=en").status == 200
