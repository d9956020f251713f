"""The papers: what each says, and what they never say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kumobashi.exchange.migrating import migrate
from kumobashi.requests.errors import PaperUnfit, RequestTemplateUnfit
from kumobashi.requests.placeholders import MEANINGS, Around, placeholders
from kumobashi.requests.printing import PAPERS, SHEETS, paper_of, papers_of
from kumobashi.requests.records import Request
from kumobashi.requests.ruling import Wish
from kumobashi.requests.states import Kind, Outcome, State
from kumobashi.storage.sqlite import SQLiteState
from kumobashi.testing.clocks import HandClock
from tests.unit.requests.books import ANSWER, CHIEF, CLERK, GRANTED, NOW, ONE, Desk

ROW = {
    "開始": "2026-11-01 02:00",
    "連携・送り先": "通知の属性 → 通知サービス",
    "本人": "含まれた（送った行の鍵の控え）",
    "法的根拠・利用協議": "69-2-1 / 協議: なし",
    "項目と粗さ": "年齢: 5歳きざみ<b>",
    "消去": "保持中",
}
RECEIVER = {
    "link": "notice-attributes",
    "to_name": "通知サービス",
    "to_site": "public-cloud",
    "transfer": "019aa8d1-5b7c-7000-8000-0123456789ab",
    "state_ja": "保持中",
}
AROUND = Around(
    town="架空市",
    code="999997",
    now=datetime(2026, 11, 5, 3, 0, tzinfo=UTC),
    links=[],
    rows=[ROW],
    receivers=[RECEIVER],
    told=[],
    notes=["送ったものだけです。"],
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = SQLiteState(tmp_path / "state.db", owner="here")
    migrate(store)
    yield Desk(store, HandClock(NOW))
    store.close()


def printed(request: Request, paper: str | None = None) -> str:
    return SHEETS.render(paper_of(request, paper), placeholders(request, AROUND))


def test_every_placeholder_has_a_meaning_and_every_meaning_a_value(desk: Desk) -> None:
    assert placeholders(desk.bring(State.RECEIVED), AROUND).keys() == MEANINGS.keys()


def test_a_disclosure_prints_its_record_and_its_digest(desk: Desk) -> None:
    page = printed(desk.bring(State.DECIDED))
    for said in ("保有個人情報開示決定通知書", "令和8年11月2日", "全部を開示する", ANSWER):
        assert said in page
    assert "年齢: 5歳きざみ&lt;b&gt;" in page
    assert ONE not in page
    assert "審査請求" not in page  # all was granted


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (Kind.DISCLOSURE, "保有個人情報不開示決定通知書"),
        (Kind.CORRECTION, "保有個人情報訂正をしない旨の決定通知書"),
        (Kind.SUSPENSION, "保有個人情報利用停止をしない旨の決定通知書"),
    ],
)
def test_a_refusal_gives_clause_reason_and_remedies(desk: Desk, kind: Kind, title: str) -> None:
    held = desk.bring(State.PROPOSED, kind=kind)
    assert held.details.proposal is not None
    with pytest.raises(PaperUnfit):  # a proposal is no decision
        printed(held)
    page = printed(desk.book.confirm(held.request, held.details.proposal.hash, CHIEF))
    for said in (title, "提供した記録がありません。", "審査請求", "個人情報保護法 "):
        assert said in page
    assert "別紙" not in page


def test_a_part_gives_both(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    desk.book.answered(held.request, ANSWER, CLERK)
    wish = Wish(
        outcome=Outcome.PARTLY, clauses=("78-1-2",), reason="ほかの人に関する部分があるため"
    )
    held = desk.book.propose(held.request, wish, CLERK)
    assert held.details.proposal is not None
    page = printed(desk.book.confirm(held.request, held.details.proposal.hash, CHIEF))
    for said in ("部分開示決定", "78条1項2号", "ほかの人に関する部分", "審査請求", "別紙"):
        assert said in page


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind.CORRECTION, ("保有個人情報訂正決定通知書", "97条")),
        (Kind.SUSPENSION, ("保有個人情報利用停止決定通知書", "その転送の全体")),
    ],
)
def test_what_is_granted_names_who_holds_the_data(
    desk: Desk, kind: Kind, said: tuple[str, ...]
) -> None:
    held = desk.bring(State.CHECKED, kind=kind)
    page = printed(desk.book.decide(held.request, GRANTED, CHIEF))
    assert all(one in page for one in (*said, "通知サービス", RECEIVER["transfer"]))


def test_receivers_are_told_a_page_each_once_it_is_carried_out(desk: Desk) -> None:
    held = desk.bring(State.CARRIED_OUT, kind=Kind.SUSPENSION)
    assert papers_of(held) == ["receivers", "suspension"]  # the newest is the resident's
    far = {
        "link": "nhi-residents",
        "to_name": "国民健康保険",
        "transfers": [RECEIVER["transfer"]],
        "state_ja": "連絡済み",
        "on": "2026-11-03",
        "due": "2026-12-02",
    }
    around = replace(AROUND, told=[far, {**far, "to_name": "通知サービス", "on": None}])
    page = SHEETS.render("receivers", placeholders(held, around))
    for said in ("国民健康保険　御中", "通知サービス　御中", "利用停止の実施", "令和8年12月2日"):
        assert said in page
    assert page.count(RECEIVER["transfer"]) == 2
    assert ONE not in page


def test_papers_grow_with_the_request(desk: Desk) -> None:
    held = desk.bring(State.ASKED)
    assert "請求書に対象の記載がありません。" in printed(held)
    held = desk.book.resume(held.request, None, CLERK)
    held = desk.book.extend(held.request, "対象が多いため", CHIEF)
    page = printed(held)
    assert "期限の延長通知書" in page
    assert "令和8年12月2日" in page
    assert "令和9年1月1日" in page  # the counted day: what is told is safe under either reading
    assert "令和9年1月4日" not in page
    assert papers_of(held) == ["ask-more", "extension"]
    assert "補正について" in printed(held, "ask-more")
    with pytest.raises(PaperUnfit):
        printed(held, "disclosure")


def test_the_special_deadline_and_the_transfer(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    far = datetime(2027, 6, 30, tzinfo=UTC).date()
    page = printed(desk.book.extend(held.request, "著しく大量なため", CHIEF, until=far))
    assert "期限の特例通知書" in page
    assert "相当の部分の期限" in page
    moved = desk.bring(State.TRANSFERRED, "2" * 48)
    assert "架空県" in printed(moved)


def test_a_late_decision_says_so(desk: Desk) -> None:
    held = desk.bring(State.CHECKED)
    desk.book.answered(held.request, ANSWER, CLERK)
    desk.go(35)
    assert "5日過ぎました" in printed(desk.book.decide(held.request, GRANTED, CHIEF))


def test_the_staff_edit_and_are_told_of_mistakes(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    written = {path.name for path in SHEETS.write(folder)}
    assert written == {*SHEETS.pages.values(), *SHEETS.parts}
    assert SHEETS.write(folder) == []
    held = desk.bring(State.DECIDED)
    values = placeholders(held, AROUND)
    (folder / "disclosure.html").write_text(
        "{{ 団体名 }}\n{{ 氏名 }}", encoding="utf-8", newline="\n"
    )
    with pytest.raises(RequestTemplateUnfit) as refused:
        SHEETS.render("disclosure", values, folder=folder)
    assert (refused.value.file, refused.value.line) == ("disclosure.html", 2)
    (folder / "disclosure.html").write_text(
        "{{ 団体名.__class__.__mro__ }}", encoding="utf-8", newline="\n"
    )
    with pytest.raises(RequestTemplateUnfit):
        SHEETS.render("disclosure", values, folder=folder)


def test_every_paper_renders_for_every_request_that_can_have_it(desk: Desk) -> None:
    seen = {
        paper
        for number, state in enumerate(State)
        for paper in papers_of(desk.bring(state, f"{number:048x}"))
    }
    assert seen < set(PAPERS)
