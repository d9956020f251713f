import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest

from kumobashi.console import labels, wording
from kumobashi.console.reading import Mark
from kumobashi.console.reconciling import Verdict
from kumobashi.exchange.views import (
    Light,
    LinkView,
    OpenIncident,
    OverdueMedia,
    OverdueRequest,
    Overview,
    Progress,
    ReportClock,
    TransferView,
    Words,
)
from kumobashi.kernel import Finding, KumobashiError, Language, Zone
from kumobashi.testing import scenes
from kumobashi.testing.views import Run, link_of, overview_of

Console = Callable[..., Any]
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


def _newest(link: LinkView) -> TransferView:
    assert link.latest is not None
    return link.latest


def test_the_overview_answers_in_one_sentence(console: Console) -> None:
    page = console(scenes.morning).get("/").text

    assert "5件中 3件 取込済み、1件 停止、1件 送れません" in page
    assert "令和8年11月22日（日）7:42 現在" in page
    assert "対象 11月22日分" in page


def test_the_overview_speaks_english(console: Console) -> None:
    page = console(scenes.morning).get("/?lang=en").text

    assert '<html lang="en">' in page
    assert "Of 5: 3 applied, 1 stopped, 1 blocked by plan" in page
    assert 'href="/links/childcare-notices"' in page


def test_a_red_link_says_cause_effect_whom_to_call_and_what_happens_by_itself(
    console: Console,
) -> None:
    page = console(scenes.morning).get("/").text

    assert "公共クラウド側が応答していません。" in page
    assert "LGWAN-ASP 中継までは届いています。" in page
    assert "38,214人分のデータが 11月21日分のままです。" in page
    assert "期限 6:00 を 1時間42分 過ぎています。" in page
    assert '<a class="phone" href="tel:000-0000-0202">000-0000-0202</a>' in page
    assert "次は 7:55 に自動で試します。" in page
    assert "残り 5部分から再開します。" in page


def test_media_that_should_be_back_are_told_in_the_morning(console: Console) -> None:
    late = OverdueMedia(
        permit="019aa8d1-5b7c-7000-8000-0123456789ab",
        labels=("USB-012", HOSTILE),
        to_site="public-cloud",
        return_by=date(2026, 11, 20),
    )

    page = console(lambda: replace(scenes.morning(), overdue_media=(late,))).get("/").text

    assert "返却期日を過ぎた媒体" in page
    assert "USB-012" in page
    assert "2026-11-20" in page
    assert HOSTILE not in page
    assert "返却期日を過ぎた媒体" not in console(scenes.morning).get("/").text


def test_an_overdue_request_of_a_resident_is_told_in_the_morning(console: Console) -> None:
    late = OverdueRequest(
        request="019aa8d1-5b7c-7000-8000-0123456789ab",
        kind="disclosure",
        kind_ja="開示請求",
        due=date(2026, 11, 20),
    )

    page = console(lambda: replace(scenes.morning(), overdue_requests=(late,))).get("/").text

    assert "期限を過ぎた開示等の請求" in page
    assert "開示請求 ― 決定の期限 2026-11-20" in page
    assert "期限を過ぎた開示等の請求" not in console(scenes.morning).get("/").text


def test_an_open_incident_is_told_in_the_morning_with_both_clocks(console: Console) -> None:
    soon = ReportClock(report="prompt", due=date(2026, 11, 24), days_left=2, level="soon")
    done = ReportClock(report="final", due=date(2026, 12, 19), days_left=27, level="done")
    found = OpenIncident(
        incident="019aa8d1-5b7c-7000-8000-0123456789ab",
        link="notice-attributes",
        noticed=datetime(2026, 11, 20, tzinfo=UTC),
        clocks=(soon, done),
    )
    touched = OpenIncident(incident="019aa8d1-5b7c", link=None, noticed=None, clocks=())

    page = console(lambda: replace(scenes.morning(), incidents=(found, touched))).get("/").text

    assert "漏えい等の事案" in page
    assert "速報: 2026-11-24 まで（あと 2 日）" in page
    assert "確報: 済" in page
    assert "書いたときのままではありません" in page
    assert "漏えい等の事案" not in console(scenes.morning).get("/").text


def test_links_come_red_first(console: Console) -> None:
    page = console(scenes.every_light).get("/").text
    table = page[page.index("<tbody") :]

    order = ["childcare-notices", "tax-notices", "benefit-targets", "care-notices", "library-cards"]
    places = [table.index(f'id="link-{link}"') for link in order]
    assert places == sorted(places)
    assert places[-1] < table.index('id="link-notice-attributes"')


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_light_filters_the_table_and_has_a_page(
    console: Console, light: Light, lang: Language
) -> None:
    browser = console(scenes.every_light)

    page = browser.get(f"/links?state={light}&lang={lang}")
    table = page.text[page.text.index("<tbody") :]

    shown = [link for link in scenes.every_light().links if f'id="link-{link.link}"' in table]
    assert shown
    assert {link.light for link in shown} == {light}
    for link in shown:
        answer = browser.get(f"/links/{link.link}?lang={lang}")
        assert answer.status == 200
        assert wording.pick(labels.LIGHTS[light], lang) in answer.text


@pytest.mark.parametrize("typed", ["国保", "resident-to-nhi", "ＲＥＳＩＤＥＮＴ　ｎｈｉ"])
def test_search_folds_width_and_case(console: Console, typed: str) -> None:
    table = console(scenes.morning).get(f"/links?q={typed}").text.partition("<tbody")[2]

    assert 'id="link-resident-to-nhi"' in table
    assert 'id="link-notice-attributes"' not in table


def test_a_search_without_match_says_so(console: Console) -> None:
    page = console(scenes.morning).get("/links?q=zzz").text

    assert "条件に合う連携はありません。" in page
    assert "<tbody" not in page


@pytest.mark.parametrize(
    "query", ["state=nonsense", "page=-1", "lang=xx", "q=%00%ff", "page=9" * 9]
)
def test_odd_parameters_do_no_harm(console: Console, query: str) -> None:
    browser = console(scenes.morning)

    assert browser.get(f"/links?{query}").status == 200
    assert browser.get(f"/links/notice-attributes?{query}").status == 200


def test_hostile_names_stay_text(console: Console) -> None:
    stop = scenes.stopped()
    newest = _newest(stop)
    assert newest.cause is not None
    found = Finding(code=HOSTILE, line=1, item=HOSTILE, expected=HOSTILE, got=HOSTILE)
    cause = replace(newest.cause, what=replace(newest.cause.what, ja=HOSTILE))
    latest = replace(newest, cause=cause, findings=(found,), findings_total=1)
    hostile = replace(
        stop, name=HOSTILE, to_name=HOSTILE, latest=latest, blocked=(replace(cause.what),)
    )
    browser = console(lambda: overview_of(hostile))

    for address in ("/", f"/links?q={HOSTILE.replace('#', '')}", "/links/childcare-notices"):
        page = browser.get(address).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;" in page


def test_a_page_polls_only_while_something_runs(console: Console) -> None:
    running = console(scenes.every_light)
    still = console(scenes.morning)

    assert 'hx-trigger="every 3s"' in running.get("/").text
    assert 'hx-trigger="every 3s"' in running.get("/links/library-cards").text
    for page in (
        running.get("/links/notice-attributes"),
        still.get("/"),
        still.get("/links/childcare-notices"),
    ):
        assert "hx-trigger" not in page.text
        assert "htmx" not in page.text.partition("<body>")[2]


def test_no_links_and_all_links_alike_have_their_sentence(console: Console) -> None:
    assert "連携はまだありません" in console(overview_of).get("/").text
    alike = overview_of(scenes.applied(), scenes.in_the_hall())
    assert "2件すべて 取込済み" in console(lambda: alike).get("/").text


def test_a_link_shows_stages_receipts_counts_and_k(console: Console) -> None:
    page = console(scenes.morning).get("/links/notice-attributes").text

    assert "令和8年11月22日（日）分を 1:20 に取り込みました。" in page
    assert "マイナンバー利用事務系" in page
    for label in ("抽出", "封緘", "送達", "到達", "復号", "検証", "取込"):
        assert label in page
    assert "同意なし <b>10,453</b>" in page
    assert page.count("合っています") == 4
    assert "同じに見える 10 人より少なくは絞れず" in page
    digest = _newest(scenes.applied()).receipts[0].digest
    assert f'title="{digest}"' in page
    assert "匿名" not in page


def test_a_transfer_without_a_gate_tells_of_k_alone(console: Console) -> None:
    page = console(scenes.morning).get("/links/vaccination-reminders").text

    assert "本人を含めて 3人しかいない組があります" in page
    assert "危険度の確認" not in page


def test_counts_that_do_not_agree_are_shown_with_the_difference(console: Console) -> None:
    good = scenes.applied()
    lost = replace(good, latest=replace(_newest(good), rows_applied=401_870))

    page = console(lambda: overview_of(lost)).get("/links/notice-attributes").text

    assert "合いません（差 -7）" in page


def test_a_blocked_link_gives_the_reasons_of_the_plan(console: Console) -> None:
    page = console(scenes.morning).get("/links/welfare-to-citizen-app").text

    assert "送れない理由" in page
    assert "法的根拠がありません。" in page


def test_findings_come_in_pages(console: Console) -> None:
    browser = console(scenes.every_light)

    first = browser.get("/links/vaccination-reminders").text
    last = browser.get("/links/vaccination-reminders?page=3").text
    beyond = browser.get("/links/vaccination-reminders?page=99").text

    assert "132件のうち 1〜50件目です。" in first
    assert "132件のうち 101〜132件目です。" in last
    assert "132件のうち 101〜132件目です。" in beyond
    assert 'rel="next"' in first
    assert 'rel="next"' not in last


def test_findings_are_saved_for_excel(console: Console) -> None:
    answer = console(scenes.every_light).get("/links/vaccination-reminders/findings.csv")

    assert answer.body.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    assert rows[0][:3] == ["行", "項目", "内容"]
    assert len(rows) == 1 + 132
    assert rows[1][3:5] == ["続柄コード表", "98"]


def test_a_cell_that_looks_like_a_formula_is_harmless(console: Console) -> None:
    found = Finding(code="finding.x", line=None, item="=1+1", expected="@SUM(A1)", got="-2")
    run = Run(link="l", findings=(found,))

    answer = console(lambda: overview_of(link_of("連携", run))).get("/links/l/findings.csv")

    rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    assert rows[1][:5] == ["", "'=1+1", "finding.x", "'@SUM(A1)", "'-2"]


def test_a_link_says_how_many_were_left_to_people(console: Console) -> None:
    link = link_of("連携", Run(link="l"))
    assert link.latest
    some = replace(link, latest=replace(link.latest, left_to_people=1_234))

    assert "支援措置の対象者 1,234人" in console(lambda: overview_of(some)).get("/links/l").text
    assert "支援措置の対象者" not in console(lambda: overview_of(link)).get("/links/l").text


def test_a_link_says_whom_no_tie_let_through_and_why(console: Console) -> None:
    link = link_of("連携", Run(link="l"))
    assert link.latest
    some = replace(link, latest=replace(link.latest, untied={"none": 1_200, "item": 34}))

    said = "紐付けで出さない人 1,234（紐付けがない 1,200、項目を狭めた 34）"
    assert said in console(lambda: overview_of(some)).get("/links/l").text
    assert "紐付けで出さない人" not in console(lambda: overview_of(link)).get("/links/l").text


def test_a_link_is_saved_as_json(console: Console) -> None:
    answer = console(scenes.morning).get("/links/childcare-notices/link.json")

    document = json.loads(answer.body)
    assert document["at"] == "2026-11-21T22:42:00.000000Z"
    assert document["link"]["light"] == "stopped"
    assert document["link"]["latest"]["cause"]["code"] == "peer.unreachable"


def test_an_earlier_transfer_has_its_page(console: Console) -> None:
    browser = console(scenes.morning)
    earlier = scenes.applied().history[0]

    page = browser.get(f"/links/notice-attributes?transfer={earlier.transfer}")

    assert "これは過去の転送です。" in page.text
    assert "令和8年11月21日（土）分を" in page.text
    assert browser.get("/links/notice-attributes?transfer=none").status == 404


@pytest.mark.parametrize(
    "address",
    ["/links/nope", "/links/nope/findings.csv", "/nope", "/links/school-lunch/findings.csv"],
)
def test_what_is_not_there_is_said_in_the_same_tone(console: Console, address: str) -> None:
    answer = console(scenes.every_light).get(address)

    assert answer.status == 404
    assert "ページが見つかりません" in answer.text
    assert "連携状況一覧へ戻る" in answer.text


def test_only_get_is_answered(console: Console) -> None:
    answer = console(scenes.morning).get("/", method="POST")

    assert answer.status == 405
    assert "この画面は見るだけです。" in answer.text


def test_a_failure_shows_no_details(console: Console) -> None:
    def broken() -> Overview:
        raise RuntimeError("secret path")

    browser = console(broken)

    page = browser.get("/?lang=en")
    assert page.status == 500
    assert "The page could not be shown" in page.text
    assert "secret" not in page.text
    problem = browser.get("/", accept="application/json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert json.loads(problem.body)["status"] == 500


def test_a_refusal_of_the_views_is_told_with_its_remedy(console: Console) -> None:
    class StateBusy(KumobashiError):
        code = "test.state_busy"
        status = 503
        ja = "状態を読めません。"
        remedy_ja = "少し待ってください。"

    def busy() -> Overview:
        raise StateBusy

    answer = console(busy).get("/")

    assert answer.status == 503
    assert "状態を読めません。" in answer.text
    assert "少し待ってください。" in answer.text


@pytest.mark.parametrize(
    "address", ["/", "/links/notice-attributes", "/nope", "/static/console.css"]
)
def test_every_answer_is_strict(console: Console, address: str) -> None:
    headers = console(scenes.morning).get(address).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("closed", "table"),
    [
        (Light, labels.LIGHTS),
        (Light, labels.SIGNS),
        (Progress, labels.PROGRESS),
        (Mark, labels.MARKS),
        (Verdict, labels.VERDICTS),
        (Zone, labels.ZONES),
    ],
)
def test_every_value_has_a_label_in_both_languages(
    closed: type[StrEnum], table: Mapping[StrEnum, Words | str]
) -> None:
    assert set(table) == set(closed)
    for words in table.values():
        assert words if isinstance(words, str) else words.ja and words.en


def test_labels_of_lights_and_their_signs_are_all_different() -> None:
    assert len(set(labels.SIGNS.values())) == len(Light)
    for lang in ("ja", "en"):
        assert len({wording.pick(words, lang) for words in labels.LIGHTS.values()}) == len(Light)


def test_findings_call_an_item_by_its_japanese_name(console: Console) -> None:
    page = console(scenes.every_light).get("/links/vaccination-reminders").text

    assert '続柄 <code class="note">relationship</code>' in page


def test_a_deletion_without_proof_is_told_with_whom_to_call(console: Console) -> None:
    page = console(scenes.every_light).get("/").text
    quiet = console(lambda: overview_of(scenes.applied())).get("/").text

    (told,) = re.findall(r"<article[^>]*undeleted-1.*?</article>", page, re.DOTALL)
    assert "2026-10-19" in told
    assert "段階2 三日超過" in told
    assert 'href="tel:000-0000-0202"' in told
    assert "undeleted" not in quiet
    late = replace(overview_of(scenes.applied()), overdue=(scenes.undeleted(),))
    assert late.is_red
    assert 'class="sign red"' in console(lambda: late).get("/").text


def test_no_two_pages_call_different_sentences_by_one_key() -> None:
    keys = [key for page in wording.PAGES for key in page.TEXT]

    assert len(keys) == len(set(keys)) == len(wording.TEXT)
