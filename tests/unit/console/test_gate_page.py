"""What a rule tells of people: on the page of a link, of a plan, and on a page of its own."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.applications import Starlette

from kumobashi.cli.city import write_city
from kumobashi.console import console_routes, error_pages
from kumobashi.console.story import story_of
from kumobashi.exchange.views import LinkView, Overview
from kumobashi.identity import Role
from kumobashi.planning.measured import Measured
from kumobashi.planning.plan import plan
from kumobashi.planning.plan_json import as_json
from kumobashi.planning.workspace import load
from kumobashi.release.gate_report import Outcome
from kumobashi.release.gate_words import headline
from kumobashi.service.counting import counted
from kumobashi.testing import gates, scenes
from kumobashi.testing.boards import SceneBoard
from kumobashi.testing.office import Office
from kumobashi.testing.views import overview_of
from tests.unit.console.conftest import Browser, token_of

if TYPE_CHECKING:
    from kumobashi.console.ports import PlanSource
    from kumobashi.planning.explaining import Explanation

LINK = "notice-attributes"
QUESTION = {
    "ja": "隣の人の誕生日を知っている人は、なにを知ることができるか",
    "en": "What could someone who knows a neighbour&#39;s birthday learn?",
}
Scene = Callable[[], Overview]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"), scenes.every_light, signs_in=False)
    yield made
    made.close()


class Held:
    """The plans of an office, each explained once; a plan may be given instead of its own."""

    def __init__(self, office: Office) -> None:
        self._desk = office.desk
        self._explained: dict[str, Explanation | None] = {}
        self.instead: dict[str, Mapping[str, Any]] = {}

    def explanation(self, link: str) -> "Explanation | None":
        if link not in self._explained:
            self._explained[link] = self._desk.explanation(link)
        return self._explained[link]

    def plan(self, link: str) -> Mapping[str, Any] | None:
        return self.instead.get(link) or self._desk.plan(link)

    def proposal(self, link: str) -> None:
        return None


@pytest.fixture(scope="module")
def shared(office: Office) -> Held:
    return Held(office)


@pytest.fixture
def held(shared: Held) -> Held:
    shared.instead.clear()
    return shared


def browser(held: Held | None, scene: Scene = scenes.every_light) -> Browser:
    routes = console_routes(SceneBoard(scene), plans=cast("PlanSource | None", held))
    return Browser(Starlette(routes=routes, exception_handlers={**error_pages()}))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_answers_the_question_for_the_rule_at_hand(held: Held, lang: str) -> None:
    page = browser(held).get(f"/links/{LINK}/gate?lang={lang}")

    assert page.status == 200
    assert QUESTION[lang] in page.text
    said = text_of(page.text)
    for word in {
        "ja": (
            "「生年月: 5年ごとに」",
            "同じに見える 10 人より少なくは絞れず",
            "まち全体で同じに見える 14 人より",
            "「児童扶養手当（受給有無）」「生活保護（受給有無）」は、どの行か分からなくても",
            "l_diversity: {child_support_allowance: 2, public_assistance: 2}",
            "1,204人",
            "395,289",
            "庁内判定で出る値",
            "抽象化済の個人情報",
        ),
        "en": (
            "birth_ym (to five years)",
            "no fewer than 10 people alike",
            "child_support_allowance, public_assistance: may be learnt",
            "395,289",
            "childcare-benefit",
        ),
    }[lang]:
        assert word in said, word
    assert "匿名" not in said
    assert "<script" not in page.text.partition("<main")[2]


def test_the_fictional_resident_climbs_and_the_step_that_leaves_is_marked(held: Held) -> None:
    page = browser(held).get(f"/links/{LINK}/gate").text

    ladders = re.findall(r'<ol class="ladder">(.*?)</ol>', page, re.DOTALL)
    assert len(ladders) == 4
    for ladder in ladders:
        assert ladder.count("<b") >= 3
        assert ladder.count('aria-current="step"') == 1
        here = re.search(r'class="rung here".*?</li>', ladder, re.DOTALL)
        assert here
        assert "ここまで上がりました" in here[0]
    born = text_of(ladders[0])
    assert born.index("1988-05-14") < born.index("198805") < born.index("1985 ")
    assert "は架空の住民です" in page


def test_predicate_only_stands_beside_it_and_sends_two_values(held: Held) -> None:
    page = browser(held).get(f"/links/{LINK}/gate").text
    table = page.partition('aria-labelledby="becomes" tabindex')[2].partition("</table>")[0]

    rows = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")[2:]]
    last = [text_of(row[-1]).strip() for row in rows]
    sent = [cell for cell in last if cell != "出さない"]
    assert len(rows) == 14  # 13 items and the code
    assert len(sent) == 2
    assert sent[0].startswith("childcare-benefit")
    assert sent[1] == text_of(rows[1][2]).split()[0]  # the same token


def test_bars_are_of_people_and_a_table_says_the_same(held: Held) -> None:
    page = browser(held).get(f"/links/{LINK}/gate").text
    table = page.partition('<table class="crowds">')[2].partition("</table>")[0]
    report = gates.climbed(left_out=1_204)

    assert table.count("<svg") == table.count('aria-hidden="true" focusable') > 8
    assert f"{report.before.below_five:,}" == "403,081"
    told = [int(n.replace(",", "")) for n in re.findall(r'<td class="n">([\d,]+)</td>', table)]
    assert sum(told[:-2:2]) == told[-2] == 403_081
    assert sum(told[1:-2:2]) == told[-1] == 401_877


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_refusal_says_why_and_three_ways_out(held: Held, lang: str) -> None:
    seen = browser(held)
    for path in ("/links/care-visits", "/links/care-visits/gate"):
        page = seen.get(f"{path}?lang={lang}").text
        said = text_of(page)
        assert page.count('<ol class="ways-out">') == 1
        assert said.count("predicate_only") >= 1
        assert (
            "出せません。書かれたとおりでは" if lang == "ja" else "no allowed coarseness"
        ) in said
        assert 'class="n broken"' in page
        assert 'aria-current="step"' not in page.partition("<main")[2]  # nothing leaves at any step


def test_a_link_shows_the_gate_and_leads_to_the_page(held: Held) -> None:
    page = browser(held).get(f"/links/{LINK}").text

    assert "危険度の確認（出す前）" in page
    assert f'href="/links/{LINK}/gate"' in page
    assert page.count('class="here" aria-current="step"') == 4
    assert "抽出 <b>413,534</b>" in page
    assert "合いません" not in page


def test_without_plans_the_gate_is_shown_and_no_page_is_promised() -> None:
    alone = browser(None)

    assert "危険度の確認（出す前）" in alone.get(f"/links/{LINK}").text
    assert "/gate" not in alone.get(f"/links/{LINK}").text
    assert alone.get(f"/links/{LINK}/gate").status == 404


def test_an_earlier_transfer_without_a_gate_shows_no_figures_of_another(held: Held) -> None:
    earlier = scenes.applied().history[0]
    page = browser(held).get(f"/links/{LINK}/gate?transfer={earlier.transfer}")

    assert page.status == 200
    assert "まだ測っていません" in page.text
    assert "403,081" not in page.text


@pytest.mark.parametrize(
    "address",
    ["/links/nobody/gate", f"/links/{LINK}/gate?transfer=nobody", "/links/%3Cb%3E/gate"],
)
def test_what_is_not_there_is_said(held: Held, address: str) -> None:
    assert browser(held).get(address).status == 404


@pytest.mark.parametrize(
    ("link", "word", "tells"),
    [
        ("campaign-targets", "測る項目がありません", "コードが付いた人は、その通知の対象だと"),
        ("resident-to-nhi", "出す前の確認（gate）は求められていません", "「生年月日: そのまま」"),
        ("vaccination-reminders", "まだ測っていません", "9歳である"),
        ("childcare-notices", "まだ測っていません", "「子の生年月: 世帯の18歳未満の生年月」"),
    ],
)
def test_a_rule_that_was_not_measured_is_explained_all_the_same(
    held: Held, link: str, word: str, tells: str
) -> None:
    page = browser(held).get(f"/links/{link}/gate").text

    assert word in page
    assert tells in page
    assert 'class="crowds"' not in page


def test_figures_of_another_form_of_the_rule_are_not_laid_on_this_one(held: Held) -> None:
    report = gates.climbed()
    short = replace(report.climbs[1], steps=report.climbs[1].steps[:1], level=0)
    other = replace(report, climbs=(report.climbs[0], short, *report.climbs[2:]))
    link = scenes.applied()
    assert link.latest is not None
    shown = replace(link, latest=replace(link.latest, gate=other))

    page = browser(held, lambda: overview_of(shown)).get(f"/links/{LINK}/gate").text

    assert "今とは違う形の提供ルールで測ったもの" in page
    assert 'aria-current="step"' not in page.partition("<main")[2]
    assert "誕生日を知っていても" not in page


def test_names_in_a_report_stay_text(held: Held) -> None:
    report = gates.climbed()
    hostile = replace(report, names=dict.fromkeys(report.names, "<script>alert(1)</script>"))
    link = scenes.applied()
    assert link.latest is not None
    shown: LinkView = replace(link, latest=replace(link.latest, gate=hostile))

    seen = browser(held, lambda: overview_of(shown))
    for path in (f"/links/{LINK}", f"/links/{LINK}/gate"):
        page = seen.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_every_role_may_see_it_and_who_has_not_entered_may_not(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path, scenes.every_light, signs_in=True)
    try:
        outside = Browser(office.application)
        assert outside.get(f"/links/{LINK}/gate").status == 303
        for role in (Role.VIEWER, Role.AUDITOR, Role.OPERATOR, Role.APPROVER):
            person = Browser(office.application)
            token = token_of(person.get("/sign-in"))
            fields = {"token": token, **office.credentials(role)}
            assert person.post("/sign-in", fields).status == 303
            assert person.get(f"/links/{LINK}/gate").status == 200
    finally:
        office.close()


# -- a plan, really counted -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(office: Office) -> Mapping[str, Measured]:
    """Count plans over a city so small that one gate climbs and the other refuses."""
    write_city(office.folder, residents=2_000, seed=3)
    workspace = load(office.folder)
    return {
        name: counted(workspace, plan(workspace, None, name, on=date(2026, 11, 22)))
        for name in (LINK, "childcare-notices")
    }


@pytest.mark.parametrize(
    ("link", "outcome"), [(LINK, Outcome.REFUSED), ("childcare-notices", Outcome.CLIMBED)]
)
def test_a_counted_plan_shows_what_its_gate_really_measured(
    held: Held, office: Office, measured: Mapping[str, Measured], link: str, outcome: Outcome
) -> None:
    report = measured[link].gate
    assert report is not None
    assert report.outcome is outcome
    decided = plan(load(office.folder), None, link, on=date(2026, 11, 22))
    document = json.loads(json.dumps(as_json(decided, measured=measured[link])))
    held.instead[link] = {**dict(held.plan(link) or {}), "measured": document["measured"]}
    assert story_of(held.instead[link]).gate == report

    seen = browser(held)
    of_plan = seen.get(f"/links/{link}/gate?of=plan").text
    on_plan = seen.get(f"/plans/{link}").text

    for page in (of_plan, on_plan):
        assert headline(report)[0] in page
        assert page.count('class="ways-out"') == (outcome is Outcome.REFUSED)
    assert "事前点検で数えた数字です" in of_plan
    assert (
        f'href="/links/{link}/gate?lang=en&amp;of=plan"' in of_plan
    )  # the same figures in English
    assert f"{report.before.rows:,}" in of_plan
    raised = sum(1 for climb in report.climbs if climb.level)
    assert of_plan.count("ここまで上がりました") == raised
    assert bool(raised) == (outcome is Outcome.CLIMBED)
    assert f'href="/links/{link}/gate?of=plan"' in on_plan
    assert ("提供ルールに書いたままの値です" in on_plan) == (outcome is Outcome.CLIMBED)


def test_a_plan_of_another_release_is_drawn_without_its_gate(held: Held) -> None:
    document = dict(held.plan(LINK) or {})
    for strange in ({"outcome": "sideways"}, {"gate": 1}, {"outcome": "passed", "columns": 7}):
        held.instead[LINK] = document | {"measured": {"rows": 3, "gate": strange}}
        seen = browser(held)
        assert seen.get(f"/plans/{LINK}").status == 200
        assert "まだ測っていません" in seen.get(f"/links/{LINK}/gate?of=plan").text
