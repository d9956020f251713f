"""Agreements at a browser: everybody does what is theirs, and sees how far it is."""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from kumobashi.agreements.errors import NotAMember
from kumobashi.agreements.models import wish_of
from kumobashi.agreements.sql import agreements
from kumobashi.agreements.views import AgreementView
from kumobashi.console import error_pages
from kumobashi.identity import Accounts, Enrolment
from kumobashi.planning.sampling import write_sample
from kumobashi.service.endpoint_routes import agreement_desk, endpoint_routes
from kumobashi.service.gateway import Gateway
from kumobashi.service.settings import read_settings
from kumobashi.service.sign_on import sign_ons_of
from kumobashi.testing.agreement_story import PEOPLE, application
from kumobashi.testing.clocks import HandClock
from tests.unit.console import test_accessibility as sound
from tests.unit.console.conftest import Browser, sign_in, token_of
from tests.unit.console.test_accessibility import Page

SOUND = (
    sound.test_elements_are_nested_and_ids_unique,
    sound.test_the_page_says_its_language_and_title,
    sound.test_headings_begin_at_one_and_skip_no_level,
    sound.test_table_headers_have_a_scope,
    sound.test_every_link_button_field_and_picture_has_a_name,
    sound.test_what_is_referred_to_is_there,
    sound.test_regions_that_scroll_can_be_reached_by_keyboard,
    sound.test_nothing_is_inline_or_from_elsewhere,
)
LINK = "notice-attributes"


class Hall:
    """The real gateway of the hall, whose workers do not run, and the people of the sample."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(datetime(2026, 11, 22, 3, 0, tzinfo=UTC))
        self.folder = folder
        write_sample(folder, clock=self.clock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        private = folder / "private" / "hall-core"
        self.accounts = Accounts(private, tenant="999997", site="hall-core", clock=self.clock)
        self.people: dict[str, Enrolment] = {
            name: self.accounts.add(name, shown=shown, role=role)
            for name, (shown, role) in PEOPLE.items()
        }
        self._wait(self._open(folder))

    async def _open(self, folder: Path) -> None:
        self.gateway = Gateway(read_settings(folder, "hall-core", {}), self.clock)
        assert self.gateway.endpoint
        self.desk = agreement_desk(self.gateway, self.gateway.endpoint, self.accounts)
        routes = endpoint_routes(
            self.gateway, self.gateway.endpoint, sign_ons_of(self.gateway, self.gateway.endpoint)
        )
        self._application = Starlette(routes=routes, exception_handlers={**error_pages()})

    def enter(self, name: str) -> Browser:
        return sign_in(Browser(self._application, self._wait), self.people[name], self.clock)

    def applied(self, **more: object) -> AgreementView:
        wish = wish_of(application(LINK, date(2026, 11, 1), date(2027, 3, 31), **more))
        return self.desk.drafts.new(wish, self.desk.actor("tanaka"), submit=True)

    def close(self) -> None:
        self._wait(self.gateway.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.accounts.close()

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    made = Hall(tmp_path_factory.mktemp("hall") / "w")
    yield made
    made.close()


def does(browser: Browser, view: AgreementView, act: str, **fields: str) -> int:
    page = browser.get(f"/agreements/{view.agreement}/acts/{act}")
    head = re.search(r'name="head" value="(\d+)"', page.text)
    said = {"token": token_of(page), "head": head[1] if head else "0", **fields}
    return browser.post(f"/agreements/{view.agreement}/acts/{act}", said).status


def test_an_application_goes_from_desk_to_desk_until_its_notice_is_printed(hall: Hall) -> None:
    made = hall.applied()
    address = f"/agreements/{made.agreement}"
    for name, act, after in (
        ("sato", "review", "owner_review"),
        ("suzuki", "concur", "general_affairs_concur"),
        ("yamada", "approve", "in_force"),
    ):
        browser = hall.enter(name)
        assert f"{address}/acts/{act}" in browser.get(address).text
        assert browser.get(f"{address}/papers/notice").status >= 400
        fields = {"condition": "月に1度、件数を報告する"} if act == "approve" else {}
        assert does(browser, made, act, note="よろしい", **fields) == 303
        assert hall.desk.show(made.agreement).state == after

    page = hall.enter("tanaka").get(address).text
    for part in (
        "効力あり",
        "よろしい",
        "月に1度、件数を報告する",
        "架空クラウド株式会社",
        "決定通知書を開く",
    ):
        assert part in page
    paper = hall.enter("tanaka").get(f"{address}/papers/notice")
    assert "データ連携に係る利用協議決定通知書" in paper.text
    assert "sandbox" in paper.headers["content-security-policy"]
    assert "申請書" in hall.enter("tanaka").get(f"{address}/papers/application").text
    assert hall.enter("tanaka").get(f"{address}/papers/other").status == 404


def test_nobody_is_offered_or_may_send_what_is_not_theirs(hall: Hall) -> None:
    made = hall.applied()
    address = f"/agreements/{made.agreement}"
    tanaka = hall.enter("tanaka")
    page = tanaka.get(f"{address}/acts/review")
    assert "いま、あなたにできる手続はありません" in page.text
    fields = {"token": token_of(page), "head": str(made.head)}
    assert tanaka.post(f"{address}/acts/review", fields).status == 403
    for act in ("begin", "expire", "supersede"):
        assert tanaka.post(f"{address}/acts/{act}", fields).status in {403, 409}
    for act in ("create", "edit", "nonsense"):
        assert tanaka.get(f"{address}/acts/{act}").status == 404
    assert tanaka.post(f"{address}/acts/withdraw", {**fields, "token": "x"}).status == 403
    origin = "http://elsewhere"
    assert tanaka.post(f"{address}/acts/withdraw", fields, origin=origin).status == 403
    assert hall.desk.show(made.agreement).state == "applied"


def test_a_deputy_says_for_whom_and_the_page_names_both(hall: Hall) -> None:
    made = hall.applied()
    assert does(hall.enter("sato"), made, "review") == 303
    kato = hall.enter("kato")
    assert (
        "総務課 課長 鈴木 の代決として"
        in kato.get(f"/agreements/{made.agreement}/acts/concur").text
    )
    assert does(kato, made, "concur") == 403, "not as oneself"
    assert does(kato, made, "concur", instead_of="suzuki") == 303
    assert "suzuki（代 kato）" in kato.get(f"/agreements/{made.agreement}").text


def test_a_form_that_was_drawn_before_somebody_else_acted_does_nothing(hall: Hall) -> None:
    made = hall.applied()
    sato = hall.enter("sato")
    page = sato.get(f"/agreements/{made.agreement}/acts/return")
    fields = {"token": token_of(page), "head": str(made.head)}
    assert does(sato, made, "review") == 303
    answer = sato.post(f"/agreements/{made.agreement}/acts/return", fields)
    assert answer.status == 409
    assert hall.desk.show(made.agreement).state == "owner_review"


def test_attachments_are_kept_shown_and_taken_out_as_they_were(hall: Hall) -> None:
    wish = wish_of(application(LINK, date(2026, 11, 1), date(2027, 3, 31)))
    actor = hall.desk.actor("tanaka")
    made = hall.desk.drafts.new(wish, actor)
    hall.desk.drafts.attach(made.agreement, "仕様書 第1版.pdf", b"%PDF-1.7", actor)
    with pytest.raises(NotAMember):
        hall.desk.drafts.attach(made.agreement, "b.pdf", b"x", hall.desk.actor("sato"))
    kept = list((hall.folder / "var/hall-core/agreements").iterdir())
    assert len(kept) == 1, "what was refused is not kept"

    address = f"/agreements/{made.agreement}"
    sato = hall.enter("sato")
    assert f'href="{address}/files/1" download' in sato.get(address).text
    answer = sato.get(f"{address}/files/1")
    assert answer.body == b"%PDF-1.7"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E4")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert sato.get(f"{address}/files/2").status == 404
    kept[0].write_bytes(b"%PDF-1.8")
    assert sato.get(f"{address}/files/1").status == 500
    assert [one.code for one in hall.desk.verify().faults] == ["agreement.attachment_lost"]
    kept[0].write_bytes(b"%PDF-1.7")


REGISTER = """kumobashi: 1
processors:
  - name: 架空クラウド株式会社
    address: 架空県架空市雲橋町1-2-3
    task: お知らせ配信サービスの運用
    place: 東日本データセンター
    jurisdiction: JP
"""


def test_files_and_the_register_are_sent_from_the_browser(hall: Hall) -> None:
    wish = wish_of(application(LINK, date(2026, 11, 1), date(2027, 3, 31), processors=[]))
    made = hall.desk.drafts.new(wish, hall.desk.actor("tanaka"))
    address = f"/agreements/{made.agreement}"
    tanaka = hall.enter("tanaka")
    page = tanaka.get(address)
    for check in SOUND:
        check(Page(page.text))
    token = {"token": token_of(page)}
    body = bytes(range(256)) * 40 + b"\r\n--\r\n"

    assert tanaka.upload(f"{address}/files", token, "仕様書 第1版.pdf", body).status == 303
    assert tanaka.get(f"{address}/files/1").body == body
    assert "仕様書 第1版.pdf" in tanaka.get(address).text
    assert tanaka.upload(f"{address}/files", token, "../x.pdf", body).status == 422
    assert tanaka.upload(f"{address}/files", token, "x.pdf", b"").status == 422

    done = tanaka.upload(f"{address}/register", token, "台帳.yaml", REGISTER.encode())
    assert done.status == 303
    (line,) = hall.desk.show(made.agreement).processors
    assert line.name == "架空クラウド株式会社"
    wrong = REGISTER.replace("jurisdiction: JP", "jurisdiction: 日本")
    refused = tanaka.upload(f"{address}/register", token, "台帳.yaml", wrong.encode())
    assert refused.status >= 400
    assert "jurisdiction" in refused.text
    shift_jis = tanaka.upload(f"{address}/register", token, "台帳.yaml", REGISTER.encode("cp932"))
    assert "UTF-8" in shift_jis.text
    assert hall.desk.show(made.agreement).processors == (line,)


def test_a_file_is_taken_from_a_page_of_ours_and_whoever_may(hall: Hall) -> None:
    wish = wish_of(application(LINK, date(2026, 11, 1), date(2027, 3, 31)))
    made = hall.desk.drafts.new(wish, hall.desk.actor("tanaka"))
    address = f"/agreements/{made.agreement}"
    tanaka, sato = hall.enter("tanaka"), hall.enter("sato")
    page = sato.get(address)
    assert f'action="{address}/files"' not in page.text
    mine, theirs = {"token": token_of(tanaka.get(address))}, {"token": token_of(page)}
    for browser, token, origin in (
        (sato, theirs, "http://testserver"),  # not an applicant of the draft
        (tanaka, theirs, "http://testserver"),  # a form of another session
        (tanaka, mine, "http://elsewhere.example"),
        (tanaka, {}, "http://testserver"),
    ):
        answer = browser.upload(f"{address}/files", token, "a.pdf", b"x", origin=origin)
        assert 400 <= answer.status < 500
    large = tanaka.upload(f"{address}/files", mine, "a.pdf", bytes((10 << 20) + 50_000))
    assert large.status == 422
    assert tanaka.post(f"{address}/files", mine).status == 403  # no file in it
    assert hall.desk.show(made.agreement).attachments == ()


def test_the_list_is_searched_narrowed_and_shows_what_is_late(hall: Hall) -> None:
    made = hall.applied(purpose="防災のお知らせを届けるため")
    browser = hall.enter("sato")
    every = browser.get("/agreements").text
    assert made.name in every
    assert "手続待ち" in every
    found = browser.get("/agreements?q=防災").text
    assert f"/agreements/{made.agreement}" in found
    assert found.count('<th scope="row">') == 1
    assert f"/agreements/{made.agreement}" not in browser.get("/agreements?state=draft").text
    assert f"/agreements/{made.agreement}" in browser.get("/agreements?state=waiting").text
    assert browser.get("/agreements?state=nonsense&after=x").status == 200
    hall.clock.at += timedelta(days=9)
    late = hall.enter("sato").get("/agreements?q=防災").text
    assert "期限 7 日を 2 日過ぎました" in late
    unknown = "/agreements/019aa8d1-5b7c-7000-8000-000000000000"
    assert hall.enter("sato").get(unknown).status == 404


def test_many_are_turned_over_page_by_page(hall: Hall) -> None:
    actor = hall.desk.actor("tanaka")
    wish = wish_of(
        application(LINK, date(2026, 11, 1), date(2027, 3, 31), purpose="めくる", processors=[])
    )
    made = {hall.desk.drafts.new(wish, actor).agreement for _ in range(53)}
    browser = hall.enter("sato")
    first = browser.get("/agreements?q=めくる").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = browser.get(older[1].replace("&amp;", "&")).text
    seen = set(re.findall(r'href="/agreements/([0-9a-f-]{36})"', first + second))
    assert seen == made


def test_the_pages_are_sound_for_everybody_in_both_languages(hall: Hall) -> None:
    made = hall.applied()
    for name in ("sato", "tanaka"):
        browser = hall.enter(name)
        for address in (
            "/agreements",
            f"/agreements/new?link={LINK}",
            f"/agreements/{made.agreement}",
            f"/agreements/{made.agreement}/acts/review",
            f"/agreements/{made.agreement}/acts/withdraw",
        ):
            for lang in ("ja", "en"):
                answer = browser.get(f"{address}{'&' if '?' in address else '?'}lang={lang}")
                assert answer.status == 200
                for check in SOUND:
                    check(Page(answer.text))


def test_one_that_was_tampered_with_is_named_and_the_others_are_shown(hall: Hall) -> None:
    made, other = hall.applied(), hall.applied()
    forged = sa.update(agreements).where(agreements.c.agreement == made.agreement)
    store = hall.gateway.store
    store.write(lambda held: held.execute(forged.values(state="in_force")))
    browser = hall.enter("sato")
    page = browser.get("/agreements").text
    assert "監査担当に知らせてください" in page
    assert f"/agreements/{other.agreement}" in page
    assert f'href="/agreements/{made.agreement}"' not in page
    assert browser.get(f"/agreements/{made.agreement}").status == 500
    assert [fault.agreement for fault in hall.desk.verify().faults] == [made.agreement]


def test_an_application_is_drafted_corrected_and_applied_for_in_the_browser(hall: Hall) -> None:
    tanaka = hall.enter("tanaka")
    page = tanaka.get(f"/agreements/new?link={LINK}")
    assert f'value="{LINK}"' in page.text
    assert 'name="last" type="date" required value="2027-03-31"' in page.text
    said = {
        "token": token_of(page),
        "link": LINK,
        "owner_section": "市民課",
        "purpose": "長い目的" * 200 + "の終わり",
        "first": "2026-11-30",
        "last": "2026-11-01",
        "conditions": "一つ目\r\n\r\n 二つ目 ",
    }
    wrong = tanaka.post("/agreements/new", said)
    assert wrong.status in {400, 422}, wrong.status
    assert "期間の終わりの日が、始めの日より前です" in wrong.text
    assert said["purpose"] in wrong.text, "nothing that was typed is lost"

    done = tanaka.post("/agreements/new", {**said, "last": "2027-03-31"})
    assert done.status == 303
    agreement = done.headers["location"].rsplit("/", 1)[1]
    view = hall.desk.show(agreement)
    assert (view.state, view.purpose) == ("draft", said["purpose"])
    assert view.conditions == ("一つ目", "二つ目")

    shown = tanaka.get(f"/agreements/{agreement}").text
    assert f"/agreements/{agreement}/edit" in shown
    edit = tanaka.get(f"/agreements/{agreement}/edit")
    assert "二つ目" in edit.text
    changed = {**said, "token": token_of(edit), "last": "2027-03-31", "purpose": "短い目的"}
    assert tanaka.post(f"/agreements/{agreement}/edit", changed).status == 303
    assert hall.desk.show(agreement).purpose == "短い目的"

    assert does(tanaka, view, "submit") == 303
    assert hall.desk.show(agreement).state == "applied"
    assert tanaka.get(f"/agreements/{agreement}/edit").status == 303
    assert tanaka.post(f"/agreements/{agreement}/edit", changed).status == 409
    assert f"/agreements/{agreement}/edit" not in tanaka.get(f"/agreements/{agreement}").text


def test_who_may_not_apply_drafts_nothing(hall: Hall) -> None:
    before = len(hall.desk.listed(limit=500).views)
    sato = hall.enter("sato")
    page = sato.get("/agreements/new")
    assert "起案できるのは" in page.text
    said = {
        "token": token_of(page),
        "link": LINK,
        "owner_section": "市民課",
        "purpose": "x",
        "first": "2026-11-30",
        "last": "2027-03-31",
    }
    assert sato.post("/agreements/new", said).status == 403
    tanaka = hall.enter("tanaka")
    token = token_of(tanaka.get("/agreements/new"))
    assert tanaka.post("/agreements/new", {**said, "token": "other"}).status >= 400
    unknown = tanaka.post("/agreements/new", {**said, "token": token, "link": "no-such-link"})
    assert unknown.status == 404
    assert "no-such-link" in unknown.text
    assert len(hall.desk.listed(limit=500).views) == before


def test_the_morning_says_which_offices_are_waited_for(hall: Hall) -> None:
    made = hall.applied()
    browser = hall.enter("sato")
    morning = browser.get("/").text
    assert "手続を待っている利用協議" in morning
    assert f"/agreements/{made.agreement}" in morning
    assert does(browser, made, "return") == 303
    assert f"/agreements/{made.agreement}" not in browser.get("/").text
    for check in SOUND:
        check(Page(browser.get("/").text))
