"""Signing in, asking for an approval and giving it: two people, forms of ours only."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette

from kumobashi.console import console_routes, error_pages
from kumobashi.console.story import story_of
from kumobashi.identity import Accounts, Enrolment, Role
from kumobashi.kernel import business_date
from kumobashi.planning.measured import Measured
from kumobashi.planning.publishing import load_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load
from kumobashi.service.plan_desk import FILE, PlanDesk
from kumobashi.service.planned import Planned
from kumobashi.testing import scenes
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.clocks import HandClock
from tests.unit.console.conftest import Answer, Browser, sign_in, token_of

if TYPE_CHECKING:
    from kumobashi.evidence.entries import Entry

LINK = "notice-attributes"
REFUSED = "welfare-to-citizen-app"
ONLINE = "finance-collection"
COUNTED = Measured(
    on=date(2026, 11, 22),
    rows=401_877,
    extracted=412_330,
    without_consent=10_453,
    bytes=6_100_000,
    parts=4,
    smallest_class=10,
    rows_below_five=0,
    findings=(),
    losses=(),
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "city")


class Hall:
    """A console with plans and accounts over the sample workspace."""

    def __init__(self, folder: Path, var: Path) -> None:
        self.clock = HandClock()
        self.folder = folder
        self.accounts = Accounts(var, tenant="999997", site="hall-core", clock=self.clock)
        directory = load_directory(folder, now=self.clock.at)
        self.evidence: list[Entry] = []
        self.desk = PlanDesk(
            workspace=lambda: load(folder),
            directory=directory,
            planned=Planned(directory, lambda: business_date(self.clock.now())),
            site="hall-core",
            folder=var,
            clock=self.clock,
            count=lambda _workspace, _plan: COUNTED,
            note=self.evidence.append,
        )
        self.people: dict[str, Enrolment] = {}

    def browser(self) -> Browser:
        routes = console_routes(SceneBoard(scenes.morning), plans=self.desk, accounts=self.accounts)
        return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))

    def add(self, name: str, role: Role) -> None:
        self.people[name] = self.accounts.add(name, shown=f"{name} さん", role=role)

    def enter(self, name: str, browser: Browser | None = None) -> Browser:
        return sign_in(browser or self.browser(), self.people[name], self.clock)


@pytest.fixture
def hall(sample: Path, tmp_path: Path) -> Iterator[Hall]:
    for approval in (sample / "approvals").glob("*.yaml"):
        approval.unlink()
    held = Hall(sample, tmp_path / "var")
    yield held
    held.accounts.close()


def decide(browser: Browser, deed: str, link: str = LINK, **other: str) -> Answer:
    page = browser.get(f"/plans/{link}").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    digest = re.search(r'title="(sha256:[0-9a-f]{64})"', page)
    assert token
    assert digest
    fields = {"token": token[1], "hash": digest[1], **other}
    return browser.post(f"/plans/{link}/{deed}", fields)


def test_without_accounts_anybody_here_may_look_and_nobody_may_decide(hall: Hall) -> None:
    browser = hall.browser()

    page = browser.get(f"/plans/{LINK}")

    assert browser.get("/").status == 200
    assert page.status == 200
    assert "承認には利用者の登録が必要です" in page.text
    assert "<form" not in page.text
    assert browser.post(f"/plans/{LINK}/approve", {"hash": "x"}).status == 403
    assert not list((hall.folder / "approvals").glob("*.yaml"))


@pytest.mark.parametrize(
    "address", ["/", "/links", "/links/notice-attributes", "/links/x/findings.csv", "/plans"]
)
def test_with_accounts_every_page_asks_who_it_is(hall: Hall, address: str) -> None:
    hall.add("sato", Role.VIEWER)

    answer = hall.browser().get(address)

    assert answer.status == 303
    assert answer.headers["location"] == "/sign-in"
    assert hall.browser().get("/static/console.css").status == 200
    assert hall.enter("sato").get("/").status == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(hall: Hall) -> None:
    hall.add("sato", Role.VIEWER)
    browser = hall.enter("sato")

    answer = hall.browser().get("/sign-in")

    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert "kumo_session" in browser.cookies
    assert hall.people["sato"].password not in browser.get("/").text


def test_a_refused_sign_in_says_so_and_keeps_nobody_waiting_on_the_page(hall: Hall) -> None:
    hall.add("sato", Role.VIEWER)
    browser = hall.browser()
    token = token_of(browser.get("/sign-in"))

    answer = browser.post(
        "/sign-in", {"token": token, "name": "sato", "password": "wrong", "code": "1"}
    )

    assert answer.status == 401
    assert "どれかが違います" in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_a_form_from_another_site_is_refused(hall: Hall, origin: str) -> None:
    hall.add("sato", Role.OPERATOR)
    browser = hall.enter("sato")
    token = token_of(browser.get("/"))

    answer = browser.post("/sign-out", {"token": token}, origin=origin)

    assert answer.status == 403
    assert browser.get("/").status == 200  # still signed in


def test_signing_out_ends_the_session(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    browser = hall.enter("sato")
    held = dict(browser.cookies)

    browser.post("/sign-out", {"token": token_of(browser.get("/"))})
    browser.cookies = held

    assert browser.get("/").status == 303


def test_one_person_asks_another_approves_and_both_are_recorded(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    hall.add("suzuki", Role.APPROVER)
    operator, approver = hall.enter("sato"), hall.enter("suzuki")
    assert "承認を依頼する" in operator.get(f"/plans/{LINK}").text
    assert "承認する</button>" not in approver.get(f"/plans/{LINK}").text

    assert decide(operator, "propose").status == 303
    assert "401,877" in approver.get(f"/plans/{LINK}").text
    assert decide(approver, "approve").status == 303

    assert hall.desk.plan(LINK)["standing"] == "approved"  # type: ignore[index]
    approval = load(hall.folder).approvals[LINK]
    assert approval.by == "suzuki さん（suzuki、依頼 sato さん）"
    assert approval.counted is not None  # its bounds hold
    record = approver.get("/changes").text
    assert record.index("suzuki さん") < record.index("sato さん")
    assert "ディレクトリ第1版を発行" in record
    lines = [json.loads(line) for line in (hall.desk._file).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["proposed", "approved"]
    noted = [(entry.event, entry.by, entry.facts["plan_hash"]) for entry in hall.evidence]
    assert noted == [
        ("plan.proposed", "account:sato", approval.hash),
        ("plan.approved", "account:suzuki", approval.hash),
    ]
    assert all(entry.facts["legal_basis"] and entry.encode() for entry in hall.evidence)


def test_an_online_link_is_listed_shown_and_approved_by_two_without_counts(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    hall.add("suzuki", Role.APPROVER)
    operator, approver = hall.enter("sato"), hall.enter("suzuki")
    assert f'href="/plans/{ONLINE}"' in operator.get("/plans").text
    page = operator.get(f"/plans/{ONLINE}").text
    assert "収納 → 財務会計" in page
    assert "口座名義" in page
    assert "還付の事由" in page  # hidden, and said so

    assert decide(operator, "propose", ONLINE).status == 303
    assert decide(approver, "approve", ONLINE).status == 303

    approval = load(hall.folder).approvals[ONLINE]
    assert (approval.counted, approval.bounds) == (None, None)
    assert (hall.desk.plan(ONLINE) or {})["standing"] == "approved"
    assert hall.desk.explanation(ONLINE) is None
    assert {entry.facts["link"] for entry in hall.evidence} == {ONLINE}


def test_nobody_approves_what_they_have_asked_for(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    assert decide(hall.enter("sato"), "propose").status == 303
    # The account becomes an approver's: the same person still.
    hall.accounts.engine.dispose()
    with hall.accounts.writing() as connection:
        connection.exec_driver_sql("update accounts set role = 'approver'")
    approver = hall.enter("sato")

    assert "承認する</button>" not in approver.get(f"/plans/{LINK}").text
    answer = decide(approver, "approve")

    assert answer.status == 403
    assert "依頼した本人は承認できません。" in answer.text
    assert not list((hall.folder / "approvals").glob("*.yaml"))


@pytest.mark.parametrize(
    ("role", "deed"),
    [
        (Role.OPERATOR, "approve"),
        (Role.APPROVER, "propose"),
        (Role.AUDITOR, "propose"),
        (Role.VIEWER, "approve"),
    ],
)
def test_a_role_does_only_what_is_its_own(hall: Hall, role: Role, deed: str) -> None:
    hall.add("sato", role)

    answer = decide(hall.enter("sato"), deed)

    assert answer.status == 403
    assert "identity.not_permitted" in answer.text


def test_a_viewer_does_not_see_the_record(hall: Hall) -> None:
    hall.add("sato", Role.VIEWER)

    assert hall.enter("sato").get("/changes").status == 403


def test_a_plan_that_changed_since_it_was_shown_is_not_approved(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    hall.add("suzuki", Role.APPROVER)
    assert decide(hall.enter("sato"), "propose").status == 303

    answer = decide(hall.enter("suzuki"), "approve", hash="sha256:" + "0" * 64)

    assert answer.status == 409
    assert "service.plan_changed" in answer.text


def test_what_nobody_asked_for_is_not_approved(hall: Hall) -> None:
    hall.add("suzuki", Role.APPROVER)

    assert "service.not_proposed" in decide(hall.enter("suzuki"), "approve").text


def test_a_refused_plan_says_why_and_offers_no_approval(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    browser = hall.enter("sato")

    page = browser.get(f"/plans/{REFUSED}").text

    assert "送れません" in page
    assert "links/" in page
    assert "承認を依頼する" not in page
    assert decide(browser, "propose", REFUSED).status == 409


def test_half_a_line_of_a_crash_is_no_decision(hall: Hall) -> None:
    hall.add("sato", Role.OPERATOR)
    assert decide(hall.enter("sato"), "propose").status == 303
    file = hall.desk._file
    with file.open("a") as open_file:
        open_file.write('{"event": "appro')

    assert hall.desk.proposal(LINK) is not None
    assert decide(hall.enter("sato"), "propose").status == 303
    assert len(file.read_text().splitlines()) == 2
    assert file.name == FILE


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize(
    "address",
    ["/plans", f"/plans/{LINK}", f"/plans/{REFUSED}", f"/plans/{ONLINE}", "/sign-in", "/workspace"],
)
def test_pages_of_plans_are_drawn_in_both_languages(hall: Hall, address: str, lang: str) -> None:
    from tests.unit.console.test_accessibility import Page

    page = Page(hall.browser().get(f"{address}?lang={lang}").text)

    assert page.unclosed == []
    (html,) = page.all("html")
    assert html["lang"] == lang
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    labelled = {label["for"] for label in page.all("label")}
    fields = [field for field in page.all("input") if field.get("type") != "hidden"]
    assert all(field["id"] in labelled for field in fields)
    assert not [attributes for _, attributes in page.tags if "style" in attributes]


def test_a_story_that_tells_more_or_less_is_drawn_all_the_same(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = dict(hall.desk.plan(LINK) or {})
    more = {
        **told,
        "story": {"ja": "市が民間に渡します。", "en": "The city gives."},
        "expected": {"seconds": 3.0, "runs": 30},
        "items": [
            {"name": "a", "ja": "氏名", "form": "new", "before": "𠮷田", "after": "—", "x": 1}
        ],
        "unheard": {"of": [1, 2]},
    }

    assert story_of(more).items[0].before == "𠮷田"
    assert story_of(more).seconds == 3.0
    bare = story_of({"link": LINK, "standing": "unapproved", "reasons": None, "items": "odd"})
    assert (bare.items, bare.way, bare.seconds) == ((), (), None)
    monkeypatch.setattr(hall.desk, "plan", lambda _link: {"link": LINK, "standing": "approved"})
    assert hall.browser().get(f"/plans/{LINK}").status == 200
    assert replace(story_of(told), number="").is_permitted


def test_the_workspace_is_drawn(hall: Hall) -> None:
    assert 'src="/workspace/picture.svg" alt="' in hall.browser().get("/workspace").text
    picture = hall.browser().get("/workspace/picture.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "送れません" in picture.text  # the link that the plan refuses ends in words
    assert "script-src" not in picture.headers["content-security-policy"]
    assert "sandbox" in picture.headers["content-security-policy"]


def test_more_links_than_a_sheet_holds_are_not_drawn(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kumobashi.service.plan_desk._MOST_DRAWN", 3)

    assert "picture.svg" not in hall.browser().get("/workspace").text
    assert hall.browser().get("/workspace/picture.svg").status == 404


def test_a_link_leads_to_its_plan(hall: Hall) -> None:
    assert f'href="/plans/{LINK}"' in hall.browser().get(f"/links/{LINK}").text


def test_the_menu_names_only_pages_that_are_there(hall: Hall) -> None:
    alone = Browser(Starlette(routes=console_routes(SceneBoard(scenes.morning))))

    assert 'href="/plans"' in hall.browser().get("/").text
    assert 'href="/plans"' not in alone.get("/").text
